//! What one room is about, all of it chosen before it begins.

use core::time::Duration;

use hybi::extension::{DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress};
use hybi::{Broadcast, Deflate, Extensions, Message, Slow, Version};
use hybi_testkit::choices::Choices;
use hybi_testkit::link::Conditions;

/// What is chosen for one room.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) slow: Slow,
    pub(super) max_messages: usize,
    pub(super) max_bytes: usize,
    pub(super) guests: Vec<Guest>,
    /// How many send to the room, and how many messages each of them.
    pub(super) senders: usize,
    pub(super) messages: usize,
}

/// A member and its peer.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) version: Version,
    pub(super) extensions: Extensions,
    pub(super) fragment: Option<usize>,
    /// How what is delivered reaches the peer.
    pub(super) conditions: Conditions,
    pub(super) habit: Habit,
    /// How many messages the peer says, which the member tells the others.
    pub(super) says: usize,
    pub(super) joins: Duration,
    pub(super) stay: Stay,
}

/// How a peer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    Reads,
    /// It rests before each message.
    Naps(Duration),
    /// Not any more behind so many messages.
    Stops(usize),
    Closes(usize),
    Vanishes(usize),
}

/// How long a member is in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    ToTheEnd,
    /// Then it delivers what waits, leaves, and closes behind that.
    Leaves(Duration),
    /// Then it closes, whatever waits.
    Closes(Duration),
}

/// The longest message.
pub(super) const LONGEST: usize = 70_000;

impl Plan {
    pub(super) fn new(choices: &Choices) -> Self {
        Self {
            slow: choices.of(&[
                Slow::Wait,
                Slow::DropOldest,
                Slow::DropNewest,
                Slow::Close,
                Slow::TryAgainLater,
            ]),
            max_messages: choices.of(&[1_000, 1, 2, 5]),
            max_bytes: choices.of(&[usize::MAX, 1, 50_000]),
            guests: (0..1 + choices.below(5)).map(|_| Guest::new(choices)).collect(),
            senders: 1 + choices.below(3),
            messages: choices.below(12),
        }
    }

    pub(super) fn room(&self) -> Broadcast {
        let Self { slow, max_messages, max_bytes, .. } = *self;
        let builder = Broadcast::builder().max_messages(max_messages).max_bytes(max_bytes);
        builder.slow(slow).build()
    }

    /// Whether everybody takes everything at once.
    pub(super) fn nobody_is_slow(&self) -> bool {
        self.guests.iter().all(Guest::is_fast)
    }
}

impl Guest {
    fn new(choices: &Choices) -> Self {
        let deflate = Deflate::default().min_size(0);
        let extensions: [Extensions; 7] = [
            Extensions::none(),
            deflate.into(),
            deflate.own_context_takeover(false).peer_context_takeover(false).into(),
            deflate.level(9).into(),
            PermessageCompress::new(deflate).into(),
            Extensions::from(DeflateFrame::new(deflate)).with(PerframeCompress::new(deflate)),
            DeflateStream::new(deflate).into(),
        ];
        let milliseconds = Duration::from_millis;
        let patience = choices.below(10);
        Self {
            version: match choices.one_in(3) {
                true => choices.of(&Version::ALL),
                false => Version::RFC6455,
            },
            extensions: extensions[choices.below(extensions.len())].clone(),
            fragment: choices.of(&[None, None, Some(1_000)]),
            conditions: Conditions::default()
                .capacity(choices.of(&[usize::MAX, usize::MAX, 1_000, 10_000, 200_000]))
                .write(choices.of(&[usize::MAX, usize::MAX, 1_000]))
                .delay(milliseconds(choices.of(&[0, 0, 1, 20]))),
            habit: match choices.below(6) {
                0..=1 => Habit::Reads,
                2 => Habit::Naps(milliseconds(choices.of(&[100, 500]))),
                3 => Habit::Stops(patience),
                4 => Habit::Closes(patience),
                _ => Habit::Vanishes(patience),
            },
            says: choices.of(&[0, 0, 1, 3]),
            joins: milliseconds(choices.of(&[0, 0, 1, 700])),
            stay: match choices.below(4) {
                0 | 1 => Stay::ToTheEnd,
                2 => Stay::Leaves(milliseconds(choices.of(&[0, 300, 1_000]))),
                _ => Stay::Closes(milliseconds(choices.of(&[0, 300, 1_000]))),
            },
        }
    }

    /// Whether the peer hears in the same instant what is sent.
    pub(super) fn is_fast(&self) -> bool {
        let Conditions { capacity, delay, .. } = self.conditions;
        self.habit == Habit::Reads && capacity == usize::MAX && delay.is_zero()
    }

    /// Whether the peer takes all that comes, sooner or later.
    pub(super) fn reads_all(&self) -> bool {
        matches!(self.habit, Habit::Reads | Habit::Naps(_))
    }

    /// Whether the version has this message.
    pub(super) fn may_get(&self, message: &Message) -> bool {
        self.version > Version::HIXIE_76
            || message.is_text()
            || matches!(message, Message::Close(_))
    }
}

/// The message of this number: its beginning says which it is.
pub(super) fn message(number: usize, choices: &Choices) -> Message {
    let len = choices.of(&[0, 10, 300, 2_000, 20_000, LONGEST - 20]);
    let mut text = format!("{number} ");
    let mut state = number as u32 + 1;
    let end = text.len() + len;
    while text.len() < end {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push(char::from(b'a' + ((state >> 16) % 16) as u8));
    }
    if choices.one_in(5) { Message::binary(text.into_bytes()) } else { Message::text(text) }
}

/// The number that a message begins with.
pub(super) fn number(message: &Message) -> Option<usize> {
    let digits = message.as_bytes().split(|byte| *byte == b' ').next()?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}
