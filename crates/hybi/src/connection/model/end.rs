//! One end of a link: a connection, its application, and what the promises are judged by.

use core::{
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
};
use std::{
    hash::DefaultHasher,
    io::{self, IoSlice},
    sync::Arc,
    time::Instant,
};

use hybi_frame::{CloseCode, CloseFrame, Closing, MaskingKey, Role};

use super::{
    explore::Cell,
    family::Family,
    wire::{Wire, WireEnd},
};
use crate::connection::{
    CloseStatus, Config, Connection, Message, State,
    state::{LastHeard, Receiving, Sending},
};

/// What an end, its application or its transport may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The application sends a message.
    Send,
    /// It closes.
    Close,
    /// The transport takes what is queued.
    Leave(Much),
    /// It takes nothing for now.
    Block,
    /// The sending half of the transport is ended.
    Shutdown,
    /// What is on its way is read.
    Arrive(Much),
    /// The end of the input is read.
    End,
    /// Reading fails.
    Fail,
    /// The next deadline passes.
    Deadline,
    /// The connection is over, and the transport is let go.
    LetGo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Much {
    All,
    /// The first half, once; the rest follows at another time.
    Half,
}

/// How much the application does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    /// How many messages it sends at most.
    pub(super) messages: usize,
    /// With what it closes, if so: with a code and a reason, or without.
    pub(super) close: Option<With>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    Code,
    Nothing,
}

pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) role: Role,
    manners: Manners,
    /// The messages that were accepted for sending.
    pub(super) accepted: Vec<Message>,
    /// What was handed out.
    pub(super) received: Vec<Message>,
    /// The application closed, and whether the peer's Close had been seen by then.
    pub(super) closed: Option<Before>,
    /// What was given to the transport, in bytes.
    pub(super) left: usize,
    /// The end of the input, or an error in its place, was read.
    pub(super) told: bool,
    /// The transport was let go.
    pub(super) gone: bool,
    /// A deadline of this end passed.
    pub(super) timed_out: bool,
    /// Its own time: clocks may go as differently as they like.
    pub(super) clock: Instant,
    pub(super) due: Option<Instant>,
    /// Since when it is not open.
    pub(super) ending_since: Option<Instant>,
    /// What it was like before the last action.
    pub(super) before: Snapshot,
    pub(super) now: Snapshot,
}

/// Whose Close the application knew of when it closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Before {
    /// Of none.
    Peer,
    /// The peer's had come.
    Answering,
}

/// What others see of a connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) state: State,
    pub(super) cell: Cell,
    pub(super) status: Option<CloseStatus>,
    pub(super) error: Option<String>,
    pub(super) send_error: Option<String>,
    pub(super) queued: usize,
    pub(super) discarded: usize,
    pub(super) left: usize,
    pub(super) received: usize,
    /// Nothing is to be done any more.
    pub(super) is_over: bool,
    /// The transport was let go.
    pub(super) gone: bool,
    /// Messages are refused.
    pub(super) refuses: bool,
}

/// Patient with the peer while the connection is open, so that nothing but its end is timed.
fn config() -> Arc<Config> {
    Arc::new(Config::default().ping_interval(None))
}

impl End {
    pub(super) fn new(family: Family, role: Role, manners: Manners, now: Instant) -> Self {
        let connection = Connection::new(role, family.negotiated(), config())
            .with_masking_keys(|| MaskingKey::from_bytes([0; 4]));
        let snapshot = Snapshot::of(&connection, 0, 0, false);
        Self {
            connection,
            role,
            manners,
            accepted: Vec::new(),
            received: Vec::new(),
            closed: None,
            left: 0,
            told: false,
            gone: false,
            timed_out: false,
            clock: now,
            due: None,
            ending_since: None,
            before: snapshot.clone(),
            now: snapshot,
        }
    }

