//! JSON objects on one line, fields in the order written (RFC 8259).

use core::fmt::Write as _;

use crate::escape::steers;

/// An object under construction.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".into())
    }

    /// An event line: format number, name and time first.
    pub(crate) fn event(name: &str) -> Self {
        Self::new().number("v", 1_u8).string("event", name).string("t", &crate::clock::now())
    }

    pub(crate) fn string(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quote(&mut self.0, value);
        self
    }

    /// A string, or null.
    pub(crate) fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(key, value),
            None => self.raw(key, "null"),
        }
    }

    pub(crate) fn number(self, key: &str, value: impl Into<u64>) -> Self {
        let digits = value.into().to_string();
        self.raw(key, &digits)
    }

    /// A duration, in seconds.
    pub(crate) fn seconds(self, key: &str, value: core::time::Duration) -> Self {
        self.raw(key, &format!("{:.6}", value.as_secs_f64()))
    }

    /// A list of strings.
    pub(crate) fn strings(self, key: &str, values: &[String]) -> Self {
        let mut list = String::from("[");
        for value in values {
            if list.len() > 1 {
                list.push(',');
            }
            quote(&mut list, value);
        }
        list.push(']');
        self.raw(key, &list)
    }

    pub(crate) fn boolean(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    pub(crate) fn object(self, key: &str, value: Self) -> Self {
        let text = value.finish();
        self.raw(key, &text)
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    /// A value that is JSON already.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.0.push_str(json);
        self
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, key);
        self.0.push(':');
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // JSON needs an escape for C0 alone; a terminal or a reader would act upon the others too.
            c if steers(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_reads_back_what_was_written() {
        let hard = "quote \" slash \\ line \n nul \0 del \x7f c1 \u{9b} smile \u{1f600}";
        let every: String = ('\0'..=char::MAX).filter(|c| steers(*c)).collect();
        let hard = &*format!("{hard} steers {every}");
        let text = Object::new()
            .string("s", hard)
            .number("n", 7_u32)
            .boolean("b", true)
            .maybe("m", None)
            .strings("e", &[])
            .strings("l", &["a; b=\"1\"".into(), "c".into()])
            .seconds("d", core::time::Duration::from_millis(1500))
            .object("o", Object::new().string("k", "v"))
            .finish();
        assert!(!text.chars().any(steers), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["s"], hard);
        assert_eq!(value["n"], 7);
        assert_eq!(value["b"], true);
        assert!(value["m"].is_null());
        assert_eq!(value["e"], serde_json::json!([]));
        assert_eq!(value["l"], serde_json::json!(["a; b=\"1\"", "c"]));
        assert_eq!(value["d"], 1.5);
        assert_eq!(value["o"]["k"], "v");
    }
}
