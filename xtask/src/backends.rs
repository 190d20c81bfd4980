//! hybi-compression with every DEFLATE library that its users can choose.

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome};
use crate::process::run;
use crate::workspace::Workspace;

/// In a build of the whole workspace a library that any crate turns on replaces the others, so
/// that only here each is sure to be met, also the one by default.
const BACKENDS: [&[&str]; 3] = [
    &[],
    &["--no-default-features", "--features", "miniz_oxide"],
    // In C: the system's, or built from the sources that come with its crate.
    &["--no-default-features", "--features", "miniz_oxide,flate2/zlib"],
];

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let failures: Vec<_> = BACKENDS
        .into_iter()
        .filter_map(|features| {
            let test = ["test", "-q", "--no-fail-fast", "-p", "hybi-compression"];
            run(cargo(workspace).args(test).args(features)).err()
        })
        .collect();
    if failures.is_empty() { Ok(Outcome::Passed) } else { Err(failures.join("\n")) }
}
