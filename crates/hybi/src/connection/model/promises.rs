//! What is promised about each end, in every state and in the end.

use core::time::Duration;

use hybi_frame::{Closing, Opcode, Role};

use super::{
    end::{Before, End, Snapshot, heard_end_of_input},
    explore::Cell,
    family::Family,
    wire::{Wire, WireEnd},
};
use crate::connection::{DRAIN_TIME, Endpoint, Error, Message, State};

/// An end and what a promise about it is judged by.
pub(super) struct Seen<'a> {
    pub(super) family: Family,
    pub(super) own: &'a End,
    /// What it sends on.
    pub(super) out: &'a Wire,
    /// What it receives on.
    pub(super) input: &'a Wire,
    /// The messages that the peer sent, and that may count.
    pub(super) said: &'a [Message],
    /// Nothing broke, and no deadline passed.
    pub(super) is_orderly: bool,
}

impl Seen<'_> {
    /// The frames that left whole.
    fn frames(&self) -> Vec<Opcode> {
        self.out.frames(self.family, self.own.role)
    }
}

type Promise = (&'static str, fn(&Seen<'_>) -> bool);

const ALWAYS: &[Promise] = &[
    ("states go forward", states_go_forward),
    ("the first error is the one that stays", the_first_error_stays),
    ("nothing changes any more once it is over", nothing_changes_once_it_is_over),
    ("whoever waits for the peer has a deadline", who_waits_has_a_deadline),
    ("the end takes no longer than it may", the_end_is_bounded),
    ("nothing leaves behind the Close frame", nothing_leaves_behind_the_close_frame),
    ("nothing is written behind the end of the transport", nothing_is_written_behind_the_end),
    ("messages arrive once, in order, and none behind the Close", messages_arrive_in_order),
    ("messages are refused once it is closing", messages_are_refused_once_it_is_closing),
    ("no byte that was queued is forgotten", no_byte_is_forgotten),
    ("the server ends the transport first", the_server_ends_the_transport_first),
    ("there is a close status as soon as it is not open", there_is_a_status_of_the_end),
];

/// Once the transport was let go.
const IN_THE_END: &[Promise] = &[
    ("all that was accepted arrives if nothing breaks", all_arrives_in_order),
    ("one Close goes each way if nothing breaks", one_close_goes_each_way),
    ("an end in order is clean and no error", an_end_in_order_is_clean),
    ("it is clean if, and only if, both Closes passed", clean_says_that_both_closes_passed),
    ("who began is who closed first", who_began_closed_first),
];

/// Which promise is not kept, in words.
pub(super) fn broken(seen: &Seen<'_>) -> Option<String> {
    let has_gone = seen.own.now.gone && !seen.own.before.gone;
    let in_the_end = if has_gone { IN_THE_END } else { &[] };
    let mut promises = ALWAYS.iter().chain(in_the_end);
    let (words, _) = promises.find(|(_, holds)| !holds(seen))?;
    let Seen { own, out, .. } = seen;
    Some(format!(
        "{:?}, not kept for the {:?} of {:?}: {words}: {:?} -> {:?}, accepted {:?}, received {:?}, \
         closed {:?}, sent {:?}",
        seen.family.0,
        own.role,
        seen.family,
        own.before,
        own.now,
        own.accepted,
        own.received,
        own.closed,
        out.carried,
    ))
}

fn rank((row, column): Cell) -> (usize, usize) {
    let place = |names: [&str; 4], name| names.iter().position(|other| *other == name);
    (
        place(["Open", "Crossed", "Draining", "Ended"], row).expect("a row"),
        place(["Open", "Closing", "Failed", "Shut"], column).expect("a column"),
    )
}

fn states_go_forward(seen: &Seen<'_>) -> bool {
    let state =
        |state| [State::Open, State::Closing, State::Closed].iter().position(|s| *s == state);
    let (before, now) = (&seen.own.before, &seen.own.now);
    let ((row_before, column_before), (row, column)) = (rank(before.cell), rank(now.cell));
    row_before <= row && column_before <= column && state(before.state) <= state(now.state)
}

fn the_first_error_stays(seen: &Seen<'_>) -> bool {
    let (before, now) = (&seen.own.before, &seen.own.now);
    // Of what could not be sent, a protocol error may be the better reason.
    (before.error.is_none() || before.error == now.error)
        && (before.send_error.is_none()
            || before.send_error == now.send_error
            || before.error.is_none() && now.error.is_some())
}

fn nothing_changes_once_it_is_over(seen: &Seen<'_>) -> bool {
    let (before, now) = (&seen.own.before, &seen.own.now);
    !before.is_over || *before == Snapshot { gone: before.gone, ..now.clone() }
}

fn who_waits_has_a_deadline(seen: &Seen<'_>) -> bool {
    let (own, connection) = (seen.own, &seen.own.connection);
    let waits =
        own.now.state != State::Open || connection.queued_bytes() > 0 && connection.is_blocked();
    own.now.is_over
        || !waits
        || own.due.is_some_and(|due| due <= seen.own.clock + Duration::from_secs(30))
}

