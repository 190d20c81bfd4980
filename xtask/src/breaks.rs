//! Checks that can fail: the code is broken on purpose, in a copy, and the simulation has to see each break as
//! what it is.

use core::time::Duration;
use std::fs;
use std::path::Path;

use crate::cargo::cargo;
use crate::outcome::{JobResult, Options, Tally};
use crate::process::{Running, command, output};
use crate::simulate;
use crate::workspace::{Workspace, read};

/// One break, and how it shows.
struct Break {
    /// What no longer holds.
    what: &'static str,
    file: &'static str,
    /// This part of the file, which is there once, becomes the other.
    from: &'static str,
    to: &'static str,
    /// The row of the simulation that sees it.
    row: &'static str,
    /// What is said of it.
    seen: &'static str,
}

/// At least one for each thing that holds of every conversation.
const BREAKS: &[Break] = &[
    Break {
        what: "a Close frame that comes discards nothing of what is on its way",
        file: "crates/hybi/src/connection/ending.rs",
        from: "        self.queue_pending_pong();\n        let code",
        to: "        self.outbound.discard();\n        let code",
        row: "13",
        seen: "Lost",
    },
    Break {
        what: "messages leave in the order in which they were queued",
        file: "crates/hybi/src/connection/slices.rs",
        from: "            false => self.behind.len(),",
        to: "            false => 0,",
        row: "permessage-deflate",
        seen: "is lost",
    },
    Break {
        what: "what a write took is taken once",
        file: "crates/hybi/src/connection/outbox.rs",
        from: "        self.front_sent += len;",
        to: "        self.front_sent += len + usize::from(len == 33);",
        row: "13",
        seen: "Protocol",
    },
    Break {
        what: "each end knows who began to close",
        file: "crates/hybi/src/connection/ending.rs",
        from: "        self.queue_close(&answer, code, Endpoint::Peer);",
        to: "        self.queue_close(&answer, code, Endpoint::Local);",
        row: "13",
        seen: "began",
    },
    Break {
        what: "the server ends the transport",
        file: "crates/hybi/src/connection/ending.rs",
        from: "                self.role == Role::Server\n",
        to: "                self.role == Role::Client && self.error.is_some()\n",
        row: "13",
        seen: "wait for a deadline",
    },
    Break {
        what: "no more waits than may wait",
        file: "crates/hybi/src/connection/outbound.rs",
        from: "waiting == 0 || waiting.saturating_add(len) <= self.config.outbox_limit",
        to: "waiting.saturating_add(len) <= usize::MAX",
        row: "13",
        seen: "bytes wait to be sent",
    },
    Break {
        what: "no message is longer than the limit",
        file: "crates/hybi-frame/src/message/sequence.rs",
        from: "        if size > self.most() {\n            return",
        to: "        if size > self.most() && fragments == 0 {\n            return",
        row: "13",
        seen: "longer than",
    },
    Break {
        what: "a peer that is silent is asked within the interval",
        file: "crates/hybi/src/connection/deadlines.rs",
        from: "interval - interval / 2",
        to: "interval * 3",
        row: "13",
        seen: "took",
    },
    Break {
        what: "who waits is woken by what another task does",
        file: "crates/hybi/src/socket/wakers.rs",
        from: "        self.wait = Wait::No;\n        self.waker.clone()",
        to: "        self.wait = Wait::No;\n        None",
        row: "13",
        seen: "wait for a deadline",
    },
    Break {
        what: "no message stands among the frames of one that is being written",
        file: "crates/hybi/src/connection/outbound.rs",
        from: "        self.lane = Lane::Other;",
        to: "        self.lane = Lane::Plain;",
        row: "13",
        seen: "Protocol",
    },
    Break {
        what: "what was compressed piece by piece is forgotten without takeover",
        file: "crates/hybi-compression/src/deflate/codec/sender.rs",
        from: "        if last && !self.takeover {",
        to: "        if last && self.takeover {",
        row: "permessage-deflate-apart",
        seen: "Protocol",
    },
    Break {
        what: "a long piece ends its message if it is the last",
        file: "crates/hybi/src/connection/slices.rs",
        from: "        let fin = is_end && head.last;",
        to: "        let fin = is_end;",
        row: "permessage-deflate-slow",
        seen: "Protocol",
    },
    Break {
        what: "a piece goes on with what its slices before left",
        file: "crates/hybi-compression/src/deflate/codec/sender.rs",
        from: "Middle::Held(held, lease) if slice.start > 0 => {",
        to: "Middle::Held(held, lease) if slice.start > 8192 => {",
        row: "permessage-deflate-slow",
        seen: "Protocol",
    },
    Break {
        what: "quota that was consumed is granted again, all of it",
        file: "crates/hybi-mux/src/flow.rs",
        from: "            self.left += owed;\n            owed",
        to: "            self.left += owed;\n            owed / 2",
        row: "mux",
        seen: "wait for a deadline",
    },
    Break {
        what: "what a frame of a channel is cut into goes on with it",
        file: "crates/hybi-mux/src/endpoint/outbound.rs",
        from: "            Place::Later => (Opcode::Continuation, Rsv::NONE),",
        to: "            Place::Later => (header.opcode, Rsv::NONE),",
        row: "mux",
        seen: "bad fragmentation",
    },
    Break {
        what: "all members get all messages in the same order",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "            None => inner.entries.push_back(entry),",
        to: "            None => inner.entries.push_front(entry),",
        row: "rooms",
        seen: "out of order",
    },
    Break {
        what: "of each key the newest is delivered",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "core::mem::replace(&mut inner.entries[place], entry)",
        to: "{ let _ = place; entry }",
        row: "rooms",
        seen: "the newest of their key",
    },
    Break {
        what: "no more waits for a member than may",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "others < bounds.max_messages &&",
        to: "others <= bounds.max_messages &&",
        row: "rooms",
        seen: "messages wait for",
    },
    Break {
        what: "what a member will never get is counted",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "                Slow::DropNewest => {\n                    inner.deliveries.dropped += 1;",
        to: "                Slow::DropNewest => {",
        row: "rooms",
        seen: "are counted",
    },
    Break {
        what: "whoever reads too slowly is told so in the policy's words",
        file: "crates/hybi/src/broadcast/member.rs",
        from: "Slow::TryAgainLater => CloseCode::TRY_AGAIN_LATER,",
        to: "Slow::TryAgainLater => CloseCode::POLICY_VIOLATION,",
        row: "rooms",
        seen: "the policy is",
    },
    Break {
        what: "a sender that waits goes on as soon as there is room",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "            if batch.is_empty() { Vec::new() }",
        to: "            if true { Vec::new() }",
        row: "rooms",
        seen: "to come to an end",
    },
    Break {
        what: "a member that reads slowly holds nobody up",
        file: "crates/hybi/src/broadcast/room.rs",
        from: "        if bounds.slow == Slow::Wait {",
        to: "        if bounds.slow != Slow::Close {",
        row: "rooms",
        seen: "a sender waited",
    },
    Break {
        what: "a member is woken for what comes",
        file: "crates/hybi/src/broadcast/queue.rs",
        from: "            calls.extend(self.member.clone());",
        to: "            calls.extend(self.member.clone().filter(|_| self.bytes % 2 == 0));",
        row: "rooms",
        seen: "late",
    },
];

