//! The compiler that `rust-version` names: no default dependency asks for a newer one, and it compiles
//! what users get.

use crate::dependencies::tree;
use crate::outcome::{JobResult, Options, Outcome, Tally};
use crate::process::{command, run, works};
use crate::workspace::{Workspace, list};

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let libraries: Vec<&str> = workspace.libraries().map(|member| member.name.as_str()).collect();
    let oldest = named(workspace, libraries.first().ok_or("no library")?);
    let oldest = oldest.ok_or("the libraries name no rust-version")?;
    let mut tally = Tally::of("libraries");
    for name in &libraries {
        tally = tally.plan(name, 1);
        for dependency in tree(workspace, name)? {
            let asks = named(workspace, &dependency).filter(|asks| parts(asks) > parts(&oldest));
            if let Some(asks) = asks {
                tally.fail(format!("{name}: {dependency} asks for Rust {asks}, above {oldest}"));
            }
        }
    }

    // Told whether or not that compiler can be had.
    if tally.has_failed() {
        return Ok(tally.into());
    }
    let toolchain = format!("+{oldest}");
    if !works(command("cargo").args([&toolchain, "--version"])) {
        let install = ["toolchain", "install", &oldest, "--profile", "minimal"];
        if let Err(why) = run(command("rustup").args(install).arg("--no-self-update")) {
            return Ok(Outcome::Skipped(format!("Rust {oldest} could not be installed: {why}")));
        }
    }
    let mut check = command("cargo");
    check.args([&toolchain, "check", "--all-features"]).current_dir(&workspace.root);
    for name in &libraries {
        check.args(["-p", name]);
    }
    // What another compiler built is of no use to this one.
    run(check.env("CARGO_TARGET_DIR", workspace.cache("msrv")?))?;
    for name in &libraries {
        tally.add(name, 1);
    }
    Ok(tally.into())
}

/// The `rust-version` of a package of the graph; the highest, should it be there more than once.
fn named(workspace: &Workspace, name: &str) -> Option<String> {
    let packages = list(&workspace.metadata["packages"]);
    let versions = packages.filter(|package| package["name"] == name);
    versions
        .filter_map(|package| package["rust_version"].as_str())
        .max_by_key(|version| parts(version))
        .map(str::to_owned)
}

/// `1.88` and `1.88.0` are the same.
fn parts(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    parts.resize(3, 0);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parts("1.88"), parts("1.88.0"));
        assert!(parts("1.100") > parts("1.88.1"));
    }
}
