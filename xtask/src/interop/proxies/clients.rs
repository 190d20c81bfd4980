//! The clients: the program `hybi`, and the program `proxied` of `trials/` for each adapter. Either has a text and a text or
//! binary message of 1 MiB echoed, compressed.

use core::fmt::Write as _;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::Command;

use hybi_suite::events;
use serde_json::Value;

use crate::cargo::cargo;
use crate::hybi::{Hybi, NO_CONNECTION};
use crate::interop::Certificates;
use crate::process::{Running, command, run};
use crate::workspace::{Workspace, write};

/// The longest that a client may take.
const WITHIN: Duration = Duration::from_secs(30);

const TEXT: &str = "Grüße, 世界";
const LONG: usize = 1 << 20;
/// What the server gets: how many messages, with how many bytes together.
pub(super) const MESSAGES: (usize, usize) = (2, TEXT.len() + LONG);

/// Who goes through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Program,
    /// By the name that `proxied` has for it.
    Adapter(&'static str),
}

impl Client {
    pub(super) fn title(self) -> String {
        match self {
            Self::Program => "hybi connect".to_owned(),
            Self::Adapter(name) => format!("hybi-{name}"),
        }
    }
}

/// All of them, built.
#[derive(Debug)]
pub(super) struct Clients<'a> {
    hybi: &'a Hybi,
    proxied: PathBuf,
    certificates: &'a Certificates,
    /// What is sent.
    long: String,
}

impl<'a> Clients<'a> {
    pub(super) fn build(
        workspace: &Workspace,
        hybi: &'a Hybi,
        certificates: &'a Certificates,
    ) -> Result<Self, String> {
        run(cargo(workspace).args(["build", "-p", "hybi-trials", "--bin", "proxied"]))?;
        let mut long = String::with_capacity(LONG + 8);
        // Much of it repeats, and no part is like another.
        for number in 0.. {
            if long.len() >= LONG {
                break;
            }
            let _ = write!(long, "{number}");
        }
        long.truncate(LONG);
        Ok(Self { hybi, proxied: workspace.target.join("debug/proxied"), certificates, long })
    }

    /// Runs one in `folder`; it must get through, or else say `refusal` of this proxy, which is named without credentials.
    pub(super) fn run(
        &self,
        client: Client,
        (proxy, credentials): (&str, &str),
        uri: &str,
        refusal: Option<&str>,
        (folder, prepare): (&Path, impl Fn(&mut Command)),
    ) -> Result<(), String> {
        let url = proxy.replace("://", &format!("://{credentials}"));
        let authority = &self.certificates.authority;
        let mut command = match client {
            Client::Program => {
                write(&folder.join("long"), &self.long)?;
                let options = ["--json", "--proxy", &url, "-m", TEXT, "-f", "long", "-n", "2"];
                let mut connect = self.hybi.connect(uri, &options);
                // One that nobody is asked for is a mistake, as the program sees it.
                if uri.starts_with("wss:") || url.starts_with("https:") {
                    connect.arg("--tls-ca").arg(authority);
                }
                connect.current_dir(folder);
                connect
            }
            Client::Adapter(name) => {
                let mut proxied = command(&self.proxied);
                proxied.args([name, &url, uri]).arg(authority);
                proxied
            }
        };
        prepare(&mut command);
        let mut running = Running::start("client", folder, &mut command)?;
        let (status, lines) = running.finish(WITHIN)?;
        let judged = match client {
            Client::Program => judge_events(status.code(), &lines, &self.long, (proxy, refusal)),
            Client::Adapter(_) => judge_lines(status.success(), &lines, (proxy, refusal)),
        };
        judged.map_err(|why| running.complaint(&why))
    }
}

/// Whether this is what the program has to say.
fn judge_events(
    status: Option<i32>,
    lines: &[String],
    long: &str,
    (proxy, refusal): (&str, Option<&str>),
) -> Result<(), String> {
    let events = events::parse(lines, &events::OF_CONNECT)?;
    let said: Vec<_> = events.iter().map(|event| told(event, long)).collect();
    let (status_wanted, wanted) = match refusal {
        None => (
            0,
            ["connecting", "open, compressed", "text", "long", "close 1000, true"]
                .map(str::to_owned)
                .to_vec(),
        ),
        Some(why) => {
            let error = format!("proxy {proxy} did not connect to the server: {why}");
            (NO_CONNECTION, vec!["connecting".to_owned(), error])
        }
    };
    if said != wanted {
        return Err(format!("said {said:?}, not {wanted:?}"));
    }
    if status == Some(status_wanted) { Ok(()) } else { Err(format!("ended with {status:?}")) }
}