/// Conversations in which a break has to show.
const SEEDS: &str = "3000";

/// Broken code may also go round for ever.
const LONGEST: Duration = Duration::from_secs(120);

pub(crate) fn run_job(workspace: &Workspace, _: &Options) -> JobResult {
    let copy = copy(workspace)?;
    let mut tally = Tally::of("breaks");
    for one in BREAKS {
        tally = tally.plan(one.what, 1);
    }
    for one in BREAKS {
        println!("{}:", one.what);
        let outcome = show(workspace, &copy, one);
        println!("  {}", if outcome.is_ok() { "seen" } else { "NOT SEEN" });
        tally.take(one.what, outcome.map(|()| 1));
    }
    Ok(tally.into())
}

/// The tracked files, in a folder of their own.
fn copy(workspace: &Workspace) -> Result<std::path::PathBuf, String> {
    let folder = workspace.cache("breaks")?.join("copy");
    let listed = output(command("git").current_dir(&workspace.root).args(["ls-files"]))?;
    for path in listed.lines().filter(|path| workspace.root.join(path).is_file()) {
        let (from, to) = (workspace.root.join(path), folder.join(path));
        let made = fs::create_dir_all(to.parent().unwrap_or(&folder));
        let text = made.and_then(|()| fs::read(&from));
        // What is as it was is not written again, or cargo would build it again.
        let written = text.and_then(|text| match fs::read(&to) {
            Ok(before) if before == text => Ok(()),
            _ => fs::write(&to, text),
        });
        written.map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(folder)
}

/// Breaks the copy, runs conversations, and mends it.
fn show(workspace: &Workspace, copy: &Path, one: &Break) -> Result<(), String> {
    let path = copy.join(one.file);
    let whole = read(&path)?;
    if whole.matches(one.from).count() != 1 {
        return Err(format!("{}: `{}` is not there once", one.file, one.from));
    }
    let write =
        |text: &str| fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()));
    write(&whole.replace(one.from, one.to))?;
    let outcome = said_of(workspace, copy, one);
    write(&whole)?;
    let said = outcome?;
    let first = said.lines().next().unwrap_or_default();
    if said.is_empty() {
        Err(format!("{}: nothing is said of it", one.what))
    } else if said.contains(one.seen) {
        println!("  {first}");
        Ok(())
    } else {
        Err(format!("{}: `{}` expected, and it says: {first}", one.what, one.seen))
    }
}

/// What conversations say of the broken copy; nothing, if they all hold.
fn said_of(workspace: &Workspace, copy: &Path, one: &Break) -> Result<String, String> {
    let folder = workspace.cache("breaks")?;
    let target = folder.join("target");
    let mut cargo = cargo(workspace);
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", &target);
    // Whatever it warns of is part of the break.
    cargo.env("RUSTFLAGS", "-Awarnings");
    let mut simulate = command(simulate::build(&mut cargo, &target)?);
    let name = "conversations";
    let mut running = Running::start(name, &folder, simulate.args([one.row, "0", SEEDS]))?;
    running.finish(LONGEST)?;
    read(&folder.join(format!("{name}.log")))
}
