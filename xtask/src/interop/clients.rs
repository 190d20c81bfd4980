//! Peers as clients of `hybi serve`: what their scripts report, held against the access log.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::Command;

use hybi_suite::events;
use serde_json::Value;

use super::{Certificates, Http, Kind, Scene, failed, passed, title};
use crate::hybi::Hybi;
use crate::outcome::Tally;
use crate::process::Running;
use crate::workspace::read;

/// The longest any one check may take.
const CHECK: Duration = Duration::from_secs(60);

/// The checks that the script of each peer makes, each on every [way](super::ways).
pub(super) fn checks(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Python | Kind::Node => &[
            "text comes back",
            "empty text comes back",
            "binary comes back",
            "1 MiB comes back",
            "fragments come back as one message",
            "ping is answered",
            "the server's preferred subprotocol is agreed",
            "the client closes with code and reason",
            "the server closes with code and reason",
            "an unknown path is refused with 404",
            "a foreign origin is refused with 403",
            "a server that ends says 1001",
        ],
        Kind::Chromium => &[
            "text comes back",
            "binary comes back",
            "a file of 1 MiB comes back",
            "the server's preferred subprotocol is agreed",
            "the client closes with code and reason",
            "the server closes with code and reason",
            "an unknown path is refused with 404",
            "a foreign origin is refused with 403",
            "a server that ends says 1001",
        ],
    }
}

/// Runs the peer's script.
pub(super) fn check(scene: &Scene<'_>, tally: &mut Tally) {
    let title = title(scene.peer.kind.title(), "hybi serve", scene.tls.is_some(), scene.http);
    let options = options(scene.tls, scene.http);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let client = |url: &str| scene.peer.client(url, scene.tls, scene.http);
    count(
        tally,
        &title,
        reports(scene.hybi, scene.folder, &options, client, ("rfc6455", scene.http)),
    );
}

/// What `hybi serve` is told, for checks over TLS or not, in this version of HTTP.
pub(super) fn options(tls: Option<&Certificates>, http: Http) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let mut options = ["-s", "chat.v2", "-s", "chat.v1"].map(String::from).to_vec();
    if let Some(tls) = tls {
        options.extend(["--tls-cert".into(), path(&tls.certificate)]);
        options.extend(["--tls-key".into(), path(&tls.key)]);
    }
    if http == Http::Two {
        options.extend(["--http", "1.1,2"].map(String::from));
    }
    options
}

/// Counts the checks that a script made.
pub(super) fn count(tally: &mut Tally, title: &str, checks: Result<Vec<String>, String>) {
    match checks {
        Ok(checks) => checks.iter().for_each(|check| passed(tally, title, check)),
        Err(why) => failed(tally, title, &why),
    }
}

/// The names of the checks that a client's script made of `hybi serve`, once both ends agree on
/// each and on the versions.
pub(super) fn reports(
    hybi: &Hybi,
    folder: &Path,
    options: &[&str],
    client: impl FnOnce(&str) -> Command,
    versions: (&str, Http),
) -> Result<Vec<String>, String> {
    let access_log = folder.join("access.jsonl");
    if access_log.exists() {
        fs::remove_file(&access_log).map_err(|error| error.to_string())?;
    }
    let path = access_log.to_string_lossy();
    let logged = ["--access-log-format", "json", "--access-log", &path];
    let server = hybi.serve(folder, &[options, &logged].concat())?;
    let mut client = Running::start("client", folder, &mut client(&server.url))?;

    // The script's last check is that it sees the server go.
    let mut reports = Vec::new();
    loop {
        match client.next_line(CHECK)? {
            line if line == "waiting" => break,
            line => reports.push(line),
        }
    }
    server.terminate()?;
    let (status, rest) = client.finish(CHECK)?;
    if !status.success() {
        return Err(client.complaint(&status.to_string()));
    }
    server.finish()?;
    reports.extend(rest);

    let seen = events::parse(read(&access_log)?.lines(), &["access"])?;
    let names = reports.iter().map(|report| {
        let report: Value = serde_json::from_str(report)
            .map_err(|error| format!("the script said `{report}`: {error}"))?;
        let name = report["check"].as_str().unwrap_or("a check without a name");
        agrees(&report, &seen, versions).map_err(|why| format!("{name}: {why}"))?;
        Ok(name.to_owned())
    });
    names.collect()
}

/// Whether the server saw the connection of this report end in the same way, and with these versions.
fn agrees(report: &Value, seen: &[Value], (version, http): (&str, Http)) -> Result<(), String> {
    let target = &report["target"];
    let Some(entry) = seen.iter().find(|entry| entry["target"] == *target) else {
        return Err(format!("the access log has no entry for {target}"));
    };
    // A refused handshake has a status but no code, at either end.
    let refused = !report["status"].is_null();
    let key = if refused { "status" } else { "code" };
    let same = !report[key].is_null() && entry[key] == report[key];
    let http = report["http"].as_str().unwrap_or_else(|| http.name());
    if entry["http"] != http {
        return Err(format!("the server was not asked over HTTP/{http}: {entry}"));
    }
    // 1006 is no code that was sent but the word for an end without a close.
    let clean = entry["clean"] == (report["code"] != 1006) && entry["version"] == version;
    if same && (refused || clean) {
        return Ok(());
    }
    Err(format!("the peer saw {key} {} of {version}, the server {entry}", report[key]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const VERSIONS: (&str, Http) = ("hybi-08", Http::Two);

    #[test]
    fn both_ends_must_tell_the_same_story() {
        let report = |key: &str, value: Value| json!({ "target": "/echo?check=1", key: value });
        let agrees = |report: &Value, entry: Value| {
            let mut entry = entry;
            entry["target"] = json!("/echo?check=1");
            entry["version"] = json!("hybi-08");
            entry["http"] = json!("2");
            agrees(report, &[json!({ "target": "/echo?check=2" }), entry], VERSIONS).is_ok()
        };
        let closed = report("code", json!(1000));
        assert!(agrees(&closed, json!({ "code": 1000, "clean": true })));
        assert!(!agrees(&closed, json!({ "code": 1000, "clean": false })));
        assert!(!agrees(&closed, json!({ "code": 1006, "clean": true })));
        assert!(!agrees(&closed, json!({ "status": 403 })));
        assert!(agrees(&report("code", json!(1006)), json!({ "code": 1006, "clean": false })));
        let refused = report("status", json!(403));
        assert!(agrees(&refused, json!({ "status": 403 })));
        assert!(!agrees(&refused, json!({ "status": 101 })));
        assert!(!agrees(&report("code", Value::Null), json!({ "clean": true })));
        let entry = json!({ "target": "/echo?check=1", "code": 1000, "clean": true, "http": "2" });
        assert!(super::agrees(&closed, &[entry], VERSIONS).is_err(), "the version is not named");
        let mut entry = json!({ "target": "/echo?check=1", "code": 1000, "clean": true });
        entry["version"] = json!("hybi-08");
        entry["http"] = json!("1.1");
        assert!(super::agrees(&closed, &[entry.clone()], VERSIONS).is_err(), "another way");
        let closed = json!({ "target": "/echo?check=1", "code": 1000, "http": "1.1" });
        assert_eq!(super::agrees(&closed, &[entry], VERSIONS), Ok(()), "the only way");
        assert!(super::agrees(&closed, &[], VERSIONS).is_err());
    }
}
