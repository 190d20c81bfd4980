//! The sections of the documents that are cited here.

/// How many subsections a section has, in the numbers of the document; the section without a number
/// is the document itself.
type Sections = &'static [(&'static str, u32)];

/// The documents, as citations name them. A document that is not here has no sections yet: write down
/// those of its table of contents.
const DOCUMENTS: [(&str, Sections); 23] = [
    // Names in other scripts: IDNA, and Punycode.
    ("RFC 3490", &[("", 12), ("1", 3), ("3", 2), ("3.2", 2), ("4", 2), ("6", 5), ("9", 2)]),
    ("RFC 3492", &[("", 9), ("1", 2), ("3", 4), ("6", 4), ("7", 2), ("9", 2)]),
    // The UTF-8 encoding.
    ("RFC 3629", &[("", 14)]),
    // Encodings in base 64.
    ("RFC 4648", &[("", 16), ("3", 5)]),
    // DEFLATE.
    ("RFC 1951", &[("", 9), ("1", 6), ("3", 3), ("3.1", 1), ("3.2", 7)]),
    // URIs.
    (
        "RFC 3986",
        &[
            ("", 10),
            ("1", 3),
            ("1.1", 3),
            ("1.2", 3),
            ("2", 5),
            ("3", 5),
            ("3.2", 3),
            ("4", 5),
            ("5", 4),
            ("5.1", 4),
            ("5.2", 4),
            ("5.4", 2),
            ("6", 2),
            ("6.2", 4),
            ("6.2.2", 3),
            ("7", 6),
            ("10", 2),
        ],
    ),
    // Cookies.
    (
        "RFC 6265",
        &[
            ("", 10),
            ("2", 3),
            ("3", 1),
            ("4", 2),
            ("4.1", 2),
            ("4.1.2", 6),
            ("4.2", 2),
            ("5", 4),
            ("5.1", 4),
            ("5.2", 6),
            ("6", 3),
            ("7", 3),
            ("8", 7),
            ("9", 4),
        ],
    ),
    // SOCKS version 5, and its user name and password.
    ("RFC 1928", &[("", 9)]),
    ("RFC 1929", &[("", 3)]),
    // Origins.
    (
        "RFC 6454",
        &[("", 10), ("2", 3), ("3", 5), ("3.2", 1), ("3.4", 2), ("6", 2), ("7", 3), ("8", 3)],
    ),
    (
        "RFC 6455",
        &[
            ("", 14),
            ("1", 9),
            ("2", 1),
            ("4", 4),
            ("4.2", 2),
            ("5", 8),
            ("5.5", 3),
            ("6", 2),
            ("7", 4),
            ("7.1", 7),
            ("7.2", 3),
            ("7.4", 2),
            ("8", 1),
            ("9", 2),
            ("10", 8),
            ("11", 9),
            ("11.1", 2),
            ("11.3", 5),
            ("14", 2),
        ],
    ),
    // Additional HTTP status codes.
    ("RFC 6585", &[("", 9), ("6", 2), ("7", 4), ("9", 2)]),
    // Basic authentication.
    ("RFC 7617", &[("", 6), ("1", 1), ("1.1", 1), ("2", 2), ("6", 2)]),
    // Happy Eyeballs.
    ("RFC 8305", &[("", 12), ("3", 1), ("7", 3), ("9", 3), ("12", 2)]),
    // Zones of IPv6 addresses in URIs.
    ("RFC 6874", &[("", 6), ("6", 2)]),
    // permessage-deflate.
    (
        "RFC 7692",
        &[
            ("", 10),
            ("5", 2),
            ("6", 2),
            ("7", 2),
            ("7.1", 3),
            ("7.1.1", 2),
            ("7.1.2", 2),
            ("7.2", 3),
            ("7.2.3", 6),
            ("9", 2),
            ("10", 2),
        ],
    ),
    // TLS 1.3: of its sections with others below, only the alerts.
    ("RFC 8446", &[("", 12), ("6", 2)]),
    // HTTP semantics, up to its status codes.
    (
        "RFC 9110",
        &[
            ("", 19),
            ("1", 4),
            ("2", 5),
            ("3", 9),
            ("4", 3),
            ("4.2", 5),
            ("4.3", 5),
            ("5", 6),
            ("5.6", 7),
            ("5.6.1", 2),
            ("6", 6),
            ("6.4", 2),
            ("6.5", 2),
            ("6.6", 2),
            ("7", 8),
            ("7.3", 3),
            ("7.6", 3),
            ("8", 8),
            ("8.3", 3),
            ("8.4", 1),
            ("8.8", 4),
            ("9", 3),
            ("9.2", 3),
            ("9.3", 8),
            ("10", 2),
            ("10.1", 6),
            ("10.2", 4),
            ("11", 7),
            ("11.6", 3),
            ("11.7", 3),
            ("12", 5),
            ("12.4", 3),
            ("12.5", 5),
            ("13", 2),
            ("13.1", 5),
            ("13.2", 2),
            ("14", 6),
            ("15", 6),
            ("15.2", 2),
            ("15.3", 7),
            ("15.4", 9),
            ("15.5", 22),
            ("15.6", 6),
        ],
    ),
    // HTTP/1.1.
    (
        "RFC 9112",
        &[
            ("", 13),
            ("1", 2),
            ("2", 3),
            ("3", 3),
            ("3.2", 4),
            ("5", 2),
            ("6", 3),
            ("7", 4),
            ("7.1", 3),
            ("9", 8),
            ("9.3", 2),
            ("10", 2),
            ("11", 4),
            ("12", 4),
            ("13", 2),
        ],
    ),
    // HTTP/2, and WebSocket over it and over HTTP/3.
    (
        "RFC 9113",
        &[
            ("", 12),
            ("3", 4),
            ("5", 5),
            ("5.1", 2),
            ("5.2", 2),
            ("5.4", 3),
            ("6", 10),
            ("6.5", 3),
            ("6.9", 3),
            ("8", 8),
            ("8.2", 3),
            ("8.3", 2),
            ("10", 9),
            ("10.5", 2),
        ],
    ),
    ("RFC 8441", &[("", 10), ("5", 1)]),
    ("RFC 9220", &[("", 6)]),
    // The last draft with deflate-stream, which is all that is cited of it.
    ("draft-ietf-hybi-thewebsocketprotocol-10", &[("", 14), ("9", 2), ("9.2", 1)]),
];