/// An event in words.
fn told(event: &Value, long: &str) -> String {
    let name = event["event"].as_str().unwrap_or_default();
    match name {
        "open" => {
            let extension = event["extensions"][0].as_str().unwrap_or_default();
            let compressed = extension.starts_with("permessage-deflate");
            format!("open, {}", if compressed { "compressed" } else { "not compressed" })
        }
        "message" if event["text"] == TEXT => "text".to_owned(),
        "message" if event["text"] == long => "long".to_owned(),
        "message" => format!("another message of {}", event["size"]),
        "close" => format!("close {}, {}", event["code"], event["clean"]),
        "error" => event["message"].as_str().unwrap_or_default().to_owned(),
        _ => name.to_owned(),
    }
}

/// The same of the program `proxied`.
fn judge_lines(
    is_success: bool,
    lines: &[String],
    (proxy, refusal): (&str, Option<&str>),
) -> Result<(), String> {
    let wanted = match refusal {
        None => vec![
            "open permessage-deflate".to_owned(),
            format!("echoed {}", TEXT.len()),
            format!("echoed {LONG}"),
            "closed 1000 (normal) cleanly".to_owned(),
        ],
        Some(why) => vec![format!("proxy {proxy}: {why}")],
    };
    if lines != wanted {
        return Err(format!("said {lines:?}, not {wanted:?}"));
    }
    match is_success == refusal.is_none() {
        true => Ok(()),
        false => Err("ended with the status of the other outcome".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#""v":1,"t":"2026-01-02T03:04:05.678901Z""#;

    fn events() -> Vec<String> {
        let message = |text: &str| {
            format!(r#""event":"message","type":"text","size":{},"text":"{text}""#, text.len())
        };
        [
            r#""event":"connecting","url":"ws://a/""#,
            r#""event":"open","url":"ws://a/","version":"rfc6455","subprotocol":null,"headers":{},"times":{},
               "extensions":["permessage-deflate"]"#,
            &message(TEXT),
            &message("0123"),
            r#""event":"close","code":1000,"reason":"","by":"local","clean":true"#,
        ]
        .map(|fields| format!("{{{HEAD},{fields}}}"))
        .to_vec()
    }

    #[test]
    fn an_echo_passes_and_each_difference_is_told() {
        let judge = |events: &[String], status| {
            judge_events(Some(status), events, "0123", ("http://p", None))
        };
        assert_eq!(judge(&events(), 0), Ok(()));
        assert!(judge(&events(), 1).is_err());
        for at in 0..events().len() {
            let mut fewer = events();
            fewer.remove(at);
            assert!(judge(&fewer, 0).is_err(), "without {at}");
        }
        for (from, to) in
            [("permessage-deflate", "other"), ("0123", "0124"), ("1000", "1006"), ("true", "false")]
        {
            let changed: Vec<_> = events().iter().map(|event| event.replace(from, to)).collect();
            assert!(judge(&changed, 0).is_err(), "{to} for {from}");
        }
    }

    #[test]
    fn a_refusal_is_wanted_with_the_proxy_and_its_reason() {
        let why = ("http://p", Some("no"));
        let said = |message: &str| {
            let error = format!(r#"{{{HEAD},"event":"error","status":3,"message":"{message}"}}"#);
            [events()[0].clone(), error]
        };
        let right = said("proxy http://p did not connect to the server: no");
        assert_eq!(judge_events(Some(NO_CONNECTION), &right, "", why), Ok(()));
        assert!(judge_events(Some(0), &right, "", why).is_err());
        for other in ["proxy http://q did not connect to the server: no", "cannot connect to a: no"]
        {
            assert!(judge_events(Some(NO_CONNECTION), &said(other), "", why).is_err(), "{other}");
        }
        assert!(judge_events(Some(0), &events(), "0123", why).is_err());
        assert_eq!(judge_lines(false, &["proxy http://p: no".to_owned()], why), Ok(()));
        assert!(judge_lines(true, &["proxy http://p: no".to_owned()], why).is_err());
        assert!(judge_lines(false, &["proxy http://q: no".to_owned()], why).is_err());
        assert!(judge_lines(true, &["open ".to_owned()], ("http://p", None)).is_err());
    }
}
