//! Whether the tests of the protocol's own code notice when it is wrong: cargo-mutants changes it in one place
//! after the other, and a change that no test of its crate fails of is named.
//!
//! Those that change nothing are listed with their reasons in `xtask/mutants/survivors.txt`. The list is held
//! against what survives, in both directions.

mod survivors;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, line, output, works};
use crate::tools::cargo_program;
use crate::workspace::{Workspace, list, read};
use survivors::{Listed, Ran, without_place};

const CARGO_MUTANTS: &str = "27.1.0";

/// Code that is changed.
#[derive(Clone, Copy)]
struct Part {
    /// What stands for it behind the name of the job.
    name: &'static str,
    /// The package whose tests judge it.
    package: &'static str,
    /// How its files begin.
    files: &'static str,
    /// A file of another part among them.
    without: Option<&'static str>,
    /// What makes cargo compile it.
    features: &'static [&'static str],
    /// The tests that judge it, as nextest names them, where not all of the package do.
    tests: Option<&'static str>,
}

const fn part(name: &'static str, package: &'static str, files: &'static str) -> Part {
    Part { name, package, files, without: None, features: &["--all-features"], tests: None }
}

/// Of two libraries, the first is used where both are compiled in.
const SECOND_LIBRARY: &str = "crates/hybi-compression/src/deflate/codec/library/by_flate2.rs";

const PARTS: [Part; 9] = [
    part("legacy", "hybi-legacy", "crates/hybi-legacy/src/"),
    part("frame", "hybi-frame", "crates/hybi-frame/src/"),
    part("handshake", "hybi-handshake", "crates/hybi-handshake/src/"),
    Part {
        without: Some(SECOND_LIBRARY),
        ..part("compression", "hybi-compression", "crates/hybi-compression/src/")
    },
    Part {
        features: &["--no-default-features", "--features", "miniz_oxide"],
        ..part("flate2", "hybi-compression", SECOND_LIBRARY)
    },
    Part {
        // Those that count memory take most of the time, and find what others do.
        tests: Some("not (test(a_million_blocks) or test(a_channel_that_nobody_reads))"),
        ..part("mux", "hybi-mux", "crates/hybi-mux/src/")
    },
    Part {
        // Those over threads and by chance take most of the time, and find what others do.
        tests: Some("not (binary(stress) or binary(crowd) or test(model::) or test(random::))"),
        ..part("connection", "hybi", "crates/hybi/src/connection/")
    },
    Part {
        tests: Some("binary(serve) or binary(closer) or test(serve::)"),
        ..part("serve", "hybi", "crates/hybi/src/serve/")
    },
    Part {
        tests: Some(
            "binary(broadcast) or test(rooms::) or test(broadcast::) and not test(model::)",
        ),
        ..part("broadcast", "hybi", "crates/hybi/src/broadcast/")
    },
];

/// The names of the parts.
pub(crate) const NAMES: [&str; PARTS.len()] = {
    let mut names = [""; PARTS.len()];
    let mut at = 0;
    while at < PARTS.len() {
        names[at] = PARTS[at].name;
        at += 1;
    }
    names
};

/// A mutant may fill memory without end, and its tests are ended before the machine has no more. In KiB of
/// address space, of which compilers and linkers take more than they use.
const MEMORY: &str = "16000000";

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let listed = survivors::parse(&read(&workspace.xtask("mutants").join("survivors.txt"))?)?;
    let is_stray = |row: &&Listed| !PARTS.iter().any(|part| part.has(&row.name));
    if let Some(stray) = listed.iter().find(is_stray) {
        return Err(format!("{} is in no part of what is changed", stray.name));
    }
    let program = cargo_program(workspace, "cargo-mutants", CARGO_MUTANTS)?;
    let mut tally = Tally::of("mutants");
    let is_chosen = |part: &&Part| options.target.as_deref().is_none_or(|name| name == part.name);
    for part in PARTS.iter().filter(is_chosen) {
        let of_part: Vec<_> = listed.iter().filter(|row| part.has(&row.name)).collect();
        let ran = part.run(workspace, &program, options.shard.as_deref())?;
        tally = tally.plan(part.name, ran.planned);
        tally.add(part.name, ran.tested.len());
        println!("{:<12} {}, {} listed", part.name, ran.summary(), of_part.len());
        survivors::judge(&ran, &of_part).into_iter().for_each(|why| tally.fail(why));
    }
    Ok(tally.into())
}

