//! Errors that nobody can get: each variant of each public error has a test that names it.

use super::Complaint;

/// How the names of enums end whose variants say what went wrong.
const ERRORS: [&str; 4] = ["Error", "Violation", "Deadline", "Unsupported"];

/// Checks sources, given with their paths: those of published crates against all tests.
pub(super) fn check(files: &[(String, String)]) -> Vec<Complaint> {
    let is_test = |path: &str| path.contains("/tests/") || path.contains("/hybi-testkit/");
    let rust =
        || files.iter().filter(|(path, _)| path.starts_with("crates/") && path.ends_with(".rs"));
    let tests: Vec<&str> = rust()
        .map(|(path, text)| {
            let unit_tests = text.find("#[cfg(test)]").unwrap_or(text.len());
            if is_test(path) { text.as_str() } else { &text[unit_tests..] }
        })
        .collect();
    let is_named = |name: &str| tests.iter().any(|text| names(text, name));
    let sources = rust().filter(|(path, _)| path.contains("/src/") && !is_test(path));
    sources
        .flat_map(|(path, text)| variants(text).map(move |variant| (path, variant)))
        .filter(|(_, variant)| !is_named(variant))
        .map(|(path, variant)| format!("{path}: no test names {variant}"))
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
    fn a_variant_that_no_test_names_is_told() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let unit = "#[cfg(test)]\nmod tests { matches!(x, Error::Lost { .. }) }\n";
        let files = [
            file("crates/a/src/error.rs", &format!("{SOURCE}{unit}")),
            file("crates/a/tests/b.rs", "OtherError::Closed; Error::ClosedToo; Error::Timeout(_)"),
            file("examples/c.rs", "Error::Closed"),
        ];
        assert_eq!(check(&files), ["crates/a/src/error.rs: no test names Error::Closed"]);
    }
}
