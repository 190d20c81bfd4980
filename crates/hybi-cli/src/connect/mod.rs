//! `hybi connect`: one connection, or channels of one, driven by options, a script on stdin, or a person.

mod ability;
mod channels;
mod command;
mod contradictions;
mod conversation;
mod dial;
mod ending;
mod http2;
mod input;
mod open;
mod output;
mod refusal;
mod steps;
mod times;

use std::sync::Arc;

use hybi::{CloseCode, io::Transport};
use tokio::runtime::Builder;

use self::conversation::{Conversation, Script};
use self::input::{Cut, read_stdin};
use self::open::{Opened, Reached};
use self::output::Printer;
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::signals::Signals;
use crate::values::Asked;

/// Connects, converses, ends.
pub(crate) fn run(args: ConnectArgs, json: bool) -> Result<Status, Failure> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Status::Internal, "cannot start the runtime", error))?;
    let args = Arc::new(args);
    let printer = Printer::new(&args, json);
    let ended = contradictions::check(&args, json)
        .and_then(|()| runtime.block_on(connect(&args, &printer)));
    // A name lookup may still block a thread of the runtime; nobody waits for it.
    runtime.shutdown_background();
    if let Err(failure) = &ended {
        printer.error(failure);
    }
    ended
}

async fn connect(args: &Arc<ConnectArgs>, printer: &Printer) -> Result<Status, Failure> {
    if let Asked::One(version) = args.handshake.protocol_version {
        ability::check(args, version)?;
    }
    let script = Script::read(args)?;
    // Not before stdin was read, which a signal ends best without our help.
    let mut signals = Signals::new()?;
    printer.connecting(&args.url.uri)?;
    let reached = tokio::select! {
        reached = open::open(args) => reached?,
        status = signals.next() => return Ok(status),
    };
    match reached {
        Reached::Single(opened) => hold(args, script, opened, printer, signals).await,
        Reached::Http2(opened) => hold(args, script, *opened, printer, signals).await,
        Reached::Multiplexed(mux) => channels::hold(args, &script, *mux, printer, signals).await,
    }
}

/// Holds the conversation on a connection of its own.
async fn hold<T: Transport>(
    args: &Arc<ConnectArgs>,
    script: Script,
    mut opened: Opened<T>,
    printer: &Printer,
    signals: Signals,
) -> Result<Status, Failure> {
    if args.handshake.channels > 1 {
        // It expects a connection that is used, and is told that this one is not.
        let _ = opened.ws.close(CloseCode::NORMAL, "").await;
        let why = "the server did not agree to mux";
        return Err(Failure::new(Status::Expectation, "no channels", why));
    }
    // Not before now if the server had a say in it.
    ability::check(args, opened.ws.version())?;
    printer.open(&opened)?;
    let stdin = args.reads_stdin().then(|| read_stdin(Cut::of(args), 1).remove(0));
    Conversation::new(args, script, stdin).hold(opened, printer, signals).await
}
