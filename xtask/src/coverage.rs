//! Which lines of the protocol's own code the tests run, each that they do not by name.
//!
//! cargo-tarpaulin reads what the compiler's instrumentation counted by itself, so that no LLVM of the
//! compiler's version is needed. Doc examples do not count: they show, and what they show is tested.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::outcome::{JobResult, Options, Tally};
use crate::process::run;
use crate::tools::cargo_program;
use crate::workspace::{Workspace, list, read};

const TARPAULIN: &str = "0.37.5";

/// Where the rules of the protocol are, and of how many lines in a hundred tests run at least.
const PARTS: [&str; 7] = [
    "crates/hybi-frame/src",
    "crates/hybi-handshake/src",
    "crates/hybi-compression/src",
    "crates/hybi-legacy/src",
    "crates/hybi-mux/src",
    "crates/hybi/src/connection",
    "crates/hybi/src/mux",
];
const LEAST: usize = 98;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let report = report(workspace)?;
    let mut tally = Tally::of("parts");
    for part in PARTS {
        tally = tally.plan(part, 1);
    }
    for part in PARTS {
        let lines = Lines::of(&workspace.root.join(part), &report);
        for missed in &lines.missed {
            println!("{missed}");
        }
        let (ran, all) = (lines.all - lines.missed.len(), lines.all);
        println!("{part:<28} {ran:>5} of {all:>5} lines, {:.2} %", lines.percent());
        let enough = all > 0 && ran * 100 >= LEAST * all;
        let result = if enough { Ok(1) } else { Err(format!("{part}: less than {LEAST} %")) };
        tally.take(part, result);
    }
    Ok(tally.into())
}

/// Runs the tests; what tarpaulin says of them.
fn report(workspace: &Workspace) -> Result<Value, String> {
    let tarpaulin = cargo_program(workspace, "cargo-tarpaulin", TARPAULIN)?;
    let folder = workspace.cache("coverage")?;
    let mut tests = crate::process::command(tarpaulin);
    tests.current_dir(&workspace.root).args(["tarpaulin", "--engine", "llvm", "--skip-clean"]);
    // A test may take its time where each line is counted.
    tests.args(["--timeout", "1800", "--all-features", "--out", "json"]);
    for part in PARTS {
        let package = Path::new(part).iter().nth(1).unwrap_or_default();
        tests.arg("--packages").arg(package);
        tests.arg("--include-files").arg(format!("{part}/*"));
        tests.arg("--include-files").arg(format!("{part}/**/*"));
    }
    run(tests.arg("--target-dir").arg(folder.join("target")).arg("--output-dir").arg(&folder))?;
    let report = read(&folder.join("tarpaulin-report.json"))?;
    serde_json::from_str(&report).map_err(|error| format!("tarpaulin's report: {error}"))
}

/// The lines of one part that can run.
#[derive(Debug, Default)]
struct Lines {
    all: usize,
    /// Those that no test ran: file, number and text.
    missed: Vec<String>,
}

impl Lines {
    fn of(part: &Path, report: &Value) -> Self {
        let mut lines = Self::default();
        for file in list(&report["files"]) {
            let names = list(&file["path"]).filter_map(Value::as_str);
            let path: PathBuf = names.collect();
            let Ok(below) = path.strip_prefix(part) else { continue };
            let text: Vec<&str> = file["content"].as_str().unwrap_or_default().lines().collect();
            for trace in list(&file["traces"]) {
                lines.all += 1;
                if trace["stats"]["Line"] != 0 {
                    continue;
                }
                let number = trace["line"].as_u64().unwrap_or_default() as usize;
                let line = text.get(number.wrapping_sub(1)).unwrap_or(&"").trim();
                lines.missed.push(format!("{}:{number}: {line}", below.display()));
            }
        }
        lines
    }

    fn percent(&self) -> f64 {
        100.0 * (self.all - self.missed.len()) as f64 / self.all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_no_test_ran_are_named() {
        let report = serde_json::json!({ "files": [
            {
                "path": ["/", "crates", "x", "src", "a.rs"],
                "content": "fn a() {\n    b();\n}\n",
                "traces": [
                    { "line": 1, "stats": { "Line": 3 } },
                    { "line": 2, "stats": { "Line": 0 } },
                ],
            },
            {
                "path": ["/", "crates", "y", "src", "a.rs"],
                "content": "",
                "traces": [{ "line": 1, "stats": { "Line": 0 } }],
            },
        ]});
        let lines = Lines::of(Path::new("/crates/x/src"), &report);
        assert_eq!((lines.all, lines.percent()), (2, 50.0));
        assert_eq!(lines.missed, ["a.rs:2: b();"]);
        assert_eq!(Lines::of(Path::new("/crates/z"), &report).all, 0);
    }
}
