//! pywebsocket 0.7.9 on the Python 2.7 that the Autobahn suite brings.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::autobahn;
use crate::process::{command, run};
use crate::tools::once;
use crate::workspace::Workspace;

/// The installed package and the interpreter that runs it.
pub(crate) struct Pywebsocket<'a> {
    workspace: &'a Workspace,
    python: PathBuf,
    packages: PathBuf,
}

impl<'a> Pywebsocket<'a> {
    pub(crate) fn install(workspace: &'a Workspace) -> Result<Self, String> {
        let suite = autobahn::suite(workspace)?;
        let python = suite.join("python2.7");
        let packages = workspace.cache("pywebsocket")?.join("python");
        let requirements = workspace.xtask("pywebsocket/requirements.txt");
        once(&packages, &requirements, || {
            let pip = ["-m", "pip", "-q", "--no-python-version-warning", "install"];
            run(command(&python)
                .env("PYTHONPATH", suite.join("pip"))
                .env("PIP_ROOT_USER_ACTION", "ignore")
                .args(pip)
                .args(["--disable-pip-version-check", "--no-deps", "--upgrade", "--target"])
                .arg(&packages)
                .arg("-r")
                .arg(&requirements))
        })?;
        Ok(Self { workspace, python, packages })
    }

    /// One of the scripts in `xtask/pywebsocket`, or whichever an absolute path names.
    pub(crate) fn script(&self, path: impl AsRef<Path>) -> Command {
        let mut script = command(&self.python);
        // Without `-B` it leaves compiled files beside the scripts.
        script.arg("-B").arg(self.workspace.xtask("pywebsocket").join(path));
        script.env("PYTHONPATH", &self.packages);
        script
    }
}
