//! pywebsocket 0.7.9 on the Python 2.7 that the Autobahn suite brings.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hybi::Hybi;
use crate::outcome::{JobResult, Options};
use crate::process::{command, run};
use crate::tools::once;
use crate::workspace::Workspace;
use crate::{autobahn, compression, multiplexing};

/// The extensions that were tried out in pywebsocket when they were drafts: compression, and multiplexing.
pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let mut tally = multiplexing::plan(compression::pywebsocket::plan());
    let pywebsocket = Pywebsocket::install(workspace)?;
    let hybi = Hybi::build(workspace)?;
    let folder = workspace.empty_cache("pywebsocket/run")?;
    compression::pywebsocket::check(&pywebsocket, &hybi, &folder, &mut tally)?;
    multiplexing::check(&pywebsocket, &hybi, &folder, &mut tally);
    Ok(tally.into())
}

/// The installed package and the interpreter that runs it.
pub(crate) struct Pywebsocket<'a> {
    pub(crate) workspace: &'a Workspace,
    python: PathBuf,
    /// Where `pip` is.
    pip: PathBuf,
    packages: PathBuf,
}

/// What the archive of the sources has them in.
const SOURCES: &str = "mod_pywebsocket-0.7.9";

/// Unpacks an archive into the folder that it lies in.
const UNPACK: &str = "import os, sys, tarfile
tarfile.open(sys.argv[1]).extractall(os.path.dirname(sys.argv[1]))";

impl<'a> Pywebsocket<'a> {
    pub(crate) fn install(workspace: &'a Workspace) -> Result<Self, String> {
        let suite = autobahn::suite(workspace)?;
        let python = suite.join("python2.7");
        let packages = workspace.cache("pywebsocket")?.join("python");
        let this = Self { workspace, python, pip: suite.join("pip"), packages };
        let requirements = this.requirements();
        once(&this.packages, &requirements, || {
            let target = ["--upgrade", "--target"];
            run(this.pip("install").args(target).arg(&this.packages).arg("-r").arg(&requirements))
        })?;
        Ok(this)
    }

    fn requirements(&self) -> PathBuf {
        self.workspace.xtask("pywebsocket/requirements.txt")
    }

    fn pip(&self, subcommand: &str) -> Command {
        let mut pip = command(&self.python);
        pip.env("PYTHONPATH", &self.pip).env("PIP_ROOT_USER_ACTION", "ignore");
        pip.args(["-m", "pip", "-q", "--no-python-version-warning", subcommand]);
        pip.args(["--disable-pip-version-check", "--no-deps"]);
        pip
    }

    /// A script beside the sources, which have its tests as well: those are not installed with it.
    pub(crate) fn script_of_tests(&self, path: &str) -> Result<Command, String> {
        let folder = self.workspace.cache("pywebsocket/sources")?;
        let requirements = self.requirements();
        once(&folder, &requirements, || {
            let sources = ["--no-binary", ":all:", "--dest"];
            run(self.pip("download").args(sources).arg(&folder).arg("-r").arg(&requirements))?;
            let archive = folder.join(format!("{SOURCES}.tar.gz"));
            run(command(&self.python).args(["-c", UNPACK]).arg(archive))
        })?;
        let mut script = self.script(path);
        script.env("PYTHONPATH", folder.join(SOURCES));
        Ok(script)
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
