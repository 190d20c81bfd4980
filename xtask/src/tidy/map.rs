//! The map of the code, ARCHITECTURE.md: every place that it names is there.

use std::path::Path;

use super::Complaint;

const MAP: &str = "ARCHITECTURE.md";

/// Where the names in it begin.
const FROM: [&str; 4] =
    ["", "crates/hybi/src", "crates/hybi-frame/src", "crates/hybi-compression/src"];

pub(super) fn check(root: &Path) -> Vec<Complaint> {
    let text = std::fs::read_to_string(root.join(MAP)).unwrap_or_default();
    let is_there = |place: &str| FROM.iter().any(|from| root.join(from).join(place).exists());
    let absent = places(&text).filter(|(_, place)| !is_there(place));
    absent.map(|(line, place)| format!("{MAP}:{line}: there is no `{place}`")).collect()
}

/// Files and folders, each with its line.
fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let between = |c: char| c.is_whitespace() || "`,;:()|".contains(c);
    let numbered = text.lines().zip(1..);
    numbered.flat_map(move |(line, number)| {
        let words = line.split(between).map(|word| word.trim_end_matches('.'));
        let is_place = |word: &&str| {
            [".rs", ".txt", ".toml", ".md"].iter().any(|end| word.ends_with(end))
                || word.len() > 1 && word.ends_with('/')
        };
        words.filter(is_place).map(move |word| (number, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_prose_tables_and_pictures() {
        let text = "`a/b.rs`, beside `c.rs`.\n| x | `d/e/` and/or f |\n take --> it  g: h.txt\n";
        let found: Vec<_> = places(text).collect();
        assert_eq!(found, [(1, "a/b.rs"), (1, "c.rs"), (2, "d/e/"), (3, "h.txt")]);
    }

    #[test]
    fn what_is_not_there_is_told() {
        let root = std::env::temp_dir().join(format!("hybi-map-{}", std::process::id()));
        std::fs::create_dir_all(root.join("crates/hybi/src")).expect("a folder");
        std::fs::write(root.join("crates/hybi/src/a.rs"), "").expect("a file");
        std::fs::write(root.join(MAP), "`a.rs`\n`crates/hybi/src/a.rs`\n`b.rs`\n").expect("a file");
        let told = check(&root);
        std::fs::remove_dir_all(&root).expect("ours");
        assert_eq!(told, ["ARCHITECTURE.md:3: there is no `b.rs`"]);
    }
}
