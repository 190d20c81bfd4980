//! Cited sections exist: a renumbered or mistyped one sends its reader nowhere.

use super::Complaint;

/// Every numbered section of RFC 6455.
const RFC6455: &[&str] = &[
    "1", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "2", "2.1", "3", "4",
    "4.1", "4.2", "4.2.1", "4.2.2", "4.3", "4.4", "5", "5.1", "5.2", "5.3", "5.4", "5.5", "5.5.1",
    "5.5.2", "5.5.3", "5.6", "5.7", "5.8", "6", "6.1", "6.2", "7", "7.1", "7.1.1", "7.1.2",
    "7.1.3", "7.1.4", "7.1.5", "7.1.6", "7.1.7", "7.2", "7.2.1", "7.2.2", "7.2.3", "7.3", "7.4",
    "7.4.1", "7.4.2", "8", "8.1", "9", "9.1", "9.2", "10", "10.1", "10.2", "10.3", "10.4", "10.5",
    "10.6", "10.7", "10.8", "11", "11.1", "11.1.1", "11.1.2", "11.2", "11.3", "11.3.1", "11.3.2",
    "11.3.3", "11.3.4", "11.3.5", "11.4", "11.5", "11.6", "11.7", "11.8", "11.9", "12", "13", "14",
    "14.1", "14.2",
];

/// How a section of RFC 6455 is cited; a bare `§` means the document named last before it.
const MARKERS: [&str; 4] = ["§", "rfc6455#section-", "RFC 6455 section ", "RFC 6455 sections "];

/// How far back, in bytes, the document that a bare `§` belongs to is looked for.
const REACH: usize = 160;

pub(super) fn check(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for marker in MARKERS {
        for (at, _) in text.match_indices(marker) {
            let section = section(&text[at + marker.len()..]);
            if section.is_empty() || (marker == "§" && of_another_document(&text[..at])) {
                continue;
            }
            if !RFC6455.contains(&section) {
                let line = text[..at].matches('\n').count() + 1;
                complaints.push(format!("{path}:{line}: RFC 6455 has no section {section}"));
            }
        }
    }
    complaints
}

/// The number at the front of `text`, without a full stop that ends the sentence.
fn section(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// Whether the last document named in the end of `before` is not RFC 6455.
fn of_another_document(before: &str) -> bool {
    let start = before.len().saturating_sub(REACH);
    let start = (start..=before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(0);
    let recent = &before[start..];
    let names = ["RFC ", "hybi-0", "hybi-1", "hixie-", "draft-"];
    let last = names.iter().filter_map(|name| recent.rfind(name)).max();
    last.is_some_and(|at| !recent[at..].starts_with("RFC 6455"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_exist_pass_in_every_spelling() {
        let text = "RFC 6455 §5.5.1, §7.4. See rfc6455#section-10.3) and RFC 6455 section 8.1.";
        assert_eq!(check("a.rs", text), Vec::<String>::new());
    }

    /// Left out of the texts below, so that they are no citations themselves.
    const ABSENT: &str = "5.9";

    #[test]
    fn sections_that_do_not_exist_are_named_with_their_line() {
        for marker in MARKERS {
            let complaints = check("a.rs", &format!("first line\n({marker}{ABSENT})\n"));
            assert_eq!(complaints, ["a.rs:2: RFC 6455 has no section 5.9"], "{marker}");
        }
    }

    #[test]
    fn other_documents_have_their_own_sections() {
        let others = format!("RFC 9110 §15.5.22, §{ABSENT}; hixie-76 §{ABSENT}.");
        assert_eq!(check("a.rs", &others), Vec::<String>::new());
        assert_eq!(check("a.rs", &format!("{others} RFC 6455 §{ABSENT}")).len(), 1);
    }
}
