//! Again: one connection, and with `--reconnect` another after each that was lost or not opened (RFC 6455 section 7.2.3).

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use hybi::reconnect::{Backoff, Ended, Pause};
use hybi::{CloseCode, io::Transport};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::sleep;

use super::conversation::{Conversation, Outcome, Script};
use super::input::{Cut, read_stdin};
use super::open::{Opened, Opening, Reached};
use super::output::Printer;
use super::{ability, channels};
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::signals::Signals;

/// Converses on one connection after the other, until the conversation is over or no more attempts are made.
pub(super) async fn hold(
    args: &Arc<ConnectArgs>,
    opening: &Opening,
    script: Script,
    printer: &Printer,
    mut signals: Signals,
) -> Result<Status, Failure> {
    let mut backoff = backoff(args);
    let mut conversation = Conversation::new(args, script.clone(), None);
    let ended = loop {
        let reached = tokio::select! {
            reached = opening.attempt() => reached,
            status = signals.next() => break Ok(status),
        };
        let (failure, pause) = match reached {
            Err(not_opened) => {
                let pause = backoff.as_mut().map(|it| it.failed(&not_opened.error, chance()));
                (opening.failure(&not_opened), pause)
            }
            Ok(reached) => {
                let since = Instant::now();
                let outcome = match reached {
                    Reached::Single(opened) => {
                        converse(args, &mut conversation, opened, printer, &mut signals).await
                    }
                    Reached::Http2(opened) => {
                        converse(args, &mut conversation, *opened, printer, &mut signals).await
                    }
                    Reached::Multiplexed(mux) => {
                        return channels::hold(args, &script, *mux, printer, signals).await;
                    }
                };
                match outcome {
                    Err(failure) => break Err(failure),
                    Ok(Outcome::Over(status)) => break Ok(status),
                    Ok(Outcome::Lost(failure, status)) => {
                        let ended = Ended::new(status.as_ref(), since.elapsed());
                        (failure, backoff.as_mut().map(|it| it.ended(&ended, chance())))
                    }
                }
            }
        };
        let pause = match pause {
            Some(Pause::For(pause)) => pause,
            // Why it was lost says whether there was any use in more attempts.
            Some(Pause::Never) | None => break Err(failure),
        };
        printer.waiting(pause, &failure)?;
        tokio::select! {
            () = sleep(pause) => {}
            status = signals.next() => break Ok(status),
        }
    };
    if backoff.is_some() {
        conversation.tell_unsent(printer);
    }
    ended
}

/// How long to wait before each attempt, if there is to be more than one.
fn backoff(args: &ConnectArgs) -> Option<Backoff> {
    let first = args.time.reconnect_delay;
    let backoff = Backoff::default().first(first).longest(LONGEST.max(first));
    args.time.reconnect.map(|most| match most {
        Some(most) => backoff.attempts(most),
        None => backoff,
    })
}

/// The longest pause, unless the first is to be longer.
const LONGEST: Duration = Duration::from_secs(60);

/// A number from 0 to 1.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        // Whoever has no chance is to come late rather than early.
        Err(_) => 1.0,
    }
}

/// Goes on with the conversation on a connection of its own.
async fn converse<T: Transport>(
    args: &Arc<ConnectArgs>,
    conversation: &mut Conversation,
    mut opened: Opened<T>,
    printer: &Printer,
    signals: &mut Signals,
) -> Result<Outcome, Failure> {
    if args.handshake.channels > 1 {
        // It expects a connection that is used, and is told that this one is not.
        let _ = opened.ws.close(CloseCode::NORMAL, "").await;
        let why = "the server did not agree to mux";
        return Err(Failure::new(Status::Expectation, "no channels", why));
    }
    // Not before now if the server had a say in it.
    ability::check(args, opened.ws.version())?;
    printer.open(&opened)?;
    if args.reads_stdin() {
        // Not before there is somebody to send it to.
        conversation.listen_to(|| read_stdin(Cut::of(args), 1).remove(0));
    }
    conversation.hold(opened, printer, signals).await
}
