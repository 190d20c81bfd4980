//! Peers as servers to `hybi connect --ext`.

use core::time::Duration;

use serde_json::Value;

use super::ends::CONNECTION;
use super::params::NAME;
use super::tap::Tap;
use super::{Passed, Scene, plans, report, rows, title};
use crate::interop::Kind;
use crate::process::Running;

const START: Duration = Duration::from_secs(30);

/// Starts one echo of the peer for each row, with a tap before it, and connects twice to each.
pub(super) fn check(scene: &Scene<'_>) -> Passed {
    let title = title(scene.peer.kind, false);
    checked(scene, &title).map_err(|why| format!("{title}: {why}"))
}

fn checked(scene: &Scene<'_>, title: &str) -> Passed {
    let mut script = scene.peer.script(match scene.peer.kind {
        Kind::Node => "deflate_server.mjs",
        Kind::Chromium | Kind::Python => "deflate_server.py",
    });
    let parameters: Vec<_> = rows(scene.peer.kind).map(|row| row.server.json()).collect();
    script.arg(Value::Array(parameters).to_string());
    let server = Running::start("server", scene.ends.folder, &mut script)?;
    let mut costs = Vec::new();
    for (number, row) in rows(scene.peer.kind).enumerate() {
        let tap = Tap::start(&server.line_after("listening ", START)?)?;
        let mut passed = Vec::new();
        for plan in plans(number, row, scene.peer.kind) {
            let named = |why| format!("{}: {plan:?}: {why}", row.name);
            let url = tap.url() + if plan.fragments.1 { "/fragments" } else { "/" };
            let options = ["--ext", &row.client.offer()];
            let how = (plan.binary, plan.fragments.0);
            scene.ends.connect(&url, &options, how, Some(NAME)).map_err(named)?;
            let connection = tap.next(CONNECTION).map_err(named)?;
            let cost = plan.judge(&connection, scene.ends.payloads).map_err(named)?;
            passed.push((plan, cost));
        }
        report(title, &row, &passed);
        costs.extend(passed.iter().map(|(_, cost)| *cost));
    }
    Ok(costs)
}
