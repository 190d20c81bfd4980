//! Spelling of all texts that people wrote here, code included, by a list of what is often mistyped.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, output, run};
use crate::tidy;
use crate::tools::prebuilt;
use crate::workspace::{Workspace, read, write};

/// Parts of paths whose texts nobody wrote for people to read.
const NOT_PROSE: [&str; 2] = ["/vectors/", "/package-lock.json"];
/// What may be the program's own configuration, which it does not read.
const MANIFEST: &str = "Cargo.toml";

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let program = prebuilt(workspace, "spelling", "typos")?;
    let config = workspace.xtask("spelling").join("typos.toml");
    let typos = || {
        let mut typos = command(&program);
        typos.arg("--config").arg(&config).current_dir(&workspace.root);
        typos
    };
    let texts = tidy::files(&workspace.root)?;
    let texts = texts.iter().filter(|path| **path != config).filter(|path| {
        let path = path.to_string_lossy();
        !NOT_PROSE.iter().any(|part| path.contains(part))
    });
    let (manifests, texts): (Vec<_>, Vec<_>) =
        texts.partition(|path| path.file_name().is_some_and(|name| name == MANIFEST));
    let read_by = |mut typos: Command| -> Result<BTreeSet<PathBuf>, String> {
        let files = output(typos.arg("--files"))?;
        Ok(files.lines().map(|path| workspace.root.join(path.trim_start_matches("./"))).collect())
    };
    let seen = read_by(typos())?;
    let mut tally = Tally::of("texts");
    for path in texts {
        let item = path.display();
        tally = tally.plan(&item, 1).did(item, usize::from(seen.contains(path)));
    }
    run(&mut typos())?;
    tally = tally.plan(MANIFEST, manifests.len()).did(MANIFEST, manifests.len());
    let (folder, copies) = copies(workspace, &manifests)?;
    run(typos().args(copies).current_dir(folder))?;
    Ok(tally.into())
}

/// A folder with the manifests, under names that tell whose they are.
fn copies(workspace: &Workspace, manifests: &[&PathBuf]) -> Result<(PathBuf, Vec<String>), String> {
    let folder = workspace.empty_cache("spelling-manifests")?;
    let copy = |manifest: &&PathBuf| {
        let whose = manifest.strip_prefix(&workspace.root).unwrap_or(manifest);
        let whose: Vec<_> = whose.iter().map(|part| part.to_string_lossy()).collect();
        let name = format!("workspace-{}", whose.join("-"));
        write(&folder.join(&name), &read(manifest)?).map(|()| name)
    };
    let names = manifests.iter().map(copy).collect::<Result<_, _>>()?;
    Ok((folder, names))
}
