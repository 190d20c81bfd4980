//! What one conversation is about, all of it chosen before it begins.

use core::time::Duration;

use hybi::{Config, Extensions, Message, Version};
use hybi_testkit::choices::Choices;
use hybi_testkit::link::Conditions;

use super::Row;

/// What is chosen for one conversation.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) version: Version,
    pub(super) extensions: Extensions,
    /// How each end's bytes reach the other.
    pub(super) conditions: [Conditions; 2],
    pub(super) config: Config,
    /// What of it is judged.
    pub(super) outbox_limit: usize,
    pub(super) fragment: Option<usize>,
    /// How many senders each end has, and how many messages each of them sends.
    pub(super) senders: [usize; 2],
    pub(super) messages: usize,
    /// Begins with the opening handshake, and not behind it.
    pub(super) opens: bool,
    /// Who ends the connection: either or both.
    pub(super) closes: [bool; 2],
    /// Those do so without waiting for the other end to have sent everything.
    pub(super) early: bool,
    /// This end has nobody who receives, from some moment on.
    pub(super) deaf: Option<usize>,
    /// This end sends a message that is longer than the other takes.
    pub(super) oversize: Option<usize>,
    pub(super) fault: Option<Fault>,
    pub(super) deadlines: Deadlines,
    /// The longest message.
    longest: usize,
}

/// What goes wrong on the link, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// On the wire of this end.
    pub(super) wire: usize,
    /// Once this many bytes were written to it.
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The connection is reset.
    Reset,
    /// The wire ends, as if its writer had.
    End,
    /// Nothing arrives on it any more.
    Stall,
    /// Nothing arrives in either direction.
    StallBoth,
}

/// The deadlines of both ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    pub(super) ping_interval: Duration,
    pub(super) ping_timeout: Duration,
    pub(super) write: Duration,
    pub(super) close: Duration,
    pub(super) end: Duration,
    /// Where there are no pings.
    pub(super) idle: Duration,
}

/// The limit of a message where one is to be longer.
pub(super) const MOST: usize = 2_000;

impl Plan {
    pub(super) fn new(row: &Row, choices: &Choices) -> Self {
        let version = choices.of(&row.versions);
        let capacity = choices.of(&[usize::MAX, 100_000, 10_000, 1_000, 100, 30, 7, 2, 1]);
        let delay = if capacity == usize::MAX { choices.of(&[0, 0, 10, 400]) } else { 0 };
        let piece = capacity.min(10_000);
        let conditions = [(); 2].map(|()| {
            Conditions::default()
                .delay(Duration::from_millis(delay))
                .capacity(capacity)
                .read(choices.of(&[usize::MAX, usize::MAX, 1 + piece / 2, 1 + piece / 300]))
                .write(choices.of(&[usize::MAX, usize::MAX, 1 + piece / 3]))
        });
        let deaf = choices.one_in(6).then(|| choices.below(2));
        let oversize = (deaf.is_none() && choices.one_in(8)).then(|| choices.below(2));
        let fault = choices.one_in(3).then(|| Fault {
            wire: choices.below(2),
            at: choices.below(choices.of(&[100, 3_000])) as u64,
            what: choices.of(&[What::Reset, What::End, What::Stall, What::StallBoth]),
        });
        let seconds = Duration::from_secs;
        let deadlines = Deadlines {
            ping_interval: seconds(choices.of(&[20, 5, 60])),
            ping_timeout: seconds(choices.of(&[20, 5])),
            write: seconds(choices.of(&[30, 8])),
            close: seconds(choices.of(&[5, 10])),
            end: seconds(choices.of(&[30, 12])),
            idle: seconds(50),
        };
        // Without pings, only this tells that a peer is gone.
        let needs_idle = version <= Version::HIXIE_76;
        let outbox_limit = choices.of(&[1 << 20, 1_000, 50, 1, 0]);
        let fragment = choices.of(&[None, None, Some(1 + piece), Some(5_000)]);
        let config = Config::default()
            .ping_interval(Some(deadlines.ping_interval))
            .ping_timeout(deadlines.ping_timeout)
            .write_timeout(Some(deadlines.write))
            .close_timeout(deadlines.close)
            .end_timeout(deadlines.end)
            .idle_timeout(needs_idle.then_some(deadlines.idle))
            .park_after(None)
            .show_control_frames(choices.one_in(4))
            .outbox_limit(outbox_limit)
            .fragment_size(fragment)
            .max_message(if oversize.is_some() { MOST } else { 1 << 20 });
        let closes = match deaf {
            Some(end) => [end == 0, end == 1],
            None => choices.of(&[[true, false], [false, true], [true, true]]),
        };
        let longest = if oversize.is_some() { MOST } else { capacity.saturating_mul(30) };
        Self {
            version,
            extensions: row.extensions.clone(),
            conditions,
            config,
            outbox_limit,
            fragment,
            senders: [(); 2].map(|()| 1 + choices.below(3)),
            messages: choices.below(8),
            opens: choices.one_in(4),
            closes,
            early: deaf.is_some() || choices.one_in(3),
            deaf,
            oversize,
            fault,
            deadlines,
            longest,
        }
    }

    /// No message is longer.
    pub(super) fn longest_of_all(&self) -> usize {
        if self.oversize.is_some() { 2 * MOST + 1 } else { self.longest.min(140_000) + 20 }
    }

    /// The message of this number: its beginning says whose it is.
    pub(super) fn message(&self, number: usize, choices: &Choices) -> Message {
        let len = if choices.one_in(6) {
            choices.of(&[4_090, 16_000, 65_536, 66_000, 140_000])
        } else {
            choices.of(&[10, 0, 3, 125, 126, 700])
        };
        self.message_of(number, len.min(self.longest), choices)
    }

    /// A message that is too long for the other end.
    pub(super) fn too_long(&self, number: usize, choices: &Choices) -> Message {
        self.message_of(number, MOST + 1 + choices.below(MOST), choices)
    }

    fn message_of(&self, number: usize, len: usize, choices: &Choices) -> Message {
        let mut text = format!("{number}:").into_bytes();
        let mut state = number as u32 + 1;
        while text.len() < len {
            // Some of it repeats itself and some does not.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let letters = if text.len() % 900 > 500 { 26 } else { 2 };
            text.push(b'a' + ((state >> 16) % letters) as u8);
        }
        if self.version > Version::HIXIE_76 && choices.one_in(2) {
            Message::binary(text)
        } else {
            Message::text(String::from_utf8(text).expect("letters"))
        }
    }
}
