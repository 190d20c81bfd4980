//! The command line: job names, then options; and the page that lists them.

use core::fmt::Write as _;
use core::time::Duration;

use crate::jobs::{GROUPS, Job, TARGET};
use crate::outcome::Options;

/// The options part of the page that `cargo xtask` prints.
const OPTIONS: &str = "
Options:
  --cases PATTERNS    autobahn, autobahn-compression: only these cases, e.g. --cases \"1.* 7.9.3\"
  --role ROLE         the same two: hybi as `server` or as `client`; both without it
  --peer NAME         interop, compression: only this peer; one that a job does not know is refused
                      with the names that it knows
  --time TIME         such as 90s, 5m or 2h. fuzz: how long each target runs, 60s without it;
                      soak: how long it takes, 30m without it
  --seeds SEEDS       simulate: how many conversations of each row, or which, such as 7..9; 100000 without it
  --choices CHOICES   simulate: the one conversation of a row that these choices make
  --shard K/N         mutants: only the K-th of N shares, counted from 0
  --bless             counts, api: what is found becomes the baseline
  --strict            a skipped job fails, unless there is a reason for it that this program knows
";

/// The page that `cargo xtask` alone prints.
pub(crate) fn page() -> String {
    let mut page = String::from("cargo xtask <job>... [options]\n");
    for (group, about, jobs) in GROUPS {
        let _ = write!(page, "\n{group:<20} {about}:\n");
        for job in *jobs {
            let _ = writeln!(page, "  {:<20} {}", job.name, job.about);
        }
    }
    page.push_str(OPTIONS);
    page
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    List,
    Run { jobs: Vec<Job>, options: Box<Options> },
}

/// Reads the arguments after `cargo xtask`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let mut jobs = Vec::new();
    let mut options = Box::<Options>::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "-h" | "--help" => return Ok(Command::List),
            "--cases" => options.cases = Some(value()?),
            "--role" => options.role = Some(value()?),
            "--peer" => options.peer = Some(value()?),
            "--time" => options.time = Some(value()?),
            "--seeds" => options.seeds = Some(value()?),
            "--choices" => options.choices = Some(value()?),
            "--shard" => options.shard = Some(value()?),
            "--bless" => options.bless = true,
            "--strict" => options.strict = true,
            name => match find(name) {
                Ok(found) => jobs.extend(found),
                // Which targets there are, the job knows.
                Err(_) if jobs.last().is_some_and(|job: &Job| job.known(TARGET).is_some()) => {
                    options.target = Some(name.to_owned());
                }
                Err(why) => return Err(why),
            },
        }
    }
    for job in &jobs {
        job.takes(&options)?;
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

/// `90s`, `5m`, `2h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("--time takes a number and s, m or h, not `{text}`");
    let number = text.trim_end_matches(['s', 'm', 'h']);
    let unit = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<u32>().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(seconds) * unit))
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
        let Ok(Command::Run { jobs, options }) = parse_line("tidy fmt --strict") else {
            panic!("two jobs were asked for");
        };
        assert_eq!(jobs.iter().map(|job| job.name).collect::<Vec<_>>(), ["tidy", "fmt"]);
        assert!(options.strict);
        let Ok(Command::Run { jobs, .. }) = parse_line("ci") else { panic!("ci is a group") };
        assert_eq!(jobs.len(), crate::jobs::CI.len());
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(parse_line("linnt").unwrap_err().contains("`linnt`"));
        assert!(parse_line("autobahn --cases").unwrap_err().contains("needs a value"));
    }

    #[test]
    fn a_name_behind_fuzz_is_a_target() {
        let Ok(Command::Run { jobs, options }) = parse_line("fuzz --time 5m frames") else {
            panic!("a job was asked for");
        };
        assert_eq!(jobs.len(), 1);
        let given = (options.time.as_deref(), options.target.as_deref());
        assert_eq!(given, (Some("5m"), Some("frames")));
        assert!(parse_line("fmt frames").unwrap_err().contains("`frames`"));
        assert_eq!(parse_line("fmt --time 5m").unwrap_err(), "fmt: takes no --time");
    }

    #[test]
    fn a_name_behind_mutants_is_a_part() {
        let Ok(Command::Run { options, .. }) = parse_line("mutants frame --shard 1/8") else {
            panic!("a job was asked for");
        };
        let given = (options.target.as_deref(), options.shard.as_deref());
        assert_eq!(given, (Some("frame"), Some("1/8")));
        assert!(parse_line("mutants cli").unwrap_err().contains("legacy, frame, handshake"));
        assert_eq!(parse_line("fuzz --shard 1/8").unwrap_err(), "fuzz: takes no --shard");
    }

    #[test]
    fn an_option_that_a_job_does_not_take_is_refused_with_what_it_takes() {
        assert!(parse_line("autobahn --role both").unwrap_err().contains("server, client"));
        let refused = parse_line("compression --peer em-websocket").unwrap_err();
        assert_eq!(refused, "compression: --peer takes python, node, chromium, not `em-websocket`");
        assert!(parse_line("interop --peer em-websocket").is_ok());
        assert!(parse_line("interop compression --peer node").is_ok());
        assert!(parse_line("interop compression --peer pywebsocket").is_err());
        assert_eq!(parse_line("fmt --peer node").unwrap_err(), "fmt: takes no --peer");
        assert_eq!(parse_line("fmt --bless").unwrap_err(), "fmt: takes no --bless");
        assert!(parse_line("counts --bless").is_ok());
        assert_eq!(parse_line("ci --cases 1.*").unwrap_err(), "fmt: takes no --cases");
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "90", "s", "1d", "-1s", "1ss"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
