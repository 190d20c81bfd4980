//! A compiler with the sources of its standard library: the one that is here, or that of the distribution,
//! unpacked into a folder of its own, where no other program meets it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{command, output, run_quietly, works};
use crate::tools::unstable_cargo;
use crate::workspace::{Workspace, write};

/// The compiler that Debian keeps new for its browsers, and the sources that belong to it.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
/// What of a compiler is for all machines at once, or on every one.
const NOT_UNPACKED: [&str; 5] = ["libc6", "libc-dev", "libgcc-s1", "gcc", "binutils"];

#[derive(Debug)]
pub(super) struct Sources {
    /// Instead of the toolchain's.
    rustc: Option<PathBuf>,
}

impl Sources {
    pub(super) fn find(workspace: &Workspace) -> Result<Self, String> {
        let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
        if Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").exists() {
            return Ok(Self { rustc: None });
        }
        let rustc = debian(workspace).map_err(|why| {
            format!(
                "needs the sources of the standard library; install them: rustup component add \
                 rust-src; those of Debian could not be had: {why}"
            )
        })?;
        Ok(Self { rustc: Some(rustc) })
    }

    /// `cargo` that compiles with it.
    pub(super) fn cargo(&self, workspace: &Workspace) -> Command {
        let mut cargo = unstable_cargo(workspace);
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }
}

/// Unpacks Debian's compiler; a program that starts it where it lies.
fn debian(workspace: &Workspace) -> Result<PathBuf, String> {
    let folder = workspace.cache("portable-compiler")?;
    let program = folder.join("rustc");
    if works(command(&program).arg("--version")) {
        return Ok(program);
    }
    let folder = workspace.empty_cache("portable-compiler")?;
    if !works(command("apt-get").arg("--version")) {
        return Err("there is no apt-get".to_owned());
    }
    // Fails without the right to; the lists that are there may do.
    let _ = run_quietly(command("apt-get").args(["-q", "update"]));
    let root = folder.join("root");
    let mut next: Vec<String> = PACKAGES.map(str::to_owned).into();
    let mut known = BTreeSet::new();
    while let Some(package) = next.pop() {
        if known.insert(package.clone()) {
            println!("unpacking {package}");
            next.extend(unpack(&folder, &root, &package)?);
        }
    }
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let rustc = root.join("usr/bin/rustc");
    let (libraries, rustc) = (libraries.display(), rustc.display());
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH='{libraries}' exec '{rustc}' \"$@\"\n");
    write(&program, &script)?;
    run_quietly(command("chmod").arg("+x").arg(&program))?;
    run_quietly(command(&program).arg("--version"))?;
    Ok(program)
}

/// Unpacks a package; the names of those that it cannot do without and that are not installed.
fn unpack(folder: &Path, root: &Path, package: &str) -> Result<Vec<String>, String> {
    let place = folder.join(package);
    std::fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    run_quietly(command("apt-get").args(["-q", "download", package]).current_dir(&place))?;
    let mut files = place.read_dir().map_err(|error| format!("{}: {error}", place.display()))?;
    let file = files.next().ok_or("nothing was downloaded")?;
    let file = file.map_err(|error| format!("{}: {error}", place.display()))?.path();
    run_quietly(command("dpkg-deb").arg("-x").arg(&file).arg(root))?;
    let depends = output(command("dpkg-deb").arg("-f").arg(&file).arg("Depends"))?;
    // The package itself is a quarter of what it is unpacked.
    std::fs::remove_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let lacking = needed(&depends).filter(|name| !works(command("dpkg").args(["-s", name])));
    Ok(lacking.map(str::to_owned).collect())
}

/// The names in a line such as `libc6 (>= 2.34), libllvm22, gcc | c-compiler`.
fn needed(depends: &str) -> impl Iterator<Item = &str> {
    let names = depends.split(',').filter_map(|name| name.split_whitespace().next());
    names.filter(|name| !NOT_UNPACKED.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_versions_and_alternatives() {
        let line = "libc6 (>= 2.34), libstd-rust-web-dev (= 1.96.0), gcc, libllvm22 | llvm\n";
        assert_eq!(needed(line).collect::<Vec<_>>(), ["libstd-rust-web-dev", "libllvm22"]);
    }
}
