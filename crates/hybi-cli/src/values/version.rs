//! Version names and lists: `rfc6455`, `hybi-08`, `13`, `all,-hybi-07`.
//!
//! Output always uses the first name of a version; input takes every alias.

use hybi::Version;

/// Versions in order of preference, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionList(pub(crate) Vec<Version>);

/// The versions of this build, best first: the name we print, the value on the wire, the aliases.
pub(crate) const KNOWN: [(&str, Version, &[&str]); 3] = [
    ("rfc6455", Version::RFC6455, &["13", "hybi-13", "hybi-14", "hybi-15", "hybi-16", "hybi-17"]),
    ("hybi-08", Version::HYBI_08, &["8", "hybi-09", "hybi-10", "hybi-11", "hybi-12"]),
    ("hybi-07", Version::HYBI_07, &["7"]),
];

/// Names that the program will know, and does not speak yet.
const LATER: [&str; 18] = [
    "hybi-06",
    "hybi-05",
    "hybi-04",
    "hybi-03",
    "hybi-02",
    "hybi-01",
    "hybi-00",
    "hixie-76",
    "hixie-75",
    "6",
    "5",
    "4",
    "0",
    "76",
    "75",
    "auto",
    "hixie-00",
    "legacy-draft",
];

/// The name we print for a version.
pub(crate) fn version_name(version: Version) -> String {
    let known = KNOWN.iter().find(|(_, known, _)| *known == version);
    known.map_or_else(|| version.to_string(), |(name, ..)| (*name).to_owned())
}

/// Reads one version name.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    let found = KNOWN.iter().find(|(name, _, aliases)| *name == text || aliases.contains(&text));
    match found {
        Some((_, version, _)) => Ok(*version),
        None if LATER.contains(&text) => {
            Err(format!("{text} is not available yet; this build speaks {}", names()))
        }
        None => Err(format!("there is no version {text:?}; this build speaks {}", names())),
    }
}

/// Reads a list: names and the sets `rfc`, `legacy`, `all`; a name after `-` is taken out again.
pub(crate) fn versions(text: &str) -> Result<VersionList, String> {
    let mut list: Vec<Version> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let (minus, name) = item.strip_prefix('-').map_or((false, item), |name| (true, name));
        let named: Vec<Version> = match name {
            "all" => KNOWN.iter().map(|(_, version, _)| *version).collect(),
            "rfc" => vec![Version::RFC6455],
            "legacy" => KNOWN[1..].iter().map(|(_, version, _)| *version).collect(),
            name => vec![version(name)?],
        };
        list.retain(|version| !named.contains(version));
        if !minus {
            list.extend(named);
        }
    }
    if list.is_empty() { Err("the list leaves no version".into()) } else { Ok(VersionList(list)) }
}

fn names() -> String {
    KNOWN.map(|(name, ..)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases() {
        for (text, expected) in [
            ("rfc6455", Version::RFC6455),
            ("hybi-17", Version::RFC6455),
            ("8", Version::HYBI_08),
            ("hybi-12", Version::HYBI_08),
            ("7", Version::HYBI_07),
        ] {
            assert_eq!(version(text), Ok(expected), "{text}");
        }
        assert!(version("hixie-76").unwrap_err().contains("not available yet"));
        assert!(version("hybi-99").unwrap_err().contains("there is no version"));
    }

    #[test]
    fn sets_and_subtraction() {
        let all = vec![Version::RFC6455, Version::HYBI_08, Version::HYBI_07];
        assert_eq!(versions("all").unwrap().0, all);
        assert_eq!(versions("rfc").unwrap().0, all[..1]);
        assert_eq!(versions("legacy").unwrap().0, all[1..]);
        assert_eq!(versions("all,-8").unwrap().0, [Version::RFC6455, Version::HYBI_07]);
        assert_eq!(versions("7,13").unwrap().0, [Version::HYBI_07, Version::RFC6455]);
        for text in ["", "rfc,-13", "-all", "rfc,hixie-75"] {
            assert!(versions(text).is_err(), "{text}");
        }
    }
}
