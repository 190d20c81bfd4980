//! The version requirements are honest: the crates build with the oldest release of each direct
//! dependency that their manifests allow.

use std::fs;
use std::path::Path;

use crate::outcome::{JobResult, Options, Outcome};
use crate::process::{command, run};
use crate::tools::nightly_cargo;
use crate::workspace::{Workspace, read, write};

/// Works on a copy of what users get: published crates without tests and their dependencies, so
/// that no benchmark's or test's requirement raises a version.
pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let mut resolver = match nightly_cargo() {
        Ok(cargo) => cargo,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let copy = workspace.empty_cache("minimal")?;
    let manifest = read(&workspace.root.join("Cargo.toml"))?;
    write(&copy.join("Cargo.toml"), &with_members(&manifest, "crates/*"))?;
    for member in workspace.crates().filter(|member| member.published) {
        let folder = copy.join("crates").join(member.folder.file_name().unwrap_or_default());
        copy_folder(&member.folder, &folder)?;
        let manifest = folder.join("Cargo.toml");
        write(&manifest, &without_table(&read(&manifest)?, "[dev-dependencies]"))?;
    }
    run(resolver.args(["update", "-Z", "direct-minimal-versions"]).current_dir(&copy))?;
    // The same target folder, so that dependencies already built in these versions are used.
    run(command("cargo")
        .args(["check", "--workspace", "--all-features"])
        .env("CARGO_TARGET_DIR", &workspace.target)
        .current_dir(&copy))?;
    Ok(Outcome::Passed)
}

/// The top manifest with another list of members.
fn with_members(manifest: &str, members: &str) -> String {
    let lines = manifest.lines().map(|line| {
        if line.starts_with("members = ") {
            format!("members = [{members:?}]\n")
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

/// A manifest without one table.
fn without_table(manifest: &str, table: &str) -> String {
    let mut inside = false;
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            inside = *line == table;
        }
        !inside
    });
    kept.map(|line| format!("{line}\n")).collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let named = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(named)?;
    for entry in fs::read_dir(from).map_err(named)? {
        let entry = entry.map_err(named)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(named)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_goes_with_its_lines_and_nothing_else_does() {
        let manifest = "[a]\nx = 1\n[dev-dependencies]\ny = 2\n\n[lints]\nz = 3\n";
        assert_eq!(without_table(manifest, "[dev-dependencies]"), "[a]\nx = 1\n[lints]\nz = 3\n");
    }

    #[test]
    fn members_are_replaced() {
        let manifest = "[workspace]\nmembers = [\"a\", \"b\"]\n";
        assert_eq!(with_members(manifest, "c/*"), "[workspace]\nmembers = [\"c/*\"]\n");
    }
}
