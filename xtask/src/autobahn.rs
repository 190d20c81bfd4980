//! The Autobahn testsuite against the program `hybi`, as server and as client.
//!
//! The suite is installed into the target folder, or taken from the folder that `HYBI_AUTOBAHN`
//! names. Good verdicts are OK and INFORMATIONAL, for the behaviour and for the close.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::hybi::{self, Hybi};
use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{Running, command, run};
use crate::tools::need;
use crate::workspace::{Workspace, read, write};

/// Sections 1 to 10: framing, control frames, text, closing, limits; there is no 8. Of 12 and 13,
/// which are permessage-deflate with every parameter, the rows with short messages and short ones
/// in fragments: 96 of 216 cases. There is no 11.
fn short() -> Vec<String> {
    let mut cases: Vec<_> =
        ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"].map(String::from).into();
    for (section, groups) in [(12, 5), (13, 7)] {
        for group in 1..=groups {
            let rows = [1, 2, 3, 4, 5, 6, 11, 12];
            cases.extend(rows.map(|row| format!("{section}.{group}.{row}")));
        }
    }
    cases
}

/// What the cases of section 9 need.
const LIMITS: [&str; 4] = ["--max-message", "16MiB", "--max-fragments", "65536"];

const AGENT: &str = "hybi";
const START: Duration = Duration::from_secs(60);
/// The suite itself gives up on its longest cases after 480 s.
const CASE: Duration = Duration::from_secs(600);

/// What a change must pass.
pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    judge_roles(workspace, options, short(), Duration::from_secs(1800))
}

/// The whole of sections 12 and 13.
pub(crate) fn compression(workspace: &Workspace, options: &Options) -> JobResult {
    let cases = ["12.*", "13.*"].map(String::from).into();
    judge_roles(workspace, options, cases, Duration::from_secs(2 * 3600))
}

/// Runs the cases, or those that the options name, in both roles at once: most of the time goes
/// to the suite, which uses one processor.
fn judge_roles(
    workspace: &Workspace,
    options: &Options,
    mut cases: Vec<String>,
    within: Duration,
) -> JobResult {
    let suite = Suite { wstest: suite(workspace)?.join("wstest"), within };
    let hybi = Hybi::build(workspace)?;
    if let Some(only) = &options.cases {
        cases = only.split_whitespace().map(String::from).collect();
    }
    let wanted = |role: &str| options.role.as_ref().is_none_or(|wanted| wanted == role);
    let failures: Vec<_> = thread::scope(|scope| {
        let server = wanted("server").then(|| {
            scope.spawn(|| judge("hybi serve", &suite.test_server(workspace, &hybi, &cases)?))
        });
        let client = wanted("client").then(|| {
            scope.spawn(|| judge("hybi connect", &suite.test_client(workspace, &hybi, &cases)?))
        });
        let lost = |_| Err("a thread of this program panicked".to_owned());
        let roles = [server, client].into_iter().flatten();
        roles.filter_map(|role| role.join().unwrap_or_else(lost).err()).collect()
    });
    if failures.is_empty() { Ok(Outcome::Passed) } else { Err(failures.join("\n")) }
}

/// The folder of the installed suite, where its `python2.7` is too.
pub(crate) fn suite(workspace: &Workspace) -> Result<PathBuf, String> {
    let folder = match std::env::var_os("HYBI_AUTOBAHN") {
        Some(folder) => PathBuf::from(folder),
        None => workspace.cache("autobahn")?.join("suite"),
    };
    if !folder.join("complete").exists() {
        need("python3", &["-m", "pip", "--version"], "python3-pip")?;
        run(command("bash").arg(workspace.xtask("autobahn/install.sh")).arg(&folder))?;
    }
    Ok(folder)
}

/// The suite, and how long it may take for its cases.
struct Suite {
    wstest: PathBuf,
    within: Duration,
}

impl Suite {
    /// The suite as client; `hybi serve` echoes.
    fn test_server(
        &self,
        workspace: &Workspace,
        hybi: &Hybi,
        cases: &[String],
    ) -> Result<PathBuf, String> {
        let report = workspace.empty_cache("autobahn/server")?;
        let server = hybi.serve(&report, &LIMITS)?;
        let servers = json!([{ "agent": AGENT, "url": &server.url }]);
        let spec = write_spec(&report, cases, ("servers", servers))?;
        let mut client = self.start("fuzzingclient", &report, &spec)?;
        let (status, lines) = client.finish(self.within)?;
        if !status.success() {
            return Err(client.complaint(&format!("{status}: {}", lines.join("\n"))));
        }
        server.terminate()?;
        server.finish()?;
        Ok(report)
    }

