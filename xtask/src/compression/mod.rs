//! permessage-deflate between the program `hybi` and peers that others wrote, with every parameter
//! (RFC 7692 §7.1): each as client of `hybi serve` and, if it can be one, as server to `hybi connect`.
//!
//! Both ends compare what they exchange. What was agreed, which frames were compressed and how
//! many bytes they took is read off a tap between the two.

mod clients;
mod ends;
mod judge;
mod params;
mod payloads;
pub(crate) mod pywebsocket;
mod servers;
mod tap;
mod wire;

use std::thread;

use ends::Ends;
use judge::{Cost, Plan};
use params::Params;
use payloads::Payloads;

use crate::hybi::Hybi;
use crate::interop::{Kind, Peer};
use crate::outcome::{JobResult, Options, Tally};
use crate::workspace::Workspace;

/// What the client and the server of a connection want.
#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    client: Params,
    server: Params,
}

const fn row(name: &'static str, client: Params, server: Params) -> Row {
    Row { name, client, server }
}

const ANY: Params = params(false, false, None, None);
const NO_TAKEOVER: Params = params(true, true, None, None);

const fn bits(bits: u8) -> Params {
    params(false, false, Some(bits), Some(bits))
}

const fn params(
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<u8>,
) -> Params {
    Params {
        server_no_context_takeover,
        client_no_context_takeover,
        server_max_window_bits,
        client_max_window_bits,
    }
}

const ROWS: [Row; 11] = [
    row("no wishes", ANY, ANY),
    row("no takeover, as the client asks", NO_TAKEOVER, ANY),
    row("no takeover, as the server asks", ANY, NO_TAKEOVER),
    row("9 bits, as the client asks", bits(9), ANY),
    row("9 bits, as the server asks", ANY, bits(9)),
    row("10 bits, as the client asks", bits(10), ANY),
    row("10 bits, as the server asks", ANY, bits(10)),
    row("15 bits, as the client asks", bits(15), ANY),
    row("15 bits, as the server asks", ANY, bits(15)),
    row(
        "each limits the other",
        params(true, false, Some(10), None),
        params(false, true, None, Some(9)),
    ),
    row(
        "the server does without takeover and has 10 bits, the client has 9",
        ANY,
        params(true, false, Some(10), Some(9)),
    ),
];

/// The rows that a peer which is the client, and cannot choose its offer, can take part in.
fn rows(client: Kind) -> impl Iterator<Item = Row> {
    ROWS.into_iter().filter(move |row| client != Kind::Chromium || row.client == ANY)
}

/// The two connections of a row: one with whole messages, one with fragments from whoever can send
/// them. One carries text, the other binary messages; from row to row they change places.
fn plans(number: usize, row: Row, client: Kind) -> [Plan; 2] {
    let client_is_browser = client == Kind::Chromium;
    let fragments = (!client_is_browser, true);
    [(false, false), fragments].map(|fragments| Plan {
        client: row.client,
        server: row.server,
        binary: (fragments != (false, false)) == number.is_multiple_of(2),
        fragments,
        client_is_browser,
    })
}

/// What one group of checks works with.
struct Scene<'a> {
    peer: &'a Peer,
    ends: Ends<'a>,
}

/// What each connection cost, if all passed.
type Passed = Result<Vec<Cost>, String>;

/// What a group of checks is called: the peer as client, or as server.
fn title(peer: Kind, as_client: bool) -> String {
    let peer = peer.title();
    if as_client { format!("{peer} -> hybi serve") } else { format!("hybi connect -> {peer}") }
}

/// The connections with these peers, each row of each group.
fn plan(peers: impl IntoIterator<Item = Kind>) -> Tally {
    let mut tally = Tally::of("connections");
    for peer in peers {
        let connections: usize =
            rows(peer).enumerate().map(|(number, row)| plans(number, row, peer).len()).sum();
        tally = tally.plan(title(peer, true), connections);
        if peer != Kind::Chromium {
            tally = tally.plan(title(peer, false), connections);
        }
    }
    tally
}

pub(crate) fn run_job(workspace: &Workspace, options: &Options) -> JobResult {
    let mut tally = plan(Kind::wanted(options));
    let peers = Peer::wanted(workspace, options)?;
    let hybi = Hybi::build(workspace)?;
    workspace.empty_cache("compression")?;
    let payloads = Payloads::write(workspace.cache("compression/payloads")?, usize::MAX)?;
    let results: Vec<(String, Passed)> = thread::scope(|scope| {
        // One thread for each peer: an echo leaves one of its two ends idle.
        let threads: Vec<_> = peers
            .iter()
            .map(|peer| {
                let (hybi, payloads) = (&hybi, &payloads);
                let thread = scope.spawn(move || {
                    let folder = workspace.cache(&format!("compression/{}", peer.kind.name()))?;
                    let scene = Scene { peer, ends: Ends { hybi, payloads, folder: &folder } };
                    let mut groups = vec![(title(peer.kind, true), clients::check(&scene))];
                    if peer.kind != Kind::Chromium {
                        groups.push((title(peer.kind, false), servers::check(&scene)));
                    }
                    Ok::<_, String>(groups)
                });
                (peer.kind, thread)
            })
            .collect();
        let lost = |_| Err("a thread of this program panicked".to_owned());
        let joined = threads.into_iter().flat_map(|(kind, thread)| {
            let groups = thread.join().unwrap_or_else(lost);
            groups.unwrap_or_else(|why| vec![(title(kind, true), Err(why))])
        });
        joined.collect()
    });
    let mut total = Cost::default();
    for (title, passed) in results {
        let count = passed.map(|costs| {
            let count = costs.len();
            costs.into_iter().for_each(|cost| total += cost);
            count
        });
        tally.take(title, count);
    }
    println!("{} bytes on the wire for {}", total.wire, total.payload);
    Ok(tally.into())
}

/// Reports a row whose connections passed.
fn report(title: &str, row: &Row, connections: &[(Plan, Cost)]) {
    let connections = connections.iter().map(|(plan, cost)| {
        let kind = if plan.binary { "binary" } else { "text" };
        let fragments = if plan.fragments == (false, false) { "" } else { " in fragments" };
        format!("{kind}{fragments} {}%", cost.wire * 100 / cost.payload.max(1))
    });
    let connections = connections.collect::<Vec<_>>().join(", ");
    println!("ok     {title}: {}: on the wire {connections}", row.name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_takes_part_wherever_the_server_alone_decides() {
        assert_eq!(rows(Kind::Node).count(), ROWS.len());
        assert_eq!(rows(Kind::Chromium).count(), 6);
    }

    #[test]
    fn the_connections_are_planned_before_a_peer_is_asked_for() {
        let why = plan([Kind::Node, Kind::Chromium]).verdict().unwrap_err();
        assert_eq!(
            why,
            "Chromium -> hybi serve: 0 of 12 connections\n\
             Node ws -> hybi serve: 0 of 22 connections\n\
             hybi connect -> Node ws: 0 of 22 connections"
        );
        assert_eq!(plan([]).verdict(), Err("nothing was planned".into()));
    }

    #[test]
    fn text_and_binary_both_come_whole_and_in_fragments() {
        let mut seen: Vec<_> = (0..2)
            .flat_map(|number| plans(number, ROWS[0], Kind::Node))
            .map(|plan| (plan.binary, plan.fragments.0))
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, [(false, false), (false, true), (true, false), (true, true)]);
    }
}
