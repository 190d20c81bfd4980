//! Every fuzz target on stable: what was saved in `fuzz/corpus` runs again, and a little of what becomes of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use hybi_suite::allocator::Counting;
use hybi_suite::fuzz::mutate::{self, Until};
use hybi_suite::fuzz::{TARGETS, Target};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Inputs beyond the saved ones. More is for `cargo xtask fuzz`.
const EXECUTIONS: u64 = 1_500;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = corpora().join(target.name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    // The order is part of what a seed makes.
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

#[test]
fn saved_inputs_and_what_becomes_of_them_break_no_property() {
    let campaigns = TARGETS.iter().map(|&target| {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{}: nothing is saved", target.name);
        let most = EXECUTIONS + corpus.len() as u64;
        let name = target.name;
        (
            name,
            most,
            thread::spawn(move || mutate::run(target, &corpus, 1, Until::Executions(most))),
        )
    });
    let mut failures = Vec::new();
    for (name, most, campaign) in campaigns.collect::<Vec<_>>() {
        match campaign.join().expect("panics are caught") {
            Ok(ran) => assert_eq!(ran, most, "{name}"),
            Err(found) => {
                let input = found.input.escape_ascii();
                failures.push(format!("{name}: {}\nof the input {input}", found.why));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_difference_that_is_listed_occurs_in_what_is_saved() {
    let mut checked = 0;
    for target in TARGETS {
        let Some(differential) = target.differential else { continue };
        let saved = corpus(*target);
        let seen: BTreeSet<_> = saved.iter().flat_map(|input| (differential.seen)(input)).collect();
        let listed: BTreeSet<_> = (differential.listed)().into_iter().collect();
        assert_eq!(seen, listed, "{}", target.name);
        checked += 1;
    }
    assert_eq!(checked, DIFFERENTIALS);
}

/// Targets that hold ours beside another implementation.
const DIFFERENTIALS: usize = 4;

#[test]
fn each_folder_of_saved_inputs_belongs_to_a_target() {
    let mut folders: Vec<_> = fs::read_dir(corpora())
        .expect("a folder")
        .map(|folder| folder.expect("a folder").file_name().into_string().expect("ASCII"))
        .collect();
    let mut names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    folders.sort();
    names.sort_unstable();
    assert_eq!(folders, names);
}
