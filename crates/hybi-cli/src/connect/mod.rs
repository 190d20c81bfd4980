//! `hybi connect`: one connection, another after it, or channels of one, driven by options, a script on stdin, or a person.

mod ability;
mod again;
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

use tokio::runtime::Builder;

use self::conversation::Script;
use self::open::Opening;
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
    let signals = Signals::new()?;
    let opening = Opening::new(args)?;
    printer.connecting(&args.url.uri)?;
    again::hold(args, &opening, script, printer, signals).await
}
