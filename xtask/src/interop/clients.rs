//! Peers as clients of `hybi serve`: what their scripts report, held against the access log.

use core::time::Duration;
use std::fs;

use serde_json::Value;

use super::Scene;
use crate::process::Running;
use crate::workspace::read;

/// The longest any one check may take.
const CHECK: Duration = Duration::from_secs(60);

/// Runs the peer's script; the number of checks that passed.
pub(super) fn check(scene: &Scene<'_>) -> Result<usize, String> {
    let title = scene.title(scene.peer.kind.title(), "hybi serve");
    checked(scene, &title).map_err(|why| format!("{title}: {why}"))
}

fn checked(scene: &Scene<'_>, title: &str) -> Result<usize, String> {
    let access_log = scene.folder.join("access.jsonl");
    if access_log.exists() {
        fs::remove_file(&access_log).map_err(|error| error.to_string())?;
    }
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let mut options = ["-s", "chat.v2", "-s", "chat.v1", "--access-log-format", "json"]
        .map(String::from)
        .to_vec();
    options.extend([String::from("--access-log"), path(&access_log)]);
    if let Some(tls) = scene.tls {
        options.extend(["--tls-cert".into(), path(&tls.certificate)]);
        options.extend(["--tls-key".into(), path(&tls.key)]);
    }
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let server = scene.hybi.serve(scene.folder, &options)?;
    let mut client =
        Running::start("client", scene.folder, &mut scene.peer.client(&server.url, scene.tls))?;

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

    let log = read(&access_log)?;
    let seen: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for report in &reports {
        let report: Value = serde_json::from_str(report)
            .map_err(|error| format!("the script said `{report}`: {error}"))?;
        let name = report["check"].as_str().unwrap_or("a check without a name");
        agrees(&report, &seen).map_err(|why| format!("{name}: {why}"))?;
        Scene::passed(title, name);
    }
    if reports.is_empty() { Err("no check was made".into()) } else { Ok(reports.len()) }
}

/// Whether the server saw the connection of this report end in the same way.
fn agrees(report: &Value, seen: &[Value]) -> Result<(), String> {
    let target = &report["target"];
    let Some(entry) = seen.iter().find(|entry| entry["target"] == *target) else {
        return Err(format!("the access log has no entry for {target}"));
    };
    // A refused handshake has a status but no code, at either end.
    let (key, clean) = if report["status"].is_null() { ("code", true) } else { ("status", false) };
    if report[key].is_null() || entry[key] != report[key] || (clean && entry["clean"] != true) {
        return Err(format!("the peer saw {key} {}, the server {entry}", report[key]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_ends_must_tell_the_same_story() {
        let report = |key: &str, value: Value| json!({ "target": "/echo?check=1", key: value });
        let entry = |value: Value| {
            let mut entry = value;
            entry["target"] = json!("/echo?check=1");
            [json!({ "target": "/echo?check=2" }), entry]
        };
        let closed = report("code", json!(1000));
        assert_eq!(agrees(&closed, &entry(json!({ "code": 1000, "clean": true }))), Ok(()));
        assert!(agrees(&closed, &entry(json!({ "code": 1000, "clean": false }))).is_err());
        assert!(agrees(&closed, &entry(json!({ "code": 1006, "clean": true }))).is_err());
        assert!(agrees(&closed, &entry(json!({ "status": 403 }))).is_err());
        assert!(agrees(&closed, &[]).is_err());
        let refused = report("status", json!(403));
        assert_eq!(agrees(&refused, &entry(json!({ "status": 403 }))), Ok(()));
        assert!(agrees(&refused, &entry(json!({ "status": 101 }))).is_err());
        assert!(agrees(&report("code", Value::Null), &entry(json!({ "clean": true }))).is_err());
    }
}
