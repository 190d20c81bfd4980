//! The two ends that are ours: `hybi serve` behind a tap, and `hybi connect`, each with what it
//! says about the messages that it exchanged.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use hybi_suite::events;
use serde_json::Value;

use super::payloads::Payloads;
use super::tap::Tap;
use crate::hybi::{Hybi, Server};
use crate::process::Running;
use crate::workspace::read;

/// The longest any one connection may take.
pub(super) const CONNECTION: Duration = Duration::from_secs(60);

/// Frames that `hybi` cuts messages into; 4 MiB of them stay below the 4,096 fragments that
/// Python `websockets` takes.
const FRAGMENT: &str = "2039";

/// What both ends work with.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) hybi: &'a Hybi,
    pub(super) payloads: &'a Payloads,
    /// Where logs go.
    pub(super) folder: &'a Path,
}

/// A running `hybi serve` and the tap before it.
pub(super) struct Serving {
    server: Server,
    pub(super) tap: Tap,
    log: PathBuf,
    messages: usize,
}

impl Ends<'_> {
    /// A server of pages of every origin; `name` is that of its folder.
    pub(super) fn serve(&self, name: &str, options: &[&str]) -> Result<Serving, String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let log = folder.join("access.jsonl");
        let path = log.to_string_lossy();
        let own = ["--origin", "*", "--access-log-format", "json", "--access-log", &path];
        let server = self.hybi.serve(&folder, &[options, &own].concat())?;
        let tap = Tap::start(&server.url)?;
        Ok(Serving { server, tap, log, messages: self.payloads.all.len() })
    }

    /// Sends all messages to an echo, cut into fragments if `cut`, and wants them back; `extension`
    /// must be in use.
    pub(super) fn connect(
        &self,
        url: &str,
        options: &[&str],
        (binary, cut): (bool, bool),
        extension: Option<&str>,
    ) -> Result<(), String> {
        let payloads = &self.payloads.all;
        let count = payloads.len().to_string();
        let mut own = vec!["--json", "--count", &count];
        own.extend(binary.then_some("--binary"));
        if cut {
            own.extend(["--fragment", FRAGMENT]);
        }
        let mut connect = self.hybi.connect(url, &[options, &own].concat());
        for file in self.payloads.files() {
            connect.arg("--file").arg(file);
        }
        let mut client = Running::start("connect", self.folder, &mut connect)?;
        let (status, lines) = client.finish(CONNECTION)?;
        if !status.success() {
            return Err(client.complaint(&status.to_string()));
        }
        let events = events::parse(&lines, &events::OF_CONNECT)?;
        let mut echoes = payloads.iter();
        for event in events {
            if event["event"] == "open" {
                says(&event, extension)?;
            } else if event["event"] == "message" {
                let wanted = echoes.next().ok_or("one message too many")?;
                if !is_echo(&event, wanted, binary) {
                    return Err(format!("a message of {} came back different", wanted.len()));
                }
            }
        }
        if echoes.len() == 0 { Ok(()) } else { Err(format!("{} echoes missing", echoes.len())) }
    }
}

impl Serving {
    /// The address of the tap and the path of an echo, which cuts what it sends if `cut`.
    pub(super) fn echo(&self, cut: bool) -> String {
        let query = if cut { format!("?fragment={FRAGMENT}") } else { String::new() };
        format!("/echo{query}")
    }

    /// Ends the server. It must have seen this many connections, each with all messages, a clean
    /// end, and `extension` in use.
    pub(super) fn finish(self, connections: usize, extension: &str) -> Result<(), String> {
        self.server.terminate()?;
        self.server.finish()?;
        let log = read(&self.log)?;
        let mut entries = events::parse(log.lines(), &["access"])?;
        entries.retain(|entry| entry["status"] == 101);
        if entries.len() != connections {
            return Err(format!(
                "{} connections in the access log, not {connections}",
                entries.len()
            ));
        }
        for entry in &entries {
            says(entry, Some(extension))?;
            let whole = entry["messages_in"] == self.messages
                && entry["messages_out"] == self.messages
                && entry["code"] == 1000
                && entry["clean"] == true;
            if !whole {
                return Err(format!("the access log has {entry}"));
            }
        }
        Ok(())
    }
}

/// Whether the event names this extension, or none.
fn says(event: &Value, extension: Option<&str>) -> Result<(), String> {
    let said = &event["extensions"];
    let first = said[0].as_str().unwrap_or_default();
    let name = first.split(';').next().unwrap_or_default().trim();
    if name == extension.unwrap_or_default() {
        Ok(())
    } else {
        Err(format!("hybi says it uses {said}, not {}", extension.unwrap_or("none")))
    }
}

fn is_echo(event: &Value, wanted: &str, binary: bool) -> bool {
    if binary { event["base64"] == base64(wanted.as_bytes()) } else { event["text"] == *wanted }
}

/// As `hybi connect --json` writes binary messages (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).flat_map(|group| {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let length = group.len();
        let digit = move |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) & 63]);
        (0..4).map(move |at| if at <= length { digit(at) } else { '=' })
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_echo_is_known_in_both_forms() {
        let encoded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
        assert!(is_echo(&json!({ "base64": "Zm8=" }), "fo", true));
        assert!(is_echo(&json!({ "text": "fo" }), "fo", false));
        assert!(!is_echo(&json!({ "text": "fo" }), "fo", true));
        assert!(!is_echo(&json!({ "text": "fO" }), "fo", false));
    }

    #[test]
    fn an_extension_is_known_by_its_name() {
        let event = json!({ "extensions": ["deflate-frame; max_window_bits=9"] });
        assert_eq!(says(&event, Some("deflate-frame")), Ok(()));
        assert!(says(&event, Some("permessage-deflate")).is_err());
        assert!(says(&event, None).is_err());
        assert_eq!(says(&json!({ "event": "open" }), None), Ok(()));
    }
}
