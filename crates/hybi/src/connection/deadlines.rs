//! Deadlines: keep-alive, idling, blocked writes, the end, parking; all on one timer.
//!
//! Nothing here runs per message. Activity is noted; the timer, when it fires, looks at the notes and is
//! set again. Deadlines that begin between two waits are armed at the next wait, so that a busy
//! connection never asks for the time.
//!
//! Silence of the peer is judged by whoever reads, after reading: what it sent may lie in the kernel
//! still. Whoever only sends judges its own progress.

use core::{num::NonZero, time::Duration};
use std::time::Instant;

use super::{Config, DRAIN_TIME, config::after};

/// How often within one idle timeout the timer looks whether a piece of a message came.
const IDLE_TICKS: u8 = 4;

/// Who asks for deadlines, and so which it may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    /// Whoever has taken in all that came: everything.
    Reader,
    /// Whoever has not: all but the peer's silence.
    Sender,
}

/// What a timeout asks the connection to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    SendPing,
    NoPong,
    Idle,
    WriteBlocked,
    Park,
    End(Stage),
}

/// What is waited for in the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// What answers the peer's last messages is queued, before its Close frame is answered.
    Answering,
    /// Our last word leaves, behind everything that was queued. There is no time for it but that of the
    /// whole end, as long as the peer takes bytes.
    Leaving,
    /// The peer answers, or ends its half of the transport first.
    Answer,
    /// The transport takes nothing more: the peer's last words, which may say why.
    LastWords,
    /// The peer's end of the transport, or ours.
    LastBytes,
}

/// What is true of a connection, as far as deadlines ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// What its end waits for; `None` while it is open.
    pub(super) stage: Option<Stage>,
    /// There is a codec to park.
    pub(super) has_active_codec: bool,
}

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// Bytes came, or left a transport that was full, since keep-alive last looked.
    heard: bool,
    /// A piece of a message came since the idle timer last looked.
    heard_piece: bool,
    /// A codec was used since the parking timer last looked.
    coded: bool,
    /// A Pong came, and nobody has asked for the time since.
    answered: bool,
    /// From our last ping that was answered to when its answer was noticed, in microseconds.
    round_trip: Option<NonZero<u32>>,
    keep_alive: KeepAlive,
    idle: Idle,
    writing: Writing,
    park: Option<Instant>,
    /// Only a connection that has begun to end owns it.
    end: Option<Box<End>>,
}

/// Whether the peer is asked for a sign of life (RFC 6455 section 5.5.2).
#[derive(Clone, Copy, Debug, Default)]
enum KeepAlive {
    #[default]
    Unarmed,
    /// Looks then, twice in an interval, whether something was heard, and asks if not.
    Listening(Instant),
    /// Our Ping went out, and something has to be heard by the second of these; at the first it looks whether
    /// it was, so that silence behind an answer counts from there.
    Asked(Instant, Instant),
    /// Nobody is ever asked.
    Off,
}

#[derive(Clone, Copy, Debug, Default)]
enum Idle {
    #[default]
    Unarmed,
    /// Looks then; the number counts the looks in a row that found nothing.
    Listening(Instant, u8),
    Off,
}

/// Whether bytes wait for the transport.
#[derive(Clone, Copy, Debug, Default)]
enum Writing {
    #[default]
    Free,
    /// It took nothing more when it was last asked.
    Blocked,
    /// The same, and it has to take something by then.
    BlockedUntil(Instant),
}

#[derive(Debug)]
struct End {
    stage: Stage,
    due: Option<Instant>,
    /// The whole end has to be over by then.
    cap: Instant,
}

impl Deadlines {
    /// Bytes came.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// A piece of a message came.
    pub(super) fn heard_piece(&mut self) {
        self.heard_piece = true;
    }

