//! Halves that send: they wait for room or until all has left, and look meanwhile at what came.

use core::task::{Context, Poll, ready};

use super::{
    Driver, Input, TURNS,
    receiving::{Taken, Takes},
};
use crate::{
    connection::{Connection, Error, Judge},
    socket::{
        io::{Timer, Transport},
        wakers::Half,
    },
};

/// From so many queued bytes on they are written without being asked for, so that they are still in the
/// processor's cache. No fewer than one read brings: its answers leave together then.
const WRITE_MARK: usize = 128 * 1024;

/// How many bytes of a message that is being written count as much as a write: four frames of 64 KiB are a turn.
const WRITTEN: usize = 64;

/// How much a half that sends has taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// All that came, so that silence may be judged.
    All,
    /// There may be more.
    Some,
    /// Nothing: it is for whoever receives.
    Nothing,
}

/// How long whoever sends waits for a transport that takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the peer's Close frame is seen: nobody will read what waits.
    UntilClosed,
    /// Until all has left, or time ends the wait. What came before that Close frame may still be on its
    /// way to the queue: combinators hold a message while they wait for room, and lose it with an error.
    UntilSent,
    /// The peer's Close frame ends its direction alone: it is seen and not answered.
    HalfClosed,
}

impl<T: Transport, C: Timer> Driver<T, C> {
    /// Takes in what a half that sends may take in: control frames, up to the next message, of one read.
    fn look(&mut self, cx: &Context<'_>, half: Half) -> Looked {
        // What stands behind a message that was handed out came with it, and is the receiver's: it may
        // have the answer in hand. Once our last word is queued, nobody has an answer any more.
        let takes = self.senders_take;
        let nobody_answers =
            !self.connection.takes_messages() && !self.connection.config().show_control_frames;
        let may_read = match &mut self.input {
            Input::Unread(chunk) => {
                takes == Takes::Nothing
                    || nobody_answers && self.connection.next_is_control(chunk.unread())
            }
            Input::Empty | Input::Watched => {
                takes == Takes::Nothing || !self.connection.is_within_message()
            }
            Input::Lent | Input::Ended => false,
        };
        if !may_read {
            return Looked::Nothing;
        }
        if !matches!(self.input, Input::Unread(_))
            && self.poll_read(cx, half, &Taken::All).is_pending()
        {
            return Looked::All;
        }
        let _ = self.take_in(cx, half, takes);
        if let Input::Unread(chunk) = &mut self.input
            && takes == Takes::Control
        {
            // A message, which may lie there for long.
            chunk.give_back_the_rest();
        }
        self.wakers.call_others(half);
        Looked::Some
    }

