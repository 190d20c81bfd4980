//! What goes to a registry: each published crate is packed and compiled from the package, with the
//! others from theirs, and says who it is.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{output, run};
use crate::workspace::{Member, Workspace, list, read};

/// The texts that a manifest has beside name and version.
const TEXTS: [&str; 6] =
    ["description", "license", "repository", "documentation", "readme", "rust_version"];
/// The lists that it has.
const LISTS: [&str; 2] = ["keywords", "categories"];
/// The files that a package has beside its sources.
const FILES: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let published = || workspace.crates().filter(|member| member.published);
    // First: a slip on a page is found at once, and to compile the packages takes minutes.
    let slips = published().filter_map(|member| describes_itself(workspace, member).err());
    let slips: Vec<_> = slips.collect();
    if !slips.is_empty() {
        return Err(slips.join("\n"));
    }
    let mut tally = Tally::of("packages");
    let mut pack = cargo(workspace);
    // A change that is not committed yet is packed as it is.
    pack.args(["package", "--allow-dirty", "--quiet"]);
    for member in published() {
        tally = tally.plan(&member.name, 1);
        pack.args(["-p", &member.name]);
    }
    for member in published() {
        forget(workspace, member)?;
    }
    // An empty folder, since what was compiled of the same version would be taken as well.
    run(pack.env("CARGO_TARGET_DIR", workspace.empty_cache("package")?))?;
    for member in published() {
        tally.add(&member.name, 1);
    }
    Ok(tally.into())
}

/// Removes what cargo unpacked of this package the last time: while the version is the same, it would
/// take that for the package of today.
fn forget(workspace: &Workspace, member: &Member) -> Result<(), String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let unpacked = home.map(|home| home.join("registry/src"));
    let packages = list(&workspace.metadata["packages"]);
    let version = packages.filter(|package| package["name"] == *member.name);
    let version = version.filter_map(|package| package["version"].as_str()).next();
    let name = format!("{}-{}", member.name, version.unwrap_or_default());
    for registry in unpacked.and_then(|folder| folder.read_dir().ok()).into_iter().flatten() {
        let registry = registry.map_err(|error| format!("{name}: {error}"))?;
        // The packages of this workspace are in a registry that has no host in its name.
        if registry.file_name().as_encoded_bytes().starts_with(b"-") {
            let folder = registry.path().join(&name);
            if folder.exists() {
                fs::remove_dir_all(&folder)
                    .map_err(|error| format!("{}: {error}", folder.display()))?;
            }
        }
    }
    Ok(())
}

fn describes_itself(workspace: &Workspace, member: &Member) -> Result<(), String> {
    let name = &member.name;
    let packages = &workspace.metadata["packages"];
    let package = list(packages).find(|package| package["name"] == *name).unwrap_or(&Value::Null);
    let lacks = TEXTS.iter().filter(|key| package[**key].as_str().is_none_or(str::is_empty));
    let lacks = lacks.chain(LISTS.iter().filter(|key| list(&package[**key]).next().is_none()));
    let lacks: Vec<_> = lacks.copied().collect();
    if !lacks.is_empty() {
        return Err(format!("{name}: its manifest has no {}", lacks.join(", ")));
    }
    let files = output(cargo(workspace).args(["package", "--list", "--allow-dirty", "-p", name]))?;
    if let Some(file) = FILES.iter().find(|file| !files.lines().any(|line| line == **file)) {
        return Err(format!("{name}: {file} is not in the package"));
    }
    // What a reader copies from the page has to be this version.
    let version = package["version"].as_str().unwrap_or_default();
    let short = version.rsplit_once('.').map_or(version, |(short, _)| short);
    let line = match member.targets.iter().any(|target| target.kind == "lib") {
        true => format!("{name} = \"{short}\""),
        false => format!("cargo install {name}"),
    };
    for page in [member.folder.join("README.md"), workspace.root.join("README.md")] {
        if !read(&page)?.contains(&line) {
            return Err(format!("{}: has no `{line}`", page.display()));
        }
    }
    Ok(())
}
