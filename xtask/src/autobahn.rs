//! The Autobahn testsuite against the program `hybi`, as server and as client, over either version of HTTP, and against
//! the other adapters.
//!
//! The suite is installed into the target folder, or taken from the folder that `HYBI_AUTOBAHN`
//! names. Good verdicts are OK and INFORMATIONAL, for the behaviour and for the close.

use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use hybi_suite::events;
use serde_json::{Value, json};

use crate::cargo::cargo;
use crate::hybi::{self, Hybi};
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{Running, command, free_port, output, run};
use crate::tools::need;
use crate::workspace::{Workspace, read, write};

/// The sections of the suite, each with its number of cases: framing, control frames, text, closing,
/// limits; 12 and 13 are permessage-deflate with every parameter. There is no 8 and no 11.
const SECTIONS: [(&str, usize); 11] = [
    ("1", 16),
    ("2", 11),
    ("3", 7),
    ("4", 10),
    ("5", 20),
    ("6", 145),
    ("7", 37),
    ("9", 54),
    ("10", 1),
    ("12", 90),
    ("13", 126),
];

/// All but the rows of 12 and 13 with long messages: short ones and short ones in fragments stay,
/// 96 of 216 cases.
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
    judge_roles(workspace, options, HYBI, short(), Duration::from_secs(1800))
}

/// The same over HTTP/2, which the suite does not speak: a relay passes the bytes on.
pub(crate) fn http2(workspace: &Workspace, options: &Options) -> JobResult {
    judge_roles(workspace, options, HTTP2, short(), Duration::from_secs(3600))
}

/// The same of the other adapters.
pub(crate) fn adapters(workspace: &Workspace, options: &Options) -> JobResult {
    judge_roles(workspace, options, ADAPTERS, short(), Duration::from_secs(3600))
}

/// The whole of sections 12 and 13.
pub(crate) fn compression(workspace: &Workspace, options: &Options) -> JobResult {
    let cases = ["12.*", "13.*"].map(String::from).into();
    judge_roles(workspace, options, HYBI, cases, Duration::from_secs(2 * 3600))
}

/// Runs the cases, or those that the options name, in both roles at once: most of the time goes
/// to the suite, which uses one processor.
fn judge_roles(
    workspace: &Workspace,
    options: &Options,
    testees: &[Testee],
    mut cases: Vec<String>,
    within: Duration,
) -> JobResult {
    let folder = suite(workspace)?;
    if let Some(only) = &options.cases {
        cases = only.split_whitespace().map(String::from).collect();
    }
    let all = own_list(&folder)?;
    complete(&all)?;
    let cases = chosen(&all, &cases)?;
    let mut tally = plan(testees, &cases, options);

    let suite = Suite { wstest: folder.join("wstest"), within };
    let hybi = Hybi::build(workspace)?;
    Programs::build(workspace, testees)?;
    let programs = Programs { workspace, hybi: &hybi };
    let results: Vec<_> = thread::scope(|scope| {
        let (suite, programs, cases) = (&suite, &programs, &cases);
        let threads = roles(testees, options).map(|testee| {
            let report = move || match testee.role {
                "server" => suite.test_server(programs, testee, cases),
                _ => suite.test_client(programs, testee, cases),
            };
            (testee, scope.spawn(move || index(&report()?)))
        });
        let threads: Vec<_> = threads.collect();
        let lost = |_| Err("a thread of this program panicked".to_owned());
        let joined = threads.into_iter();
        joined.map(|(testee, thread)| (testee, thread.join().unwrap_or_else(lost))).collect()
    });
    for (testee, verdicts) in results {
        match verdicts {
            Ok(verdicts) => judge(&mut tally, testee, &verdicts),
            Err(why) => tally.fail(format!("{testee}: {why}")),
        }
    }
    Ok(tally.into())
}

/// Who is judged, and as what.
#[derive(Clone, Copy, Debug)]
struct Testee {
    judged: Judged,
    role: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// The program, which is over tokio.
    Hybi,
    /// The same over HTTP/2, with the `relay` of the trials between it and the suite.
    Http2,
    /// The example `echo_server_NAME`, and `echo_client NAME` of the trials.
    Adapter(&'static str),
}

impl Judged {
    const fn name(self) -> &'static str {
        match self {
            Self::Hybi => AGENT,
            Self::Http2 => "http2",
            Self::Adapter(name) => name,
        }
    }
}

