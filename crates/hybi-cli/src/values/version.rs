//! Version names and lists: `rfc6455`, `hybi-08`, `13`, `all,-hixie-75`.
//!
//! The names are those of the published drafts. Output always uses the first name of a version; input
//! takes every alias.

use hybi::legacy::Draft;
use hybi::{Version, frame::FrameRules};

/// Versions in order of preference, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionList(pub(crate) Vec<Version>);

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// This version, or none.
    One(Version),
    /// RFC 6455, then what the server lists.
    Auto,
}

impl Asked {
    /// The first to ask for, then those that may follow.
    pub(crate) fn versions(self) -> Vec<Version> {
        match self {
            Self::One(version) => vec![version],
            // A server cannot list those that are not told by a number.
            Self::Auto => {
                Version::ALL.into_iter().filter(|version| version.is_in_field()).collect()
            }
        }
    }
}

/// The documents that a version was published in, oldest first; its rules are those of the last.
pub(crate) fn drafts(version: Version) -> impl Iterator<Item = Draft> {
    Draft::ALL.into_iter().filter(move |draft| draft.version() == version)
}

/// The rules of a version about messages and their end.
pub(crate) fn rules(version: Version) -> FrameRules {
    Draft::spoken_as(version).map_or(FrameRules::RFC6455, Draft::rules)
}

/// The name we print for a version: its first draft's, or the RFC's.
pub(crate) fn version_name(version: Version) -> &'static str {
    version.name().unwrap_or("unpublished")
}

/// The other names that are understood.
pub(crate) fn aliases(version: Version) -> Vec<String> {
    let mut aliases = Vec::new();
    if version.is_in_field() {
        aliases.push(version.to_string());
    }
    let name = version_name(version);
    aliases
        .extend(drafts(version).map(|draft| draft.name().to_owned()).filter(|other| other != name));
    // Published twice.
    if version == Version::HIXIE_76 {
        aliases.extend(["hybi-00", "0"].map(str::to_owned));
    }
    aliases.extend(name.strip_prefix("hixie-").map(str::to_owned));
    aliases
}

/// Reads one version name.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    let is_named = |version: &Version| {
        version_name(*version) == text || aliases(*version).iter().any(|alias| alias == text)
    };
    Version::ALL.into_iter().find(is_named).ok_or_else(|| unknown(text, &[]))
}

/// Reads one version name, or `auto`.
pub(crate) fn asked(text: &str) -> Result<Asked, String> {
    match text {
        "auto" => Ok(Asked::Auto),
        _ => version(text).map(Asked::One).map_err(|_| unknown(text, &["auto"])),
    }
}

/// Reads a list: names and the sets `rfc`, `legacy`, `all`; a name after `-` is taken out again.
pub(crate) fn versions(text: &str) -> Result<VersionList, String> {
    let mut list: Vec<Version> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let (minus, name) = item.strip_prefix('-').map_or((false, item), |name| (true, name));
        let named = match name {
            "all" => Version::ALL.to_vec(),
            "rfc" => vec![Version::RFC6455],
            "legacy" => {
                Version::ALL.into_iter().filter(|known| *known != Version::RFC6455).collect()
            }
            name => vec![version(name).map_err(|_| unknown(name, &["rfc", "legacy", "all"]))?],
        };
        list.retain(|version| !named.contains(version));
        if !minus {
            list.extend(named);
        }
    }
    if list.is_empty() { Err("the list leaves no version".into()) } else { Ok(VersionList(list)) }
}

/// Names the version, or the other word, that was probably meant.
fn unknown(text: &str, words: &[&str]) -> String {
    let names = Version::ALL.into_iter().flat_map(|version| {
        core::iter::once(version_name(version).to_owned()).chain(aliases(version))
    });
    // hybi-7 is nearer to hybi-07 than to hybi-17, as is HYBI-07.
    let plain = |name: &str| name.to_ascii_lowercase().replace("-0", "-");
    let distance = |name: &String| strsim::damerau_levenshtein(&plain(name), &plain(text));
    let nearest =
        names.chain(words.iter().map(|word| (*word).to_owned())).min_by_key(|name| distance(name));
    // A word half of which is different is another one.
    let nearest = nearest.filter(|name| distance(name) <= text.len() / 2);
    let nearest = nearest.map_or_else(String::new, |name| format!("the nearest is {name}, and "));
    format!("there is no version {text:?}; {nearest}`hybi versions` lists all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases() {
        for (version, names) in [
            (Version::RFC6455, "rfc6455 13 hybi-13 hybi-14 hybi-15 hybi-16 hybi-17"),
            (Version::HYBI_08, "hybi-08 8 hybi-09 hybi-10 hybi-11 hybi-12"),
            (Version::HYBI_07, "hybi-07 7"),
            (Version::HYBI_04, "hybi-04 4"),
            (Version::HYBI_03, "hybi-03"),
            (Version::HYBI_01, "hybi-01"),
            (Version::HIXIE_76, "hixie-76 hybi-00 0 76"),
            (Version::HIXIE_75, "hixie-75 75"),
        ] {
            let mut all = vec![version_name(version).to_owned()];
            all.extend(aliases(version));
            assert_eq!(all.join(" "), names);
            for name in all {
                assert_eq!(super::version(&name), Ok(version), "{name}");
                assert_eq!(asked(&name), Ok(Asked::One(version)), "{name}");
            }
        }
        assert_eq!(asked("auto"), Ok(Asked::Auto));
        for unknown in ["", "1", "2", "3", "9", "12", "auto", "all", "HYBI-08", "hybi-18"] {
            assert!(version(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        for (text, nearest) in [
            ("hixie75", "hixie-75"),
            ("hybi-7", "hybi-07"),
            ("rfc-6455", "rfc6455"),
            ("RFC6455", "rfc6455"),
            ("hixie-00", "hixie-76"),
            ("v13", "13"),
            ("legcay", "legacy"),
            ("al", "all"),
        ] {
            let message = versions(text).unwrap_err();
            assert!(message.contains(&format!("the nearest is {nearest},")), "{text}: {message}");
        }
        assert!(asked("atuo").unwrap_err().contains("the nearest is auto,"));
    }

    #[test]
    fn sets_and_subtraction() {
        let all = Version::ALL;
        assert_eq!(versions("all").unwrap().0, all);
        assert_eq!(versions("rfc").unwrap().0, all[..1]);
        assert_eq!(versions("legacy").unwrap().0, all[1..]);
        assert_eq!(versions("all,-75,-hybi-00").unwrap().0, all[..all.len() - 2]);
        assert_eq!(versions("rfc, 8,-13").unwrap().0, [Version::HYBI_08]);
        assert_eq!(versions("7,13").unwrap().0, [Version::HYBI_07, Version::RFC6455]);
        for text in ["", "rfc,-13", "-all", "all,-rfc,-legacy", "rfc,hixie-74"] {
            assert!(versions(text).is_err(), "{text}");
        }
    }
}
