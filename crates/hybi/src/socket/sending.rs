//! What sending handles do, whoever else uses the connection.

use core::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use hybi_frame::{CloseCode, CloseFrame, FrameRules};

use super::{
    access::Access,
    driver::{Driver, Patience, Takes},
    io::{Timer, Transport},
    wakers::Half,
};
use crate::connection::{
    CloseStatus, Connection, Deadline, Error, Message, Outgoing, SendError, State,
};

/// Queues the message once there is room for it, and flushes.
// Not an `async fn`, which would keep the argument and the message side by side in every task that ever
// sends.
pub(super) fn send<'a, T: Transport, C: Timer>(
    access: &'a mut impl Access<T, C>,
    half: Half,
    message: Outgoing<'a>,
) -> impl Future<Output = Result<(), SendError>> {
    let mut message = Some(message);
    poll_fn(move |cx| {
        access.with(|driver| {
            ready!(poll_feed(driver, cx, half, &mut message))?;
            driver
                .poll_flush(cx, half, Patience::UntilClosed)
                .map_err(|error| SendError::new(error, None))
        })
    })
}

/// Queues the message once there is room for it.
pub(super) fn feed<'a, T: Transport, C: Timer>(
    access: &'a mut impl Access<T, C>,
    half: Half,
    message: Outgoing<'a>,
) -> impl Future<Output = Result<(), SendError>> {
    let mut message = Some(message);
    poll_fn(move |cx| {
        access.with(|driver| {
            ready!(poll_feed(driver, cx, half, &mut message))?;
            driver.write_early(cx, half);
            Poll::Ready(Ok(()))
        })
    })
}

/// Queues the message, if it was not queued before, once there is room for it.
#[inline]
fn poll_feed<T: Transport, C: Timer>(
    driver: &mut Driver<T, C>,
    cx: &Context<'_>,
    half: Half,
    message: &mut Option<Outgoing<'_>>,
) -> Poll<Result<(), SendError>> {
    driver.connection.queue_plain(message);
    let Some(outgoing) = message else { return Poll::Ready(Ok(())) };
    let has_room = |connection: &Connection| connection.has_room_to_send(outgoing);
    let room = ready!(driver.poll_room(cx, half, has_room, Patience::UntilClosed));
    Poll::Ready(match (room, message.take()) {
        (Ok(()), Some(message)) => {
            queue(driver, half, message).inspect(|()| driver.encode_early(cx, half))
        }
        (Ok(()), None) => Ok(()),
        (Err(error), message) => Err(SendError::new(error, message.map(Outgoing::into_owned))),
    })
}

/// Queues the message, whether there is room or not.
pub(super) fn queue<T: Transport, C: Timer>(
    driver: &mut Driver<T, C>,
    half: Half,
    message: Outgoing<'_>,
) -> Result<(), SendError> {
    let closes = message.is_close();
    let parked = !driver.connection.has_active_codec();
    driver.connection.queue(message)?;
    // Whoever waits keeps the deadlines, and there may be a new one.
    if closes || parked && driver.connection.has_active_codec() {
        driver.wakers.call_others(half);
    }
    Ok(())
}

/// Whether a handle may queue one message, whatever waits: it waited for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Leave {
    /// Or the message was queued, in whatever way.
    #[default]
    None,
    Given,
}

/// Queues the message if there is room for it now, or leave.
pub(super) fn try_send<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    leave: Leave,
    message: Outgoing<'_>,
) -> Result<(), SendError> {
    access.with(|driver| {
        let connection = &driver.connection;
        if leave == Leave::Given
            || !connection.takes_messages()
            || connection.has_room_to_send(&message)
        {
            queue(driver, half, message)
        } else {
            Err(SendError::new(Error::Full, message.into_owned()))
        }
    })
}

/// Waits until queueing cannot be full.
pub(super) async fn ready<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
) -> Result<(), Error> {
    poll_fn(|cx| access.with(|driver| poll_ready(driver, cx, half, Patience::UntilClosed))).await
}

/// The message is not known yet, so any room at all will do: one may exceed the limit, as it may alone.
pub(super) fn poll_ready<T: Transport, C: Timer>(
    driver: &mut Driver<T, C>,
    cx: &Context<'_>,
    half: Half,
    patience: Patience,
) -> Poll<Result<(), Error>> {
    driver.poll_room(cx, half, |connection| connection.has_room_for(1), patience)
}

pub(super) async fn flush<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
) -> Result<(), Error> {
    poll_fn(|cx| access.with(|driver| driver.poll_flush_all(cx, half, Patience::UntilClosed))).await
}

/// How a handle waits for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Somebody else may take messages.
    ForReceiver,
    /// Nobody does, so they are dropped.
    DroppingMessages,
}

/// Begins the closing handshake with this code and reason, if it has not begun, and finishes it.
pub(super) async fn close<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    wait: Wait,
    code: CloseCode,
    reason: &str,
) -> Result<CloseStatus, Error> {
    let failed = access.with(|driver| {
        let connection = &driver.connection;
        if let Some(error) = connection.error() {
            return Ok(Some(error.clone()));
        }
        let (rules, role) = (connection.rules(), connection.role());
        // Where there are no codes, the connection says so, unless nothing was said with this one.
        let rules = if rules.has_close_codes() { rules } else { FrameRules::RFC6455 };
        let frame = CloseFrame::for_version(rules, role, code, reason)?;
        if connection.state() == State::Open {
            queue(driver, half, Message::Close(Some(frame)).into())?;
        }
        driver.connection.answer_close();
        Ok::<_, Error>(None)
    })?;
    let outcome = finish(access, half, wait).await;
    failed.map_or(outcome, Err)
}

/// The same as another connection ended.
pub(super) async fn forward_close<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    wait: Wait,
    status: &CloseStatus,
) -> Result<CloseStatus, Error> {
    let failed = access.with(|driver| {
        driver.connection.forward_close(status);
        driver.connection.answer_close();
        driver.wakers.call_others(half);
        driver.connection.error().cloned()
    });
    let outcome = finish(access, half, wait).await;
    failed.map_or(outcome, Err)
}

async fn finish<T: Transport, C: Timer>(
    access: &mut impl Access<T, C>,
    half: Half,
    wait: Wait,
) -> Result<CloseStatus, Error> {
    poll_fn(|cx| {
        access.with(|driver| match wait {
            Wait::ForReceiver => driver.poll_closed(cx, half),
            Wait::DroppingMessages => driver.poll_event(cx, half, Takes::Nothing).map(|_| ()),
        })
    })
    .await;
    access.with(|driver| {
        let connection = &driver.connection;
        match connection.error() {
            // All that was queued has left, so whoever does not answer or vanishes changes nothing.
            Some(Error::Timeout(Deadline::Close) | Error::Lost | Error::Transport(_))
                if connection.discarded_bytes() == 0 => {}
            Some(error) => return Err(error.clone()),
            None => {}
        }
        connection.close_status().ok_or(Error::Closed)
    })
}