impl fmt::Display for Testee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.judged.name(), self.role)
    }
}

const fn testees(judged: Judged) -> [Testee; 2] {
    [Testee { judged, role: "server" }, Testee { judged, role: "client" }]
}

const HYBI: &[Testee] = &testees(Judged::Hybi);

const HTTP2: &[Testee] = &testees(Judged::Http2);

const ADAPTERS: &[Testee] = {
    let [smol, smol_client] = testees(Judged::Adapter("smol"));
    let [blocking, blocking_client] = testees(Judged::Adapter("blocking"));
    &[smol, smol_client, blocking, blocking_client]
};

fn roles(testees: &[Testee], options: &Options) -> impl Iterator<Item = Testee> {
    let wanted = |testee: &Testee| options.role.as_ref().is_none_or(|role| role == testee.role);
    testees.iter().copied().filter(wanted)
}

fn plan(testees: &[Testee], cases: &[String], options: &Options) -> Tally {
    let mut tally = Tally::of("cases");
    for testee in roles(testees, options) {
        for case in cases {
            tally = tally.plan(item(testee, case), 1);
        }
    }
    tally
}

fn item(testee: Testee, case: &str) -> String {
    format!("{testee}: {case}")
}

/// What is run of ours.
struct Programs<'a> {
    workspace: &'a Workspace,
    hybi: &'a Hybi,
}

impl Programs<'_> {
    /// A folder for what is said of a testee.
    fn report(&self, testee: Testee) -> Result<PathBuf, String> {
        self.workspace.empty_cache(&format!("autobahn/{}-{}", testee.judged.name(), testee.role))
    }

    /// Builds what the testees need beside `hybi`.
    fn build(workspace: &Workspace, testees: &[Testee]) -> Result<(), String> {
        for testee in testees {
            let (package, program) = match (testee.judged, testee.role) {
                (Judged::Hybi, _) => continue,
                (Judged::Http2, _) => ("hybi-trials", "relay".to_owned()),
                (Judged::Adapter(name), "server") => ("hybi-examples", example(name)),
                (Judged::Adapter(_), _) => ("hybi-trials", "echo_client".to_owned()),
            };
            run(cargo(workspace).args(["build", "--release", "-p", package, "--bin", &program]))?;
        }
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        command(self.workspace.target.join("release").join(name))
    }

    /// A client that sends back what the suite says at this URI.
    fn client(&self, testee: Testee, uri: &str) -> Command {
        let options: &[_] = match testee.judged {
            Judged::Hybi => &[],
            Judged::Http2 => &["--http", "2"],
            Judged::Adapter(name) => {
                let mut client = self.program("echo_client");
                client.args([name, uri]);
                return client;
            }
        };
        self.hybi.connect(uri, &[&["--echo"], &LIMITS[..2], options].concat())
    }

    /// A relay to this address in this version of HTTP, and where it listens.
    fn relay(
        &self,
        report: &Path,
        version: &str,
        address: &str,
    ) -> Result<(Running, String), String> {
        let relay =
            Running::start("relay", report, self.program("relay").args([version, address]))?;
        let url = format!("ws://{}", relay.line_after("listening ", START)?);
        Ok((relay, url))
    }
}

fn example(adapter: &str) -> String {
    format!("echo_server_{adapter}")
}

/// The cases that the suite itself says it has.
fn own_list(suite: &Path) -> Result<Vec<String>, String> {
    const SCRIPT: &str = "from autobahntestsuite.case import Cases\n\
        for case in Cases: print(case.__name__[len('Case'):].replace('_', '.'))";
    let said = output(command(suite.join("python2.7")).args(["-c", SCRIPT]))?;
    Ok(said.lines().map(|line| line.trim().to_owned()).collect())
}

