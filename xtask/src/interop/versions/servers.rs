//! Peers as servers to `hybi connect -p`: what both ends say of messages, pings and closes.

use std::path::Path;

use super::peers::Peer;
use super::{End, Ends, Server, Slip, end_of};
use crate::hybi::{BROKEN_REPLY, PEER_CLOSED};
use crate::interop::servers::{Case, START, UNIT, UNIT_BASE64};
use crate::interop::{failed, passed};
use crate::outcome::Tally;
use crate::process::Running;
use crate::workspace::write;

/// Every version names the origin in its own way, and two of the documents demand one.
const ORIGIN: &str = "http://interop.test";

const GREETING: &str = "Grüße, 世界 👋";

/// The texts, by the names of their files, on both sides of the lengths that framings tell in
/// different ways, and one of 200 KiB.
fn texts() -> [(&'static str, String); 8] {
    [
        ("hello", String::from("hello")),
        ("empty", String::new()),
        ("greeting", GREETING.to_owned()),
        ("125", "x".repeat(125)),
        ("126", "x".repeat(126)),
        ("65535", "x".repeat(65_535)),
        ("65536", "x".repeat(65_536)),
        ("200k", GREETING.repeat((200 << 10) / GREETING.len() + 1)),
    ]
}

/// The same for binary messages, in units whose base64 is known.
const BINARY: [(&str, usize); 5] =
    [("0b", 0), ("126b", 42), ("65535b", 21_845), ("65538b", 21_846), ("200kb", 68_267)];

/// Writes the files that the cases send.
pub(super) fn write_payloads(folder: &Path) -> Result<(), String> {
    for (name, text) in texts() {
        write(&folder.join(name), &text)?;
    }
    for (name, units) in BINARY {
        std::fs::write(folder.join(name), UNIT.repeat(units)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Runs the cases that the version has, up to the first that fails.
pub(super) fn check(server: &Server, peer: &Peer<'_>, ends: Ends<'_>, tally: &mut Tally) {
    if let Err(why) = checked(server, peer, ends, tally) {
        failed(tally, &server.title(), &why);
    }
}

fn checked(
    server: &Server,
    peer: &Peer<'_>,
    ends: Ends<'_>,
    tally: &mut Tally,
) -> Result<(), String> {
    let tls = server.tls.then_some(ends.certificates);
    let running = Running::start("server", ends.folder, &mut peer.server(tls))?;
    let url = running.line_after("listening ", START)?;
    for case in &server.cases() {
        let mut connect = ends.hybi.connect(&format!("{url}{}", case.path), case.options);
        connect.args(["-p", server.version, "--origin", ORIGIN]);
        connect.args(tls.iter().flat_map(|tls| ["--tls-ca".as_ref(), tls.authority.as_os_str()]));
        connect.args(server.header.iter().flat_map(|value| ["--version-header", value]));
        let run = case.run(connect, ends.folder, &running);
        run.map_err(|why| format!("{}: {why}", case.name))?;
        passed(tally, &server.title(), case.name);
    }
    Ok(())
}

impl Server {
    pub(super) fn cases(&self) -> Vec<Case> {
        let end = end_of(self.version);
        let case = |name, path, options| Case {
            version: (self.version, Some(self.there)),
            close: Some((if end == End::Code { 1000 } else { 1005 }, "")),
            peer_close: Some(match end {
                End::Code => (1000, ""),
                _ if self.slip == Some(Slip::NoClose) => (1006, ""),
                _ => (1005, ""),
            }),
            ..Case::new(name, path, options)
        };
        if self.slip == Some(Slip::OtherStatusLine) {
            let options = &["-m", "x"];
            return vec![
                case("a response of hixie-76 is refused", "/", options).refused(BROKEN_REPLY),
            ];
        }

        let mut cases = vec![
            texts()
                .iter()
                .fold(case("text of every length comes back", "/", &TEXT), |case, (_, text)| {
                    case.text(text)
                }),
        ];
        if matches!(end, End::Frame | End::Code) {
            cases.push(BINARY.iter().fold(
                case("binary of every length comes back", "/", &BINARIES),
                |case, (_, units)| case.base64(&UNIT_BASE64.repeat(*units)),
            ));
            // Not in more: em-websocket 0.5.1 forgets in 05 and 06 what a message is when its
            // second of three fragments comes.
            let options = &["-f", "65536", "--fragment", "40000", "-n", "1"];
            cases.push(
                case("two fragments are one message", "/", options).text(&"x".repeat(65_536)),
            );
            let options = &["-m", "x", "-n", "2"];
            cases.push(case("its ping is answered", "/ping", options).text("answered").text("x"));
            let options = &["-m", "x", "-n", "2", "--ping-interval", "20ms"];
            cases.push(case("our ping is seen", "/pinged", options).text("pinged").text("x"));
        }
        if self.subprotocol {
            let options = &["-s", "chat", "-m", "x", "-n", "1"];
            cases.push(Case {
                subprotocol: Some("chat"),
                ..case("a subprotocol is agreed", "/", options).text("x")
            });
        }
        if end == End::Code {
            let options = &["-m", "x", "-n", "1", "--close", "4003:bye, then"];
            let name = "the client closes with code and reason";
            cases.push(Case {
                close: Some((4003, "")),
                peer_close: Some((4003, "bye, then")),
                ..case(name, "/", options).text("x")
            });
        }
        // Nor does it end TLS: without a close_notify alert (RFC 8446 §6.1) nobody knows who did.
        let lost = self.slip == Some(Slip::NoClose) && (end == End::Bytes || self.tls);
        let last = case("the server closes", "/close", &["--echo"]);
        cases.push(match end {
            End::Code => Case {
                status: PEER_CLOSED,
                close: Some((4004, "server says so")),
                peer_close: Some((4004, "")),
                ..last
            },
            _ if lost => Case { status: PEER_CLOSED, close: None, ..last },
            _ => last,
        });
        cases
    }
}

const TEXT: [&str; 18] = [
    "-f", "hello", "-f", "empty", "-f", "greeting", "-f", "125", "-f", "126", "-f", "65535", "-f",
    "65536", "-f", "200k", "-n", "8",
];
const BINARIES: [&str; 13] =
    ["-b", "-f", "0b", "-f", "126b", "-f", "65535b", "-f", "65538b", "-f", "200kb", "-n", "5"];
