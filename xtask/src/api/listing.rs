//! The listing of one library: its features, then an item a line, in the order of their paths.

use core::fmt;

use crate::workspace::Member;

/// Traits whose implementation the compiler derives from what a type holds. That a type has them is the
/// rule: told is only that one has not, or not always.
const AUTO: [&str; 3] = ["core::marker::Send", "core::marker::Sync", "core::marker::Unpin"];
/// Those of which users see nothing, or which are not stable.
const UNSEEN: [&str; 5] = [
    "core::marker::Freeze",
    "core::marker::UnsafeUnpin",
    "core::marker::StructuralPartialEq",
    "core::panic::unwind_safe::UnwindSafe",
    "core::panic::unwind_safe::RefUnwindSafe",
];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    lines: Vec<String>,
}

impl Listing {
    /// From the manifest of a library, and what the program says of it.
    pub(super) fn of(member: &Member, said: &str) -> Self {
        let features = member.features.iter().map(|(name, turns_on)| {
            // Those of other packages are their names for it.
            let own = turns_on.iter().filter(|name| member.features.contains_key(*name));
            let own: Vec<_> = own.map(String::as_str).collect();
            format!("feature {name} = [{}]", own.join(", "))
        });
        Self { lines: features.chain(told(said).map(str::to_owned)).collect() }
    }

    pub(super) fn parse(text: &str) -> Self {
        Self { lines: text.lines().map(str::to_owned).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// How many items are in the other, too.
    pub(super) fn in_both(&self, other: &Self) -> usize {
        self.lines.iter().filter(|line| other.lines.contains(line)).count()
    }

    /// What is gone since an older one, and what is new.
    pub(super) fn held_against(&self, older: &Self) -> Vec<String> {
        let gone = older.lines.iter().filter(|line| !self.lines.contains(line));
        let new = self.lines.iter().filter(|line| !older.lines.contains(line));
        let gone = gone.map(|line| format!("  - {line}"));
        gone.chain(new.map(|line| format!("  + {line}"))).collect()
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The lines that tell something.
fn told(said: &str) -> impl Iterator<Item = &str> {
    // What a trait has for methods is known from its name; what it has for types is not.
    let mut known = false;
    said.lines().filter(move |line| {
        let Some(of) = implemented(line) else {
            known &= !line.starts_with("pub mod") && !is_definition(line) && !is_free(line);
            return !(known && line.contains("fn "));
        };
        known = !of.is_empty();
        let negative = line.contains(&format!("!{of}"));
        !UNSEEN.contains(&of) && (!AUTO.contains(&of) || negative || line.contains(" where "))
    })
}

/// The path of the trait that a line implements, or nothing of a type's own block; `None` of other lines.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("unsafe ").unwrap_or(line).strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { &rest[closing(rest)? + 1..] } else { rest };
    let rest = rest.trim_start().trim_start_matches('!');
    let Some((of, _)) = rest.split_once(" for ") else { return Some("") };
    Some(of.split('<').next().unwrap_or(of))
}

/// Where the angle bracket closes that `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            // Not that of an arrow.
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        before = c;
    }
    None
}

/// Whether a line begins the definition of a type or trait.
fn is_definition(line: &str) -> bool {
    let line = line.strip_prefix("#[non_exhaustive] ").unwrap_or(line);
    ["pub enum ", "pub struct ", "pub trait ", "pub union ", "pub unsafe trait "]
        .iter()
        .any(|begin| line.starts_with(begin))
}

/// Whether a line is a function of no type: what its path is in begins with a small letter, as modules do.
fn is_free(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("fn ") else { return false };
    let path = rest.split(['(', '<']).next().unwrap_or_default();
    path.split("::").all(|name| name.starts_with(|c: char| c.is_lowercase() || c == '_'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn listed(said: &str) -> Vec<&str> {
        told(said).collect()
    }

    #[test]
    fn methods_of_traits_are_known_and_their_types_are_not() {
        let said = "pub struct a::A\n\
                    impl core::ops::deref::Deref for a::A\n\
                    pub type a::A::Target = [u8]\n\
                    pub fn a::A::deref(&self) -> &[u8]\n\
                    impl a::A\n\
                    pub fn a::A::own(&self)\n\
                    impl<T: core::ops::Fn() -> a::B<T>> core::cmp::PartialEq<T> for a::A\n\
                    pub fn a::A::eq(&self, &T) -> bool\n\
                    pub trait a::T\n\
                    pub fn a::T::required(&self)\n\
                    impl b::Codec for a::A\n\
                    pub fn a::A::decode(&self)\n\
                    impl<T> b::Codec for T\n\
                    pub fn T::decode(&self)\n\
                    pub async fn a::free<T: a::T>(T)\n";
        let known = ["deref(", "eq(", "decode("];
        let rest = said.lines().filter(|line| !known.iter().any(|known| line.contains(known)));
        assert_eq!(listed(said), rest.collect::<Vec<_>>());
    }

    #[test]
    fn an_auto_trait_is_told_where_a_type_has_it_not_or_not_always() {
        let said = "impl core::marker::Send for a::A\n\
                    impl !core::marker::Sync for a::A\n\
                    impl<T> core::marker::Send for a::B<T> where T: core::marker::Send\n\
                    impl !core::marker::Freeze for a::A\n\
                    impl core::marker::Copy for a::A\n";
        let told = listed(said);
        assert_eq!(told, [1, 2, 4].map(|at| said.lines().nth(at).expect("there")));
    }

    #[test]
    fn what_is_gone_and_what_is_new_are_told() {
        let listing = |text| Listing::parse(text);
        let (older, newer) = (listing("x\ny\n"), listing("y\nz\n"));
        assert_eq!(newer.held_against(&older), ["  - x", "  + z"]);
        assert_eq!(newer.in_both(&older), 1);
        assert!(newer.held_against(&newer).is_empty());
        assert_eq!(listing(&newer.to_string()), newer);
    }

    #[test]
    fn features_come_first_with_what_they_turn_on() {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let member = Member {
            name: "a".into(),
            folder: "/a".into(),
            features: BTreeMap::from([
                ("default".into(), on(&["wide", "b/std"])),
                ("wide".into(), on(&["dep:b"])),
            ]),
            targets: Vec::new(),
            published: true,
        };
        let listing = Listing::of(&member, "pub mod a\n");
        assert_eq!(listing.to_string(), "feature default = [wide]\nfeature wide = []\npub mod a\n");
    }
}