    /// Sends what is queued and keeps the deadlines meanwhile, for a half that sends.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        self.poll_sent(cx, half, patience, |_| false)
    }

    /// The same, and what waits behind a message that is being written has left as well.
    pub(crate) fn poll_flush_all(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        self.poll_sent(cx, half, patience, Connection::has_behind_written)
    }

    fn poll_sent(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
        waits: impl Fn(&Connection) -> bool,
    ) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_turn(cx, half));
            if self.poll_transmit(cx, half).is_ready() && !waits(&self.connection) {
                self.turns = self.turns.saturating_add(1);
                self.look_while_sending(cx, half, patience);
                break;
            }
            ready!(self.poll_look(cx, half, patience))?;
        }
        self.wakers.went_on(half);
        Poll::Ready(match self.connection.send_error() {
            Some(error) => Err(error.clone()),
            // What was discarded has not been sent, although an end in order is no error.
            None if self.connection.discarded_bytes() > 0 => Err(Error::Closed),
            None => Ok(()),
        })
    }

    /// Whoever only sends looks at what came, and judges silence, although it never has to wait.
    fn look_while_sending(&mut self, cx: &Context<'_>, half: Half, patience: Patience) {
        if let Input::Watched = self.input {
            self.input = Input::Empty;
            return;
        }
        // Whoever receives is woken for what comes, and knows more.
        if self.wakers.receiver_waits() {
            return;
        }
        match self.look(cx, half) {
            // A deadline that has passed was dealt with then.
            Looked::All => drop(self.poll_deadline(cx, half, Judge::Reader)),
            // Nobody receives at present, so nobody answers what came in front of the end.
            Looked::Some if patience != Patience::HalfClosed => self.connection.answer_close(),
            Looked::Some => {}
            Looked::Nothing => drop(self.close_if_asked(half)),
        }
        let _ = self.poll_transmit(cx, half);
    }

    /// Waits for the transport or for what comes, for a half that sends; an error once nobody will read
    /// what waits. It looks for itself, although somebody else may wait to receive: that may have been
    /// cancelled since.
    fn poll_look(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        // Where nobody receives, nobody has anything in hand.
        let patience = match self.senders_take {
            Takes::Nothing => Patience::UntilClosed,
            _ => patience,
        };
        let looked = match patience {
            Patience::UntilClosed | Patience::HalfClosed => self.look(cx, half),
            Patience::UntilSent => Looked::Nothing,
        };
        if patience == Patience::UntilClosed && self.connection.peer_reads_no_more() {
            self.connection.answer_close();
            self.wakers.went_on(half);
            return Poll::Ready(Err(self.why_closed()));
        }
        let judge = match looked {
            // Others have their turn before the next slice, however much comes.
            Looked::Some if self.connection.is_encoding() => return Poll::Pending,
            Looked::Some => return Poll::Ready(Ok(())),
            Looked::All => Judge::Reader,
            Looked::Nothing => Judge::Sender,
        };
        self.poll_deadline(cx, half, judge).map(Ok)
    }

    /// Sends what is queued and keeps the deadlines, for a half whose task waits for something else. Ready with an
    /// error once nobody will read any more.
    pub(crate) fn poll_meanwhile(&mut self, cx: &Context<'_>, half: Half) -> Poll<Error> {
        loop {
            ready!(self.poll_turn(cx, half));
            let _ = self.poll_transmit(cx, half);
            if let Err(error) = ready!(self.poll_look(cx, half, Patience::UntilClosed)) {
                return Poll::Ready(error);
            }
        }
    }

    /// Waits until there is room to queue something.
    pub(crate) fn poll_room(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        has_room: impl Fn(&Connection) -> bool,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        while self.connection.takes_messages() && !has_room(&self.connection) {
            ready!(self.poll_turn(cx, half));
            let sent = self.poll_transmit(cx, half);
            if !has_room(&self.connection) && (sent.is_pending() || self.connection.is_writing()) {
                ready!(self.poll_look(cx, half, patience))?;
            }
        }
        self.wakers.went_on(half);
        let takes = self.connection.takes_messages();
        Poll::Ready(if takes { Ok(()) } else { Err(self.why_closed()) })
    }

    /// Finishes the closing handshake for a half that sends. Messages that nobody takes stand before the
    /// peer's Close frame; time ends the wait then.
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        loop {
            let looked = self.look(cx, half);
            let _ = self.poll_transmit(cx, half);
            if self.poll_end(cx, half) {
                let _ = self.hand_out(half, None);
                return Poll::Ready(());
            }
            ready!(self.poll_turn(cx, half));
            match looked {
                Looked::Some => {}
                Looked::All => ready!(self.poll_deadline(cx, half, Judge::Reader)),
                Looked::Nothing => ready!(self.poll_deadline(cx, half, Judge::Sender)),
            }
        }
    }

    /// Waits until a frame of a message that is being written may be queued, which has `len` bytes: until little waits,
    /// so that the frame is not far behind what leaves, nor what answers the peer behind it.
    pub(crate) fn poll_piece_room(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        len: usize,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        if self.connection.encoded_bytes() >= WRITE_MARK || self.turns >= TURNS {
            let _ = self.poll_transmit(cx, half);
            self.look_while_sending(cx, half, patience);
        }
        // A peer that takes all would otherwise have others wait for the end of the message.
        ready!(self.poll_turn(cx, half));
        let has_room = |connection: &Connection| {
            connection.encoded_bytes() < WRITE_MARK && connection.has_room_for_piece(len)
        };
        ready!(self.poll_room(cx, half, has_room, patience))?;
        // As much as is encoded at once is a turn, and so are four frames of 64 KiB that are not.
        let turns = match self.connection.has_codecs() {
            true => len.saturating_mul(TURNS.into()) / self.connection.slice_len(),
            false => len / WRITTEN,
        };
        self.turns = self.turns.saturating_add(turns.min(TURNS.into()) as u16 + 1);
        Poll::Ready(Ok(()))
    }

    /// Writes if much is queued, without waiting.
    #[inline]
    pub(crate) fn write_early(&mut self, cx: &Context<'_>, half: Half) {
        if self.connection.encoded_bytes() >= WRITE_MARK {
            let _ = self.poll_transmit(cx, half);
            self.wakers.went_on(half);
        }
    }

    /// The same if much is on its way through codecs.
    pub(crate) fn encode_early(&mut self, cx: &Context<'_>, half: Half) {
        if self.connection.is_encoding() {
            let _ = self.poll_transmit(cx, half);
            self.wakers.went_on(half);
        }
    }

    pub(crate) fn why_closed(&self) -> Error {
        self.connection.send_error().cloned().unwrap_or(Error::Closed)
    }
}