/// Why `section` of `document` cannot be cited, if it cannot.
pub(super) fn fault(document: &str, section: &str) -> Option<String> {
    let Some((_, sections)) = DOCUMENTS.iter().find(|known| known.0 == document) else {
        return Some(format!("{document} is not among the documents whose sections are known"));
    };
    let (parent, last) = section.rsplit_once('.').unwrap_or(("", section));
    let counted = sections.iter().find(|known| known.0 == parent).map_or(0, |known| known.1);
    let exists = last.parse().is_ok_and(|last: u32| (1..=counted).contains(&last));
    (!exists).then(|| format!("{document} has no section {section}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_those_of_their_own_document() {
        for (document, section) in [
            ("RFC 6455", "14"),
            ("RFC 6455", "5.5.3"),
            ("RFC 7692", "7.2.3.6"),
            ("RFC 9110", "15.5.22"),
            ("RFC 1951", "3.2.7"),
        ] {
            assert_eq!(fault(document, section), None, "{document} {section}");
        }
        for (document, section) in [
            ("RFC 6455", "15"),
            ("RFC 6455", "5.9"),
            ("RFC 6455", "5.1.1"),
            ("RFC 6455", "0"),
            ("RFC 7692", "7.2.3.7"),
            ("RFC 7692", "8.2"),
            ("RFC 9112", "3.2.5"),
            ("RFC 1951", "3.2.8"),
        ] {
            let told = fault(document, section).expect("it has none");
            assert_eq!(told, format!("{document} has no section {section}"));
        }
        assert!(fault("RFC 1", "1").expect("unknown").starts_with("RFC 1 is not among"));
    }

    #[test]
    fn every_section_with_others_below_is_one_itself() {
        for (document, sections) in DOCUMENTS {
            for (section, _) in sections.iter().filter(|section| !section.0.is_empty()) {
                assert_eq!(fault(document, section), None);
            }
        }
    }
}
