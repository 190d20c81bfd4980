//! The promises of SECURITY.md: each row of the table of what peers can make an endpoint hold or do names a test that
//! holds it, and each test that is named is there.

use super::Complaint;

const PAPER: &str = "SECURITY.md";

/// The heading of the column that names tests.
const COLUMN: &str = "| held by |";

/// Checks the paper against the files, given with their paths.
pub(super) fn check(files: &[(String, String)]) -> Vec<Complaint> {
    let text = files.iter().find(|(path, _)| path == PAPER).map_or("", |(_, text)| text);
    let mut complaints = Vec::new();
    let rows = text.lines().zip(1..).skip_while(|(line, _)| !line.ends_with(COLUMN)).skip(2);
    let rows: Vec<_> = rows.take_while(|(line, _)| line.starts_with('|')).collect();
    if rows.is_empty() {
        complaints.push(format!("{PAPER}: no table whose last column is `held by`"));
    }
    for (line, number) in rows {
        let named = line.split('`').filter_map(|word| word.split_once("::"));
        let tests: Vec<_> = named.filter(|(path, _)| path.ends_with(".rs")).collect();
        if tests.is_empty() {
            complaints.push(format!("{PAPER}:{number}: no test is named"));
        }
        for (path, name) in tests {
            let path = format!("crates/{path}");
            let is_there = files.iter().any(|(file, text)| {
                *file == path
                    && (text.contains(&format!("fn {name}("))
                        || text.contains(&format!("fn {name}<")))
            });
            if !is_there {
                complaints.push(format!("{PAPER}:{number}: there is no test `{name}` in {path}"));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(row: &str) -> Vec<(String, String)> {
        let table = format!("# Security\n\n| attack | held by |\n|---|---|\n{row}\n\nMore.\n");
        let test = "#[test]\nfn pings_stay_few() {}\n";
        [(PAPER, &*table), ("crates/a/tests/floods.rs", test)]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .to_vec()
    }

    #[test]
    fn tests_that_are_there_hold_a_row() {
        assert!(check(&files("| pings | `a/tests/floods.rs::pings_stay_few` |")).is_empty());
    }

    #[test]
    fn a_row_without_a_test_and_a_test_that_is_gone_are_told() {
        assert_eq!(check(&files("| pings | a test |")), ["SECURITY.md:5: no test is named"]);
        let told = check(&files("| pings | `a/tests/floods.rs::pongs_stay_few` |"));
        assert_eq!(
            told,
            ["SECURITY.md:5: there is no test `pongs_stay_few` in crates/a/tests/floods.rs"]
        );
        assert_eq!(check(&[]).len(), 1);
    }
}
