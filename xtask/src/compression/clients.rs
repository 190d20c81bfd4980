//! Peers as clients of `hybi serve --ext`.

use serde_json::{Value, json};

use super::ends::CONNECTION;
use super::params::NAME;
use super::{Passed, Scene, plans, report, rows, title};
use crate::interop::Kind;
use crate::process::Running;

/// Starts a server for each row and lets the peer's script connect twice to each.
pub(super) fn check(scene: &Scene<'_>) -> Passed {
    let title = title(scene.peer.kind, true);
    checked(scene, &title).map_err(|why| format!("{title}: {why}"))
}

fn checked(scene: &Scene<'_>, title: &str) -> Passed {
    let mut stages = Vec::new();
    let mut jobs = Vec::new();
    for (number, row) in rows(scene.peer.kind).enumerate() {
        let options = ["--ext", &row.server.to_string()];
        let serving = scene.ends.serve(&format!("serve-{number}"), &options)?;
        let plans = plans(number, row, scene.peer.kind);
        for plan in plans {
            jobs.push(json!({
                "url": format!("{}{}", serving.tap.url(), serving.echo(plan.fragments.1)),
                "parameters": row.client.json(),
                "binary": plan.binary,
                "fragments": plan.fragments.0,
            }));
        }
        stages.push((row, plans, serving));
    }

    let mut script = scene.peer.script(match scene.peer.kind {
        Kind::Chromium => "deflate_browser.py",
        Kind::Node => "deflate_client.mjs",
        Kind::Python => "deflate_client.py",
    });
    let page = stages.first().filter(|_| scene.peer.kind == Kind::Chromium);
    script.args(page.map(|(.., serving)| format!("http://{}/", serving.tap.address)));
    script.arg(&scene.ends.payloads.folder).arg(Value::Array(jobs).to_string());
    let mut client = Running::start("client", scene.ends.folder, &mut script)?;
    let mut costs = Vec::new();
    for (row, plans, serving) in &stages {
        let mut passed = Vec::new();
        for plan in plans {
            let named = |why| format!("{}: {plan:?}: {why}", row.name);
            client.next_line(CONNECTION).map_err(named)?;
            let connection = serving.tap.next(CONNECTION).map_err(named)?;
            let cost = plan.judge(&connection, scene.ends.payloads).map_err(named)?;
            passed.push((*plan, cost));
        }
        report(title, row, &passed);
        costs.extend(passed.iter().map(|(_, cost)| *cost));
    }
    let (status, _) = client.finish(CONNECTION)?;
    if !status.success() {
        return Err(client.complaint(&status.to_string()));
    }
    for (row, plans, serving) in stages {
        serving.finish(plans.len(), NAME).map_err(|why| format!("{}: {why}", row.name))?;
    }
    Ok(costs)
}
