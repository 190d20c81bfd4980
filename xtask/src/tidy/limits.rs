//! Limits that nobody holds: each setter of a limit is used by the tests that have something just within
//! each limit and something just beyond it.

use super::Complaint;

/// Where limits are set, and where the tests of them are.
const PLACES: [(&str, &str); 4] = [
    ("crates/hybi/src/connection/config.rs", "crates/hybi/tests/limits/"),
    ("crates/hybi-handshake/src/head/mod.rs", "crates/hybi/tests/limits/"),
    ("crates/hybi-frame/src/limits.rs", "crates/hybi-frame/tests/limits.rs"),
    ("crates/hybi-mux/src/config.rs", "crates/hybi-mux/tests/limits.rs"),
];

/// Setters there of something that nothing can be beyond.
const NO_LIMITS: [&str; 3] = ["show_control_frames", "revision", "requests"];

/// Checks sources, given with their paths.
pub(super) fn check(files: &[(String, String)]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut seen = Vec::new();
    for (place, tests) in PLACES {
        let source = files.iter().find(|(path, _)| path == place);
        let found = seen.len();
        seen.extend(source.iter().flat_map(|(_, text)| setters(text)));
        if found == seen.len() {
            complaints.push(format!("{place}: no limit is set there"));
        }
        for setter in seen[found..].iter().filter(|setter| !NO_LIMITS.contains(setter)) {
            let call = format!(".{setter}(");
            let is_test = |path: &str| path.starts_with(tests);
            if !files.iter().any(|(path, text)| is_test(path) && text.contains(&call)) {
                complaints.push(format!("{place}: no test in {tests} sets {setter}"));
            }
        }
    }
    let absent = NO_LIMITS.iter().filter(|name| !seen.contains(name));
    complaints.extend(absent.map(|name| format!("NO_LIMITS: there is no setter {name}")));
    complaints
}

/// The methods of a formatted source that change a value and give it back.
fn setters(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.strip_prefix("    pub ")?;
        let line = line.strip_prefix("const ").unwrap_or(line);
        let (name, arguments) = line.strip_prefix("fn ")?.split_once('(')?;
        (arguments.starts_with("mut self, ") && arguments.ends_with("-> Self {")).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl Config {
    pub fn max_message(mut self, bytes: usize) -> Self {
        self
    }
    pub const fn with_max_fields(mut self, fields: usize) -> Self {
        self
    }
    pub fn show_control_frames(mut self, show: bool) -> Self {
        self
    }
    pub const fn revision(mut self, revision: Revision) -> Self {
        self
    }
    pub const fn requests(mut self, encoding: Encoding) -> Self {
        self
    }
    pub fn limits(&self) -> Limits {
        self.limits
    }
}
";

    #[test]
    fn setters_are_found() {
        let found: Vec<_> = setters(SOURCE).collect();
        let none = ["show_control_frames", "revision", "requests"];
        assert_eq!(found, [&["max_message", "with_max_fields"][..], &none].concat());
    }

    #[test]
    fn a_setter_without_a_test_is_told() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let mut files: Vec<_> = PLACES.iter().map(|(place, _)| file(place, SOURCE)).collect();
        files.push(file("crates/hybi/tests/limits/a.rs", ".max_message(1).with_max_fields(2)"));
        files.push(file("crates/hybi-mux/tests/limits.rs", ".max_message(1).with_max_fields(2)"));
        files.push(file("crates/hybi-frame/tests/other.rs", ".with_max_fields(2)"));
        files.push(file(
            "crates/hybi-frame/tests/limits.rs",
            ".max_message(1).show_control_frames()",
        ));
        assert_eq!(
            check(&files),
            ["crates/hybi-frame/src/limits.rs: no test in crates/hybi-frame/tests/limits.rs sets \
              with_max_fields"]
        );
        files.retain(|(path, _)| !path.ends_with("config.rs"));
        assert!(check(&files)[0].contains("no limit is set there"));
    }

    #[test]
    fn what_is_said_to_be_no_limit_has_to_be_there() {
        let complaints = check(&[]);
        assert!(complaints.iter().any(|told| told.contains("show_control_frames")));
    }
}
