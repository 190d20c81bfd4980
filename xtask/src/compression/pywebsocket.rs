//! The deprecated compression extensions with pywebsocket 0.7.9, in which they were tried out when
//! they were drafts: as server to `hybi connect` and as client of `hybi serve`.

use core::time::Duration;
use std::path::Path;

use serde_json::{Value, json};

use super::ends::{CONNECTION, Ends};
use super::judge::{Cost, Direction, both};
use super::payloads::Payloads;
use super::tap::{Connection, Tap};
use crate::hybi::Hybi;
use crate::outcome::Tally;
use crate::process::Running;
use crate::pywebsocket::Pywebsocket;

const START: Duration = Duration::from_secs(30);

/// It unmasks byte by byte in Python.
const LARGEST: usize = (1 << 16) + 1;

/// One negotiation, which both servers must answer alike.
#[derive(Clone, Copy, Debug)]
struct Case {
    version: Version,
    offer: &'static str,
    /// Whether the server demands a window of 9 bits and no takeover of the client.
    limit: bool,
    answer: &'static str,
    unit: Unit,
    /// Whether the server has takeover, and its window.
    down: (bool, u8),
}

#[derive(Clone, Copy, Debug)]
enum Version {
    Rfc6455,
    Hybi08,
}

impl Version {
    const fn name(self) -> &'static str {
        match self {
            Self::Rfc6455 => "rfc6455",
            Self::Hybi08 => "hybi-08",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Rfc6455 => 13,
            Self::Hybi08 => 8,
        }
    }
}

/// What is compressed as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Message,
    Frame,
    Stream,
}

const fn case(offer: &'static str, answer: &'static str, unit: Unit) -> Case {
    Case { version: Version::Rfc6455, offer, limit: false, answer, unit, down: (true, 15) }
}

/// With `limit`, or with a server that is limited to 10 bits and has no takeover.
impl Case {
    const fn limits_client(self) -> Self {
        Self { limit: true, ..self }
    }

    const fn limits_server(self) -> Self {
        Self { down: (false, 10), ..self }
    }

    const fn version_8(self) -> Self {
        Self { version: Version::Hybi08, ..self }
    }
}

const CASES: [Case; 13] = [
    case("deflate-frame", "deflate-frame", Unit::Frame),
    case("deflate-frame; max_window_bits=10; no_context_takeover", "deflate-frame", Unit::Frame)
        .limits_server(),
    case("deflate-frame", "deflate-frame; max_window_bits=9; no_context_takeover", Unit::Frame)
        .limits_client(),
    case("x-webkit-deflate-frame", "x-webkit-deflate-frame", Unit::Frame),
    case("perframe-compress; method=deflate", "perframe-compress; method=deflate", Unit::Frame),
    case(
        "perframe-compress; method=\"deflate; max_window_bits=10; no_context_takeover\"",
        "perframe-compress; method=deflate",
        Unit::Frame,
    )
    .limits_server(),
    case(
        "perframe-compress; method=deflate",
        "perframe-compress; method=\"deflate; max_window_bits=9; no_context_takeover\"",
        Unit::Frame,
    )
    .limits_client(),
    case(
        "permessage-compress; method=deflate",
        "permessage-compress; method=deflate",
        Unit::Message,
    ),
    case(
        "permessage-compress; method=\"deflate; s2c_max_window_bits=10; s2c_no_context_takeover\"",
        "permessage-compress; method=\"deflate; s2c_max_window_bits=10; s2c_no_context_takeover\"",
        Unit::Message,
    )
    .limits_server(),
    case(
        "permessage-compress; method=deflate",
        "permessage-compress; method=\"deflate; c2s_max_window_bits=9; c2s_no_context_takeover\"",
        Unit::Message,
    )
    .limits_client(),
    case(
        "x-webkit-permessage-compress; method=deflate",
        "x-webkit-permessage-compress; method=deflate",
        Unit::Message,
    ),
    case("deflate-frame", "deflate-frame", Unit::Frame).version_8(),
    case("deflate-stream", "deflate-stream", Unit::Stream).version_8(),
];

