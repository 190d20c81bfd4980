//! Features only add: every crate is clean with none, with each alone and with all, and its tests
//! pass with none and with each alone. Nightly, each published crate is clean with every set of them.

use std::collections::BTreeSet;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process;
use crate::tested::{self, Choice};
use crate::workspace::{Member, Workspace};

/// Features of a dependency that users turn on beside ours: the DEFLATE library in C, the system's
/// or built from the sources that come with its crate. In a build of the whole workspace it would
/// replace the others.
const OF_A_DEPENDENCY: [(&str, &str); 1] = [("hybi-compression", "miniz_oxide,flate2/zlib")];

/// Features that adapters do no more with than pass them on to the crate that has and tests them. With each alone they
/// are linted; their tests run with all. (The suite that an adapter's tests are made of turns on `legacy`, `mux` and the
/// other algorithm of compression in every build, so that the tests with these alone were those with none, or with
/// `compression`.)
const PASSED_ON: [&str; 6] = [
    "compression-miniz_oxide",
    "legacy",
    "mux",
    "rustls-native-roots",
    "rustls-webpki-roots",
    "tracing",
];

/// Whether a feature turns on another crate's of its own name, and no more but a feature beside it that is tested alone.
fn is_passed_on(member: &Member, name: &str) -> bool {
    let goes_on = |other: &String| match other.split_once('/') {
        Some((_, there)) => there == name,
        None => member.features.contains_key(other),
    };
    let turns_on = member.features.get(name);
    PASSED_ON.contains(&name) && turns_on.is_some_and(|on| on.iter().all(goes_on))
}

pub(crate) fn run(workspace: &Workspace, _: &Options) -> JobResult {
    let mut tally = Tally::of("test programs");
    for member in workspace.crates() {
        lint(workspace, member, Choice::All)?;
        for choice in choices(member) {
            lint(workspace, member, choice)?;
            if matches!(choice, Choice::Only(name) if is_passed_on(member, name)) {
                continue;
            }
            let item = format!("{} {}", member.name, choice.arguments().join(" "));
            tally = tally.plan(&item, tested::programs(member, choice));
            let mut test = cargo(workspace);
            test.args(["test", "-p", &member.name, "--no-fail-fast"]).args(choice.arguments());
            tally.take(&item, tested::count(&mut test).map_err(|why| format!("{item}: {why}")));
        }
    }
    Ok(tally.into())
}

pub(crate) fn powerset(workspace: &Workspace, _: &Options) -> JobResult {
    let mut tally = Tally::of("sets of features");
    for member in workspace.crates().filter(|member| member.published) {
        let sets = sets(member);
        tally = tally.plan(&member.name, sets.len());
        for set in sets {
            let choice = if set.is_empty() { Choice::None } else { Choice::Only(&set) };
            lint(workspace, member, choice)?;
            tally.add(&member.name, 1);
        }
    }
    Ok(tally.into())
}

/// Every set of features, with commas between; one only of those that turn on the same.
fn sets(member: &Member) -> BTreeSet<String> {
    let named: Vec<&str> = names(member).collect();
    let all = (0..1_usize << named.len()).map(|set| {
        let on = named.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        let on: Vec<&str> = on.map(|(_, name)| *name).collect();
        let on = on.join(",");
        Choice::Only(&on).of(member).into_iter().collect::<Vec<_>>().join(",")
    });
    all.collect()
}

fn names(member: &Member) -> impl Iterator<Item = &str> {
    member.features.keys().map(String::as_str).filter(|name| *name != "default")
}

fn choices(member: &Member) -> Vec<Choice<'_>> {
    let foreign = OF_A_DEPENDENCY.into_iter().filter(|row| row.0 == member.name);
    let alone = names(member).chain(foreign.map(|row| row.1)).map(Choice::Only);
    core::iter::once(Choice::None).chain(alone).collect()
}

fn lint(workspace: &Workspace, member: &Member, choice: Choice<'_>) -> Result<(), String> {
    // Clippy, not check: `-D warnings` then reaches our crates alone and rebuilds no other.
    process::run(
        cargo(workspace)
            .args(["clippy", "-q", "-p", &member.name])
            .args(choice.arguments())
            .args(["--", "-D", "warnings"]),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_passed_on_is_tested_where_it_is_had() {
        let member = |on: &str| Member {
            name: "a".into(),
            folder: "/a".into(),
            features: BTreeMap::from([("tracing".into(), [on.to_owned()].into())]),
            targets: Vec::new(),
            published: true,
        };
        assert!(is_passed_on(&member("hybi/tracing"), "tracing"));
        assert!(!is_passed_on(&member("dep:tracing"), "tracing"));
        assert!(!is_passed_on(&member("hybi/other"), "tracing"));
        assert!(!is_passed_on(&member("hybi/tracing"), "other"));
    }

    #[test]
    fn sets_that_turn_on_the_same_are_one() {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let member = Member {
            name: "a".into(),
            folder: "/a".into(),
            features: BTreeMap::from([
                ("default".into(), on(&["tls"])),
                ("old".into(), on(&[])),
                ("roots".into(), on(&["tls", "dep:b"])),
                ("tls".into(), on(&["dep:c"])),
            ]),
            targets: Vec::new(),
            published: true,
        };
        let sets: Vec<_> = sets(&member).into_iter().collect();
        assert_eq!(sets, ["", "old", "old,roots,tls", "old,tls", "roots,tls", "tls"]);
    }
}
