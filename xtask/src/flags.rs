//! The command line: job names, then options.

use crate::jobs::{GROUPS, Job};
use crate::outcome::Options;

/// The options part of the page that `cargo xtask` prints.
pub(crate) const OPTIONS: &str = "
Options:
  --cases PATTERNS    autobahn, autobahn-compression: only these cases, e.g. --cases \"1.* 7.9.3\"
  --role ROLE         the same two: hybi as `server` or as `client`; both without it
  --peer NAME         interop, compression: only `chromium`, `python` or `node`; interop also
                      `em-websocket`, `protocol-websocket`, `pywebsocket` or `websocket-driver`
";

const PEERS: [&str; 7] = [
    "chromium",
    "python",
    "node",
    "em-websocket",
    "protocol-websocket",
    "pywebsocket",
    "websocket-driver",
];

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    List,
    Run { jobs: Vec<Job>, options: Options },
}

/// Reads the arguments after `cargo xtask`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let mut jobs = Vec::new();
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = |allowed: &[&str]| {
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
            if allowed.is_empty() || allowed.contains(&value.as_str()) {
                Ok(Some(value))
            } else {
                Err(format!("{argument} takes {}, not `{value}`", allowed.join(", ")))
            }
        };
        match argument.as_str() {
            "-h" | "--help" => return Ok(Command::List),
            "--cases" => options.cases = value(&[])?,
            "--role" => options.role = value(&["server", "client"])?,
            "--peer" => options.peer = value(&PEERS)?,
            name => jobs.extend(find(name)?),
        }
    }
    if jobs.is_empty() { Ok(Command::List) } else { Ok(Command::Run { jobs, options }) }
}

fn find(name: &str) -> Result<Vec<Job>, String> {
    if let Some((_, _, jobs)) = GROUPS.iter().find(|group| group.0 == name) {
        return Ok(jobs.to_vec());
    }
    let job = GROUPS.iter().flat_map(|group| group.2).find(|job| job.name == name);
    job.map(|job| vec![*job])
        .ok_or_else(|| format!("no job or option is called `{name}`; `cargo xtask` lists them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn nothing_asked_is_the_list() {
        assert!(matches!(parse_line(""), Ok(Command::List)));
        assert!(matches!(parse_line("lint --help"), Ok(Command::List)));
    }

    #[test]
    fn jobs_keep_their_order_and_groups_unfold() {
        let Ok(Command::Run { jobs, options }) = parse_line("tidy fmt --cases 1.*") else {
            panic!("two jobs were asked for");
        };
        assert_eq!(jobs.iter().map(|job| job.name).collect::<Vec<_>>(), ["tidy", "fmt"]);
        assert_eq!(options.cases.as_deref(), Some("1.*"));
        let Ok(Command::Run { jobs, .. }) = parse_line("ci") else { panic!("ci is a group") };
        assert_eq!(jobs.len(), crate::jobs::CI.len());
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(parse_line("linnt").unwrap_err().contains("`linnt`"));
        assert!(parse_line("autobahn --cases").unwrap_err().contains("needs a value"));
        assert!(parse_line("autobahn --role both").unwrap_err().contains("server, client"));
    }
}