    /// A Pong came.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|trip| Duration::from_micros(trip.get().into()))
    }

    /// A message went through a codec, whose state is parked when that stops.
    pub(super) fn coded(&mut self) {
        self.coded = true;
    }

    /// A transport that was full and takes bytes again is a sign of life: the peer's end of it
    /// took some. So a long message to a slow peer, behind which our ping waits, is no silence.
    pub(super) fn wrote(&mut self) {
        if !matches!(self.writing, Writing::Free) {
            self.heard = true;
            self.writing = Writing::Free;
        }
    }

    pub(super) fn write_blocked(&mut self) {
        if matches!(self.writing, Writing::Free) {
            self.writing = Writing::Blocked;
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        !matches!(self.writing, Writing::Free)
    }

    /// The version has no pings: nobody is ever asked.
    pub(super) fn cannot_ping(&mut self) {
        self.keep_alive = KeepAlive::Off;
    }

    /// The ping that was due was not sent, so nobody owes an answer.
    pub(super) fn cannot_ping_yet(&mut self) {
        if let KeepAlive::Asked(look, _) = self.keep_alive {
            self.keep_alive = KeepAlive::Listening(look);
        }
    }

    /// The earliest deadline that `judge` keeps; arms those that began since the last call.
    pub(super) fn next(
        &mut self,
        config: &Config,
        judge: Judge,
        situation: Situation,
        now: impl FnOnce() -> Instant,
    ) -> Option<Instant> {
        if self.answered || self.is_unarmed(config, judge, situation) {
            let now = now();
            self.measure(config, now);
            self.arm(config, judge, situation, now);
        }
        let silence = (judge == Judge::Reader && situation.stage.is_none()).then(|| {
            let keep_alive = self.keep_alive.next();
            let idle = match self.idle {
                Idle::Listening(due, _) => Some(due),
                Idle::Unarmed | Idle::Off => None,
            };
            earlier(keep_alive, idle)
        });
        let writing = match self.writing {
            Writing::BlockedUntil(due) => Some(due),
            Writing::Free | Writing::Blocked => None,
        };
        let end = self.end.as_ref().map(|end| end.due.map_or(end.cap, |due| due.min(end.cap)));
        earlier(earlier(silence.flatten(), writing), earlier(end, self.park))
    }

    /// How long the answer took that came since the last time, if that was asked for.
    fn measure(&mut self, config: &Config, now: Instant) {
        if core::mem::take(&mut self.answered)
            && let KeepAlive::Asked(look, due) = self.keep_alive
        {
            let trip = after(now, config.ping_timeout).checked_duration_since(due);
            let micros =
                trip.map(|trip| u32::try_from(trip.as_micros()).unwrap_or(u32::MAX).max(1));
            self.round_trip = micros.and_then(NonZero::new);
            // Something was heard, so that nobody is waited for: whatever comes next is no answer to this.
            self.keep_alive = KeepAlive::Listening(look);
        }
    }

    fn is_unarmed(&self, config: &Config, judge: Judge, situation: Situation) -> bool {
        let silence = judge == Judge::Reader
            && situation.stage.is_none()
            && matches!((self.keep_alive, self.idle), (KeepAlive::Unarmed, _) | (_, Idle::Unarmed));
        let writing = matches!(self.writing, Writing::Blocked) && config.write_timeout.is_some();
        let park = situation.has_active_codec && self.park.is_none() && config.park_after.is_some();
        silence || writing || park || self.end.as_ref().map(|end| end.stage) != situation.stage
    }

    fn arm(&mut self, config: &Config, judge: Judge, situation: Situation, now: Instant) {
        if judge == Judge::Reader && situation.stage.is_none() {
            if let KeepAlive::Unarmed = self.keep_alive {
                self.keep_alive = KeepAlive::listening(config, now);
                // The handshake, which is over just now, is a sign of life.
                self.heard = true;
            }
            if let Idle::Unarmed = self.idle {
                self.idle = Idle::listening(config, now, 0);
            }
        }
        if let (Writing::Blocked, Some(timeout)) = (self.writing, config.write_timeout) {
            self.writing = Writing::BlockedUntil(after(now, timeout));
        }
        if situation.has_active_codec && self.park.is_none() {
            self.coded = false;
            self.park = config.park_after.map(|quiet| after(now, quiet));
        }
        let Some(stage) = situation.stage else { return };
        if self.end.as_ref().is_none_or(|end| end.stage != stage) {
            let due = stage.time(config).map(|time| after(now, time));
            // Stages follow each other, and all of them end by what the first was given.
            let cap =
                self.end.as_ref().map_or_else(|| after(now, config.end_timeout), |end| end.cap);
            self.end = Some(Box::new(End { stage, due, cap }));
        }
    }

    /// What is due at `now` for `judge`; call again until nothing is.
    pub(super) fn due(
        &mut self,
        config: &Config,
        judge: Judge,
        situation: Situation,
        now: Instant,
    ) -> Option<Due> {
        if let (Some(end), Some(stage)) = (&mut self.end, situation.stage) {
            // The cap first: it ends each stage alike, also one that began this very moment. The time of
            // a stage that is over says nothing about the present one.
            if end.cap <= now {
                // What comes of that has a moment more.
                end.cap = after(now, DRAIN_TIME);
                return Some(Due::End(stage));
            }
            if end.stage == stage && end.due.is_some_and(|due| due <= now) {
                end.due = None;
                return Some(Due::End(stage));
            }
        }
        if let Writing::BlockedUntil(due) = self.writing
            && due <= now
        {
            // Told once; the connection is given up with it.
            self.writing = Writing::Free;
            return Some(Due::WriteBlocked);
        }
        if self.park.is_some_and(|due| due <= now) {
            // Use is noted without its time, so what was used since the last look has a whole time more.
            self.park = None;
            if !core::mem::take(&mut self.coded) {
                return Some(Due::Park);
            }
            self.park = config.park_after.map(|quiet| after(now, quiet));
        }
        if judge == Judge::Reader && situation.stage.is_none() {
            return self.keep_alive_due(config, now).or_else(|| self.idle_due(config, now));
        }
        None
    }

    fn keep_alive_due(&mut self, config: &Config, now: Instant) -> Option<Due> {
        self.keep_alive.next().filter(|due| *due <= now)?;
        // Any byte will do, an answer or not: a peer that sends is there. Its time is not noted, but it came
        // behind the last look: whoever is asked at the second that finds nothing was silent for an interval
        // at most, and for half of one at least.
        let heard = core::mem::take(&mut self.heard);
        let listening = KeepAlive::listening(config, now);
        let KeepAlive::Listening(look) = listening else {
            self.keep_alive = listening;
            return None;
        };
        let (keep_alive, due) = match self.keep_alive {
            _ if heard => (listening, None),
            KeepAlive::Asked(_, due) if due <= now => (KeepAlive::Off, Some(Due::NoPong)),
            KeepAlive::Asked(_, due) => (KeepAlive::Asked(look, due), None),
            _ => (KeepAlive::Asked(look, after(now, config.ping_timeout)), Some(Due::SendPing)),
        };
        self.keep_alive = keep_alive;
        due
    }

    fn idle_due(&mut self, config: &Config, now: Instant) -> Option<Due> {
        let Idle::Listening(due, silent) = self.idle else { return None };
        if due > now {
            return None;
        }
        let silent = if core::mem::take(&mut self.heard_piece) { 0 } else { silent + 1 };
        if silent >= IDLE_TICKS {
            self.idle = Idle::Off;
            return Some(Due::Idle);
        }
        self.idle = Idle::listening(config, now, silent);
        None
    }
}