    /// What can happen to it, with what it sends and what it receives on these.
    pub(super) fn acts(&self, out: &Wire, input: &Wire) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.gone {
            return acts;
        }
        let connection = &self.connection;
        let mut may = |act, is_possible: bool| acts.extend(is_possible.then_some(act));
        may(Act::Send, self.accepted.len() < self.manners.messages && connection.takes_messages());
        may(
            Act::Close,
            self.manners.close.is_some() && self.closed.is_none() && connection.takes_messages(),
        );
        let has_output = connection.queued_bytes() > 0 || connection.owes_close();
        may(Act::Leave(Much::All), has_output);
        may(
            Act::Leave(Much::Half),
            has_output && !out.is_broken && !out.is_deaf && !out.split_at_writing,
        );
        may(Act::Block, connection.queued_bytes() > 0 && !connection.is_blocked());
        may(Act::Shutdown, connection.wants_shutdown());
        may(Act::Arrive(Much::All), !self.told && !input.bytes.is_empty());
        may(
            Act::Arrive(Much::Half),
            !self.told && input.bytes.len() > 1 && !input.split_at_reading,
        );
        may(Act::End, !self.told && input.bytes.is_empty() && input.end != WireEnd::Open);
        may(Act::Fail, !self.told && input.is_broken);
        may(Act::Deadline, self.due.is_some());
        may(Act::LetGo, is_over(connection));
        acts
    }

    pub(super) fn act(&mut self, act: Act, out: &mut Wire, input: &mut Wire) {
        match act {
            Act::Send => {
                let message = self.message(self.accepted.len());
                self.connection.queue(message.clone()).expect("it takes messages");
                self.accepted.push(message);
            }
            Act::Close => {
                let peer_was_first = !matches!(self.connection.inbound.state, Receiving::Open);
                self.closed = Some(if peer_was_first { Before::Answering } else { Before::Peer });
                let frame = self.close_frame();
                self.connection.queue(Message::Close(frame)).expect("it takes messages");
            }
            Act::Leave(much) => self.leave(much, out),
            Act::Block => self.connection.transmit_blocked(),
            Act::Shutdown if out.is_broken => {
                self.connection.shutdown_failed(io::ErrorKind::NotConnected.into());
            }
            Act::Shutdown => {
                self.connection.shutdown_done();
                out.end(WireEnd::Shut);
            }
            Act::Arrive(much) => self.arrive(much, input),
            Act::End => {
                self.told = true;
                if input.end == WireEnd::Rude {
                    self.connection.handle_transport_error(io::ErrorKind::UnexpectedEof.into());
                } else {
                    self.connection.handle_eof();
                }
            }
            Act::Fail => {
                self.told = true;
                input.bytes.clear();
                self.connection.handle_transport_error(io::ErrorKind::ConnectionReset.into());
            }
            Act::Deadline => {
                self.timed_out = true;
                self.clock = self.due.map_or(self.clock, |due| due.max(self.clock));
                self.connection.handle_timeout(self.clock);
            }
            Act::LetGo => {
                self.gone = true;
                // Nobody reads any more. Where bytes were left unread, the peer is told by a reset.
                input.is_deaf = true;
                out.end(WireEnd::Shut);
                out.is_broken |= !input.bytes.is_empty();
            }
        }
        self.wait();
    }

    /// It is about to wait.
    fn wait(&mut self) {
        self.due = self.connection.poll_timeout(|| self.clock);
        if self.connection.state() != State::Open && self.ending_since.is_none() {
            self.ending_since = Some(self.clock);
        }
    }

    /// Notes what others see of it, now and the time before.
    pub(super) fn look(&mut self) {
        // A message that is refused leaves no trace.
        let refuses = !self.connection.takes_messages() && self.connection.queue("late").is_err();
        let mut now = Snapshot::of(&self.connection, self.left, self.received.len(), self.gone);
        now.refuses = refuses;
        self.before = core::mem::replace(&mut self.now, now);
    }

    fn leave(&mut self, much: Much, out: &mut Wire) {
        if out.is_broken || out.is_deaf {
            // Also the answer to a Close frame is tried before it is known that it cannot leave.
            let mut slices = [IoSlice::new(&[]); 1];
            if self.connection.poll_transmit(&mut slices) > 0 {
                self.connection.handle_write_error(io::ErrorKind::BrokenPipe.into());
            }
            return;
        }
        let mut slices = [IoSlice::new(&[]); 4];
        let count = self.connection.poll_transmit(&mut slices);
        let mut bytes = joined(&slices[..count]);
        if much == Much::Half {
            out.split_at_writing = true;
            bytes.truncate(bytes.len().div_ceil(2));
        }
        self.left += bytes.len();
        self.connection.transmitted(bytes.len());
        out.put(&bytes);
    }

    fn arrive(&mut self, much: Much, input: &mut Wire) {
        let mut bytes = core::mem::take(&mut input.bytes);
        if much == Much::Half {
            input.split_at_reading = true;
            input.bytes = bytes.split_off(bytes.len() / 2);
        }
        input.arrived += bytes.len();
        let mut at = 0;
        while at < bytes.len() {
            let (consumed, event) = self.connection.handle_input(&mut bytes[at..]);
            assert!(consumed > 0 || event.is_some(), "bytes are left and none is consumed");
            self.received.extend(event.map(Message::from));
            at += consumed;
        }
    }

    fn message(&self, number: usize) -> Message {
        Message::text(format!("{:?} {number}", self.role))
    }

    fn close_frame(&self) -> Option<CloseFrame> {
        let says_more = self.manners.close == Some(With::Code)
            && self.connection.rules().closing() == Closing::Codes;
        says_more.then(|| {
            let reason = format!("{:?} leaves", self.role);
            CloseFrame::new(CloseCode::GOING_AWAY, &reason).expect("a code of every version")
        })
    }

    /// All that what can become of it depends on; of times, how far off they are.
    pub(super) fn digest(&self, hasher: &mut DefaultHasher) {
        self.gone.hash(hasher);
        if self.gone {
            return;
        }
        let connection = &self.connection;
        let _ = write!(
            Text(hasher),
            "{:?}{:?}{:?}{:?}",
            connection.inbound.state,
            connection.outbound.state,
            connection.error,
            connection.deadlines.seen_from(self.clock),
        );
        let mut slices = [IoSlice::new(&[]); 8];
        let count = connection.outbound.outbox.slices(&mut slices);
        joined(&slices[..count]).hash(hasher);
        let since = self.ending_since.map(|since| self.clock - since);
        (self.accepted.len(), self.received.len(), self.closed, self.left, since).hash(hasher);
        (self.told, connection.discarded_bytes()).hash(hasher);
    }
}

