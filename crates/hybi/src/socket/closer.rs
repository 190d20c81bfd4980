//! Closer: by which somebody who does not have a connection has it closed by whoever does
//! (RFC 6455 section 7.1.2).

#[cfg(not(test))]
use core::sync::atomic::AtomicBool;
use core::{fmt, mem, sync::atomic::Ordering, task::Waker, time::Duration};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};
use std::{
    sync::{Arc, PoisonError},
    time::Instant,
};

// What threads share is the scheduler's in the model.
#[cfg(test)]
use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicBool};

use hybi_frame::{CloseCode, CloseFrame, FrameRules, Role};

use crate::connection::{CloseStatus, Deadline, Error};

/// So long a sender has that answers a message when it is asked, before it is taken for one that only sends.
const IN_HAND: Duration = Duration::from_secs(1);

/// Has a connection closed that somebody else has: a handle without the connection, to be kept in a list, cloned
/// and sent to any thread.
///
/// [`WebSocket::closer`](crate::WebSocket::closer) and its kin give it. It does not keep the connection, nor what
/// lies underneath it, alive. A server that ends asks all its connections so.
///
/// ```
/// use hybi::{CloseCode, Closer, Error, WebSocket, io::{Timer, Transport}};
///
/// /// An echo that others may end; `lend` is how they come by the closer.
/// async fn echo<T: Transport, C: Timer>(
///     mut ws: WebSocket<T, C>,
///     lend: impl FnOnce(Closer),
/// ) -> Result<(), Error> {
///     lend(ws.closer());
///     // `None` comes at the end, whoever wanted it.
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
///
/// fn restart(closers: &[Closer]) -> Result<(), Error> {
///     closers.iter().try_for_each(|closer| closer.close(CloseCode::SERVICE_RESTART, "new version"))
/// }
/// ```
#[derive(Clone)]
pub struct Closer(Arc<Notice>);

/// What the two ends tell each other.
struct Notice {
    role: Role,
    /// Somebody asked, and nobody has done it. Only a hint: `word` says.
    is_asked: AtomicBool,
    word: Mutex<Word>,
}

/// What was said last.
enum Word {
    /// Nothing. With the task that is to hear of more, once it waited.
    Silence(Option<Waker>),
    Asked(Box<Ask>),
    /// What was asked for is begun.
    Begun,
    Ended(Outcome),
}

struct Ask {
    frame: CloseFrame,
    /// When a sender with something in hand first saw it, and how many messages had been received then.
    seen: Option<(Instant, u64)>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By a closing handshake.
    Clean,
    /// The peer did not do its part in time.
    TimedOut,
    /// In another way.
    Unclean,
    /// The handle was dropped before.
    Dropped,
}

/// How far a connection is that is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nobody asked for it.
    Open,
    /// Whoever has it has not looked.
    Asked,
    Begun,
    Ended(Outcome),
}

impl Closer {
    /// Has the closing handshake begun, with this code and reason or what is
    /// [nearest](CloseCode::nearest) to them in the version of the connection, which may have none.
    ///
    /// It is as if whoever has the connection called [`close`](crate::WebSocket::close) when it next waits for a
    /// message: what it has in hand by then is answered first, messages that arrive later are dropped, and
    /// its `recv` says `None` when the end has come, or which [deadline](crate::Config::close_timeout)
    /// passed. One that reads a [message in pieces](crate::WebSocket::recv_reader) reads on. Somebody who
    /// only sends learns of it by [`Error::Closed`]; go on receiving then, to finish the handshake.
    /// The task is woken. If it does not use the connection, nothing happens until it does.
    ///
    /// Only the first call counts, and none once the closing handshake has begun or the connection is gone.
    ///
    /// # Errors
    ///
    /// [`Error::CloseFrame`] if `code` must not be sent or `reason` is longer than 123 bytes. Nothing was asked
    /// for then.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let notice = &*self.0;
        let frame = CloseFrame::for_version(FrameRules::RFC6455, notice.role, code, reason)?;
        let mut word = notice.word();
        let Word::Silence(waker) = &mut *word else { return Ok(()) };
        let waker = waker.take();
        *word = Word::Asked(Box::new(Ask { frame, seen: None }));
        notice.is_asked.store(true, Ordering::Relaxed);
        drop(word);
        // Without the lock: a waker may do anything.
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Whether the connection is over, or nobody has it any more: nothing can be asked of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.progress(), Progress::Ended(_))
    }

    pub(crate) fn progress(&self) -> Progress {
        match &*self.0.word() {
            Word::Silence(_) => Progress::Open,
            Word::Asked(_) => Progress::Asked,
            Word::Begun => Progress::Begun,
            Word::Ended(outcome) => Progress::Ended(*outcome),
        }
    }
}

