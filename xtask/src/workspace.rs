//! What `cargo metadata` says about this workspace, and the folders that jobs work in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process;

/// The workspace as cargo sees it.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the top `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds, whatever `CARGO_TARGET_DIR` says.
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) members: Vec<Member>,
    /// The whole answer, with the dependency graph of all features.
    pub(crate) metadata: Value,
}

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// The folder of its `Cargo.toml`.
    pub(crate) folder: PathBuf,
    /// Its features, each with what it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    /// Whether users can get it from a registry.
    pub(crate) published: bool,
}

/// One program or library that cargo builds of a package.
#[derive(Debug)]
pub(crate) struct Target {
    /// `lib`, `bin`, `test`, `bench` or `example`.
    pub(crate) kind: String,
    /// Its first file.
    pub(crate) source: PathBuf,
    pub(crate) required_features: Vec<String>,
    /// Whether `cargo test` runs it.
    pub(crate) tested: bool,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self, String> {
        let mut ask = process::command("cargo");
        ask.args(["metadata", "--format-version", "1", "--all-features"]);
        let metadata: Value = serde_json::from_str(&process::output(&mut ask)?)
            .map_err(|error| format!("cargo metadata: {error}"))?;
        let folder = |key: &str| PathBuf::from(metadata[key].as_str().unwrap_or_default());
        let members = list(&metadata["workspace_members"])
            .filter_map(|id| list(&metadata["packages"]).find(|package| package["id"] == *id))
            .map(Member::from_package)
            .collect();
        let (root, target) = (folder("workspace_root"), folder("target_directory"));
        Ok(Self { root, target, members, metadata })
    }

    /// The members under `crates/`: what users get, and the tools to test it.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Member> {
        let crates = self.root.join("crates");
        self.members.iter().filter(move |member| member.folder.starts_with(&crates))
    }

    /// The libraries that users get.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Member> {
        self.crates().filter(|member| {
            member.published && member.targets.iter().any(|target| target.kind == "lib")
        })
    }

    /// A folder for one job below the target folder, made if it is not there.
    pub(crate) fn cache(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.target.join("xtask").join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// A folder as [`Self::cache`] makes it, but empty.
    pub(crate) fn empty_cache(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        self.cache(name)
    }

    /// Where this program keeps its own files.
    pub(crate) fn xtask(&self, path: &str) -> PathBuf {
        self.root.join("xtask").join(path)
    }
}

impl Member {
    fn from_package(package: &Value) -> Self {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        Self {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            folder: manifest.parent().unwrap_or(manifest).to_owned(),
            features: package["features"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, turns_on)| (name.clone(), strings(turns_on)))
                .collect(),
            targets: list(&package["targets"]).map(Target::from_metadata).collect(),
            // `publish = false` is an empty list of registries.
            published: package["publish"].is_null(),
        }
    }
}

impl Target {
    fn from_metadata(target: &Value) -> Self {
        Self {
            kind: strings(&target["kind"]).concat(),
            source: target["src_path"].as_str().unwrap_or_default().into(),
            required_features: strings(&target["required-features"]),
            tested: target["test"] == true,
        }
    }
}

/// The texts in a JSON array.
fn strings(value: &Value) -> Vec<String> {
    list(value).filter_map(Value::as_str).map(String::from).collect()
}

/// The elements of a JSON array; none of what is no array.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Reads a text file, naming it when that fails.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a text file, naming it when that fails.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
