//! Dependencies that nothing uses, in a manifest or in the list that the manifests share.

use crate::outcome::{JobResult, Options, Tally};
use crate::process::{command, run};
use crate::tools::prebuilt;
use crate::workspace::Workspace;

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let program = prebuilt(workspace, "unused", "cargo-shear")?;
    run(command(program).args(["--locked", "--deny-warnings"]).current_dir(&workspace.root))?;
    Ok(Tally::command("cargo-shear").into())
}
