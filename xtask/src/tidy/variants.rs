//! Errors that nobody can get: each variant of each public error is in a table of errors that tests produce
//! (`produced.rs`, made with the macro of that name).

use super::Complaint;

/// How the names of enums end whose variants say what went wrong.
const ERRORS: [&str; 7] =
    ["Error", "Violation", "Deadline", "Unsupported", "CannotEncode", "CannotOpen", "Ended"];

/// Variants that no call of ours returns, each with the reason.
const NOT_PRODUCED: [(&str, &str); 1] =
    [("HandshakeError::TimedOut", "raised by whoever holds the clock, for the answer that it has")];

/// Checks sources, given with their paths: those of published crates against all such tables.
pub(super) fn check(files: &[(String, String)]) -> Vec<Complaint> {
    let is_test = |path: &str| path.contains("/tests/") || path.contains("/hybi-suite/");
    let rust =
        || files.iter().filter(|(path, _)| path.starts_with("crates/") && path.ends_with(".rs"));
    let tables: Vec<&str> = rust()
        .filter(|(path, _)| path.contains("/tests/") && path.ends_with("/produced.rs"))
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.trim_start().split_once(" => ").map(|(row, _)| row))
        .collect();
    let is_named = |name: &str| tables.iter().any(|row| names(row, name));
    let is_excused = |name: &str| NOT_PRODUCED.iter().any(|(excused, _)| *excused == name);
    let sources = rust().filter(|(path, _)| path.contains("/src/") && !is_test(path));
    sources
        .flat_map(|(path, text)| variants(text).map(move |variant| (path, variant)))
        .filter(|(_, variant)| is_named(variant) == is_excused(variant))
        .map(|(path, variant)| match is_excused(&variant) {
            false => format!("{path}: no row of a produced.rs has {variant}"),
            true => format!("{path}: {variant} is produced, although it is said not to be"),
        })
        .collect()
}

/// The variants of public errors in a formatted source, as `Enum::Variant`.
fn variants(text: &str) -> impl Iterator<Item = String> {
    let mut within = None;
    text.lines().filter_map(move |line| {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            let name = identifier(rest);
            within = ERRORS.iter().any(|end| name.ends_with(end)).then_some(name);
        } else if line == "}" {
            within = None;
        }
        let variant = identifier(line.strip_prefix("    ")?);
        let is_variant = variant.starts_with(|c: char| c.is_ascii_uppercase());
        Some(format!("{}::{variant}", within.filter(|_| is_variant)?))
    })
}

/// The name that a text begins with; empty if it begins with none.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Whether a text names this, and not only something that begins or ends like it.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
pub enum Error {
    /// A word on it.
    Closed,
    Timeout(Deadline),
    #[cfg(feature = \"x\")]
    Lost {
        Why: u8,
    },
}

pub enum Other {
    Thing,
}
";

    #[test]
    fn variants_of_errors_are_found() {
        let found: Vec<_> = variants(SOURCE).collect();
        assert_eq!(found, ["Error::Closed", "Error::Timeout", "Error::Lost"]);
    }

    #[test]
    fn a_variant_that_no_table_has_is_told() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let files = [
            file("crates/a/src/error.rs", SOURCE),
            file("crates/a/tests/b.rs", "    Error::Lost => x,\n"),
            file(
                "crates/a/tests/produced.rs",
                "Error::Lost\n  Error::Timeout(_) => x,\n  OtherError::Closed => Error::Closed,\n",
            ),
            file("crates/b/tests/c/produced.rs", "    Error::ClosedToo => x,\n"),
        ];
        assert_eq!(
            check(&files),
            [
                "crates/a/src/error.rs: no row of a produced.rs has Error::Closed",
                "crates/a/src/error.rs: no row of a produced.rs has Error::Lost"
            ]
        );
    }

    #[test]
    fn what_is_said_not_to_be_produced_is_not() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let source = "pub enum HandshakeError {\n    TimedOut,\n}\n";
        let files = [
            file("crates/a/src/error.rs", source),
            file("crates/a/tests/produced.rs", "HandshakeError::TimedOut => x,\n"),
        ];
        assert_eq!(check(&files[..1]), Vec::<String>::new());
        assert!(check(&files)[0].contains("although"));
    }
}
