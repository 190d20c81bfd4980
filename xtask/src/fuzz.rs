//! The fuzz targets for a time: guided by what inputs reach where there is a C++ compiler for libFuzzer, else by
//! chance; either way on the compiler that builds everything here.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::cargo;
use crate::flags::duration;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, line, output, run, works};
use crate::workspace::Workspace;

/// For each target, unless `--time` says otherwise.
const TIME: Duration = Duration::from_secs(60);

/// What makes code tell libFuzzer where it goes and what it compares.
const COVERAGE: &str = "-Cpasses=sancov-module -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let time = options.time.as_deref().map_or(Ok(TIME), duration)?;
    let fuzzer = Fuzzer::build(workspace)?;
    let targets = chosen(&fuzzer.targets()?, options.target.as_deref())?;
    let mut tally = Tally::of("targets");
    for target in &targets {
        tally = tally.plan(target, 1);
    }
    let mut executions = 0;
    for target in &targets {
        let ran = fuzzer.campaign(target, time).and_then(|ran| {
            println!("{target:<20} {:>12} executions{}", ran.executions, ran.reached);
            if ran.executions == 0 {
                Err(format!("{target}: nothing was executed"))
            } else {
                Ok(ran)
            }
        });
        tally.take(
            target,
            ran.map(|ran| {
                executions += ran.executions;
                1
            }),
        );
    }
    println!("{:<20} {executions:>12} executions", "total");
    Ok(tally.into())
}

/// The programs, and where they find and leave inputs.
struct Fuzzer {
    /// Lists targets, and runs them where there is no other.
    mutated: PathBuf,
    /// Runs them guided.
    guided: Option<PathBuf>,
    /// `fuzz` in the workspace.
    folder: PathBuf,
    /// Inputs that reach more, found here before: too many to save.
    grown: PathBuf,
}

/// What came of a target that stood everything.
struct Ran {
    executions: u64,
    /// Coverage, where it is known.
    reached: String,
}

impl Fuzzer {
    fn build(workspace: &Workspace) -> Result<Self, String> {
        let folder = workspace.root.join("fuzz");
        let version = output(command("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc -vV names no host")?;
        let target = workspace.cache("fuzz")?;
        let build = |cache: &str| {
            let mut build = cargo(workspace);
            // An explicit target keeps the flags away from build scripts and procedural macros.
            build.args(["build", "-q", "--release", "--target", host, "--manifest-path"]);
            build.arg(folder.join("Cargo.toml")).env("CARGO_TARGET_DIR", target.join(cache));
            (build, target.join(cache).join(host).join("release"))
        };
        let (mut cargo, programs) = build("mutated");
        run(cargo.args(["--bin", "mutated"]))?;
        let mutated = programs.join("mutated");
        let guided = if works(command("c++").arg("--version")) {
            let (mut cargo, programs) = build("guided");
            run(cargo
                .args(["--bin", "guided", "--features", "guided"])
                .env("RUSTFLAGS", COVERAGE))?;
            Some(programs.join("guided"))
        } else {
            println!("by chance; guided with a C++ compiler: apt-get install g++");
            None
        };
        Ok(Self { mutated, guided, folder, grown: workspace.cache("fuzz/corpus")? })
    }

    fn targets(&self) -> Result<Vec<String>, String> {
        let listed = output(&mut command(&self.mutated))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Runs one target for so long.
    ///
    /// # Errors
    ///
    /// What it did not stand, and where the input is.
    fn campaign(&self, target: &str, time: Duration) -> Result<Ran, String> {
        let made = |folder: PathBuf| {
            let made = fs::create_dir_all(&folder);
            made.map(|()| folder.clone()).map_err(|error| format!("{}: {error}", folder.display()))
        };
        let saved = self.folder.join("corpus").join(target);
        let grown = made(self.grown.join(target))?;
        let artifacts = made(self.folder.join("artifacts").join(target))?;
        let seconds = time.as_secs().to_string();
        let mut run = match &self.guided {
            Some(guided) => {
                let mut run = command(guided);
                run.env("HYBI_FUZZ_TARGET", target)
                    .arg(format!("-max_total_time={seconds}"))
                    .arg(format!("-artifact_prefix={}/", artifacts.display()))
                    .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"])
                    .args(["-max_len=4096", "-len_control=20"])
                    .args([&grown, &saved]);
                run
            }
            None => {
                let mut run = command(&self.mutated);
                run.args([target, &seconds]).args([&artifacts, &saved]);
                run
            }
        };
        let said = quietly(&mut run).map_err(|said| complaint(target, &said, &artifacts))?;
        Ok(Ran {
            executions: number_after(&said, "stat::number_of_executed_units:")
                .or_else(|| number_after(&said, "executions:"))
                .unwrap_or_default(),
            reached: number_after(&said, " cov: ")
                .map_or(String::new(), |edges| format!(", {edges} edges reached")),
        })
    }
}

/// All targets, or the one that is asked for.
fn chosen(targets: &[String], asked: Option<&str>) -> Result<Vec<String>, String> {
    match asked {
        None => Ok(targets.to_vec()),
        Some(name) if targets.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(format!("no target is called `{name}`: {}", targets.join(", "))),
    }
}

/// Both outputs of a program, as an error when it failed.
fn quietly(run: &mut Command) -> Result<String, String> {
    println!("$ {}", line(run));
    let output = run.output().map_err(|error| format!("`{}`: {error}", line(run)))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

fn complaint(target: &str, said: &str, artifacts: &Path) -> String {
    let lines: Vec<_> = said.lines().collect();
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let from = panic.unwrap_or_else(|| lines.len().saturating_sub(30));
    let shown = lines[from..].iter().take(30).copied().collect::<Vec<_>>().join("\n");
    let last = lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("\n");
    format!(
        "{target}:\n{shown}\n...\n{last}\nThe input is in {}; saved as fuzz/corpus/{target}/<what it shows>, \
         it runs with every `cargo test`.",
        artifacts.display()
    )
}

/// The number behind the last `mark`.
fn number_after(said: &str, mark: &str) -> Option<u64> {
    let (_, rest) = said.rsplit_once(mark)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_and_coverage_are_read_off_either_program() {
        let guided = "#7\tNEW    cov: 12 ft: 3\n#9\tDONE   cov: 34 ft: 56\n\
                      stat::number_of_executed_units: 789\n";
        assert_eq!(number_after(guided, " cov: "), Some(34));
        assert_eq!(number_after(guided, "stat::number_of_executed_units:"), Some(789));
        assert_eq!(number_after("executions: 5\n", "executions:"), Some(5));
        assert_eq!(number_after("", "executions:"), None);
    }

    #[test]
    fn a_target_that_is_not_known_is_refused_with_those_that_are() {
        let known = ["frames".to_owned(), "uri".to_owned()];
        assert_eq!(chosen(&known, None), Ok(known.to_vec()));
        assert_eq!(chosen(&known, Some("uri")), Ok(vec!["uri".to_owned()]));
        assert!(chosen(&known, Some("url")).is_err_and(|why| why.contains("frames, uri")));
    }
}
