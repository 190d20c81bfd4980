//! The list of jobs in the order `ci` runs them, and the loop that runs and reports them.

use core::fmt::Write as _;
use core::time::Duration;
use std::process::ExitCode;
use std::time::Instant;

use crate::outcome::{JobResult, Options, Outcome};
use crate::workspace::Workspace;
use crate::{
    autobahn, backends, bench, cargo, compression, deny, features, interop, minimal, no_std,
    sanitize, tidy,
};

/// One thing that can be run by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> JobResult,
}

const fn job(
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> JobResult,
) -> Job {
    Job { name, about, run }
}

/// What a change must pass: cheap jobs first, so that a slip is told early, and the outside
/// judges after everything that explains their complaints better than they do.
pub(crate) const CI: &[Job] = &[
    job("fmt", "sources are formatted", cargo::fmt),
    job("lint", "Clippy on every target and feature, warnings are errors", cargo::lint),
    job("test", "unit tests, contract tests and doc examples", cargo::test),
    job("doc", "documentation builds, warnings are errors", cargo::doc),
    job("backends", "hybi-compression's tests with each DEFLATE library", backends::run_job),
    job("features", "each library with no feature, each feature alone, all of them", features::run),
    job("minimal", "builds with the oldest direct dependencies it declares", minimal::run_job),
    job("no-std", "hybi-frame links into a program that has no std", no_std::run_job),
    job("sanitize", "hybi-frame's tests under AddressSanitizer", sanitize::address),
    job("deny", "licences, banned crates, sources of dependencies, advisories", deny::run_job),
    job("tidy", "headers, leftover marks, RFC sections, unsafe code, layers", tidy::run),
    job(
        "autobahn",
        "the Autobahn testsuite as server and client, long messages left out of 12 and 13",
        autobahn::run_job,
    ),
    job(
        "interop",
        "Chromium, Python websockets and Node ws; the old versions with peers of their time",
        interop::run_job,
    ),
    job(
        "compression",
        "the same peers with every parameter of permessage-deflate, seen on the wire",
        compression::run_job,
    ),
    job(
        "pywebsocket",
        "the deprecated compression extensions with pywebsocket 0.7.9",
        compression::pywebsocket,
    ),
    job("bench-check", "benchmarks compile and their answers are right", bench::check),
];

/// Too slow for every change.
pub(crate) const NIGHTLY: &[Job] = &[
    job(
        "autobahn-compression",
        "the Autobahn testsuite, all of sections 12 and 13, as server and client",
        autobahn::compression,
    ),
    job("bench", "every benchmark at full length", bench::full),
    job("miri", "hybi-frame's tests under Miri", sanitize::miri),
    job("properties", "property tests with 200 times the cases", cargo::properties),
];

/// The groups, which are run like a job.
pub(crate) const GROUPS: &[(&str, &str, &[Job])] = &[
    ("ci", "everything that a change must pass, in this order", CI),
    ("nightly", "slow jobs", NIGHTLY),
];

/// The page that `cargo xtask` alone prints.
pub(crate) fn list() -> String {
    let mut page = String::from("cargo xtask <job>... [options]\n");
    for (group, about, jobs) in GROUPS {
        let _ = write!(page, "\n{group:<20} {about}:\n");
        for job in *jobs {
            let _ = writeln!(page, "  {:<20} {}", job.name, job.about);
        }
    }
    page.push_str(crate::flags::OPTIONS);
    page
}

/// Runs `jobs` in order, stops at the first that fails, and prints a summary.
pub(crate) fn run(jobs: &[Job], workspace: &Workspace, options: &Options) -> ExitCode {
    let began = Instant::now();
    let mut rows: Vec<(&str, Duration, JobResult)> = Vec::new();
    for job in jobs {
        println!("\n==== {}: {}", job.name, job.about);
        let started = Instant::now();
        let result = (job.run)(workspace, options);
        let took = started.elapsed();
        match &result {
            Ok(Outcome::Passed) => println!("---- {} passed in {}", job.name, seconds(took)),
            Ok(Outcome::Skipped(why)) => println!("---- {} skipped: {why}", job.name),
            Err(why) => eprintln!("---- {} failed after {}: {why}", job.name, seconds(took)),
        }
        let failed = result.is_err();
        rows.push((job.name, took, result));
        if failed {
            break;
        }
    }
    let failed = rows.iter().filter(|row| row.2.is_err()).count();
    if jobs.len() > 1 {
        print!("\n{}", summary(&rows, jobs.len(), began.elapsed()));
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(rows: &[(&str, Duration, JobResult)], planned: usize, total: Duration) -> String {
    let mut table = String::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, took, result) in rows {
        let (count, verdict) = match result {
            Ok(Outcome::Passed) => (&mut passed, String::from("passed")),
            Ok(Outcome::Skipped(why)) => (&mut skipped, format!("skipped: {why}")),
            Err(_) => (&mut failed, String::from("FAILED")),
        };
        *count += 1;
        let _ = writeln!(table, "{name:<20} {:>8}  {verdict}", seconds(*took));
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

    #[test]
    fn the_summary_counts_every_kind_of_end_and_what_never_began() {
        let second = Duration::from_secs(1);
        let rows = [
            ("fmt", second, Ok(Outcome::Passed)),
            ("miri", second, Ok(Outcome::Skipped(String::from("no such tool")))),
            ("lint", second, Err(String::from("broken"))),
        ];
        let table = summary(&rows, 5, 3 * second);
        assert!(
            table.contains("miri                    1.0 s  skipped: no such tool\n"),
            "{table}"
        );
        assert!(
            table.contains("lint                    1.0 s  FAILED\n2 jobs not started\n"),
            "{table}"
        );
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
