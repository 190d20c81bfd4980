//! What compilers do not check: headers, leftover marks, citations, unsafe code, layers, papers, and
//! whether each error and each limit has a test.

mod citations;
mod documents;
mod layers;
mod limits;
mod map;
mod promises;
mod rules;
mod variants;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use self::rules::is_unsafe;
use crate::outcome::{JobResult, Options, Tally};
use crate::workspace::{Workspace, read};

/// One thing out of order: where, and what.
type Complaint = String;

pub(crate) fn run(workspace: &Workspace, _: &Options) -> JobResult {
    let files = files(&workspace.root)?;
    let mut texts = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&workspace.root).unwrap_or(file).to_string_lossy();
        texts.push((path.replace('\\', "/"), read(file)?));
    }
    let mut complaints: Vec<Complaint> =
        texts.iter().flat_map(|(path, text)| rules::check(path, text)).collect();
    complaints.extend(variants::check(&texts));
    complaints.extend(promises::check(&texts));
    complaints.extend(limits::check(&texts));
    complaints.extend(papers(&workspace.root));
    complaints.extend(map::check(&workspace.root));
    complaints.extend(layers::check(workspace));
    println!("{} files", files.len());
    // Cargo knows the roots of all our code; what they lead to lies beside them.
    let mut tally = Tally::of("roots of crates among the files");
    let targets = workspace.members.iter().flat_map(|member| &member.targets);
    for root in targets.map(|target| &target.source) {
        let item = root.display();
        tally = tally.plan(&item, 1).did(item, usize::from(files.contains(root)));
    }
    complaints.into_iter().for_each(|complaint| tally.fail(complaint));
    Ok(tally.into())
}

/// Every text file that people write here.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    walk(root, &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    const TEXT: [&str; 14] = [
        "rs", "toml", "md", "py", "mjs", "js", "json", "html", "css", "sh", "txt", "yml", "pl",
        "rb",
    ];
    const NOT_OURS: [&str; 4] = ["target", "node_modules", "__pycache__", ".git"];
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(named)? {
        let path = entry.map_err(named)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !NOT_OURS.contains(&&*name) {
                walk(&path, files)?;
            }
        } else if path.extension().is_some_and(|end| TEXT.iter().any(|text| end == *text)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// The papers that readers look for, and the one command that two of them must agree on.
fn papers(root: &Path) -> Vec<Complaint> {
    const PAPERS: [(&str, &str); 6] = [
        ("README.md", "cargo xtask ci"),
        (".ci/run", "cargo xtask ci"),
        ("CHANGELOG.md", "# "),
        ("ARCHITECTURE.md", "# "),
        ("LICENSE-MIT", "The hybi authors"),
        ("LICENSE-APACHE", "Version 2.0"),
    ];
    let lacking = PAPERS.iter().filter(|(path, words)| {
        !fs::read_to_string(root.join(path)).is_ok_and(|text| text.contains(words))
    });
    lacking.map(|(path, words)| format!("{path}: must be there and say `{words}`")).collect()
}