const AS_SERVER: &str = "hybi connect -> pywebsocket";
const AS_CLIENT: &str = "pywebsocket -> hybi serve";
/// Text as a whole, binary messages in fragments.
const CONNECTIONS: [bool; 2] = [false, true];

/// The connections of each case, and one more to a server that does not know permessage-deflate.
pub(crate) fn plan() -> Tally {
    let count = CASES.len() * CONNECTIONS.len();
    Tally::of("checks").plan(AS_SERVER, count + 1).plan(AS_CLIENT, count)
}

/// Runs what was planned, with what is written in `folder`.
pub(crate) fn check(
    pywebsocket: &Pywebsocket<'_>,
    hybi: &Hybi,
    folder: &Path,
    tally: &mut Tally,
) -> Result<(), String> {
    let payloads = pywebsocket.workspace.empty_cache("pywebsocket/payloads")?;
    let payloads = Payloads::write(payloads, LARGEST)?;
    let ends = Ends { hybi, payloads: &payloads, folder };
    tally.take(AS_SERVER, as_server(pywebsocket, ends));
    tally.take(AS_CLIENT, as_client(pywebsocket, ends));
    Ok(())
}

/// pywebsocket echoes to `hybi connect`; how many connections passed.
fn as_server(pywebsocket: &Pywebsocket<'_>, ends: Ends<'_>) -> Result<usize, String> {
    let title = AS_SERVER;
    let mut passed = 0;
    let server = Running::start("server", ends.folder, &mut pywebsocket.script("server.py"))?;
    let tap = Tap::start(&server.line_after("listening ", START)?)?;
    for case in &CASES {
        let mut costs = Vec::new();
        for fragments in CONNECTIONS {
            let named = |why| format!("{title}: {case:?}, fragments {fragments}: {why}");
            let cut = case.peer_fragments(fragments, case.down.0);
            let limit = if case.limit { "&limit" } else { "" };
            let path = format!("/echo?{}{limit}", if cut { "fragments" } else { "" });
            let options = ["-p", case.version.name(), "--ext", case.offer];
            let url = tap.url() + &path;
            ends.connect(&url, &options, (fragments, fragments), Some(case.name()))
                .map_err(named)?;
            let connection = tap.next(CONNECTION).map_err(named)?;
            let cut = (fragments, cut);
            costs.push(case.judge(&connection, ends.payloads, cut).map_err(named)?);
        }
        case.report(title, &costs);
        passed += costs.len();
    }
    // permessage-deflate got its name in 2013, after this release: it passes over an offer.
    let plain = ends.connect(&(tap.url() + "/echo"), &[], (false, false), None);
    let connection = plain.and_then(|()| tap.next(CONNECTION));
    let connection = connection.map_err(|why| format!("{title}: permessage-deflate: {why}"))?;
    if connection.offered() != "permessage-deflate; client_max_window_bits" {
        return Err(format!("{title}: the offer by default is `{}`", connection.offered()));
    }
    println!(
        "ok     {title}: it does not know permessage-deflate and the connection opens without"
    );
    Ok(passed + 1)
}

