//! The rules for one file, as a function of its path and its text.

use super::{Complaint, citations};

/// The only files where unsafe code may be. Users get the first four: the vector kernel, the checked
/// text, the message buffer and the block of input. The others are allocators: two that count, and one
/// written out as text.
const UNSAFE_MAY_BE: [&str; 7] = [
    "crates/hybi-frame/src/mask/x86_64.rs",
    "crates/hybi-frame/src/utf8/bytes.rs",
    "crates/hybi-frame/src/utf8/buffer.rs",
    "crates/hybi-frame/src/chunk.rs",
    "crates/hybi-suite/src/allocator.rs",
    "benches/src/allocated.rs",
    "xtask/src/no_std.rs",
];

/// What makes code of the word.
const UNSAFE_CODE: [&str; 4] = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];

/// Longest source file of a crate, in lines: beyond it, a file tells two stories.
const MAX_LINES: usize = 600;

/// The rooms of `hybi`, each with those above it, which it does not import from.
const ROOMS: [(&str, &[&str]); 7] = [
    (
        "crates/hybi/src/legacy.rs",
        &["connection", "socket", "broadcast", "opening", "mux", "serve", "reconnect"],
    ),
    (
        "crates/hybi/src/connection/",
        &["socket", "broadcast", "opening", "mux", "serve", "reconnect"],
    ),
    ("crates/hybi/src/socket/", &["broadcast", "opening", "mux", "serve", "reconnect"]),
    ("crates/hybi/src/broadcast/", &["opening", "mux", "serve", "reconnect"]),
    ("crates/hybi/src/opening/", &["broadcast", "mux", "serve", "reconnect"]),
    ("crates/hybi/src/serve/", &["broadcast", "mux", "reconnect"]),
    ("crates/hybi/src/reconnect/", &["broadcast", "mux", "serve"]),
];

/// Words that must not stay behind, matched as whole words in every file. Each is spelled in two
/// parts so that this list does not find itself.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("db", "g!"),
];

/// Parts of addresses that mean something on one machine or in one network only.
const PLACES: [&str; 7] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("registry.", "npmjs"),
    concat!("pypi.", "org"),
    concat!("deb.", "debian"),
    concat!("static.", "crates.io"),
];

/// All complaints about one file; `path` is relative to the root, with `/`.
pub(super) fn check(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let rust = path.ends_with(".rs");
    if rust && !text.starts_with("//!") {
        complaints.push(format!("{path}:1: begins without a `//!` that says what lives here"));
    }
    let lines = text.lines().count();
    if rust && path.starts_with("crates/") && path.contains("/src/") && lines > MAX_LINES {
        complaints.push(format!("{path}: {lines} lines, at most {MAX_LINES}"));
    }
    // Test data holds whatever a peer may send.
    if path.contains("/vectors/") {
        return complaints;
    }
    let mut in_test = path.contains("/tests/");
    for (index, line) in text.lines().enumerate() {
        let mut complain = |what: &str| complaints.push(format!("{path}:{}: {what}", index + 1));
        if let Some(mark) = MARKS.iter().find(|mark| has_word(line, mark)) {
            complain(&format!("leftover mark `{mark}`"));
        }
        if let Some(place) = PLACES.iter().find(|place| line.contains(*place)) {
            complain(&format!("`{place}` belongs to one machine or network"));
        }
        if rust {
            in_test |= line.contains("#[cfg(test)]");
            let code = line.split_once("//").map_or(line, |(code, _)| code);
            rust_line(path, code, in_test, &mut complain);
        }
    }
    // Its tests quote what it refuses.
    if path != "xtask/src/tidy/citations.rs" {
        complaints.extend(citations::check(path, text));
    }
    complaints
}

/// The rules for one line of Rust without its comment.
fn rust_line(path: &str, code: &str, in_test: bool, complain: &mut dyn FnMut(&str)) {
    // This file quotes what it forbids.
    if path == "xtask/src/tidy/rules.rs" {
        return;
    }
    if code.trim_start().starts_with("#[ignore") {
        complain("an ignored test checks nothing");
    }
    if in_test && code.contains("sleep(") {
        complain("a test that sleeps is slow or flaky or both: wait for the event");
    }
    if !UNSAFE_MAY_BE.contains(&path) && is_unsafe(code) {
        complain("unsafe code outside the files that may have it");
    }
    let above =
        ROOMS.iter().find(|(room, _)| path.starts_with(room)).map_or(&[][..], |room| room.1);
    if let Some(room) = above.iter().find(|room| !in_test && imports(code, room)) {
        complain(&format!("imports from `{room}`, which is above"));
    }
}

/// Whether a line without its comment has unsafe code.
pub(crate) fn is_unsafe(code: &str) -> bool {
    UNSAFE_CODE.iter().any(|begin| has_word(code, begin))
}

