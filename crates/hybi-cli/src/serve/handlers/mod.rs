//! The handlers: what the server does with an open connection.

mod chat;

use core::num::NonZero;
use core::ops::RangeInclusive;
use core::time::Duration;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hybi::{CloseCode, Error, Message, Utf8Bytes, io::Transport};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

pub(crate) use chat::{Chat, Seat};

use super::route::{MAX_GENERATED, Plan};
use super::session::Session;
use super::shared::Shared;
use crate::values::{CloseSpec, close_spec};

/// Runs the handler until the connection is over.
pub(crate) async fn run<T: Transport>(plan: Plan, session: &mut Session<T>) -> Result<(), Error> {
    match plan {
        Plan::Chat { include_sender, .. } => chat::run(session, include_sender).await,
        Plan::Echo { fragment, goodbye, delay, .. } => {
            let max_fragments = session.shared().args.limits.max_fragments;
            let longest = fragment.map(|bytes| longest_cut(bytes, max_fragments));
            echo(session, longest.unwrap_or(usize::MAX), goodbye, delay).await
        }
        Plan::Close(spec) => close(session, spec).await,
        Plan::Discard { ack } => discard(session, ack).await,
        Plan::Generate { count, size, interval, text } => {
            generate(session, count, payload(size, text), interval).await
        }
    }
}

/// The seat of a connection in a room; `None` where there are no rooms, or it is full.
pub(crate) fn seat(plan: &Plan, path: &str, shared: &Arc<Shared>) -> Option<Seat> {
    match plan {
        Plan::Chat { room, .. } => Seat::take(shared, (path.to_owned(), room.clone())),
        _ => None,
    }
}

/// Why an echo is refused with 1009; short enough for a Close frame.
const TOO_MANY_FRAGMENTS: &str = "message too long for fragments so small";

/// The longest message that makes no more fragments than a peer may send: one of 16 MiB would go out
/// in as many frames of one byte, made in one go and thrice its size.
fn longest_cut(fragment: NonZero<usize>, max_fragments: u32) -> usize {
    let frames = usize::try_from(max_fragments).unwrap_or(usize::MAX).saturating_add(1);
    fragment.get().saturating_mul(frames)
}

/// Sends each message of up to `longest` bytes back, same type.
async fn echo<T: Transport>(
    session: &mut Session<T>,
    longest: usize,
    goodbye: bool,
    delay: Duration,
) -> Result<(), Error> {
    while let Some(message) = session.next().await? {
        if message.len() > longest {
            session.give_up(CloseCode::MESSAGE_TOO_BIG, TOO_MANY_FRAGMENTS).await?;
            continue;
        }
        if !delay.is_zero() {
            session.wait(delay).await;
        }
        let last = goodbye && message.as_text() == Some("Goodbye");
        session.feed(message).await?;
        if last {
            session.close(&CloseSpec::default()).await?;
        }
    }
    Ok(())
}

/// Closes as the peer's text asks, as far as its version can say it. A peer's own close is answered by
/// the library: the same code and reason, empty with empty.
async fn close<T: Transport>(
    session: &mut Session<T>,
    at_once: Option<CloseSpec>,
) -> Result<(), Error> {
    let mut asked = at_once.map(Ok);
    loop {
        match asked {
            None => {}
            Some(Ok(spec)) => match session.close(&spec).await {
                // A code that is not for servers, or not of this version.
                Err(Error::CloseFrame(why)) => session.feed(Message::text(why.to_string())).await?,
                closed => closed?,
            },
            Some(Err(why)) => session.feed(Message::text(why)).await?,
        }
        let Some(message) = session.next().await? else { return Ok(()) };
        asked = Some(close_spec(message.as_text().unwrap_or_default()));
    }
}

/// Reads and forgets.
async fn discard<T: Transport>(session: &mut Session<T>, ack: bool) -> Result<(), Error> {
    while let Some(message) = session.next().await? {
        if ack {
            session.feed(Message::text(message.len().to_string())).await?;
        }
    }
    Ok(())
}

/// Sends `count` messages, one every `interval`, then closes.
async fn generate<T: Transport>(
    session: &mut Session<T>,
    count: u64,
    message: Message,
    interval: Duration,
) -> Result<(), Error> {
    let mut due = Instant::now();
    let mut sent = 0;
    loop {
        tokio::select! {
            biased;
            received = session.next() => match received? {
                None => return Ok(()),
                Some(_) => continue,
            },
            () = sleep_until(due) => {}
        }
        session.send(message.clone()).await?;
        // A reader that keeps up would never make the server wait.
        yield_now().await;
        sent += 1;
        if sent == count {
            break;
        }
        due += interval;
    }
    session.close(&CloseSpec::default()).await?;
    while session.next().await?.is_some() {}
    Ok(())
}

/// Letters or bytes in order, over and over.
///
/// Large messages share one block, or each connection could make the server hold another one.
fn payload(size: usize, text: bool) -> Message {
    static LETTERS: LazyLock<Bytes> = LazyLock::new(|| pattern(b'a'..=b'z', MAX_GENERATED));
    static BYTES: LazyLock<Bytes> = LazyLock::new(|| pattern(0..=u8::MAX, MAX_GENERATED));
    let block = match (text, size <= SMALL) {
        (true, true) => pattern(b'a'..=b'z', size),
        (false, true) => pattern(0..=u8::MAX, size),
        (true, false) => LETTERS.slice(..size.min(MAX_GENERATED)),
        (false, false) => BYTES.slice(..size.min(MAX_GENERATED)),
    };
    if text {
        // Letters are UTF-8, so this is always the text.
        Utf8Bytes::try_from(block).map_or_else(|_| Message::text(""), Message::Text)
    } else {
        Message::Binary(block)
    }
}

fn pattern(bytes: RangeInclusive<u8>, size: usize) -> Bytes {
    bytes.cycle().take(size).collect()
}

/// Up to this size a message of its own costs less than a block for all.
const SMALL: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_follow_the_pattern_at_every_size() {
        for size in [0, 1, 26, 300, SMALL, SMALL + 1, MAX_GENERATED] {
            let text = payload(size, true);
            assert!(text.is_text() && text.len() == size);
            assert!(text.as_bytes().iter().zip((b'a'..=b'z').cycle()).all(|(a, b)| *a == b));
            let binary = payload(size, false);
            assert!(binary.is_binary() && binary.len() == size);
            assert!(binary.as_bytes().iter().zip((0..=u8::MAX).cycle()).all(|(a, b)| *a == b));
        }
    }
}
