//! The version requirements are honest: the crates build with the oldest release of each direct
//! dependency that their manifests allow.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, output, run};
use crate::tools::unstable_cargo;
use crate::workspace::{Workspace, list, read, write};

/// Works on a copy of what users get: published crates without tests and their dependencies, so
/// that no benchmark's or test's requirement raises a version.
pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let copy = workspace.empty_cache("minimal")?;
    let manifest = read(&workspace.root.join("Cargo.toml"))?;
    write(&copy.join("Cargo.toml"), &with_members(&manifest, "crates/*"))?;
    for member in workspace.crates().filter(|member| member.published) {
        let folder = copy.join("crates").join(member.folder.file_name().unwrap_or_default());
        copy_folder(&member.folder, &folder)?;
        let manifest = folder.join("Cargo.toml");
        write(&manifest, &without_table(&read(&manifest)?, "[dev-dependencies]"))?;
    }
    run(unstable_cargo(workspace)
        .args(["update", "-Z", "direct-minimal-versions"])
        .current_dir(&copy))?;

    let mut ask = command("cargo");
    ask.args(["metadata", "--format-version", "1", "--all-features"]).current_dir(&copy);
    let metadata: Value = serde_json::from_str(&output(&mut ask)?)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut tally = Tally::of("dependencies at their oldest");
    for (who, name, oldest, resolved) in direct(&metadata) {
        let item = format!("{who}: {name} {oldest}");
        tally = tally.plan(&item, 1).did(item, usize::from(resolved.contains(&oldest)));
    }

    // The same target folder, so that dependencies already built in these versions are used.
    let mut check = command("cargo");
    check.args(["check", "--all-features"]);
    for member in workspace.crates().filter(|member| member.published) {
        check.args(["-p", &member.name]);
    }
    run(check.env("CARGO_TARGET_DIR", &workspace.target).current_dir(&copy))?;
    Ok(tally.into())
}

/// The direct dependencies from a registry of every member: whose, of what, the oldest version that
/// it declares, and the versions of it that were resolved.
fn direct(metadata: &Value) -> Vec<(&str, &str, String, Vec<String>)> {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let packages = || list(&metadata["packages"]);
    let members = packages().filter(|package| package["source"].is_null());
    let edges = members.flat_map(|member| {
        list(&member["dependencies"]).map(move |dependency| (&member["name"], dependency))
    });
    let direct = edges.filter(|(_, dependency)| !dependency["source"].is_null());
    direct
        .map(|(who, dependency)| {
            let name = &dependency["name"];
            let resolved = packages().filter(|package| package["name"] == *name);
            (
                who.as_str().unwrap_or_default(),
                name.as_str().unwrap_or_default(),
                oldest(dependency["req"].as_str().unwrap_or_default()),
                resolved.map(|package| text(&package["version"])).collect(),
            )
        })
        .collect()
}

/// The oldest version that a requirement such as `^1.2` allows.
fn oldest(requirement: &str) -> String {
    let version = requirement.trim_start_matches(['^', '=', '~', '>', ' ']);
    let given = version.split('.').count();
    version.to_owned() + &".0".repeat(3_usize.saturating_sub(given))
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_goes_with_its_lines_and_nothing_else_does() {
        let manifest = "[a]\nx = 1\n[dev-dependencies]\ny = 2\n\n[lints]\nz = 3\n";
        assert_eq!(without_table(manifest, "[dev-dependencies]"), "[a]\nx = 1\n[lints]\nz = 3\n");
    }

    #[test]
    fn a_dependency_that_is_not_at_its_oldest_is_told() {
        let metadata = |version: &str| {
            json!({ "packages": [
                { "name": "ours", "source": null, "version": "0.1.0", "dependencies": [
                    { "name": "theirs", "source": "registry", "req": "^1.2" },
                    { "name": "other", "source": null, "req": "^0.1" },
                ] },
                { "name": "theirs", "source": "registry", "version": version, "dependencies": [] },
            ] })
        };
        for (version, is_oldest) in [("1.2.0", true), ("1.2.1", false)] {
            let metadata = metadata(version);
            let [(who, name, oldest, resolved)] = &direct(&metadata)[..] else { panic!("one") };
            assert_eq!((*who, *name, &**oldest), ("ours", "theirs", "1.2.0"));
            assert_eq!(resolved.contains(oldest), is_oldest);
        }
    }

    #[test]
    fn members_are_replaced() {
        let manifest = "[workspace]\nmembers = [\"a\", \"b\"]\n";
        assert_eq!(with_members(manifest, "c/*"), "[workspace]\nmembers = [\"c/*\"]\n");
    }
}
