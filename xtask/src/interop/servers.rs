//! Peers as servers to `hybi connect`: its JSON output held against what the peers report.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::Command;

use hybi_suite::events;
use serde_json::{Value, json};

use super::{Certificates, Http, Scene, failed, passed, title};
use crate::hybi::{Hybi, PEER_CLOSED, REFUSED, TLS_FAILED};
use crate::outcome::Tally;
use crate::process::Running;

pub(super) const START: Duration = Duration::from_secs(30);
const CHECK: Duration = Duration::from_secs(60);

/// Three bytes that base64 writes as [`UNIT_BASE64`], so that a large file is known in both forms.
pub(super) const UNIT: [u8; 3] = [0x00, 0xff, 0x10];
pub(super) const UNIT_BASE64: &str = "AP8Q";
/// A little more than 1 MiB of them.
const UNITS: usize = (1 << 20) / UNIT.len() + 1;

/// One run of `hybi connect` and what must come of it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) options: &'static [&'static str],
    pub(super) status: i32,
    /// The name of the version here, and what the peer calls it if it says.
    pub(super) version: (&'static str, Option<&'static str>),
    /// The messages that come in, in any order, each under its JSON key.
    pub(super) received: Vec<(&'static str, String)>,
    pub(super) subprotocol: Option<&'static str>,
    /// Code and reason that come in.
    pub(super) close: Option<(u16, &'static str)>,
    /// Code and reason that the peer sees.
    pub(super) peer_close: Option<(u16, &'static str)>,
}

impl Case {
    /// An exchange that we end with 1000.
    pub(super) fn new(
        name: &'static str,
        path: &'static str,
        options: &'static [&'static str],
    ) -> Self {
        let (received, close) = (Vec::new(), Some((1000, "")));
        Self {
            name,
            path,
            options,
            status: 0,
            version: ("rfc6455", None),
            received,
            subprotocol: None,
            close,
            peer_close: close,
        }
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.received.push(("text", text.to_owned()));
        self
    }

    pub(super) fn base64(mut self, base64: &str) -> Self {
        self.received.push(("base64", base64.to_owned()));
        self
    }

    /// An end before there is a connection.
    pub(super) fn refused(mut self, status: i32) -> Self {
        (self.status, self.close, self.peer_close) = (status, None, None);
        self
    }
}

/// What is tried with each server, over TLS or not.
pub(super) fn cases(tls: bool) -> Vec<Case> {
    let mut cases = vec![
        Case::new("text comes back", "/", &["-m", "Grüße, 世界", "-n", "1"]).text("Grüße, 世界"),
        Case::new("empty text comes back", "/", &["-m", "", "-n", "1"]).text(""),
        Case::new("binary comes back", "/", &["--hex", "-m", "00017f80feff", "-n", "1"])
            .base64("AAF/gP7/"),
        Case::new("1 MiB comes back", "/", &["-b", "-f", "mebibyte", "-n", "1"])
            .base64(&UNIT_BASE64.repeat(UNITS)),
        Case::new("fragments become one message", "/fragments", &["-m", "x", "-n", "2"])
            .text("fragmented")
            .text("x"),
        Case::new("ping is answered", "/ping", &["-m", "x", "-n", "2"]).text("answered").text("x"),
        Case {
            subprotocol: Some("chat.v2"),
            ..Case::new(
                "a subprotocol is agreed",
                "/",
                &["-s", "chat.v1", "-s", "chat.v2", "-m", "x", "-n", "1"],
            )
            .text("x")
        },
        Case {
            close: Some((4003, "")),
            peer_close: Some((4003, "bye, then")),
            ..Case::new(
                "the client closes with code and reason",
                "/",
                &["-m", "x", "-n", "1", "--close", "4003:bye, then"],
            )
            .text("x")
        },
        Case {
            status: PEER_CLOSED,
            close: Some((4004, "server says so")),
            peer_close: Some((4004, "")),
            ..Case::new("the server closes with code and reason", "/close", &["--echo"])
        },
        Case::new("a refusal is told", "/refuse", &["-m", "x"]).refused(REFUSED),
    ];
    if tls {
        cases.push(
            Case::new("an unknown authority is not trusted", "/", &["-m", "x"]).refused(TLS_FAILED),
        );
    }
    cases
}

/// Runs every case, up to the first that fails.
pub(super) fn check(scene: &Scene<'_>, tally: &mut Tally) {
    let (tls, http) = (scene.tls, scene.http);
    let title = title("hybi connect", scene.peer.kind.title(), tls.is_some(), http);
    let server = scene.peer.server(tls, http);
    let group = Group { hybi: scene.hybi, folder: scene.folder, tls, http, options: &[], title };
    group.check(server, &cases(tls.is_some()), tally);
}

/// What the cases with one server have in common.
pub(super) struct Group<'a> {
    pub(super) hybi: &'a Hybi,
    pub(super) folder: &'a Path,
    pub(super) tls: Option<&'a Certificates>,
    pub(super) http: Http,
    /// Of `hybi connect`, in all of them.
    pub(super) options: &'a [&'a str],
    pub(super) title: String,
}

