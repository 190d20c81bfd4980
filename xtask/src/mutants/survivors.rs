//! The list of changes that no test can notice, held against those that none did.

use std::collections::BTreeMap;

/// What stands between a mutant and its reason.
const BECAUSE: &str = " -- ";

/// One change that no test can notice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// File, function and what was changed, as cargo-mutants has it, without line and column.
    pub(super) name: String,
    reason: String,
}

/// What was changed, and what came of it.
#[derive(Debug)]
pub(super) struct Ran {
    /// Every mutant of the part, whichever shard it is in, without line and column.
    pub(super) all: Vec<String>,
    /// How many this run was to test.
    pub(super) planned: usize,
    /// Those that it tested, with their places and what came of them.
    pub(super) tested: Vec<(String, String)>,
}

/// Reads the list: a line for each mutant, but for empty lines and those that begin with `#`.
pub(super) fn parse(text: &str) -> Result<Vec<Listed>, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line.split_once(BECAUSE).unwrap_or((line, ""));
            if reason.trim().is_empty() {
                return Err(format!("without a reason: {name}"));
            }
            Ok(Listed { name: name.to_owned(), reason: reason.to_owned() })
        })
        .collect()
}

/// The name of a mutant without line and column, which change with every line in front of it.
pub(super) fn without_place(name: &str) -> String {
    let Some((file, rest)) = name.split_once(".rs:") else { return name.to_owned() };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{file}.rs: {}", rest.trim_start())
}

/// How often a name is among the mutants of a run.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    tested: usize,
    missed: usize,
    listed: usize,
    /// Where those are that were missed.
    places: Vec<String>,
}

/// What survived without a row, and each row of what did not.
///
/// Several changes of one function may have one name; so many of them may have rows.
pub(super) fn judge(ran: &Ran, listed: &[&Listed]) -> Vec<String> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for name in &ran.all {
        counts.entry(name.clone()).or_default().all += 1;
    }
    for (name, summary) in &ran.tested {
        let count = counts.entry(without_place(name)).or_default();
        count.tested += 1;
        if summary == "MissedMutant" {
            count.missed += 1;
            count.places.push(name.clone());
        }
    }
    for row in listed {
        counts.entry(row.name.clone()).or_default().listed += 1;
    }
    let verdict = |(name, count): (&String, &Count)| {
        let untested = count.all.saturating_sub(count.tested);
        if count.all == 0 {
            Some(format!("listed, and there is no such mutant: {name}"))
        } else if count.missed > count.listed {
            Some(format!("no test notices: {}", count.places.join(", ")))
        } else if count.listed > count.missed + untested {
            Some(format!("listed, and a test notices: {name}"))
        } else {
            None
        }
    };
    counts.iter().filter_map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Listed {
        Listed { name: name.to_owned(), reason: "it changes nothing".to_owned() }
    }

    fn ran(all: &[&str], tested: &[(&str, &str)]) -> Ran {
        let owned = |(name, summary): &(&str, &str)| ((*name).to_owned(), (*summary).to_owned());
        Ran {
            all: all.iter().map(|name| without_place(name)).collect(),
            planned: tested.len(),
            tested: tested.iter().map(owned).collect(),
        }
    }

    #[test]
    fn a_row_is_a_mutant_and_its_reason() {
        let text = "# Comment\n\na.rs: replace - with + in f -- both are 0 there\n";
        let rows = parse(text).expect("a list");
        assert_eq!((rows.len(), &*rows[0].name), (1, "a.rs: replace - with + in f"));
        assert_eq!(rows[0].reason, "both are 0 there");
        assert!(parse("a.rs: replace f with ()\n").unwrap_err().contains("without a reason"));
        assert!(parse("a.rs: replace f with () -- \n").is_err());
    }

    #[test]
    fn places_do_not_count() {
        for name in ["a/b.rs:12:7: replace f::g with ()", "a/b.rs: replace f::g with ()"] {
            assert_eq!(without_place(name), "a/b.rs: replace f::g with ()");
        }
    }

    const A: &str = "a.rs:1:1: replace < with > in f";
    const A2: &str = "a.rs:9:9: replace < with > in f";
    const B: &str = "b.rs:1:1: delete ! in g";

    #[test]
    fn what_survives_without_a_row_is_told_with_its_place() {
        let ran = ran(&[A, A2, B], &[(A, "MissedMutant"), (A2, "MissedMutant"), (B, "Timeout")]);
        assert_eq!(judge(&ran, &[]), [format!("no test notices: {A}, {A2}")]);
        let listed = row("a.rs: replace < with > in f");
        assert_eq!(judge(&ran, &[&listed]).len(), 1, "a row is for one of two");
        assert_eq!(judge(&ran, &[&listed, &listed]), Vec::<String>::new());
    }

    #[test]
    fn a_row_of_what_is_noticed_or_gone_is_told() {
        let ran = ran(&[A, B], &[(A, "CaughtMutant"), (B, "CaughtMutant")]);
        let (noticed, gone) = (row("a.rs: replace < with > in f"), row("a.rs: replace f with ()"));
        assert_eq!(
            judge(&ran, &[&noticed, &gone]),
            [
                "listed, and a test notices: a.rs: replace < with > in f",
                "listed, and there is no such mutant: a.rs: replace f with ()"
            ]
        );
    }

    #[test]
    fn a_row_of_another_shard_is_left_alone() {
        let ran = ran(&[A, A2, B], &[(B, "CaughtMutant"), (A, "MissedMutant")]);
        let listed = row("a.rs: replace < with > in f");
        assert_eq!(judge(&ran, &[&listed, &listed]), Vec::<String>::new());
    }
}