fn the_end_is_bounded(seen: &Seen<'_>) -> bool {
    let limit = seen.own.connection.config().end_timeout + DRAIN_TIME;
    seen.own.now.is_over
        || seen
            .own
            .ending_since
            .is_none_or(|since| seen.own.clock.saturating_duration_since(since) <= limit)
}

/// Only in hybi-03 and 04 a second one may follow, which answers the peer's. A Pong may anywhere.
fn nothing_leaves_behind_the_close_frame(seen: &Seen<'_>) -> bool {
    if seen.own.before.left == seen.own.now.left {
        return true;
    }
    let frames = seen.frames();
    let others: Vec<_> = frames.iter().filter(|opcode| **opcode != Opcode::Pong).collect();
    let data = others.iter().take_while(|opcode| opcode.is_data()).count();
    let most = match seen.family.closing() {
        Closing::Transport => 0,
        Closing::Echo => 2,
        _ => 1,
    };
    data <= seen.own.accepted.len()
        && others[data..].len() <= most
        && others[data..].iter().all(|opcode| **opcode == Opcode::Close)
}

fn nothing_is_written_behind_the_end(seen: &Seen<'_>) -> bool {
    !seen.out.was_written_behind
}

fn messages_arrive_in_order(seen: &Seen<'_>) -> bool {
    let received = &seen.own.received;
    let (close, others) = match received.split_last() {
        Some((Message::Close(_), others)) => (1, others),
        _ => (0, &received[..]),
    };
    let texts: Vec<_> = others.iter().filter(|message| message.is_data()).cloned().collect();
    let pings = others.iter().filter(|message| matches!(message, Message::Ping(_))).count();
    seen.said.starts_with(&texts) && texts.len() + pings + close == received.len()
}

/// Until the peer's Close is answered, what answers the messages in front of it may be sent.
fn messages_are_refused_once_it_is_closing(seen: &Seen<'_>) -> bool {
    seen.own.now.refuses == (seen.own.now.cell.1 != "Open")
}

fn no_byte_is_forgotten(seen: &Seen<'_>) -> bool {
    let (before, now) = (&seen.own.before, &seen.own.now);
    before.queued + before.discarded + before.left <= now.queued + now.discarded + now.left
}

/// Section 7.1.1. Clients of hixie-76 did not wait, and in hixie-75 this is how either end closes.
fn the_server_ends_the_transport_first(seen: &Seen<'_>) -> bool {
    let is_bound = seen.own.role == Role::Client
        && seen.is_orderly
        && seen.own.now.error.is_none()
        && !matches!(seen.family.closing(), Closing::Transport | Closing::Marker);
    !is_bound || seen.out.end != WireEnd::Shut || seen.input.end == WireEnd::Shut
}

fn there_is_a_status_of_the_end(seen: &Seen<'_>) -> bool {
    seen.own.now.status.is_none() == (seen.own.now.state == State::Open)
}

fn all_arrives_in_order(seen: &Seen<'_>) -> bool {
    let texts = seen.own.received.iter().filter(|message| message.is_data());
    !seen.is_orderly || texts.eq(seen.said)
}

fn one_close_goes_each_way(seen: &Seen<'_>) -> bool {
    let frames = seen.frames();
    let closes = frames.iter().filter(|opcode| **opcode == Opcode::Close).count();
    let expected = usize::from(seen.family.closing() != Closing::Transport);
    !seen.is_orderly || closes == expected && heard(seen)
}

fn an_end_in_order_is_clean(seen: &Seen<'_>) -> bool {
    !seen.is_orderly
        || is_clean(seen) && seen.own.now.send_error.is_none() && seen.own.now.discarded == 0
}

fn is_clean(seen: &Seen<'_>) -> bool {
    seen.own.now.status.as_ref().is_some_and(|status| status.is_clean())
}

/// Whether the peer's Close came, or what stands for it in hixie-75.
fn heard(seen: &Seen<'_>) -> bool {
    match seen.family.closing() {
        Closing::Transport => heard_end_of_input(&seen.own.connection),
        _ => seen.own.received.iter().any(|message| matches!(message, Message::Close(_))),
    }
}

/// Whether our Close left, or in hixie-75 all that stood before it.
fn said(seen: &Seen<'_>) -> bool {
    let frames = seen.frames();
    match seen.family.closing() {
        Closing::Transport => frames.len() == seen.own.accepted.len(),
        _ => frames.contains(&Opcode::Close),
    }
}

fn clean_says_that_both_closes_passed(seen: &Seen<'_>) -> bool {
    is_clean(seen) == (seen.own.now.error.is_none() && heard(seen) && said(seen))
}

fn who_began_closed_first(seen: &Seen<'_>) -> bool {
    let began = seen.own.now.status.as_ref().and_then(|status| status.began_by());
    let expected = match seen.own.closed {
        Some(Before::Peer) if said(seen) => Some(Endpoint::Local),
        _ if heard(seen) => Some(Endpoint::Peer),
        // It broke a rule, and was told.
        None if broke_a_rule(seen) && said(seen) => Some(Endpoint::Local),
        _ => None,
    };
    began == expected
}

fn broke_a_rule(seen: &Seen<'_>) -> bool {
    matches!(seen.own.connection.error(), Some(Error::Protocol(_)))
}