impl KeepAlive {
    /// When it has to look.
    fn next(self) -> Option<Instant> {
        match self {
            Self::Listening(look) => Some(look),
            Self::Asked(look, due) => Some(look.min(due)),
            Self::Unarmed | Self::Off => None,
        }
    }

    /// Looks again in half an interval, if anybody is ever asked.
    fn listening(config: &Config, now: Instant) -> Self {
        let half = |interval: Duration| interval - interval / 2;
        config
            .ping_interval
            .map_or(Self::Off, |interval| Self::Listening(after(now, half(interval))))
    }
}

#[cfg(test)]
impl Deadlines {
    /// All that is remembered about writing and about the end, with times as seen from `now`.
    pub(super) fn seen_from(&self, now: Instant) -> impl core::fmt::Debug + use<> {
        let from_now = |due: Instant| due.saturating_duration_since(now);
        let writing = match self.writing {
            Writing::Free => None,
            Writing::Blocked => Some(None),
            Writing::BlockedUntil(due) => Some(Some(from_now(due))),
        };
        let end =
            self.end.as_ref().map(|end| (end.stage, end.due.map(from_now), from_now(end.cap)));
        (writing, end)
    }
}

impl Idle {
    fn listening(config: &Config, now: Instant, silent: u8) -> Self {
        let tick = |timeout: Duration| timeout / u32::from(IDLE_TICKS);
        config
            .idle_timeout
            .map_or(Self::Off, |timeout| Self::Listening(after(now, tick(timeout)), silent))
    }
}

impl Stage {
    /// How long it may take; `None`: as long as the whole end.
    fn time(self, config: &Config) -> Option<Duration> {
        match self {
            Self::Leaving => None,
            Self::Answering | Self::Answer => Some(config.close_timeout),
            Self::LastWords | Self::LastBytes => Some(DRAIN_TIME.min(config.close_timeout)),
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