/// Compares the suite's own list with the table: an installed suite that lacks a part judges less.
fn complete(all: &[String]) -> Result<(), String> {
    let counted = SECTIONS.map(|(section, _)| {
        let cases = all.iter().filter(|case| case.split('.').next() == Some(section));
        (section, cases.count())
    });
    let known: usize = SECTIONS.iter().map(|section| section.1).sum();
    match counted.iter().zip(SECTIONS).find(|(has, should)| **has != *should) {
        Some((has, should)) => Err(format!(
            "section {} of the installed suite has {} cases, not {}",
            has.0, has.1, should.1
        )),
        None if all.len() != known => {
            Err(format!("the installed suite has {} cases, not {known}", all.len()))
        }
        None => Ok(()),
    }
}

/// The cases that the patterns name; `*` at the end stands for anything, as the suite has it.
fn chosen(all: &[String], patterns: &[String]) -> Result<Vec<String>, String> {
    let named = |pattern: &String, case: &String| match pattern.strip_suffix('*') {
        Some(start) => case.starts_with(start),
        None => case == pattern,
    };
    let empty = patterns.iter().find(|pattern| !all.iter().any(|case| named(pattern, case)));
    if let Some(pattern) = empty {
        return Err(format!("the suite has no case `{pattern}`"));
    }
    let wanted = |case: &&String| patterns.iter().any(|pattern| named(pattern, case));
    Ok(all.iter().filter(wanted).cloned().collect())
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
    /// The suite as client; `hybi serve` echoes, or an example does.
    fn test_server(
        &self,
        programs: &Programs<'_>,
        testee: Testee,
        cases: &[String],
    ) -> Result<PathBuf, String> {
        let report = programs.report(testee)?;
        match testee.judged {
            Judged::Hybi => {
                let server = programs.hybi.serve(&report, &LIMITS)?;
                self.fuzz(&report, &server.url, cases)?;
                server.terminate()?;
                server.finish()?;
            }
            Judged::Http2 => {
                let server =
                    programs.hybi.serve(&report, &[&LIMITS[..], &["--http", "1.1,2"]].concat())?;
                let address = server.url.trim_start_matches("ws://");
                let (_relay, url) = programs.relay(&report, "2", address)?;
                self.fuzz(&report, &url, cases)?;
                server.terminate()?;
                server.finish()?;
            }
            Judged::Adapter(name) => {
                // Its limits are those of the library, which are the same.
                let mut server = programs.program(&example(name));
                let server = Running::start("echo-server", &report, &mut server)?;
                let url = server.line_after("listening on ", START)?;
                self.fuzz(&report, &url, cases)?;
            }
        }
        Ok(report)
    }

    fn fuzz(&self, report: &Path, url: &str, cases: &[String]) -> Result<(), String> {
        let servers = json!([{ "agent": AGENT, "url": url }]);
        let spec = write_spec(report, cases, ("servers", servers))?;
        let mut client = self.start("fuzzingclient", report, &spec)?;
        let (status, lines) = client.finish(self.within)?;
        if !status.success() {
            return Err(client.complaint(&format!("{status}: {}", lines.join("\n"))));
        }
        Ok(())
    }

    /// The suite as server; a client that sends everything back runs once for each case.
    fn test_client(
        &self,
        programs: &Programs<'_>,
        testee: Testee,
        cases: &[String],
    ) -> Result<PathBuf, String> {
        let report = programs.report(testee)?;
        // The suite cannot choose a port by itself: it gets one that was free just now.
        let address = free_port(Ipv4Addr::LOCALHOST.into())?;
        let url = format!("ws://{address}");
        let spec = write_spec(&report, cases, ("url", json!(url)))?;
        let server = self.start("fuzzingserver", &report, &spec)?;
        server.line_after("Cases = ", START)?;
        // That line comes just before it listens.
        server.listens(address, START)?;

        let ask = |what: &str, mut client: Command| {
            let mut client = Running::start("client", &report, &mut client)?;
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
        let counting = ["--echo", "--count", "1", "--json"];
        let counting = programs.hybi.connect(&format!("{url}/getCaseCount"), &counting);
        let lines = ask("getCaseCount", counting)?;
        let count = number(&events::parse(lines, &events::OF_CONNECT)?);
        if count != Some(cases.len()) {
            return Err(format!("the suite has {count:?} cases for us, not {}", cases.len()));
        }
        let relayed = match testee.judged {
            Judged::Http2 => Some(programs.relay(&report, "1.1", &address.to_string())?),
            Judged::Hybi | Judged::Adapter(_) => None,
        };
        let url = relayed.as_ref().map_or(url, |(_relay, url)| url.clone());
        let echo = |what: &str| ask(what, programs.client(testee, &format!("{url}/{what}")));
        for case in 1..=cases.len() {
            echo(&format!("runCase?case={case}&agent={AGENT}"))?;
        }
        echo(&format!("updateReports?agent={AGENT}"))?;
        Ok(report)
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

/// The number that the first message says.
fn number(events: &[Value]) -> Option<usize> {
    events.iter().find(|event| event["event"] == "message")?["text"].as_str()?.parse().ok()
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

/// Prints the counts, and takes each case in: done, and good or not.
fn judge(tally: &mut Tally, testee: Testee, cases: &serde_json::Map<String, Value>) {
    let (line, short) = count(cases);
    println!("{testee}: {line}");
    for case in cases.keys() {
        tally.add(item(testee, case), 1);
    }
    for verdict in short {
        tally.fail(format!("{testee}: {verdict}"));
    }
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
                short.push(format!("{case}: {label} {verdict}"));
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

    /// A list as the suite should have it.
    fn list() -> Vec<String> {
        let of = |(section, count)| (1..=count).map(move |case| format!("{section}.1.{case}"));
        SECTIONS.into_iter().flat_map(of).collect()
    }

    #[test]
    fn a_suite_that_lacks_a_case_or_has_another_is_refused() {
        assert_eq!(list().len(), 517);
        assert_eq!(complete(&list()), Ok(()));
        let mut less = list();
        less.retain(|case| case != "6.1.145");
        let why = complete(&less).unwrap_err();
        assert_eq!(why, "section 6 of the installed suite has 144 cases, not 145");
        let mut more = list();
        more.push("14.1.1".to_owned());
        assert_eq!(complete(&more).unwrap_err(), "the installed suite has 518 cases, not 517");
    }

    #[test]
    fn patterns_name_cases_that_there_are() {
        let names = |patterns: &str| {
            let patterns: Vec<_> = patterns.split(' ').map(String::from).collect();
            chosen(&list(), &patterns).map(|cases| cases.len())
        };
        assert_eq!(names("1.*"), Ok(16));
        assert_eq!(names("1.* 10.* 2.1.3"), Ok(18));
        assert_eq!(names("*"), Ok(517));
        assert_eq!(names("1.* 8.*"), Err("the suite has no case `8.*`".into()));
        assert_eq!(names("1.1"), Err("the suite has no case `1.1`".into()));
    }

    #[test]
    fn a_case_that_was_not_judged_fails() {
        let cases = ["1.1.1", "1.1.2"].map(String::from);
        let mut tally = plan(HYBI, &cases, &Options::default());
        let good = json!({ "behavior": "OK", "behaviorClose": "OK" });
        let judged =
            |cases: &[&str]| cases.iter().map(|case| ((*case).to_owned(), good.clone())).collect();
        judge(&mut tally, HYBI[0], &judged(&["1.1.1", "1.1.2"]));
        judge(&mut tally, HYBI[1], &judged(&["1.1.1"]));
        assert_eq!(tally.verdict().unwrap_err(), "hybi as client: 1.1.2: 0 of 1 cases");
        judge(&mut tally, HYBI[1], &judged(&["1.1.2"]));
        assert_eq!(tally.verdict(), Ok("4 cases".into()));
    }

    #[test]
    fn one_role_plans_half() {
        let options = Options { role: Some("client".into()), ..Options::default() };
        let why = plan(HYBI, &["1.1.1".to_owned()], &options).verdict().unwrap_err();
        assert_eq!(why, "hybi as client: 1.1.1: 0 of 1 cases");
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
                "6.4.3: behaviour NON-STRICT",
                "9.9.9: behaviour none",
                "7.1.5: close UNCLEAN",
                "9.9.9: close none"
            ]
        );
    }
}
