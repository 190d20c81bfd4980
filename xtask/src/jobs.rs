//! The list of jobs in the order `ci` runs them, and the loop that runs and reports them.

use core::fmt::Write as _;
use core::time::Duration;
use std::process::ExitCode;
use std::time::Instant;

use crate::outcome::{JobResult, Options, Outcome};
use crate::workspace::Workspace;
use crate::{
    adapters, api, autobahn, bench, breaks, cargo, compression, counts, coverage, deny,
    dependencies, drain, features, fuzz, half_open, interop, minimal, msrv, mutants, no_std,
    package, portable, pywebsocket, sanitize, semver, simulate, soak, spelling, streams, tidy,
    unused, windows,
};

/// One thing that can be run by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&Workspace, &Options) -> JobResult,
    /// The options that narrow it down, each with the values it knows; any where it lists none.
    takes: &'static [(&'static str, &'static [&'static str])],
}

const fn job(
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> JobResult,
) -> Job {
    Job { name, about, run, takes: &[] }
}

impl Job {
    const fn with(self, takes: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { takes, ..self }
    }

    /// Refuses what would narrow this job down to nothing.
    pub(crate) fn takes(&self, options: &Options) -> Result<(), String> {
        let given = [
            ("--cases", &options.cases),
            ("--role", &options.role),
            ("--peer", &options.peer),
            ("--time", &options.time),
            ("--seeds", &options.seeds),
            ("--choices", &options.choices),
            ("--shard", &options.shard),
            (TARGET, &options.target),
        ];
        for (option, value) in given {
            let Some(value) = value else { continue };
            let Some(known) = self.known(option) else {
                return Err(format!("{}: takes no {option}", self.name));
            };
            if !known.is_empty() && !known.contains(&value.as_str()) {
                let known = known.join(", ");
                return Err(format!("{}: {option} takes {known}, not `{value}`", self.name));
            }
        }
        if options.bless && !self.takes.iter().any(|takes| takes.0 == "--bless") {
            return Err(format!("{}: takes no --bless", self.name));
        }
        Ok(())
    }

    /// The values of `option` that this job knows, any where there are none; `None` if it does not take it.
    pub(crate) fn known(&self, option: &str) -> Option<&'static [&'static str]> {
        self.takes.iter().find(|takes| takes.0 == option).map(|takes| takes.1)
    }
}

/// A name behind that of a job: one of the things that it does.
pub(crate) const TARGET: &str = "target";

const AUTOBAHN: &[(&str, &[&str])] = &[("--cases", &[]), ("--role", &["server", "client"])];

/// What a change must pass: cheap jobs first, so that a slip is told early, and the outside
/// judges after everything that explains their complaints better than they do.
pub(crate) const CI: &[Job] = &[
    job("fmt", "sources are formatted", cargo::fmt),
    job("lint", "Clippy on every target and feature, warnings are errors", cargo::lint),
    job("test", "unit tests, contract tests and doc examples", cargo::test),
    job("doc", "documentation builds, warnings are errors", cargo::doc),
    job("api", "the public API is as listed, with no other crate's type unseen", api::run_job)
        .with(&[("--bless", &[])]),
    job("features", "tests of each crate with no feature, each feature alone", features::run),
    job("msrv", "the compiler of rust-version builds the libraries", msrv::run_job),
    job("minimal", "builds with the oldest direct dependencies it declares", minimal::run_job),
    job("no-std", "hybi-frame links into a program that has no std", no_std::run_job),
    job("sanitize", "hybi-frame's tests under AddressSanitizer", sanitize::address),
    job("deny", "licences, banned crates, sources of dependencies", deny::run_job),
    job("advisories", "no dependency with a known fault", deny::advisories),
    job(
        "dependencies",
        "each direct dependency has its reason, and what each crate compiles by default is as listed",
        dependencies::run_job,
    ),
    job(
        "package",
        "each published crate packs, builds from its package, and has a page",
        package::run_job,
    ),
    job("unused", "no manifest names a dependency that nothing uses", unused::run_job),
    job("spelling", "no text, code included, has a word that is often mistyped", spelling::run_job),
    job("tidy", "headers, leftover marks, cited sections, unsafe code, layers", tidy::run),
    job(
        "autobahn",
        "the Autobahn testsuite as server and client, long messages left out of 12 and 13",
        autobahn::run_job,
    )
    .with(AUTOBAHN),
    job(
        "interop",
        "Chromium, Firefox, Python websockets and Node ws; undici, hypercorn and Python h2 over HTTP/2; old versions with peers of their time; gateways, proxies",
        interop::run_job,
    )
    .with(&[("--peer", &interop::PEERS)]),
    job(
        "compression",
        "the same peers with every parameter of permessage-deflate, seen on the wire",
        compression::run_job,
    )
    .with(&[("--peer", &interop::PEERS_OF_TODAY)]),
    job(
        "pywebsocket",
        "the deprecated compression extensions, and multiplexing, with pywebsocket 0.7.9",
        pywebsocket::run_job,
    ),
    job(
        "half-open",
        "connections whose packets are dropped: the right error, in time, and nothing is left",
        half_open::run_job,
    ),
    job("bench-check", "benchmarks compile and their answers are right", bench::check),
    job("counts", "instructions and allocations a message, beside what they were", counts::run_job)
        .with(&[("--bless", &[])]),
];