impl Part {
    /// Whether a mutant of this name is in it.
    fn has(&self, name: &str) -> bool {
        name.starts_with(self.files) && self.without.is_none_or(|file| !name.starts_with(file))
    }

    /// Changes it, or one shard of it, and runs the tests of its crate after each change.
    fn run(
        &self,
        workspace: &Workspace,
        program: &Path,
        shard: Option<&str>,
    ) -> Result<Ran, String> {
        let folder = workspace.empty_cache(&format!("mutants/{}", self.name))?;
        let mut all = self.mutants(workspace, command(program));
        let all = output(all.args(["--list", "--line-col=false"]))?;
        let mut change = command("sh");
        change.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")]).arg(program);
        let mut change = self.mutants(workspace, change);
        // A mutant that goes on for ever is caught by the time that it takes.
        change.args(["-j1", "--minimum-test-timeout", "30", "--timeout-multiplier", "5"]);
        change.args(["--build-timeout", "600", "--no-times"]).arg("--output").arg(&folder);
        if let Some(shard) = shard {
            change.args(["--shard", shard]);
        }
        if works(command("cargo").args(["nextest", "--version"])) {
            change.args(["--test-tool", "nextest"]);
            change.args(self.tests.iter().flat_map(|tests| ["--", "-E", tests]));
        }
        let status = status(&mut change)?;
        // Some were missed, or took too long: what that means is for the list to say.
        if !matches!(status, Some(0 | 2 | 3)) {
            return Err(format!("`{}`: status {status:?}", line(&change)));
        }
        let report = |file: &str| -> Result<Value, String> {
            let text = read(&folder.join("mutants.out").join(file))?;
            serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))
        };
        let planned = list(&report("mutants.json")?).count();
        let outcomes = report("outcomes.json")?;
        let tested = list(&outcomes["outcomes"]).filter_map(|outcome| {
            let name = outcome["scenario"]["Mutant"]["name"].as_str()?;
            Some((name.to_owned(), outcome["summary"].as_str()?.to_owned()))
        });
        let all = all.lines().map(without_place).collect();
        Ok(Ran { all, planned, tested: tested.collect() })
    }

    /// cargo-mutants over its files, in a folder of its own.
    fn mutants(&self, workspace: &Workspace, mut command: Command) -> Command {
        command.current_dir(&workspace.root).args(["mutants", "-p", self.package]);
        command.args(self.features).arg("-f").arg(format!("{}**", self.files));
        command.args(self.without.iter().flat_map(|file| ["-e", file]));
        let target = workspace.target.join("xtask/mutants/target");
        command.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "false");
        command.env("CARGO_TERM_COLOR", "never");
        command
    }
}

/// Runs a command in the open, for its status.
fn status(command: &mut Command) -> Result<Option<i32>, String> {
    println!("$ {}", line(command));
    let status = command.status().map_err(|error| format!("`{}`: {error}", line(command)))?;
    Ok(status.code())
}

impl Ran {
    fn summary(&self) -> String {
        let count = |summary: &str| self.tested.iter().filter(|(_, of)| of == summary).count();
        format!(
            "{} of {} mutants: {} caught, {} timed out, {} unviable, {} missed",
            self.tested.len(),
            self.all.len(),
            count("CaughtMutant"),
            count("Timeout"),
            count("Unviable"),
            count("MissedMutant"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the repository has is what the job reads.
    #[test]
    fn the_list_can_be_read_and_each_row_is_of_a_part() {
        let listed = survivors::parse(include_str!("../../mutants/survivors.txt")).expect("a list");
        for row in &listed {
            assert_eq!(PARTS.iter().filter(|part| part.has(&row.name)).count(), 1, "{row:?}");
        }
    }
}
