//! The JSON lines of the program `hybi`: every event with its fields, and a reader that takes no
//! other line. A field that the program gains finds its place here first.

use serde_json::Value;

use Kind::{Flag, Maybe, Number, Seconds, Text, Texts, Times, Words};

/// What `hybi connect --json` prints.
pub const OF_CONNECT: [&str; 8] =
    ["connecting", "open", "message", "ping", "pong", "close", "waiting", "error"];

/// What a field holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    /// Text or null.
    Maybe,
    /// A whole number, not negative.
    Number,
    /// Any number, not negative.
    Seconds,
    Flag,
    Texts,
    /// An object of texts.
    Words,
    /// An object of seconds.
    Times,
}

/// A field and whether it is always there.
type Field = (&'static str, Kind, bool);

const fn has(name: &'static str, kind: Kind) -> Field {
    (name, kind, true)
}

const fn may_have(name: &'static str, kind: Kind) -> Field {
    (name, kind, false)
}

/// Of a connection with channels: which of them it is about.
const CHANNEL: Field = may_have("channel", Number);

/// The events, without the fields that all have: `v`, `event` and `t`.
const EVENTS: [(&str, &[Field]); 12] = [
    ("connecting", &[has("url", Text)]),
    (
        "open",
        &[
            has("url", Text),
            has("version", Text),
            has("subprotocol", Maybe),
            has("extensions", Texts),
            has("headers", Words),
            has("times", Times),
            CHANNEL,
        ],
    ),
    (
        "message",
        &[
            has("type", Text),
            has("size", Number),
            may_have("text", Text),
            may_have("base64", Text),
            CHANNEL,
        ],
    ),
    ("ping", &[has("size", Number), has("base64", Text), CHANNEL]),
    ("pong", &[has("size", Number), has("base64", Text), CHANNEL]),
    (
        "close",
        &[has("code", Number), has("reason", Text), has("by", Text), has("clean", Flag), CHANNEL],
    ),
    ("waiting", &[has("delay", Seconds), has("status", Number), has("message", Text)]),
    (
        "error",
        &[
            has("status", Number),
            has("message", Text),
            may_have("rule", Text),
            may_have("offset", Number),
            CHANNEL,
        ],
    ),
    (
        "access",
        &[
            has("peer", Text),
            has("method", Maybe),
            has("target", Maybe),
            has("status", Number),
            has("origin", Maybe),
            has("http", Maybe),
            has("handshake", Seconds),
            CHANNEL,
            // Of a connection; a refused request has none of these.
            may_have("version", Text),
            may_have("extensions", Texts),
            may_have("subprotocol", Maybe),
            may_have("duration", Seconds),
            may_have("messages_in", Number),
            may_have("bytes_in", Number),
            may_have("messages_out", Number),
            may_have("bytes_out", Number),
            may_have("code", Number),
            may_have("by", Text),
            may_have("clean", Flag),
        ],
    ),
    ("key", &[has("key", Text), may_have("accept", Text)]),
    (
        "challenge",
        &[has("part1", Number), has("part2", Number), has("hex", Text), has("text", Maybe)],
    ),
    (
        "version",
        &[
            has("name", Text),
            // Null where the version has no number.
            may_have("number", Number),
            has("aliases", Texts),
            has("documents", Texts),
            has("selected_by", Text),
            has("binary", Flag),
            has("ping", Flag),
            has("closing_handshake", Flag),
            has("close_codes", Flag),
            has("extensions", Flag),
            has("masked", Flag),
        ],
    ),
];

/// Reads lines of JSON of which each must be one of the events named in `wanted`.
///
/// # Errors
///
/// The first line that is no JSON object, is of no known event or of one that is not wanted, lacks
/// a field, or has one that is not known or holds something else.
///
/// ```
/// use hybi_suite::events;
///
/// let line = r#"{"v":1,"event":"connecting","t":"2026-01-02T03:04:05.678901Z","url":"ws://a/"}"#;
/// assert_eq!(events::parse([line], &events::OF_CONNECT).unwrap()[0]["url"], "ws://a/");
/// assert!(events::parse([line], &["access"]).is_err());
/// assert!(events::parse(["not JSON"], &events::OF_CONNECT).is_err());
/// ```
pub fn parse<L: AsRef<str>>(
    lines: impl IntoIterator<Item = L>,
    wanted: &[&str],
) -> Result<Vec<Value>, String> {
    let read = |line: L| {
        let line = line.as_ref();
        event(line, wanted).map_err(|why| format!("{why}: `{}`", start(line)))
    };
    lines.into_iter().map(read).collect()
}

fn event(line: &str, wanted: &[&str]) -> Result<Value, String> {
    let event: Value = serde_json::from_str(line).map_err(|error| format!("no JSON, {error}"))?;
    let object = event.as_object().ok_or("no JSON object")?;
    let name = event["event"].as_str().ok_or("no event without a name")?;
    let Some((_, fields)) = EVENTS.iter().find(|event| event.0 == name) else {
        return Err(format!("no event is called {name}"));
    };
    if !wanted.contains(&name) {
        return Err(format!("{name} has no place among {}", wanted.join(", ")));
    }
    if event["v"] != 1 {
        return Err(format!("{name} is not of format 1"));
    }
    let always = [has("event", Text), has("t", Text), has("v", Number)];
    let fields: Vec<_> = always.iter().chain(*fields).collect();
    for (field, value) in object {
        let Some((_, kind, must)) = fields.iter().find(|known| known.0 == field) else {
            return Err(format!("{name} has no field {field}"));
        };
        // A field that may lack may be null too.
        if !is(value, *kind) && (*must || !value.is_null()) {
            return Err(format!("{name} has {field} {value}, which is not {kind:?}"));
        }
    }
    match fields.iter().find(|field| field.2 && !object.contains_key(field.0)) {
        Some((field, ..)) => Err(format!("{name} lacks {field}")),
        None if name == "message" && event["text"].is_null() == event["base64"].is_null() => {
            Err("a message is text or base64".to_owned())
        }
        None => Ok(event),
    }
}

fn is(value: &Value, kind: Kind) -> bool {
    let seconds = |value: &Value| value.as_f64().is_some_and(|seconds| seconds >= 0.0);
    match kind {
        Text => value.is_string(),
        Maybe => value.is_string() || value.is_null(),
        Number => value.is_u64(),
        Seconds => seconds(value),
        Flag => value.is_boolean(),
        Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
        Words => value.as_object().is_some_and(|fields| fields.values().all(Value::is_string)),
        Times => value.as_object().is_some_and(|fields| fields.values().all(seconds)),
    }
}

/// Enough of a line to know it by.
fn start(line: &str) -> String {
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with this line.
    fn wrong(line: &str) -> String {
        parse([line], &OF_CONNECT).expect_err(line)
    }

    const HEAD: &str = r#""v":1,"t":"2026-01-02T03:04:05.678901Z""#;

    #[test]
    fn a_line_that_does_not_parse_is_refused_and_not_passed_over() {
        let good = format!(r#"{{{HEAD},"event":"connecting","url":"ws://a/"}}"#);
        assert_eq!(parse([&good, &good], &OF_CONNECT).expect("two").len(), 2);
        let error = parse([&*good, "{\"v\":1,", &good], &OF_CONNECT).expect_err("half a line");
        assert!(error.starts_with("no JSON, "), "{error}");
        assert!(wrong("").starts_with("no JSON, "));
        assert!(wrong("[]").starts_with("no JSON object"));
        assert!(parse([&good], &["access"]).is_err(), "it has no place there");
    }

    #[test]
    fn each_field_has_its_name_and_its_kind() {
        let close = |fields: &str| wrong(&format!(r#"{{{HEAD},"event":"close",{fields}}}"#));
        let whole = r#""code":1000,"reason":"","by":"peer","clean":true"#;
        let line = format!(r#"{{{HEAD},"event":"close",{whole}}}"#);
        assert!(parse([line], &OF_CONNECT).is_ok());
        assert!(close(r#""code":1000,"reason":"","by":"peer""#).starts_with("close lacks clean"));
        assert!(close(&format!(r#"{whole},"late":1"#)).starts_with("close has no field late"));
        for (right, other) in
            [("1000", "-1"), ("1000", "\"1000\""), ("\"peer\"", "null"), ("true", "1")]
        {
            assert!(close(&whole.replace(right, other)).contains("which is not"), "{other}");
        }
        assert!(wrong(r#"{"event":"close","v":2}"#).starts_with("close is not of format 1"));
        assert!(wrong(r#"{"event":"end","v":1}"#).starts_with("no event is called end"));
    }

    #[test]
    fn a_message_is_in_one_form() {
        let message =
            |form: &str| format!(r#"{{{HEAD},"event":"message","type":"text","size":1{form}}}"#);
        assert!(parse([message(r#","text":"a""#)], &OF_CONNECT).is_ok());
        assert!(wrong(&message("")).starts_with("a message is text or base64"));
        assert!(wrong(&message(r#","text":"a","base64":"YQ==""#)).starts_with("a message is"));
    }
}
