//! Types of other crates in a public API: a new major version of theirs is one of ours, so each is allowed by
//! name; and those of our own lower crates, which `hybi` gives its users to name.

use std::collections::BTreeSet;

use super::listing::Listing;
use crate::workspace::Member;

/// The crate through which users reach all others.
const FACADE: &str = "hybi";

/// The rows of `foreign.txt`: `who | path | why`; a path that ends in `*` stands for all that begin so.
#[derive(Debug)]
pub(super) struct Allowed {
    rows: Vec<(String, String)>,
}

impl Allowed {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let columns: Vec<_> = line.split('|').map(str::trim).collect();
            match columns[..] {
                [who, path, why] if ![who, path, why].contains(&"") => {
                    Ok((who.to_owned(), path.to_owned()))
                }
                _ => Err(format!("foreign.txt: not `who | path | why`: {line}")),
            }
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }

    /// What is in the listing of `member` and may not be, and what may be and is not.
    pub(super) fn held_against(
        &self,
        member: &Member,
        listing: &Listing,
        ours: &[String],
    ) -> Vec<String> {
        let name = &member.name;
        let own = name.replace('-', "_");
        let paths: BTreeSet<&str> = listing.lines().flat_map(paths).collect();
        let of = |path: &str| path.split("::").next().unwrap_or_default().to_owned();
        let known = |path: &&str| of(path) == own || STANDARD.contains(&of(path).as_str());
        let (mine, foreign): (Vec<&str>, Vec<&str>) = paths
            .into_iter()
            .filter(|path| !known(path))
            .partition(|path| ours.contains(&of(path)));
        let rows = || self.rows.iter().filter(|row| row.0 == *name).map(|row| row.1.as_str());
        let new = foreign.iter().filter(|path| !rows().any(|row| matches(row, path)));
        let new = new.map(|path| {
            format!("{name}: {path} is in its public API and not in xtask/api/foreign.txt")
        });
        let gone = rows().filter(|row| !foreign.iter().any(|path| matches(row, path)));
        let gone = gone.map(|row| {
            format!("{name}: {row} of xtask/api/foreign.txt is not in its public API any more")
        });
        let hidden = mine.iter().filter(|path| name == FACADE && !names(listing, path));
        let hidden =
            hidden.map(|path| format!("{name}: {path} is in its public API without a name"));
        new.chain(gone).chain(hidden).collect()
    }
}

fn matches(row: &str, path: &str) -> bool {
    row.strip_suffix('*').map_or(row == path, |begin| path.starts_with(begin))
}

/// Whether a listing has a name for a type of another crate: its own, or all that the crate has.
fn names(listing: &Listing, path: &str) -> bool {
    let (krate, name) = (path.split("::").next(), path.rsplit("::").next());
    let all = format!("<<{}::*>>", krate.unwrap_or_default());
    let mut uses = listing.lines().filter_map(|line| line.strip_prefix("pub use "));
    uses.any(|named| named.rsplit("::").next() == name || named.ends_with(&all))
}

/// The paths of types and traits in a line: a crate, modules, and a name with a capital.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    // `Self::Error` and `T::Item` are of no crate.
    let words = words.map(|word| word.trim_matches(':'));
    let words = words.filter(|word| !word.starts_with(|c: char| c.is_uppercase()));
    words.filter_map(|word| {
        let (_, name) = word.rsplit_once("::")?;
        if name.starts_with(|c: char| c.is_uppercase()) {
            return Some(word);
        }
        // The path of a function ends with its name, and that of its type is in front.
        let (of, _) = word.rsplit_once("::")?;
        let (_, name) = of.rsplit_once("::")?;
        name.starts_with(|c: char| c.is_uppercase()).then_some(of)
    })
}

const STANDARD: [&str; 3] = ["core", "alloc", "std"];

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str =
        "# who | path | why\na | http::* | theirs\na | bytes::bytes::Bytes | shared\n";

    fn complaints(name: &str, lines: &str) -> Vec<String> {
        let member = Member {
            name: name.into(),
            folder: "/a".into(),
            features: std::collections::BTreeMap::new(),
            targets: Vec::new(),
            published: true,
        };
        let allowed = Allowed::parse(ROWS).expect("three columns");
        allowed.held_against(&member, &Listing::parse(lines), &["a".into(), "hybi_frame".into()])
    }

    #[test]
    fn a_path_that_is_not_allowed_is_told_and_so_is_one_that_is_gone() {
        let good = "pub fn a::f(&http::uri::Uri) -> core::option::Option<bytes::bytes::Bytes>";
        assert_eq!(complaints("a", good), [""; 0]);
        let new = format!("{good}\nimpl core::convert::From<tokio::io::Error> for a::E");
        let told = "a: tokio::io::Error is in its public API and not in xtask/api/foreign.txt";
        assert_eq!(complaints("a", &new), [told]);
        let gone = complaints("a", "pub fn a::f(&http::uri::Uri)");
        assert_eq!(
            gone,
            ["a: bytes::bytes::Bytes of xtask/api/foreign.txt is not in its public API any more"]
        );
    }

    #[test]
    fn a_type_of_a_lower_crate_has_a_name_in_the_facade() {
        let line = "pub fn hybi::f() -> hybi_frame::role::Role";
        let told = "hybi: hybi_frame::role::Role is in its public API without a name";
        assert_eq!(complaints("hybi", line), [told]);
        assert_eq!(complaints("hybi", &format!("pub use hybi::frame::Role\n{line}")), [""; 0]);
        assert_eq!(
            complaints("hybi", &format!("pub use hybi::<<hybi_frame::*>>\n{line}")),
            [""; 0]
        );
    }

    #[test]
    fn a_row_has_a_reason() {
        assert!(Allowed::parse("a | http::*").is_err());
        assert!(Allowed::parse("a | http::* | ").is_err());
    }
}