/// The jobs that may be skipped under `--strict`, and why no machine must be able to run them.
const MAY_BE_SKIPPED: [(&str, &str); 2] = [
    (
        "advisories",
        "their database is in no package registry, and what it says changes without a change here",
    ),
    ("msrv", "compilers are in no package registry, and Clippy has told newer methods by then"),
];

/// Too slow for every change.
pub(crate) const NIGHTLY: &[Job] = &[
    job(
        "autobahn-compression",
        "the Autobahn testsuite, all of sections 12 and 13, as server and client",
        autobahn::compression,
    )
    .with(AUTOBAHN),
    job(
        "autobahn-http2",
        "the Autobahn testsuite over HTTP/2, as server and client, long messages left out of 12 and 13",
        autobahn::http2,
    )
    .with(AUTOBAHN),
    job(
        "autobahn-adapters",
        "the Autobahn testsuite against the other adapters, as servers and clients",
        autobahn::adapters,
    )
    .with(AUTOBAHN),
    job(
        "breaks",
        "the code broken on purpose, and what the simulation says of it",
        breaks::run_job,
    ),
    job("bench", "every benchmark at full length", bench::full),
    job(
        "drain",
        "a thousand connections sent away at 200 a second, on each adapter: no reset, the silent named",
        drain::run_job,
    ),
    job(
        "streams",
        "a message of 4 GiB each way, within a mebibyte of memory and with pings answered",
        streams::run_job,
    ),
    job(
        "adapters",
        "an echo through each adapter beside a bare one of its runtime, and idle connections",
        adapters::run_job,
    ),
    job("coverage", "lines of the protocol that no test runs, by name", coverage::run_job),
    job("fuzz", "every fuzz target, or the one named behind it", fuzz::run_job)
        .with(&[("--time", &[]), (TARGET, &[])]),
    job("miri", "hybi-frame's tests under Miri", sanitize::miri),
    job(
        "portable",
        "what is below I/O: tests on i686 and s390x (32 bits, big endian), builds for wasm32",
        portable::run_job,
    ),
    job(
        "windows",
        "the adapters compile for Windows, without TLS; nothing runs there",
        windows::run_job,
    ),
    job("powerset", "published crates are clean with every set of features", features::powerset),
    job("semver", "the version numbers say what changed", semver::run_job),
    job(
        "simulate",
        "conversations by seed of every version and extension, or of the one named behind it",
        simulate::run_job,
    )
    .with(&[("--seeds", &[]), ("--choices", &[]), (TARGET, &[])]),
    job("properties", "property tests with 200 times the cases", cargo::properties),
    job(
        "soak",
        "a server under mixed load and attack: memory, descriptors, honest echoes",
        soak::run_job,
    )
    .with(&[("--time", &[])]),
];

/// Too slow for every night: hours, which [`mutants`] can be cut into.
pub(crate) const WEEKLY: &[Job] = &[job(
    "mutants",
    "changes of the protocol's code that no test notices are those listed; all, or the part named behind it",
    mutants::run_job,
)
.with(&[("--shard", &[]), (TARGET, &mutants::NAMES)])];

/// The groups, which are run like a job.
pub(crate) const GROUPS: &[(&str, &str, &[Job])] = &[
    ("ci", "everything that a change must pass, in this order", CI),
    ("nightly", "slow jobs", NIGHTLY),
    ("weekly", "jobs of hours", WEEKLY),
];

/// What a job comes to, and a word on it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed(String),
    Skipped(String),
    Failed(String),
}

/// Judges what a job returned: what it planned against what it did, and whether it may be skipped.
fn judge(name: &str, result: JobResult, strict: bool) -> Verdict {
    match result.map(|outcome| match outcome {
        Outcome::Done(tally) => tally.verdict().map_or_else(Verdict::Failed, Verdict::Passed),
        Outcome::Skipped(why) if !strict => Verdict::Skipped(why),
        Outcome::Skipped(why) => match MAY_BE_SKIPPED.iter().find(|job| job.0 == name) {
            Some((_, reason)) => Verdict::Skipped(format!("{why} (it may be: {reason})")),
            None => Verdict::Failed(format!("may not be skipped, and {why}")),
        },
    }) {
        Ok(verdict) => verdict,
        Err(why) => Verdict::Failed(why),
    }
}

