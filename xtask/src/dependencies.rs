//! The list of what users trust when they trust this: every direct dependency of a published crate, with the
//! reason; and all that a program compiles for each crate by default, so that nothing joins it unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::output;
use crate::tidy::is_unsafe;
use crate::workspace::{Workspace, list, read};

/// Two kinds of rows, told by their number of columns; `#` begins a comment.
const LIST: &str = "dependencies.txt";
/// The most that one crate may be with all it needs by default, the crates of the workspace and itself included.
const CEILING: (&str, usize) = ("hybi-tokio", 25);

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let listed = Listed::parse(&read(&workspace.xtask(LIST))?)?;
    let mut tally = Tally::of("rows");
    let mut found = Vec::new();
    for (name, direct) in direct(workspace) {
        found.push(direct.row(&name)?);
    }
    let mut compiled = Vec::new();
    for member in workspace.crates().filter(|member| member.published) {
        let tree = tree(workspace, &member.name)?;
        if member.name == CEILING.0 && tree.len() > CEILING.1 {
            tally.fail(format!("{}: {} crates are more than {}", CEILING.0, tree.len(), CEILING.1));
        }
        compiled.push(format!("{} | {} | {}", member.name, tree.len(), tree.join(" ")));
    }
    for (what, found, listed) in
        [("direct", found, listed.direct), ("compiled", compiled, listed.compiled)]
    {
        tally = tally.plan(what, listed.len());
        for row in &found {
            if listed.contains(row) {
                tally.add(what, 1);
            } else {
                tally.fail(format!("not in xtask/{LIST}: {row}"));
            }
        }
        for row in listed.iter().filter(|row| !found.contains(row)) {
            tally.fail(format!("not so any more, in xtask/{LIST}: {row}"));
        }
    }
    Ok(tally.into())
}

/// The list as it is checked in, without the words that only people can judge.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listed {
    direct: Vec<String>,
    compiled: Vec<String>,
}

impl Listed {
    fn parse(text: &str) -> Result<Self, String> {
        let mut listed = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<_> = line.split('|').map(str::trim).collect();
            match columns[..] {
                [_, _, _, _, by, purpose] if by.is_empty() || purpose.is_empty() => {
                    return Err(format!("{LIST}: no reason: {line}"));
                }
                [_, _, _, _, _, _] => listed.direct.push(columns[..4].join(" | ")),
                [_, _, _] => listed.compiled.push(columns.join(" | ")),
                _ => return Err(format!("{LIST}: not a row: {line}")),
            }
        }
        Ok(listed)
    }
}

/// A package that a manifest of ours names.
#[derive(Debug)]
struct Direct<'a> {
    package: &'a Value,
    /// Which of ours need it, other than for tests.
    by: BTreeSet<&'a str>,
}

impl Direct<'_> {
    fn row(&self, name: &str) -> Result<String, String> {
        let by: Vec<_> = self.by.iter().copied().collect();
        let mut targets = list(&self.package["targets"]);
        let builds = targets.any(|target| list(&target["kind"]).any(|kind| kind == "custom-build"));
        let manifest = Path::new(self.package["manifest_path"].as_str().unwrap_or_default());
        let is_unsafe = has_unsafe(&manifest.with_file_name("src"))?;
        let builds = if builds { "build script" } else { "no build script" };
        let is_unsafe = if is_unsafe { "unsafe code" } else { "no unsafe code" };
        Ok(format!("{name} | {} | {builds} | {is_unsafe}", by.join(" ")))
    }
}

/// The direct dependencies of what is published, by their names.
fn direct(workspace: &Workspace) -> BTreeMap<String, Direct<'_>> {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, &Value> = list(&workspace.metadata["packages"])
        .map(|package| (text(&package["id"]), package))
        .collect();
    let ours: BTreeMap<String, &str> = workspace
        .members
        .iter()
        .filter(|member| member.published)
        .filter_map(|member| {
            let mut packages = packages.iter();
            let (id, _) = packages.find(|(_, package)| package["name"] == *member.name)?;
            Some((id.clone(), member.name.as_str()))
        })
        .collect();
    let mut direct = BTreeMap::new();
    for node in list(&workspace.metadata["resolve"]["nodes"]) {
        let Some(who) = ours.get(&text(&node["id"])) else { continue };
        for edge in list(&node["deps"]) {
            let Some(package) = packages.get(&text(&edge["pkg"])) else { continue };
            // A test's dependency is compiled by nobody else.
            let needed = list(&edge["dep_kinds"]).any(|kind| kind["kind"] != "dev");
            if needed && !package["source"].is_null() {
                let known = direct.entry(text(&package["name"]));
                known.or_insert_with(|| Direct { package, by: BTreeSet::new() }).by.insert(*who);
            }
        }
    }
    direct
}

/// Whether a source file of a package has unsafe code.
fn has_unsafe(folder: &Path) -> Result<bool, String> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(named)? {
        let path = entry.map_err(named)?.path();
        let found = if path.is_dir() {
            has_unsafe(&path)?
        } else {
            let code = |line: &str| is_unsafe(line.split("//").next().unwrap_or_default());
            path.extension().is_some_and(|end| end == "rs") && read(&path)?.lines().any(code)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of the crates that are compiled for this one with its default features, itself included,
/// on Linux whatever this machine is.
pub(crate) fn tree(workspace: &Workspace, name: &str) -> Result<Vec<String>, String> {
    let lines = output(
        cargo(workspace)
            .args(["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"])
            .args(["--target", "x86_64-unknown-linux-gnu"]),
    )?;
    let mut names: Vec<String> =
        lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_reason_and_is_compared_without_it() {
        let row = "bytes | hybi | no build script | unsafe code";
        let listed =
            Listed::parse(&format!("# who\n{row} | tokio | payloads\n\na | 2 | a bytes\n"));
        let listed = listed.expect("two rows");
        assert_eq!(listed.direct, [row]);
        assert_eq!(listed.compiled, ["a | 2 | a bytes"]);
        assert!(
            Listed::parse(&format!("{row} | tokio |")).expect_err("none").contains("no reason")
        );
        assert!(Listed::parse("bytes | hybi").expect_err("two columns").contains("not a row"));
    }
}
