//! Test programs that cargo runs, counted: a filter in the environment, a target that is no longer
//! found or a feature that compiles the tests out must not look like a pass.

use std::collections::BTreeSet;
use std::process::Command;

use crate::process::run_watched;
use crate::workspace::Member;

/// A choice of features of one crate, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    None,
    /// These alone, with commas between.
    Only(&'a str),
    All,
}

impl Choice<'_> {
    pub(crate) fn arguments(&self) -> Vec<&str> {
        match self {
            Self::None => vec!["--no-default-features"],
            Self::Only(features) => vec!["--no-default-features", "--features", features],
            Self::All => vec!["--all-features"],
        }
    }

    /// The features of `member` that are on: those named, and what they turn on.
    pub(crate) fn of<'m>(&'m self, member: &'m Member) -> BTreeSet<&'m str> {
        let mut next: Vec<&str> = match self {
            Self::None => Vec::new(),
            Self::Only(features) => features.split(',').collect(),
            Self::All => member.features.keys().map(String::as_str).collect(),
        };
        let mut on = BTreeSet::new();
        while let Some(name) = next.pop() {
            if let Some(turns_on) = member.features.get(name).filter(|_| on.insert(name)) {
                next.extend(turns_on.iter().map(String::as_str));
            }
        }
        on
    }
}

/// How many test programs cargo makes of a crate: its library, its programs, its files in `tests`.
pub(crate) fn programs(member: &Member, choice: Choice<'_>) -> usize {
    let on = choice.of(member);
    let tested = member.targets.iter().filter(|target| {
        target.tested
            && ["lib", "bin", "test"].contains(&target.kind.as_str())
            && target.required_features.iter().all(|feature| on.contains(feature.as_str()))
    });
    tested.count()
}

/// How many programs a `cargo test` ran.
///
/// # Errors
///
/// When one failed, or when there was no test in any, or when a test was left out.
pub(crate) fn count(cargo: &mut Command) -> Result<usize, String> {
    Ok(run(cargo)?.len())
}

/// As [`count`], but the paths of the programs.
pub(crate) fn run(cargo: &mut Command) -> Result<Vec<String>, String> {
    ran(&run_watched(cargo.env("CARGO_TERM_COLOR", "never"))?)
}

/// The programs that cargo says it started. Each came to its end, or the run had failed.
pub(crate) fn started(lines: &[String]) -> Vec<String> {
    let paths = lines.iter().filter_map(|line| {
        line.trim_start().strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once('(')
    });
    paths.map(|(_, path)| path.to_owned()).collect()
}

/// The same as [`count`] of the lines of a `cargo nextest run`.
pub(crate) fn ran_by_nextest(lines: &[String]) -> Result<usize, String> {
    // Starting 812 tests across 60 binaries (1 test skipped)
    let began = lines.iter().find_map(|line| line.trim_start().strip_prefix("Starting "));
    let mut words = began.ok_or("nextest names no number of tests")?.split_whitespace();
    let (tests, programs) = (words.next(), words.nth(2));
    if began.is_some_and(|line| line.contains("skipped")) {
        return Err(format!("tests were left out: {}", began.unwrap_or_default()));
    }
    match (tests, programs.map(str::parse)) {
        (Some("0") | None, _) => Err("no test was run".to_owned()),
        (_, Some(Ok(programs))) => Ok(programs),
        _ => Err("nextest names no number of programs".to_owned()),
    }
}

/// Reads what cargo says of itself, and the last line of each program.
fn ran(lines: &[String]) -> Result<Vec<String>, String> {
    let results = lines.iter().filter_map(|line| line.strip_prefix("test result: ok. "));
    let (mut passed, mut left_out) = (0, 0);
    for result in results {
        for part in result.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => passed += number.parse().unwrap_or(0),
                Some((number, "ignored" | "filtered out")) => {
                    left_out += number.parse().unwrap_or(0);
                }
                _ => {}
            }
        }
    }
    match (passed, left_out) {
        (0, 0) => Err("no test was run".to_owned()),
        (_, 1..) => Err(format!("{left_out} tests were left out")),
        _ => Ok(started(lines)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Target;

    fn member() -> Member {
        let target = |kind: &str, required: &[&str]| Target {
            tested: kind != "bin",
            kind: kind.to_owned(),
            source: "/a/src/lib.rs".into(),
            required_features: required.iter().map(|name| (*name).to_owned()).collect(),
        };
        Member {
            name: "a".into(),
            folder: "/a".into(),
            features: BTreeMap::from([
                ("wide".into(), vec!["narrow".into(), "dep:b".into()]),
                ("narrow".into(), Vec::new()),
            ]),
            targets: vec![
                target("lib", &[]),
                target("bin", &[]),
                target("bench", &[]),
                target("test", &[]),
                target("test", &["narrow"]),
            ],
            published: true,
        }
    }

    #[test]
    fn a_target_counts_where_its_features_are_on() {
        let member = member();
        assert_eq!(programs(&member, Choice::None), 2);
        assert_eq!(programs(&member, Choice::Only("wide")), 3);
        assert_eq!(programs(&member, Choice::Only("narrow")), 3);
        assert_eq!(programs(&member, Choice::All), 3);
    }

    fn said(lines: &[&str]) -> Result<Vec<String>, String> {
        ran(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    const RUNNING: &str = "     Running tests/a.rs (target/debug/deps/a-0123)";
    const PATH: &str = "target/debug/deps/a-0123";

    fn result(passed: u32, ignored: u32, filtered: u32) -> String {
        format!(
            "test result: ok. {passed} passed; 0 failed; {ignored} ignored; 0 measured; \
             {filtered} filtered out; finished in 0.01s"
        )
    }

    #[test]
    fn programs_are_counted_as_cargo_names_them() {
        let (some, none) = (result(2, 0, 0), result(0, 0, 0));
        let ran = said(&[RUNNING, &some, RUNNING, &none, "   Doc-tests a", &none]);
        assert_eq!(ran, Ok(vec![PATH.to_owned(); 2]));
    }

    #[test]
    fn nextest_is_understood() {
        let said =
            |line: &str| ran_by_nextest(&[String::from("   Compiling a v0.1.0"), line.to_owned()]);
        assert_eq!(said("    Starting 812 tests across 60 binaries"), Ok(60));
        assert!(said("    Starting 812 tests across 60 binaries (1 test skipped)").is_err());
        assert!(said("    Starting 0 tests across 60 binaries").is_err());
        assert!(said("     Summary nothing").is_err());
    }

    #[test]
    fn tests_that_were_not_run_are_no_pass() {
        assert_eq!(said(&[RUNNING, &result(0, 0, 0)]), Err("no test was run".into()));
        assert_eq!(said(&[]), Err("no test was run".into()));
        let left_out = Err(String::from("1 tests were left out"));
        assert_eq!(said(&[RUNNING, &result(3, 1, 0)]), left_out);
        assert_eq!(said(&[RUNNING, &result(3, 0, 1)]), left_out);
    }
}
