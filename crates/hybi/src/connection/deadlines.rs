//! Deadlines: keep-alive, idling, blocked writes and the end, on one timer.
//!
//! Nothing here runs per message. Activity sets a flag; the timer, when it fires, looks at the
//! flags and is set again. Deadlines that begin between two waits are armed at the next wait.

use core::time::Duration;
use std::time::Instant;

use super::{Config, config::after};

/// How often within one idle timeout the timer looks whether a message came.
const IDLE_TICKS: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// Bytes came, or left a transport that was full, since the keep-alive timer last fired.
    heard: bool,
    /// A message came since the idle timer last fired.
    heard_message: bool,
    /// Our keep-alive ping went out and nothing has come since.
    pinged: bool,
    idle_ticks: u8,
    armed: bool,
    write_waiting: bool,
    /// A codec was used since the parking timer last fired.
    coded: bool,
    ping: Option<Instant>,
    idle: Option<Instant>,
    write: Option<Instant>,
    end: Option<Instant>,
    park: Option<Instant>,
    /// How long the end may take, until the clock is known that starts it.
    end_after: Option<Duration>,
}

/// What a timeout asks the connection to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    SendPing,
    NoPong,
    Idle,
    WriteBlocked,
    Park,
    End,
}

impl Deadlines {
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    pub(super) fn heard_message(&mut self) {
        self.heard_message = true;
    }

    /// A message went through a codec, whose state is parked when that stops.
    pub(super) fn coded(&mut self) {
        self.coded = true;
    }

    /// A transport that was full and takes bytes again is a sign of life: the peer's end of it
    /// took some. So a long message to a slow peer, behind which our ping waits, and during
    /// which the application may not receive, is no silence.
    pub(super) fn wrote(&mut self) {
        self.heard |= self.write_waiting;
        self.write_waiting = false;
        self.write = None;
    }

    pub(super) fn write_blocked(&mut self) {
        self.write_waiting = true;
    }

    /// The version has no pings: nobody is ever asked.
    pub(super) fn cannot_ping(&mut self) {
        self.cannot_ping_yet();
        self.ping = None;
    }

    /// The ping that was due was not sent, so nobody owes an answer.
    pub(super) fn cannot_ping_yet(&mut self) {
        self.pinged = false;
    }

    /// From now on only the end counts, and it may take this long.
    pub(super) fn end_within(&mut self, time: Duration) {
        self.ping = None;
        self.idle = None;
        self.armed = true;
        self.end = None;
        self.end_after = Some(time);
    }

    /// The earliest deadline; arms those that began since the last call. `active` says that there
    /// is a codec to park.
    pub(super) fn next(
        &mut self,
        config: &Config,
        active: bool,
        now: impl FnOnce() -> Instant,
    ) -> Option<Instant> {
        let arm_write =
            self.write_waiting && self.write.is_none() && config.write_timeout.is_some();
        let arm_park = active && self.park.is_none() && config.park_after.is_some();
        if !self.armed || self.end_after.is_some() || arm_write || arm_park {
            let now = now();
            if !self.armed {
                self.armed = true;
                self.ping = config.ping_interval.map(|interval| after(now, interval));
                self.idle = config.idle_timeout.map(|timeout| after(now, timeout / IDLE_TICKS));
            }
            if let Some(time) = self.end_after.take() {
                self.end = Some(after(now, time));
            }
            if arm_write {
                self.write = config.write_timeout.map(|timeout| after(now, timeout));
            }
            if arm_park {
                self.coded = false;
                self.park = config.park_after.map(|quiet| after(now, quiet));
            }
        }
        [self.ping, self.idle, self.write, self.end, self.park].into_iter().flatten().min()
    }

    /// What is due at `now`; call again until nothing is.
    pub(super) fn due(&mut self, config: &Config, now: Instant) -> Option<Due> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.end) {
            self.end = None;
            return Some(Due::End);
        }
        if passed(self.write) {
            self.write = None;
            return Some(Due::WriteBlocked);
        }
        if passed(self.park) {
            self.park = None;
            if core::mem::take(&mut self.coded) {
                self.park = config.park_after.map(|quiet| after(now, quiet));
            } else {
                return Some(Due::Park);
            }
        }
        if passed(self.ping) {
            let heard = core::mem::take(&mut self.heard);
            if self.pinged && !heard {
                self.ping = None;
                return Some(Due::NoPong);
            }
            self.pinged = !heard;
            if heard {
                self.ping = config.ping_interval.map(|interval| after(now, interval));
            } else {
                self.ping = Some(after(now, config.ping_timeout));
                return Some(Due::SendPing);
            }
        }
        if passed(self.idle) {
            let heard = core::mem::take(&mut self.heard_message);
            self.idle_ticks = if heard { 0 } else { self.idle_ticks + 1 };
            self.idle = config.idle_timeout.map(|timeout| after(now, timeout / IDLE_TICKS));
            if u32::from(self.idle_ticks) >= IDLE_TICKS {
                self.idle = None;
                return Some(Due::Idle);
            }
        }
        None
    }
}
