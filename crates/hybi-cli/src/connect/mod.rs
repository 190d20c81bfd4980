//! `hybi connect`: one connection, driven by options, a script on stdin, or a person.

mod ability;
mod command;
mod contradictions;
mod conversation;
mod ending;
mod input;
mod open;
mod output;
mod refusal;
mod steps;

use tokio::runtime::Builder;

use self::conversation::Conversation;
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

async fn connect(args: &ConnectArgs, printer: &Printer) -> Result<Status, Failure> {
    if let Asked::One(version) = args.handshake.protocol_version {
        ability::check(args, version)?;
    }
    let conversation = Conversation::new(args)?;
    // Not before stdin was read, which a signal ends best without our help.
    let mut signals = Signals::new()?;
    printer.connecting(&args.url.uri)?;
    let opened = tokio::select! {
        opened = open::open(args) => opened?,
        status = signals.next() => return Ok(status),
    };
    // Not before now if the server had a say in it.
    ability::check(args, opened.ws.version())?;
    printer.open(&opened)?;
    conversation.hold(opened, printer, signals).await
}