/// Whether a line names something of this room, by itself or in a list of imports.
fn imports(code: &str, room: &str) -> bool {
    code.contains(&format!("crate::{room}"))
        || code.starts_with("    ") && code.trim_start().starts_with(&format!("{room}::"))
        || code.contains("crate::{") && has_word(code, room)
}

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
fn has_word(line: &str, word: &str) -> bool {
    let joins =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !joins(line[..at].chars().next_back()) && !joins(line[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complaints about `text` at `path`, joined, with a header added if it is Rust.
    fn about(path: &str, text: &str) -> String {
        let text = if path.ends_with(".rs") { format!("//! Header.\n{text}") } else { text.into() };
        check(path, &text).join("\n")
    }

    #[test]
    fn a_clean_file_draws_no_complaint() {
        let text =
            "#![forbid(unsafe_code)]\n/// RFC 6455 §5.2\nfn todos() {} // unsafe is a word\n";
        assert_eq!(about("crates/hybi/src/lib.rs", text), "");
    }

    #[test]
    fn the_header_is_wanted_first() {
        assert!(check("benches/a.rs", "use x;\n//! Late.\n")[0].contains("benches/a.rs:1: begins"));
    }

    #[test]
    fn marks_are_found_as_whole_words_in_any_file() {
        for mark in MARKS {
            assert!(
                about("README.md", &format!("x\n{mark}: later")).contains("README.md:2: leftover")
            );
            assert_eq!(about("README.md", &format!("x{mark}x")), "");
        }
    }

    #[test]
    fn places_are_found() {
        for place in PLACES {
            assert!(about("a.toml", &format!("at {place}x")).contains("one machine"));
        }
    }

    #[test]
    fn ignored_tests_are_found() {
        assert!(about("crates/hybi/src/a.rs", "    #[ignore]\n").contains("checks nothing"));
        assert!(about("crates/hybi/src/a.rs", "#[ignore = \"slow\"]\n").contains("nothing"));
    }

    #[test]
    fn sleeping_is_for_code_that_is_no_test() {
        assert_eq!(about("crates/hybi-tokio/src/timer.rs", "tokio::time::sleep(x)\n"), "");
        assert!(about("crates/hybi/tests/a.rs", "sleep(x)\n").contains("wait for the event"));
        let unit = "#[cfg(test)]\nmod tests {\nthread::sleep(x)\n}\n";
        assert!(about("crates/hybi/src/a.rs", unit).contains("a.rs:4: a test that sleeps"));
    }

    #[test]
    fn unsafe_code_has_its_files() {
        for code in ["unsafe { x }", "pub unsafe fn a() {}", "unsafe impl Send for A {}"] {
            let text = format!("{code}\n");
            for place in ["decoder.rs", "mask/mod.rs", "mask/scalar.rs", "utf8/mod.rs"] {
                let path = format!("crates/hybi-frame/src/{place}");
                assert!(about(&path, &text).contains("outside"), "{code} in {place}");
            }
            for path in UNSAFE_MAY_BE {
                assert_eq!(about(path, &text), "", "{code} in {path}");
            }
        }
    }

    #[test]
    fn the_files_with_unsafe_code_are_those_of_the_twelfth_invariant() {
        let architecture = include_str!("../../../ARCHITECTURE.md");
        let (_, invariant) = architecture.split_once("\n12. ").expect("it has a twelfth");
        let invariant = invariant.split("\n13. ").next().expect("a text");
        let ours = UNSAFE_MAY_BE
            .into_iter()
            .filter_map(|path| path.strip_prefix("crates/hybi-frame/src/"));
        let ours: Vec<_> = ours.collect();
        assert_eq!(ours.len(), 4);
        assert_eq!(invariant.matches(".rs`").count(), ours.len(), "{invariant}");
        for path in ours {
            assert!(invariant.contains(&format!("`{path}`")), "{path}");
        }
    }

    #[test]
    fn imports_that_run_up_are_found() {
        for code in [
            "use crate::socket::WebSocket;\n",
            "use crate::{legacy, socket::WebSocket};\n",
            "use crate::{\n    socket::WebSocket,\n};\n",
        ] {
            assert!(about("crates/hybi/src/connection/a.rs", code).contains("`socket`"), "{code}");
            assert!(about("crates/hybi/src/legacy.rs", code).contains("is above"), "{code}");
            assert_eq!(about("crates/hybi/src/opening/a.rs", code), "", "{code}");
        }
        assert_eq!(
            about("crates/hybi/src/connection/a.rs", "pub use opening::OpeningError;\n"),
            ""
        );
    }

    #[test]
    fn long_sources_are_found() {
        let text = "\n".repeat(MAX_LINES);
        assert!(about("crates/hybi/src/a.rs", &text).contains("601 lines"));
        assert_eq!(about("crates/hybi/tests/a.rs", &text), "");
    }
}
