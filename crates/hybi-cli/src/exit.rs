//! How the program ends: exit codes, and the one line that says what failed.

use core::fmt;
use std::io::Write as _;

use clap::error::{ContextKind, ContextValue};

use crate::escape;

/// The exit codes of the program; each is stable interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Status {
    /// Done as asked.
    Done = 0,
    /// An unexpected internal or local I/O error.
    Internal = 1,
    /// A usage or configuration error.
    Usage = 2,
    /// Name lookup or connection failed.
    Connect = 3,
    /// TLS failed.
    Tls = 4,
    /// The server answered the opening handshake with a status other than 101.
    Refused = 5,
    /// The server's answer breaks the opening handshake.
    BadHandshake = 6,
    /// The peer broke the protocol after the opening handshake.
    Protocol = 7,
    /// The peer closed with a code other than 1000, 1001 or none.
    PeerClosed = 8,
    /// A deadline passed.
    TimedOut = 9,
    /// An expectation was not met, or the server sent more than a limit of ours lets in: it broke no
    /// rule, and another limit may be chosen.
    Expectation = 10,
    /// A listener could not be bound.
    Listen = 11,
    /// The server stopped, but some connections had to be cut.
    Cut = 12,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

/// What the help of commands says of [`Status`].
pub(crate) const STATUSES: &str = "\
Exit status:
    0  done as asked
    1  an unexpected internal or local I/O error
    2  a mistake in the options
    3  name lookup or connection failed
    4  TLS failed
    5  the server refused the opening handshake
    6  its answer breaks the opening handshake
    7  it broke the protocol afterwards
    8  it closed with a code other than 1000, 1001 or none, or went away without a closing handshake
    9  a deadline passed
   10  an expectation was not met, or the server sent more than a limit of ours lets in
  130  ended by SIGINT, after the closing handshake if there could be one; 143 by SIGTERM";

/// A failure as the user reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    what: String,
    why: String,
    hint: Option<String>,
    /// The document and section of a broken rule, and the byte offset.
    pub(crate) rule: Option<(String, Option<u64>)>,
}

impl Failure {
    pub(crate) fn new(status: Status, what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { status, what: what.into(), why: why.to_string(), hint: None, rule: None }
    }

    pub(crate) fn usage(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::new(Status::Usage, what, why)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn rule(mut self, section: impl Into<String>, offset: Option<u64>) -> Self {
        self.rule = Some((section.into(), offset));
        self
    }

    /// The same, with the number of the channel that it is about.
    pub(crate) fn on_channel(self, number: u32) -> Self {
        Self { what: format!("channel {number}: {}", self.what), ..self }
    }

    /// What failed and why, without the program's name.
    pub(crate) fn message(&self) -> String {
        format!("{}: {}", self.what, self.why)
    }

    /// Writes the line and its hint to stderr. Peers have a say in some of these texts.
    pub(crate) fn print(&self) {
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(stderr, "hybi: error: {}", escape::controls(&self.message()));
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "hint: {}", escape::controls(hint));
        }
    }
}

/// A failed write of a result: quiet end when the reader went away, an error otherwise.
pub(crate) fn stdout_failed(error: &std::io::Error) -> Failure {
    Failure::new(
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Status::Done
        } else {
            Status::Internal
        },
        "cannot write to stdout",
        error,
    )
}

/// Turns the argument parser's report into lines of this program's shape.
///
/// The parser writes a paragraph for the error, then tips, then the usage line.
pub(crate) fn usage_failure(error: &clap::Error) -> Failure {
    let text = without_secrets(error);
    let mut why: Vec<&str> = Vec::new();
    let mut hint = None;
    for line in text.lines().map(str::trim) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            // Values after `--` are what hardly anybody meant.
            if !tip.starts_with("to pass") {
                hint.get_or_insert_with(|| tip.to_owned());
            }
        } else if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        } else if !line.is_empty() {
            why.push(line.strip_prefix("error: ").unwrap_or(line));
        }
    }
    let failure = Failure::usage("usage", why.join(" "));
    failure.hint(hint.unwrap_or_else(|| GENERAL_HINT.into()))
}

/// What is wrong with the arguments, without the credentials that may be among them.
fn without_secrets(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    if value.is_empty() {
        return text;
    }
    let secret = ["--user", "--header", "--cookie"].iter().any(|name| argument.starts_with(name));
    let shown = match value.split_once(':') {
        Some((name, _)) if argument.starts_with("--header") => format!("{name}: ***"),
        _ if secret => "***".into(),
        _ => without_user_info(value),
    };
    text.replace(value, &shown)
}

/// A URL as it may be shown, well formed or not.
fn without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => url.to_owned(),
    }
}

const GENERAL_HINT: &str = "hybi --help lists commands, hybi COMMAND --help options";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn failure(arguments: &[&str]) -> Failure {
        let error = crate::args::Cli::try_parse_from(arguments).unwrap_err();
        usage_failure(&error)
    }

    #[test]
    fn credentials_are_not_repeated() {
        for arguments in [
            &["hybi", "connect", "ws://u:S3CRET@127.0.0.1:1/#frag"][..],
            &["hybi", "connect", "http://u:S3CRET@127.0.0.1:1/"],
            &["hybi", "connect", "ws://u:S3CRET@127.0.0.1:99999/"],
            &["hybi", "connect", "-u", "S3CRET", "ws://h"],
            &["hybi", "connect", "-H", "Authorization S3CRET", "ws://h"],
            &["hybi", "connect", "--cookie", "a=S3CRET\nb", "ws://h"],
        ] {
            let failure = failure(arguments);
            assert!(!failure.message().contains("S3CRET"), "{}", failure.message());
            assert!(failure.message().contains("***"), "{}", failure.message());
        }
    }

    #[test]
    fn an_unknown_option_names_the_nearest() {
        let failure = failure(&["hybi", "serve", "--max-mesage", "1"]);
        assert_eq!(failure.status, Status::Usage);
        assert!(failure.message().contains("'--max-mesage'"), "{}", failure.message());
        assert!(failure.hint.unwrap().contains("'--max-message'"));
    }

    #[test]
    fn an_option_of_no_command_is_not_taken_for_a_value() {
        let failure = failure(&["hybi", "connect", "--qqq", "ws://h/"]);
        assert_eq!(failure.hint.as_deref(), Some(GENERAL_HINT));
    }

    #[test]
    fn a_bad_value_shows_value_and_form() {
        let failure = failure(&["hybi", "serve", "--max-message", "16MB3"]);
        assert!(failure.message().contains("'16MB3'"), "{}", failure.message());
        assert!(failure.message().contains("64KiB"), "{}", failure.message());
    }
}