impl fmt::Debug for Closer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closer").field(&self.progress()).finish()
    }
}

impl Notice {
    fn word(&self) -> MutexGuard<'_, Word> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of whoever has the connection: nothing, until somebody wants a closer.
#[derive(Default)]
pub(super) struct Asked(Option<Arc<Notice>>);

impl Asked {
    /// Another closer.
    pub(super) fn closer(&mut self, role: Role) -> Closer {
        let notice = self.0.get_or_insert_with(|| {
            let word = Mutex::new(Word::Silence(None));
            Arc::new(Notice { role, is_asked: AtomicBool::new(false), word })
        });
        Closer(notice.clone())
    }

    /// Whether it is worth to [take](Self::take) it.
    #[inline]
    pub(super) fn is_asked(&self) -> bool {
        self.0.as_ref().is_some_and(|notice| notice.is_asked.load(Ordering::Relaxed))
    }

    /// Whether anybody may ever ask.
    #[inline]
    pub(super) fn may_be_asked(&self) -> bool {
        self.0.is_some()
    }

    /// Has the task of `waker` woken when somebody asks.
    pub(super) fn wake(&self, waker: &Waker) {
        let Some(notice) = &self.0 else { return };
        let mut word = notice.word();
        if let Word::Silence(known) = &mut *word
            && known.as_ref().is_none_or(|known| !known.will_wake(waker))
        {
            let before = known.replace(waker.clone());
            drop(word);
            drop(before);
        }
    }

    /// What was asked for, once. `in_hand` tells the time if something is in hand that ought to be done before, and how
    /// many messages were received by now: with another one, the time for what is in hand begins anew.
    pub(super) fn take(
        &self,
        in_hand: Option<impl FnOnce() -> (Instant, u64)>,
    ) -> Option<CloseFrame> {
        let notice = self.0.as_ref()?;
        let mut word = notice.word();
        let Word::Asked(ask) = &mut *word else { return None };
        if let Some(now) = in_hand {
            let (now, received) = now();
            // As long as messages are received, what answers them is in hand.
            let seen =
                ask.seen.filter(|(_, before)| *before == received).unwrap_or((now, received));
            ask.seen = Some(seen);
            if now.saturating_duration_since(seen.0) < IN_HAND {
                return None;
            }
        }
        let frame = ask.frame.clone();
        *word = Word::Begun;
        notice.is_asked.store(false, Ordering::Relaxed);
        Some(frame)
    }

    /// The connection is over.
    pub(super) fn ended(&self, status: Option<&CloseStatus>, error: Option<&Error>) {
        let outcome = match error {
            Some(Error::Timeout(Deadline::Close | Deadline::Write)) => Outcome::TimedOut,
            _ if status.is_some_and(|status| status.is_clean()) => Outcome::Clean,
            _ => Outcome::Unclean,
        };
        self.end(outcome);
    }

    fn end(&self, outcome: Outcome) {
        let Some(notice) = &self.0 else { return };
        let mut word = notice.word();
        if !matches!(*word, Word::Ended(_)) {
            // The waker is dropped without the lock, since that may do anything.
            let before = mem::replace(&mut *word, Word::Ended(outcome));
            notice.is_asked.store(false, Ordering::Relaxed);
            drop(word);
            drop(before);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.end(Outcome::Dropped);
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may_be = if self.0.is_some() { "Asked(..)" } else { "Asked" };
        f.write_str(may_be)
    }
}