impl Group<'_> {
    /// Runs every case with this server, up to the first that fails.
    pub(super) fn check(&self, server: Command, cases: &[Case], tally: &mut Tally) {
        if let Err(why) = self.checked(server, cases, tally) {
            failed(tally, &self.title, &why);
        }
    }

    fn checked(
        &self,
        mut server: Command,
        cases: &[Case],
        tally: &mut Tally,
    ) -> Result<(), String> {
        let file = self.folder.join("mebibyte");
        fs::write(file, UNIT.repeat(UNITS)).map_err(|error| error.to_string())?;
        let server = Running::start("server", self.folder, &mut server)?;
        let url = server.line_after("listening ", START)?;
        for case in cases {
            let mut connect = self.hybi.connect(&format!("{url}{}", case.path), case.options);
            if let Some(tls) = self.tls.filter(|_| case.status != TLS_FAILED) {
                connect.arg("--tls-ca").arg(&tls.authority);
            }
            if self.http == Http::Two {
                connect.args(["--http", "2"]);
            }
            connect.args(self.options);
            let run = case.run(connect, self.folder, &server);
            run.map_err(|why| format!("{}: {why}", case.name))?;
            passed(tally, &self.title, case.name);
        }
        Ok(())
    }
}

impl Case {
    /// Runs the client in `folder`, and looks at both ends.
    pub(super) fn run(
        &self,
        mut connect: Command,
        folder: &Path,
        server: &Running,
    ) -> Result<(), String> {
        connect.arg("--json").current_dir(folder);
        let mut client = Running::start("connect", folder, &mut connect)?;
        let (status, lines) = client.finish(CHECK)?;
        if status.code() != Some(self.status) {
            return Err(client.complaint(&format!("ended with {status}, not {}", self.status)));
        }
        let events = events::parse(&lines, &events::OF_CONNECT)?;
        self.judge_events(&events)?;
        if self.peer_close.is_some() {
            let report = server.next_line(CHECK)?;
            self.judge_peer(&serde_json::from_str(&report).map_err(|error| error.to_string())?)?;
        }
        Ok(())
    }

    /// Our end of the story.
    fn judge_events(&self, events: &[Value]) -> Result<(), String> {
        let named = |name: &'static str| events.iter().filter(move |event| event["event"] == name);
        let mut wanted = self.received.clone();
        for message in named("message") {
            let at = wanted.iter().position(|(key, payload)| message[*key] == **payload);
            let at = at.ok_or_else(|| format!("unexpected message {}", start_of(message)))?;
            wanted.swap_remove(at);
        }
        if let Some((_, payload)) = wanted.first() {
            return Err(format!("no message {}", start_of(&json!(payload))));
        }
        if let Some(open) = named("open").next() {
            equal("the subprotocol", &open["subprotocol"], &json!(self.subprotocol))?;
            equal("the version here", &open["version"], &json!(self.version.0))?;
        }
        let close = named("close").next().unwrap_or(&Value::Null);
        equal("the close code here", &close["code"], &json!(self.close.map(|close| close.0)))?;
        if let Some((code, _)) = self.close {
            equal("a clean close here", &close["clean"], &json!(code != 1006))?;
        }
        match self.close {
            // An answer to our Close may repeat the reason or leave it out.
            Some((_, "")) | None => Ok(()),
            Some((_, reason)) => equal("the close reason here", &close["reason"], &json!(reason)),
        }
    }

    /// The peer's end of it.
    fn judge_peer(&self, report: &Value) -> Result<(), String> {
        equal("the peer's path", &report["path"], &json!(self.path))?;
        equal("the peer's version", &report["version"], &json!(self.version.1))?;
        equal("the peer's subprotocol", &report["subprotocol"], &json!(self.subprotocol))?;
        let close = self.peer_close.unwrap_or_default();
        equal("the close code there", &report["code"], &json!(close.0))?;
        if self.status == PEER_CLOSED {
            return Ok(());
        }
        equal("the close reason there", &report["reason"], &json!(close.1))
    }
}

fn equal(what: &str, got: &Value, wanted: &Value) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what} is {got}, not {wanted}")) }
}

/// Enough of a value to know it by.
fn start_of(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        Case::new("x", "/", &[]).text("a").text("b")
    }

    fn events(code: u16) -> Vec<Value> {
        vec![
            json!({ "event": "open", "subprotocol": null, "version": "rfc6455" }),
            json!({ "event": "message", "text": "b" }),
            json!({ "event": "message", "text": "a" }),
            json!({ "event": "close", "code": code, "reason": "", "clean": true }),
        ]
    }

    #[test]
    fn all_messages_and_the_code_pass() {
        assert_eq!(case().judge_events(&events(1000)), Ok(()));
    }

    #[test]
    fn each_difference_is_told() {
        let told = |events: &[Value]| case().judge_events(events).unwrap_err();
        assert_eq!(told(&events(1006)), "the close code here is 1006, not 1000");
        assert_eq!(told(&events(1000)[..2]), "no message \"a\"");
        let mut more = events(1000);
        more.push(json!({ "event": "message", "text": "c" }));
        assert!(told(&more).starts_with("unexpected message"));
        assert_eq!(told(&events(1000)[..3]), "the close code here is null, not 1000");
    }

    #[test]
    fn the_peer_is_asked_too() {
        let report =
            |code: u16| json!({ "path": "/", "subprotocol": null, "code": code, "reason": "" });
        assert_eq!(case().judge_peer(&report(1000)), Ok(()));
        assert!(case().judge_peer(&report(1006)).unwrap_err().contains("there is 1006"));
        let named = Case { version: ("hybi-08", Some("8")), ..case() };
        assert!(
            named.judge_peer(&report(1000)).unwrap_err().contains("version is null, not \"8\"")
        );
    }
}
