//! Multiplexing with pywebsocket 0.7.9, the one other implementation that is still to be had: its server with a client
//! of ours, the program `channels` of `trials/`, and the client of its end-to-end test with `hybi serve --ext mux`.

use core::time::Duration;
use std::path::Path;
use std::process::Command;

use hybi_suite::events;
use serde_json::Value;

use crate::cargo::cargo;
use crate::hybi::Hybi;
use crate::outcome::Tally;
use crate::process::{Running, command, run};
use crate::pywebsocket::Pywebsocket;
use crate::workspace::read;

/// What a group of checks is called in the lines of the program that makes them, and how many it has.
type Groups = &'static [(&'static str, usize)];

const AS_SERVER: &str = "channels -> pywebsocket";
const OF_SERVER: Groups = &[("identity", 8), ("delta", 8), ("difference", 6)];

const AS_CLIENT: &str = "pywebsocket's MuxClient -> hybi serve";
const OF_CLIENT: Groups =
    &[("its own", 1), ("identity", 5), ("delta", 5), ("policy", 1), ("difference", 2)];

/// What `hybi serve` grants on each channel, in octets: a tenth of the longest message.
const QUOTA: &str = "4096";

/// What the access log has of that client: channels that were accepted, those of them that were closed in order,
/// and those that were refused. Not closed in order are those that are dropped, or end with their connection.
const CHANNELS: (usize, usize, usize) = (28, 20, 3);
const LOG: &str = "the access log";

const START: Duration = Duration::from_secs(30);
const CHECK: Duration = Duration::from_secs(120);

/// Adds these checks to those of others.
pub(crate) fn plan(mut tally: Tally) -> Tally {
    for (title, groups) in [(AS_SERVER, OF_SERVER), (AS_CLIENT, OF_CLIENT)] {
        for (name, count) in groups {
            tally = tally.plan(format!("{title}: {name}"), *count);
        }
    }
    let (accepted, _, refused) = CHANNELS;
    tally.plan(format!("{AS_CLIENT}: {LOG}"), accepted + refused)
}

/// Runs what was planned, with what is written in `folder`.
pub(crate) fn check(pywebsocket: &Pywebsocket<'_>, hybi: &Hybi, folder: &Path, tally: &mut Tally) {
    if let Err(why) = as_server(pywebsocket, folder, tally) {
        tally.fail(format!("{AS_SERVER}: {why}"));
    }
    if let Err(why) = as_client(pywebsocket, hybi, folder, tally) {
        tally.fail(format!("{AS_CLIENT}: {why}"));
    }
}

fn as_server(
    pywebsocket: &Pywebsocket<'_>,
    folder: &Path,
    tally: &mut Tally,
) -> Result<(), String> {
    let workspace = pywebsocket.workspace;
    run(cargo(workspace).args(["build", "-p", "hybi-trials", "--bin", "channels"]))?;
    let server = Running::start("mux-server", folder, &mut pywebsocket.script("server.py"))?;
    let url = server.line_after("listening ", START)?;
    let mut channels = command(workspace.target.join("debug/channels"));
    judge("channels", folder, channels.arg(url), AS_SERVER, tally)
}

fn as_client(
    pywebsocket: &Pywebsocket<'_>,
    hybi: &Hybi,
    folder: &Path,
    tally: &mut Tally,
) -> Result<(), String> {
    let mux = format!("permessage-deflate, mux; token=mux_DO_NOT_USE; quota={QUOTA}");
    let log = folder.join("mux-access.jsonl");
    let options = ["--ext", &mux, "--origin", "http://localhost", "--access-log-format", "json"];
    let path = log.to_string_lossy();
    let server = hybi.serve(folder, &[&options[..], &["--access-log", &path]].concat())?;
    let address = server.url.strip_prefix("ws://").ok_or("a URL of another kind")?;
    let mut script = pywebsocket.script_of_tests("mux_client.py")?;
    judge("mux-client", folder, script.arg(address).arg(QUOTA), AS_CLIENT, tally)?;
    server.terminate()?;
    server.finish()?;

    let entries = events::parse(read(&log)?.lines(), &["access"])?;
    let count = |is: &dyn Fn(&Value) -> bool| entries.iter().filter(|entry| is(entry)).count();
    let accepted = count(&|entry| entry["status"] == 101);
    let refused = count(&|entry| entry["status"] == 404 || entry["status"] == 403);
    let found = (accepted, count(&|entry| entry["clean"] == true), refused);
    if found != CHANNELS {
        return Err(format!("accepted, closed in order and refused are {found:?} channels"));
    }
    tally.add(format!("{AS_CLIENT}: {LOG}"), entries.len());
    Ok(())
}

/// Runs a program that judges a peer, and counts the checks of each group that passed.
fn judge(
    name: &str,
    folder: &Path,
    program: &mut Command,
    title: &str,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut running = Running::start(name, folder, program)?;
    let (status, lines) = running.finish(CHECK)?;
    for line in &lines {
        let Some(check) = line.strip_prefix("ok: ") else {
            println!("{title}: {line}");
            continue;
        };
        println!("ok     {title}: {check}");
        if let Some((group, _)) = check.split_once(": ") {
            tally.add(format!("{title}: {group}"), 1);
        }
    }
    if status.success() { Ok(()) } else { Err(running.complaint(&status.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_left_out_fails() {
        let planned = || plan(Tally::of("checks"));
        let complete = |left_out: &str| {
            let mut tally = planned();
            for (title, groups) in [(AS_SERVER, OF_SERVER), (AS_CLIENT, OF_CLIENT)] {
                for (name, count) in groups {
                    tally.add(format!("{title}: {name}"), count - usize::from(*name == left_out));
                }
            }
            tally.did(format!("{AS_CLIENT}: {LOG}"), CHANNELS.0 + CHANNELS.2).verdict()
        };
        assert_eq!(complete(""), Ok("67 checks".into()));
        assert!(complete("difference").is_err_and(|why| why.contains("difference: 5 of 6 checks")));
        assert!(planned().verdict().is_err());
    }
}
