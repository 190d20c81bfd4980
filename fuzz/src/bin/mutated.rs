//! The targets without libFuzzer. `mutated` alone lists them; `mutated TARGET SECONDS ARTIFACTS CORPUS...` runs
//! one on what becomes of the inputs in the folders CORPUS, prints how often, and keeps in ARTIFACTS the input
//! that it did not stand.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use std::{env, fs};

use hybi_suite::allocator::Counting;
use hybi_suite::fuzz::mutate::{self, Until};
use hybi_suite::fuzz::{self, TARGETS};

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            ExitCode::SUCCESS
        }
        [target, seconds, artifacts, corpora @ ..] => {
            match campaign(target, seconds, Path::new(artifacts), corpora) {
                Ok(executions) => {
                    println!("executions: {executions}");
                    ExitCode::SUCCESS
                }
                Err(why) => {
                    eprintln!("{target}: {why}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!("mutated [TARGET SECONDS ARTIFACTS CORPUS...]");
            ExitCode::from(2)
        }
    }
}

fn campaign(
    name: &str,
    seconds: &str,
    artifacts: &Path,
    corpora: &[String],
) -> Result<u64, String> {
    let target = fuzz::find(name).ok_or("no such target")?;
    let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    let mut corpus = Vec::new();
    for folder in corpora {
        let named = |error| format!("{folder}: {error}");
        for file in fs::read_dir(folder).map_err(named)? {
            corpus.push(fs::read(file.map_err(named)?.path()).map_err(named)?);
        }
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let until = Until::Passed(Duration::from_secs(seconds));
    mutate::run(target, &corpus, now.as_nanos() as u64, until).map_err(|found| {
        let file = artifacts.join(format!("mutated-{}", now.as_secs()));
        let kept = fs::write(&file, &found.input)
            .map_or_else(|error| format!("not kept, {error}"), |()| "kept".to_owned());
        format!("{}\n{} is {kept}", found.why, file.display())
    })
}
