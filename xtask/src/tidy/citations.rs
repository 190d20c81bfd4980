//! Cited sections exist: a renumbered or mistyped one sends its reader nowhere.
//!
//! A section belongs to the document that is named with it, or else to the RFC that was named last
//! before it, close by; one that stands alone is of RFC 6455.

use super::{Complaint, documents};

/// How a section is cited; after the last, several may follow.
const MARKERS: [&str; 6] = ["§", "#section-", "section ", "Section ", "sections ", "Sections "];

/// What may stand between two sections of one document.
const BETWEEN: [&str; 6] = [", and ", ", ", "; ", " and ", " or ", " to "];

/// How far back, in bytes, the RFC that a section belongs to is looked for.
const REACH: usize = 160;

pub(super) fn check(path: &str, text: &str) -> Vec<Complaint> {
    let text = Unwrapped::new(text);
    let mut complaints = Vec::new();
    let mut before: Option<(usize, String)> = None;
    for (at, marker) in markers(&text.text) {
        let mut from = at + marker.len();
        let document = match before {
            Some((end, document)) if BETWEEN.contains(&&text.text[end..at]) => document,
            _ => document(&text.text[..at], marker),
        };
        loop {
            let section = section(&text.text[from..]);
            if section.is_empty() {
                break;
            }
            if let Some(fault) = documents::fault(&document, section) {
                complaints.push(format!("{path}:{}: {fault}", text.line(at)));
            }
            from += section.len();
            // `sections 5 and 7`; after one section, a number may be anything.
            let more = BETWEEN.iter().find_map(|between| text.text[from..].strip_prefix(between));
            match more.filter(|more| marker.contains("ections") && starts_with_digit(more)) {
                Some(more) => from = text.text.len() - more.len(),
                None => break,
            }
        }
        before = Some((from, document));
    }
    complaints
}

/// Where the text cites, in order.
fn markers(text: &str) -> Vec<(usize, &'static str)> {
    let mut found: Vec<_> = MARKERS
        .into_iter()
        .flat_map(|marker| text.match_indices(marker).map(move |(at, _)| (at, marker)))
        .filter(|(at, marker)| {
            let part_of_a_word = text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
            starts_with_digit(&text[at + marker.len()..])
                && (!marker.ends_with(' ') || !part_of_a_word)
        })
        .collect();
    found.sort_unstable();
    found
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The number at the front of `text`, without a full stop that ends the sentence.
fn section(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// The document of a citation whose marker comes after `before`.
fn document(before: &str, marker: &str) -> String {
    let name = before.trim_end().rsplit([' ', '(', '[', '"', '/', '`']).next().unwrap_or_default();
    if marker == "#section-" {
        // A link: `https://www.rfc-editor.org/rfc/rfc6455#section-5.2`.
        return name.replacen("rfc", "RFC ", 1);
    }
    // A draft is named right before it, or the text speaks of its version.
    if ["hybi-", "hixie-", "draft-"].iter().any(|start| name.starts_with(start)) {
        return name.to_owned();
    }
    let start = before.len().saturating_sub(REACH);
    let start = (start..=before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(0);
    let mut named = before[start..].rmatch_indices("RFC ").map(|(at, _)| &before[start + at + 4..]);
    let number = named.find(|number| starts_with_digit(number)).map_or("6455", |number| {
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        &number[..end]
    });
    format!("RFC {number}")
}

/// A text with its lines joined by blanks, without what begins a line of a comment: citations go over
/// the ends of lines.
struct Unwrapped {
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Unwrapped {
    fn new(wrapped: &str) -> Self {
        let (mut text, mut lines) = (String::new(), Vec::new());
        for line in wrapped.lines() {
            lines.push(text.len());
            text.push_str(line.trim_start().trim_start_matches(['/', '!', '#']).trim());
            text.push(' ');
        }
        Self { text, lines }
    }

    /// The number of the line that has this place.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_exist_pass_in_every_spelling() {
        let text = "RFC 6455 §5.5.1, §7.4. See rfc6455#section-10.3) and RFC 6455 section 8.1; \
                    Sections 5.1, 5.2 and 5.5. RFC 6455 sections 5 and 7, RFC 9112 §3.2.2.";
        assert_eq!(check("a.rs", text), Vec::<String>::new());
    }

    #[test]
    fn sections_that_do_not_exist_are_named_with_their_line() {
        for marker in ["§", "RFC 6455 §", "rfc6455#section-", "section ", "Sections "] {
            let complaints = check("a.rs", &format!("first line\n({marker}5.9)\n"));
            assert_eq!(complaints, ["a.rs:2: RFC 6455 has no section 5.9"], "{marker}");
        }
    }

    #[test]
    fn each_document_has_its_own_sections() {
        let of = |text: &str| check("a.rs", text).join("\n");
        assert_eq!(of("RFC 9110 §15.5.22, §5.6.2"), "");
        assert_eq!(of("RFC 9110 §15.5.22, §5.9"), "a.rs:1: RFC 9110 has no section 5.9");
        assert_eq!(of("rfc9112#section-5.9"), "a.rs:1: RFC 9112 has no section 5.9");
        // The last one named, and RFC 6455 far from any.
        assert_eq!(of("RFC 9110, RFC 6455 §5.9"), "a.rs:1: RFC 6455 has no section 5.9");
        let far = format!("RFC 9110 {} §10.8", "x".repeat(REACH));
        assert_eq!(of(&far), "");
        assert_eq!(of("RFC 9110 §10.8"), "a.rs:1: RFC 9110 has no section 10.8");
    }

    #[test]
    fn a_document_that_is_not_known_is_refused() {
        for name in ["RFC 2", "hybi-99", "hixie-99", "draft-someone-something-00"] {
            let complaints = check("a.rs", &format!("{name} §1.2, §1.3"));
            assert_eq!(complaints.len(), 2, "{complaints:?}");
            assert!(complaints[0].contains(&format!("{name} is not among")), "{complaints:?}");
        }
        // Here it names a version.
        assert_eq!(check("a.rs", "hybi-99 is as it is (§5.2)"), Vec::<String>::new());
    }

    #[test]
    fn a_citation_goes_over_the_end_of_a_line() {
        let text = "//! (RFC 7692\n//! sections 7.2 and\n//! 5.9)\n";
        assert_eq!(check("a.rs", text), ["a.rs:2: RFC 7692 has no section 5.9"]);
    }

    #[test]
    fn other_words_and_numbers_are_no_citations() {
        for text in ["subsection 99", "a section of 99", "section 5.2, 99 bytes", "#section-of-99"]
        {
            assert_eq!(check("a.rs", text), Vec::<String>::new(), "{text}");
        }
    }
}