/// pywebsocket's frames and extensions talk to the echo of `hybi serve`; how many connections passed.
fn as_client(pywebsocket: &Pywebsocket<'_>, ends: Ends<'_>) -> Result<usize, String> {
    let title = AS_CLIENT;
    let mut passed = 0;
    for (number, case) in CASES.iter().enumerate() {
        let named = |why| format!("{title}: {case:?}: {why}");
        let serving = ends.serve(
            &format!("serve-{number}"),
            &["--versions", "all", "--ext", if case.limit { case.answer } else { case.name() }],
        )?;
        let plans = CONNECTIONS.map(|fragments| {
            let job = json!({
                "path": serving.echo(fragments),
                "version": case.version.number(),
                "offer": case.offer,
                "binary": fragments,
                "fragments": case.peer_fragments(fragments, !case.limit),
            });
            (fragments, job)
        });
        let mut script = pywebsocket.script("client.py");
        let jobs = plans.iter().map(|plan| plan.1.clone()).collect();
        script.arg(serving.tap.address.to_string());
        script.arg(&ends.payloads.folder).arg(Value::Array(jobs).to_string());
        let mut client = Running::start("client", ends.folder, &mut script)?;
        let mut costs = Vec::new();
        for (fragments, job) in &plans {
            client.next_line(CONNECTION).map_err(named)?;
            let connection = serving.tap.next(CONNECTION).map_err(named)?;
            let cut = (job["fragments"] == true, *fragments);
            costs.push(case.judge(&connection, ends.payloads, cut).map_err(named)?);
        }
        let (status, _) = client.finish(CONNECTION)?;
        if !status.success() {
            return Err(named(client.complaint(&status.to_string())));
        }
        serving.finish(plans.len(), case.name()).map_err(named)?;
        case.report(title, &costs);
        passed += costs.len();
    }
    Ok(passed)
}

impl Case {
    fn name(&self) -> &'static str {
        self.offer.split(';').next().unwrap_or_default()
    }

    /// Whether pywebsocket can send fragments. Without takeover it begins a new stream at the last
    /// fragment of a message, and loses what its compressor still held of the others.
    fn peer_fragments(&self, wanted: bool, takeover: bool) -> bool {
        wanted && (takeover || self.unit != Unit::Message)
    }

    /// Checks what was agreed and what was sent; what that cost.
    fn judge(
        &self,
        connection: &Connection,
        payloads: &Payloads,
        fragments: (bool, bool),
    ) -> Result<Cost, String> {
        // Nothing is said by the order of parameters.
        let sorted = |header: &'_ str| {
            let mut words: Vec<_> =
                header.split([';', '"']).map(|word| word.trim().to_owned()).collect();
            words.sort_unstable();
            words
        };
        if sorted(connection.agreed()) != sorted(self.answer) {
            return Err(format!("agreed on `{}`, not `{}`", connection.agreed(), self.answer));
        }
        if self.unit == Unit::Stream {
            // There are no frames to see, and masked ones hardly shrink.
            let payload = payloads.all.iter().map(String::len).sum();
            let cost = Cost { payload, wire: connection.from_server.len() };
            return if cost.wire < payload { Ok(cost) } else { Err(format!("no gain: {cost:?}")) };
        }
        let (takeover, window_bits) = if self.limit { (false, 9) } else { (true, 15) };
        let up = Direction {
            takeover: Some(takeover),
            window_bits,
            // Text goes whole and binary messages in fragments.
            binary: fragments.0 || fragments.1,
            fragments: Some(fragments.0),
            by_frame: self.unit == Unit::Frame,
        };
        let (takeover, window_bits) = self.down;
        let (takeover, fragments) = (Some(takeover), Some(fragments.1));
        let down = Direction { takeover, window_bits, fragments, ..up };
        both(up, down, connection, payloads)
    }

    fn report(&self, title: &str, costs: &[Cost]) {
        let limit = if self.limit { ", with limits for the client" } else { "" };
        let costs = costs.iter().map(|cost| cost.wire * 100 / cost.payload.max(1));
        let costs = costs.map(|percent| format!("{percent}%")).collect::<Vec<_>>().join(" and ");
        let version = self.version.name();
        println!("ok     {title}: {version}, {}{limit}: on the wire {costs}", self.offer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_left_out_fails() {
        let all = CASES.len() * 2;
        let tally = |as_server, as_client| {
            plan().did(AS_SERVER, as_server).did(AS_CLIENT, as_client).verdict()
        };
        assert_eq!(tally(all + 1, all), Ok("53 checks".into()));
        let why = tally(all + 1, 0);
        assert_eq!(why, Err("pywebsocket -> hybi serve: 0 of 26 checks".into()));
        assert!(tally(all, all).is_err());
    }
}