/// The bytes that slices show.
fn joined(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.iter().copied()).collect()
}

/// Hashes what is written to it.
struct Text<'a>(&'a mut DefaultHasher);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl Snapshot {
    fn of(connection: &Connection, left: usize, received: usize, gone: bool) -> Self {
        let words =
            |error: Option<&crate::connection::Error>| error.map(|error| format!("{error:?}"));
        Self {
            state: connection.state(),
            cell: cell(connection),
            status: connection.close_status(),
            error: words(connection.error()),
            send_error: words(connection.send_error()),
            queued: connection.queued_bytes(),
            discarded: connection.discarded_bytes(),
            left,
            received,
            is_over: is_over(connection),
            gone,
            refuses: false,
        }
    }
}

fn is_over(connection: &Connection) -> bool {
    connection.state() == State::Closed && !connection.wants_shutdown()
}

/// Where a connection is in the table of `state.rs`.
fn cell(connection: &Connection) -> Cell {
    let row = match &connection.inbound.state {
        Receiving::Open => "Open",
        Receiving::Crossed(_) => "Crossed",
        Receiving::Draining(_) => "Draining",
        Receiving::Ended(_) => "Ended",
    };
    let column = match &connection.outbound.state {
        Sending::Open => "Open",
        Sending::Closing(_) => "Closing",
        Sending::Failed(..) => "Failed",
        Sending::Shut(..) => "Shut",
    };
    (row, column)
}

/// Whether the end of the input came where a peer of hixie-75 ends a connection.
pub(super) fn heard_end_of_input(connection: &Connection) -> bool {
    matches!(connection.inbound.state.last_heard(), LastHeard::EndOfInput)
}