/// Runs `jobs` in order, stops at the first that fails, and prints a summary.
pub(crate) fn run(jobs: &[Job], workspace: &Workspace, options: &Options) -> ExitCode {
    let began = Instant::now();
    let mut rows: Vec<(&str, Duration, Verdict)> = Vec::new();
    for job in jobs {
        println!("\n==== {}: {}", job.name, job.about);
        let started = Instant::now();
        let verdict = judge(job.name, (job.run)(workspace, options), options.strict);
        let took = started.elapsed();
        match &verdict {
            Verdict::Passed(what) => {
                println!("---- {} passed in {}: {what}", job.name, seconds(took));
            }
            Verdict::Skipped(why) => println!("---- {} skipped: {why}", job.name),
            Verdict::Failed(why) => {
                eprintln!("---- {} failed after {}: {why}", job.name, seconds(took));
            }
        }
        let failed = matches!(verdict, Verdict::Failed(_));
        rows.push((job.name, took, verdict));
        if failed {
            break;
        }
    }
    if jobs.len() > 1 {
        print!("\n{}", summary(&rows, jobs.len(), began.elapsed()));
    }
    let failed = rows.iter().any(|row| matches!(row.2, Verdict::Failed(_)));
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn summary(rows: &[(&str, Duration, Verdict)], planned: usize, total: Duration) -> String {
    let mut table = String::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, took, verdict) in rows {
        let (count, said) = match verdict {
            Verdict::Passed(what) => (&mut passed, format!("passed: {what}")),
            Verdict::Skipped(why) => (&mut skipped, format!("skipped: {why}")),
            Verdict::Failed(_) => (&mut failed, String::from("FAILED")),
        };
        *count += 1;
        let _ = writeln!(table, "{name:<20} {:>8}  {said}", seconds(*took));
    }
    if rows.len() < planned {
        let _ = writeln!(table, "{} jobs not started", planned - rows.len());
    }
    let _ = writeln!(table, "{:<20} {:>8}", "total", seconds(total));
    let _ = writeln!(table, "{passed} passed, {failed} failed, {skipped} skipped");
    table
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Tally;

    #[test]
    fn a_job_that_did_less_than_it_planned_fails() {
        let tally = Tally::of("cases").plan("server", 2).did("server", 1);
        let verdict = judge("autobahn", Ok(tally.into()), false);
        assert_eq!(verdict, Verdict::Failed(String::from("server: 1 of 2 cases")));
        let tally = Tally::of("cases").plan("server", 2).did("server", 2);
        let verdict = judge("autobahn", Ok(tally.into()), true);
        assert_eq!(verdict, Verdict::Passed(String::from("2 cases")));
    }

    #[test]
    fn a_skipped_job_fails_under_strict_unless_the_list_has_it() {
        let skipped = || Ok(Outcome::Skipped(String::from("no such tool")));
        assert!(matches!(judge("miri", skipped(), false), Verdict::Skipped(_)));
        let Verdict::Failed(why) = judge("miri", skipped(), true) else { panic!("it is strict") };
        assert!(why.contains("no such tool"), "{why}");
        for (name, reason) in MAY_BE_SKIPPED {
            let Verdict::Skipped(why) = judge(name, skipped(), true) else { panic!("{name}") };
            assert!(why.contains(reason), "{why}");
            assert!(CI.iter().any(|job| job.name == name), "{name} is no job");
        }
    }

    #[test]
    fn the_summary_counts_every_kind_of_end_and_what_never_began() {
        let second = Duration::from_secs(1);
        let rows = [
            ("fmt", second, Verdict::Passed(String::from("1 command"))),
            ("miri", second, Verdict::Skipped(String::from("no such tool"))),
            ("lint", second, Verdict::Failed(String::from("broken"))),
        ];
        let table = summary(&rows, 5, 3 * second);
        for line in [
            "fmt                     1.0 s  passed: 1 command\n",
            "miri                    1.0 s  skipped: no such tool\n",
            "lint                    1.0 s  FAILED\n2 jobs not started\n",
        ] {
            assert!(table.contains(line), "{table}");
        }
        assert!(table.ends_with("\n1 passed, 1 failed, 1 skipped\n"), "{table}");
    }

    #[test]
    fn no_two_jobs_share_a_name() {
        let mut names: Vec<_> = CI.iter().chain(NIGHTLY).map(|job| job.name).collect();
        names.extend(GROUPS.iter().map(|group| group.0));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
