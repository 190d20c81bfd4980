//! The fuzz targets for a time: guided by what inputs reach where there is a C++ compiler for libFuzzer, else by
//! chance; either way on the compiler that builds everything here.

use core::fmt;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

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
    let targets = options.chosen("target", &fuzzer.targets()?)?;
    let mut tally = Tally::of("targets");
    for target in &targets {
        tally = tally.plan(target, 1);
    }
    let mut rows = Vec::new();
    for target in &targets {
        let ran = fuzzer.campaign(target, time);
        let row = Row { name: target, ran: ran.as_ref().copied().unwrap_or_default() };
        println!("{row}");
        rows.push(row);
        tally.take(
            target,
            ran.and_then(|ran| match ran.executions {
                0 => Err(format!("{target}: nothing was executed")),
                _ => Ok(1),
            }),
        );
    }
    println!("\n{HEADINGS}");
    rows.iter().for_each(|row| println!("{row}"));
    println!("{}", Row { name: "total", ran: total(rows.iter().map(|row| row.ran)) });
    println!(
        "An input that takes longer than {TIME_OUT} s or more memory than {MAX_MEMORY_MB} MiB fails its target{}.",
        if fuzzer.guided.is_some() {
            ""
        } else {
            "; made by chance, so that nothing says what was reached"
        },
    );
    Ok(tally.into())
}

/// No input may take longer, in seconds. The loop without libFuzzer has the same.
const TIME_OUT: u32 = 10;

/// No program may take more under libFuzzer; the loop without it counts what each input allocates.
const MAX_MEMORY_MB: u32 = 1024;

const HEADINGS: &str = "target                         executions  seconds  a second    edges  features  slowest    MiB";

/// A target in the table of all.
struct Row<'a> {
    name: &'a str,
    ran: Ran,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ran { executions, took, edges, features, slowest, memory } = self.ran;
        let rate = executions as f64 / took.as_secs_f64().max(0.001);
        let known = |number: Option<u64>| {
            number.map_or_else(|| "-".to_owned(), |number| number.to_string())
        };
        write!(
            f,
            "{:<28} {executions:>12} {:>8.1} {rate:>9.0} {:>8} {:>9} {:>8} {:>6}",
            self.name,
            took.as_secs_f64(),
            known(edges),
            known(features),
            known(slowest),
            known(memory),
        )
    }
}

/// Of all rows: sums, and the worst of what is no sum. What targets reach overlaps.
fn total(rows: impl Iterator<Item = Ran>) -> Ran {
    rows.fold(Ran::default(), |total, ran| Ran {
        executions: total.executions + ran.executions,
        took: total.took + ran.took,
        edges: None,
        features: None,
        slowest: total.slowest.max(ran.slowest),
        memory: total.memory.max(ran.memory),
    })
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ran {
    executions: u64,
    took: Duration,
    /// Edges of the program that were passed, and how differently, where that is known.
    edges: Option<u64>,
    features: Option<u64>,
    /// The slowest input in whole seconds, and the most memory in MiB, where they are known.
    slowest: Option<u64>,
    memory: Option<u64>,
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
                    .arg(format!("-timeout={TIME_OUT}"))
                    .arg(format!("-rss_limit_mb={MAX_MEMORY_MB}"))
                    .arg("-print_final_stats=1")
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
        let began = Instant::now();
        let said = quietly(&mut run).map_err(|said| complaint(target, &said, &artifacts))?;
        Ok(Ran { took: began.elapsed(), ..Ran::read(&said) })
    }
}

impl Ran {
    /// What either program says at its end.
    fn read(said: &str) -> Self {
        let executions = number_after(said, "stat::number_of_executed_units:")
            .or_else(|| number_after(said, "executions:"));
        Self {
            executions: executions.unwrap_or_default(),
            took: Duration::ZERO,
            edges: number_after(said, " cov: "),
            features: number_after(said, " ft: "),
            slowest: number_after(said, "stat::slowest_unit_time_sec:"),
            memory: number_after(said, "stat::peak_rss_mb:"),
        }
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
                      stat::number_of_executed_units: 789\n\
                      stat::slowest_unit_time_sec:    1\nstat::peak_rss_mb:              85\n";
        let expected = Ran {
            executions: 789,
            took: Duration::ZERO,
            edges: Some(34),
            features: Some(56),
            slowest: Some(1),
            memory: Some(85),
        };
        assert_eq!(Ran::read(guided), expected);
        assert_eq!(Ran::read("executions: 5\n"), Ran { executions: 5, ..Ran::default() });
        assert_eq!(Ran::read(""), Ran::default());
    }

    #[test]
    fn the_total_adds_up_and_keeps_the_worst() {
        let row = |executions, slowest, memory| Ran {
            executions,
            took: Duration::from_secs(2),
            edges: Some(7),
            features: Some(8),
            slowest,
            memory,
        };
        let all = total([row(3, Some(1), None), row(4, Some(0), Some(90))].into_iter());
        assert_eq!((all.executions, all.took), (7, Duration::from_secs(4)));
        assert_eq!((all.slowest, all.memory), (Some(1), Some(90)));
        assert_eq!((all.edges, all.features), (None, None), "what targets reach overlaps");
        let shown = Row { name: "total", ran: all }.to_string();
        let shown: Vec<_> = shown.split_whitespace().collect();
        assert_eq!(shown, ["total", "7", "4.0", "2", "-", "-", "1", "90"]);
    }
}
