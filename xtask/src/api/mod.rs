//! The public API of each published library, held against a listing that is checked in; and the types of
//! other crates in it, against those that may be there.
//!
//! What a crate offers is read from rustdoc's JSON, whose format changes with the compiler: a program of its
//! own in `xtask/api` makes lines of it, and knows one format.

mod foreign;
mod listing;

use std::path::PathBuf;

use self::foreign::Allowed;
use self::listing::Listing;
use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, output, run};
use crate::tools::unstable_cargo;
use crate::workspace::{Member, Workspace, read, write};

/// The format of the JSON that the program reads.
const FORMAT: &str = "57";
/// The compiler that writes it.
const COMPILER: &str = "1.95.0";
/// The folder of the program and the listings.
pub(crate) const FOLDER: &str = "api";

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let libraries: Vec<&Member> = workspace.libraries().collect();
    let documented = document(workspace, &libraries)?;
    for file in &documented {
        let json = read(file)?;
        let format = format_of(&json).unwrap_or_default();
        if format != FORMAT {
            return Ok(Outcome::Skipped(format!(
                "this rustdoc writes format {format}, and public-api in xtask/{FOLDER}/Cargo.toml \
                 reads {FORMAT}; install the compiler that does: rustup toolchain install {COMPILER}"
            )));
        }
    }
    let program = program(workspace)?;
    let allowed = Allowed::parse(&read(&workspace.xtask(FOLDER).join("foreign.txt"))?)?;
    let mut tally = Tally::of("items");
    for (member, file) in libraries.iter().zip(&documented) {
        let found = Listing::of(member, &output(command(&program).arg(file))?);
        let path = workspace.xtask(FOLDER).join(format!("{}.txt", member.name));
        if options.bless {
            write(&path, &found.to_string())?;
        }
        let expected = Listing::parse(&std::fs::read_to_string(&path).unwrap_or_default());
        tally = tally.plan(&member.name, expected.len());
        tally.add(&member.name, found.in_both(&expected));
        let changes = found.held_against(&expected);
        if !changes.is_empty() {
            tally.fail(format!(
                "{}: its public API is not as xtask/{FOLDER}/{}.txt has it:\n{}\nif that is meant, \
                 take it: cargo xtask api --bless; and tell users in CHANGELOG.md",
                member.name,
                member.name,
                changes.join("\n")
            ));
        }
        for complaint in allowed.held_against(member, &found, &ours(workspace)) {
            tally.fail(complaint);
        }
    }
    Ok(tally.into())
}

/// The names of our own crates in paths.
fn ours(workspace: &Workspace) -> Vec<String> {
    workspace.members.iter().map(|member| member.name.replace('-', "_")).collect()
}

/// Lets rustdoc write the JSON of each library with all its features; the files, in the same order.
fn document(workspace: &Workspace, libraries: &[&Member]) -> Result<Vec<PathBuf>, String> {
    let mut doc = unstable_cargo(workspace);
    doc.args(["doc", "-q", "--lib", "--no-deps", "--all-features"]);
    for member in libraries {
        doc.args(["-p", &member.name]);
    }
    run(doc.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json"))?;
    let file = |member: &&Member| format!("doc/{}.json", member.name.replace('-', "_"));
    Ok(libraries.iter().map(file).map(|file| workspace.target.join(file)).collect())
}

/// The program that makes lines of the JSON, built if it is not.
fn program(workspace: &Workspace) -> Result<PathBuf, String> {
    let folder = workspace.cache(FOLDER)?.join("program");
    let manifest = workspace.xtask(FOLDER).join("Cargo.toml");
    run(cargo(workspace)
        .args(["build", "-q", "--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join("debug/xtask-api"))
}

/// The number that rustdoc writes at the end of a file.
fn format_of(json: &str) -> Option<&str> {
    let (_, rest) = json.rsplit_once("\"format_version\":")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_number_behind_its_last_name() {
        let json = r#"{"docs":"\"format_version\":1","format_version":57,"target":{"x":1}}"#;
        assert_eq!(format_of(json), Some("57"));
        assert_eq!(format_of("{}"), None);
    }
}