    /// The suite as server; `hybi connect --echo` runs once for each case.
    fn test_client(
        &self,
        workspace: &Workspace,
        hybi: &Hybi,
        cases: &[String],
    ) -> Result<PathBuf, String> {
        let report = workspace.empty_cache("autobahn/client")?;
        // The suite cannot choose a port by itself: it gets one that was free just now.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr());
        let address = free.map_err(|error| format!("no free port: {error}"))?;
        let url = format!("ws://{address}");
        let spec = write_spec(&report, cases, ("url", json!(url)))?;
        let server = self.start("fuzzingserver", &report, &spec)?;
        server.line_after("Cases = ", START)?;
        // That line comes just before it listens.
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(server.complaint("does not listen"));
            }
            thread::sleep(Duration::from_millis(20));
        }

        let ask = |what: &str, options: &[&str]| {
            let mut client = hybi.connect(&format!("{url}/{what}"), options);
            let mut client = Running::start("hybi-connect", &report, &mut client)?;
            let (status, lines) = client.finish(CASE)?;
            match status.code() {
                // A case may end in any way that its server chose, but not in these: wrong use,
                // no connection, a panic, a signal.
                Some(hybi::USAGE | hybi::NO_CONNECTION | hybi::PANIC) | None => {
                    Err(client.complaint(&format!("ended with {status} at {what}")))
                }
                _ => Ok(lines),
            }
        };
        let lines = ask("getCaseCount", &["--echo", "--count", "1", "--json"])?;
        let count = lines.iter().find_map(|line| message_text(line)?.parse().ok());
        let count: u32 = count.ok_or_else(|| format!("no number of cases in {lines:?}"))?;
        let echo = [&["--echo"], &LIMITS[..2]].concat();
        for case in 1..=count {
            ask(&format!("runCase?case={case}&agent={AGENT}"), &echo)?;
        }
        ask(&format!("updateReports?agent={AGENT}"), &echo)?;
        let judged = index(&report)?.len();
        if judged == usize::try_from(count).unwrap_or(usize::MAX) {
            Ok(report)
        } else {
            Err(format!("{count} cases were run but {judged} judged"))
        }
    }

    fn start(&self, mode: &str, report: &Path, spec: &Path) -> Result<Running, String> {
        let mut wstest = command(&self.wstest);
        wstest.args(["-m", mode, "-u", "0", "-s"]).arg(spec).env("PYTHONUNBUFFERED", "1");
        Running::start(mode, report, &mut wstest)
    }
}

fn write_spec(
    report: &Path,
    cases: &[String],
    (key, value): (&str, Value),
) -> Result<PathBuf, String> {
    let mut spec = json!({
        "outdir": report,
        // Failing must be done in order, with a Close frame.
        "options": { "failByDrop": false },
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    spec[key] = value;
    let path = report.join("spec.json");
    write(&path, &spec.to_string())?;
    Ok(path)
}

/// The text of a message, if that is what this line of `hybi connect --json` tells of.
fn message_text(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    (event["event"] == "message").then(|| event["text"].as_str().map(String::from))?
}

/// The verdicts of the suite, by case.
fn index(report: &Path) -> Result<serde_json::Map<String, Value>, String> {
    let path = report.join("index.json");
    let mut index: Value = serde_json::from_str(&read(&path)?)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    match index[AGENT].take() {
        Value::Object(cases) if !cases.is_empty() => Ok(cases),
        _ => Err(format!("{}: no case was run", path.display())),
    }
}

/// Prints the counts; an error names each case that is not good.
fn judge(role: &str, report: &Path) -> Result<(), String> {
    let cases = index(report)?;
    let (line, short) = count(&cases);
    println!("{role}: {line}");
    if short.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{role}: {} verdicts fall short\n{}\nreport: {}",
        short.len(),
        short.join("\n"),
        report.join("index.html").display()
    ))
}

/// The counts in one line, and a line for each verdict that is not good.
fn count(cases: &serde_json::Map<String, Value>) -> (String, Vec<String>) {
    let mut line = format!("{} cases", cases.len());
    let mut short = Vec::new();
    for (key, label) in [("behavior", "behaviour"), ("behaviorClose", "close")] {
        let mut counts = BTreeMap::<&str, u32>::new();
        for (case, verdicts) in cases {
            let verdict = verdicts[key].as_str().unwrap_or("none");
            *counts.entry(verdict).or_default() += 1;
            if !["OK", "INFORMATIONAL"].contains(&verdict) {
                short.push(format!("  {case}: {label} {verdict}"));
            }
        }
        let counts: Vec<_> = counts.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect();
        line.push_str(&format!("; {label}: {}", counts.join(", ")));
    }
    (line, short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_rows_are_96() {
        let compression =
            short().into_iter().filter(|case| case.starts_with("12.") || case.starts_with("13."));
        assert_eq!(compression.count(), 96);
    }

    #[test]
    fn only_ok_and_informational_are_good() {
        let verdicts = json!({
            "1.1.1": { "behavior": "OK", "behaviorClose": "OK" },
            "6.4.3": { "behavior": "NON-STRICT", "behaviorClose": "OK" },
            "7.1.5": { "behavior": "INFORMATIONAL", "behaviorClose": "UNCLEAN" },
            "9.9.9": {},
        });
        let (line, short) = count(verdicts.as_object().expect("an object"));
        assert_eq!(
            line,
            "4 cases; behaviour: INFORMATIONAL 1, NON-STRICT 1, OK 1, none 1; \
             close: OK 2, UNCLEAN 1, none 1"
        );
        assert_eq!(
            short,
            [
                "  6.4.3: behaviour NON-STRICT",
                "  9.9.9: behaviour none",
                "  7.1.5: close UNCLEAN",
                "  9.9.9: close none"
            ]
        );
    }
}
