//! Channels: a conversation on each, all at the same time, and what comes of them together.

use std::sync::Arc;

use hybi::{WsUri, mux::Opener};
use hybi_tokio::TokioTimer;
use tokio::task::{JoinError, JoinSet};

use super::conversation::{Conversation, Outcome, Script};
use super::ending::connection_failure;
use super::input::{Cut, read_stdin};
use super::open::{Multiplexed, Opened, open_channel};
use super::output::Printer;
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::signals::Signals;

/// Opens the channels that are asked for and converses on all of them.
///
/// Of one channel the outcome is that of its conversation. Of several, failures are told as they come, and the
/// status is the highest.
pub(crate) async fn hold(
    args: &Arc<ConnectArgs>,
    script: &Script,
    mux: Multiplexed,
    printer: &Printer,
    mut signals: Signals,
) -> Result<Status, Failure> {
    let Multiplexed { first, opener, driver } = mux;
    let driving = tokio::spawn(driver.run());
    let channels = args.handshake.channels;
    let readers = if args.reads_stdin() { channels } else { 0 };
    let mut stdins = read_stdin(Cut::of(args), readers as usize).into_iter();
    let mut talks = JoinSet::new();
    // Where a redirect led, if one did.
    let uri = first.uri.clone();
    let (mut first, opener) = (Some(first), Arc::new(opener));
    for number in 1..=channels {
        let talk = Talk {
            args: Arc::clone(args),
            conversation: Conversation::new(args, script.clone(), stdins.next()),
            printer: printer.of_channel(number),
            signals: Signals::new()?,
        };
        let way = match first.take() {
            Some(opened) => Way::Open(Box::new(opened)),
            None => Way::Ask(Arc::clone(&opener), uri.clone()),
        };
        talks.spawn(async move { (number, talk.hold(way).await) });
    }
    // The connection ends with its last channel.
    drop(opener);

    let mut worst = Status::Done;
    let mut was_asked_to_end = false;
    loop {
        let (number, outcome) = tokio::select! {
            talked = talks.join_next() => match talked {
                Some(talked) => talked.map_err(lost)?,
                None => break,
            },
            status = signals.next() => {
                if core::mem::replace(&mut was_asked_to_end, true) {
                    return Ok(status);
                }
                continue;
            }
        };
        match outcome {
            Ok(status) => worst = worst.max(status),
            // Of one, all is said already; and nobody reads on.
            Err(failure) if channels == 1 || failure.status == Status::Done => return Err(failure),
            Err(failure) => {
                let failure = failure.on_channel(number);
                printer.of_channel(number).error(&failure);
                failure.print();
                worst = worst.max(failure.status);
            }
        }
    }
    tokio::select! {
        ended = driving => match ended.map_err(lost)? {
            // What it failed of, its channels have told, if there was still one.
            Err(error) if worst == Status::Done => Err(connection_failure(&error)),
            _ => Ok(worst),
        },
        status = signals.next() => Ok(status),
    }
}

/// How one comes to a channel.
enum Way {
    Open(Box<Opened<hybi::mux::Channel>>),
    Ask(Arc<Opener<TokioTimer>>, WsUri),
}

/// The conversation on one channel, and what it is held with.
struct Talk {
    args: Arc<ConnectArgs>,
    conversation: Conversation,
    printer: Printer,
    signals: Signals,
}

impl Talk {
    async fn hold(mut self, way: Way) -> Result<Status, Failure> {
        let opened = match way {
            Way::Open(opened) => *opened,
            Way::Ask(opener, uri) => tokio::select! {
                opened = open_channel(&self.args, &opener, uri) => opened?,
                status = self.signals.next() => return Ok(status),
            },
        };
        self.printer.open(&opened)?;
        match self.conversation.hold(opened, &self.printer, &mut self.signals).await? {
            Outcome::Over(status) => Ok(status),
            Outcome::Lost(failure, _) => Err(failure),
        }
    }
}

fn lost(error: JoinError) -> Failure {
    Failure::new(Status::Internal, "a conversation was lost", error)
}
