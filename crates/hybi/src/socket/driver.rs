//! Driver: moves bytes between a transport and a [`Connection`], written once for all runtimes.
//!
//! Nothing is kept in futures: each call picks up where the last one stopped, so dropping a
//! future in the middle loses nothing.
//!
//! ```text
//!  transport --poll_read--> chunk --Connection--> event --> whoever receives
//!  transport <--poll_write-- outbox <--Connection-- message <-- whoever sends
//! ```
//!
//! One half receives, any number send. Whoever receives takes in everything. Whoever sends, and has to
//! wait or to flush, takes in the control frames at the front of the input, never past a message that
//! nobody took: so Pings are answered and a Close frame is seen while an application only sends.

use core::{
    mem,
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use bytes::Bytes;
use hybi_frame::{Assembled as Event, Chunk, Located, Opcode};

use super::{
    io::{Timer, Transport},
    pool::ThreadChunk,
    wakers::{Half, Wakers},
};
use crate::connection::{Connection, Error, Judge, Message, State};

/// How many segments one vectored write may take.
const SLICES: usize = 16;

/// How many frames of what was read are taken in before what they caused is sent and deadlines are
/// looked at. No chunk holds as many, but an extension may make as many of it.
const FRAMES: usize = 32 * 1024;

/// How much a connection may do in a row, without ever waiting, before it lets other tasks run once: a
/// peer that sends faster than it is read would otherwise keep the thread for itself. A write counts once,
/// a read as much as a few, and all count across calls.
const TURNS: u16 = 4096;

/// How many bytes of a message count as much as a write, where more of them come than were read.
const GATHERED: usize = 128;

/// What a read of up to a whole chunk counts.
const READ_TURNS: u16 = 128;

/// From so many queued bytes on they are written without being asked for, so that they are still in the
/// processor's cache.
pub(crate) const WRITE_MARK: usize = 64 * 1024;

/// A rest of so many bytes that the application has not taken yet moves to a block of its size, so that
/// a handler at work does not hold a chunk.
const SMALL_REST: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Driver<T, C> {
    pub(super) transport: T,
    timer: C,
    pub(crate) connection: Connection,
    input: Input,
    output: Output,
    pub(super) wakers: Wakers,
    turns: u16,
    after_message: AfterMessage,
    /// What senders take in: it is everything once nobody receives any more.
    pub(super) senders_take: Takes,
}

/// What was read.
#[derive(Debug)]
enum Input {
    Empty,
    /// It was read to its end since anybody sent, which spares that a look at it.
    Watched,
    Unread(ThreadChunk),
    /// The chunk is with the receiving half, which lent a message of it.
    Lent,
    /// The peer ended its half, or reading failed: there is nothing to read any more, and asking again
    /// would be answered at once, for ever.
    Ended,
}

/// What the transport has of what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Flushed,
    /// It took bytes and has not been flushed since.
    Unflushed,
}

/// Whether whoever sends had the time to answer what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterMessage {
    Waited,
    /// A message was handed out since the receiving half waited last.
    AtOnce,
}

/// What the transport did.
enum Written {
    Bytes(usize),
    Flushed,
}

/// Which events somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The next message, to keep it.
    Message,
    /// No message, but what stands before it.
    Control,
    /// All of them, to drop them.
    Nothing,
}

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
}

/// What became of the bytes that were read.
enum Taken {
    Event(Located),
    /// No complete frame is left, or none that may be taken.
    All,
    /// What is left is a frame that lacks so many bytes, for which there is room behind it.
    Incomplete(usize),
}

impl<T: Transport, C: Timer> Driver<T, C> {
    pub(crate) fn new(
        transport: T,
        timer: C,
        connection: Connection,
        input: Option<ThreadChunk>,
    ) -> Self {
        Self {
            transport,
            timer,
            connection,
            input: input.map_or(Input::Empty, |mut chunk| {
                chunk.give_back_the_rest();
                Input::Unread(chunk)
            }),
            output: Output::Flushed,
            wakers: Wakers::default(),
            turns: 0,
            after_message: AfterMessage::Waited,
            senders_take: Takes::Control,
        }
    }

    /// The kind of the next message, if it is whole and has been read already: most are such. It lies in
    /// the chunk then.
    #[inline]
    pub(crate) fn whole_message(&mut self, half: Half) -> Option<Opcode> {
        let Input::Unread(chunk) = &mut self.input else { return None };
        if self.connection.owes_answers() {
            return None;
        }
        let kind = self.connection.decode_whole(chunk)?;
        self.after_message = AfterMessage::AtOnce;
        self.wakers.call_others(half);
        self.wakers.went_on(half);
        Some(kind)
    }

    /// Receives the next event of those that are taken; `None` when the connection is over and the
    /// transport has ended.
    ///
    /// Sends what is queued when, and only when, no complete frame is left in what was read: so
    /// all that one read brought is answered with one write, and nothing waits for more input.
    pub(crate) fn poll_event(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        takes: Takes,
    ) -> Poll<Option<Located>> {
        let mut was_receiving = self.connection.is_receiving();
        loop {
            let taken = match self.take_in(cx, half, takes) {
                Taken::Event(located) => return self.hand_out(half, Some(located)),
                taken => taken,
            };
            // Who waits to send, waits for nobody then.
            if mem::replace(&mut was_receiving, self.connection.is_receiving())
                && !self.connection.is_receiving()
            {
                self.wakers.call_others(half);
            }
            // Blocked or not, reading goes on: if both peers waited for the other to read, none
            // ever would.
            let _ = self.poll_transmit(cx, half);
            if self.connection.peer_reads_no_more() {
                // Those who send may have looked before the end was taken in, and wait for room.
                self.wakers.call_others(half);
            }
            if self.connection.owes_close() {
                ready!(self.poll_answers(cx, half, takes));
                let _ = self.poll_transmit(cx, half);
            }
            if self.poll_end(cx, half) {
                return self.hand_out(half, None);
            }
            ready!(self.poll_turn(cx, half));
            match self.poll_read(cx, half, &taken) {
                Poll::Ready(Some(event)) if takes == Takes::Message && event.is_data() => {
                    return self.hand_out(half, Some(Located::Owned(event)));
                }
                Poll::Ready(_) => {}
                Poll::Pending => {
                    self.turns = 0;
                    if !self.connection.owes_close() {
                        self.after_message = AfterMessage::Waited;
                    }
                    ready!(self.poll_deadline(cx, half, Judge::Reader));
                }
            }
        }
    }

    /// Answers the peer's Close frame, once those who send had their turn: they may have what came in front
    /// of it in hand, and nothing of ours follows our Close frame. A deadline bounds it.
    fn poll_answers(&mut self, cx: &Context<'_>, half: Half, takes: Takes) -> Poll<()> {
        if takes == Takes::Message && self.connection.queued_bytes() == 0 {
            if self.after_message == AfterMessage::AtOnce {
                self.after_message = AfterMessage::Waited;
                let _ = self.wakers.join(half, cx.waker());
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !self.wakers.sender_waits() {
                self.connection.answer_close();
            }
        } else if takes == Takes::Message {
            // When that has left, there is room for more.
            self.after_message = AfterMessage::AtOnce;
        } else {
            self.connection.answer_close();
        }
        Poll::Ready(())
    }

    /// The half goes on with this. What others wait for may have changed with it: what stood behind a
    /// message, or that the connection is over.
    fn hand_out(&mut self, half: Half, event: Option<Located>) -> Poll<Option<Located>> {
        self.after_message = AfterMessage::AtOnce;
        self.wakers.call_others(half);
        self.wakers.went_on(half);
        Poll::Ready(event)
    }

    /// Takes in the frames that were read, up to the next event that is wanted. Control frames that were
    /// answered in front of it are answered before it is handed out, if the transport takes the answers.
    fn take_in(&mut self, cx: &Context<'_>, half: Half, takes: Takes) -> Taken {
        let shows_control_frames = self.connection.config().show_control_frames;
        let most = self.connection.input_limit();
        let mut taken = Taken::All;
        for _ in 0..FRAMES {
            let Input::Unread(chunk) = &mut self.input else { break };
            let connection = &mut self.connection;
            if chunk.is_empty() {
                self.input = Input::Empty;
                break;
            }
            if takes == Takes::Control
                && (shows_control_frames || !connection.next_is_control(chunk.unread()))
            {
                break;
            }
            if takes == Takes::Message
                && let Some(missing) = connection.missing(chunk.unread())
                && missing <= (Chunk::LEN - chunk.unread_len().min(Chunk::LEN)) as u64
            {
                taken = Taken::Incomplete(missing as usize);
                break;
            }
            let before = connection.gathered();
            let Some(located) = chunk.decode(most, |bytes| connection.handle_input(bytes)) else {
                // A few bytes may have become many, which is work.
                let grown = connection.gathered().saturating_sub(before) / GATHERED;
                self.turns = self.turns.saturating_add(grown.min(TURNS.into()) as u16);
                if self.turns >= TURNS {
                    break;
                }
                continue;
            };
            let is_shown = match &located {
                Located::Text | Located::Binary => true,
                Located::Ping | Located::Pong => shows_control_frames,
                Located::Owned(event) => {
                    event.is_data() || shows_control_frames && !matches!(event, Event::Close(_))
                }
            };
            if is_shown && takes == Takes::Message {
                taken = Taken::Event(located);
                break;
            }
        }
        if self.connection.owes_answers() {
            let _ = self.poll_transmit(cx, half);
        }
        taken
    }

    /// Reads once; ready when something came of it, perhaps an event already. Pending: all that came has
    /// been read.
    fn poll_read(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        taken: &Taken,
    ) -> Poll<Option<Event<'static>>> {
        let cx = &mut Context::from_waker(self.wakers.join(half, cx.waker()));
        let transport = &mut self.transport;
        let polled = match (&mut self.input, taken) {
            (Input::Lent | Input::Ended, _) => return Poll::Pending,
            (Input::Unread(chunk), &Taken::Incomplete(missing)) => {
                if chunk.room(missing).len() < missing {
                    *chunk = ThreadChunk::with_room(chunk.unread());
                }
                let polled = transport.poll_read(cx, chunk.room(missing));
                if polled.is_pending() {
                    // The message is gathered then, so that a peer that takes its time holds no block.
                    self.connection.handle_input(chunk.unread());
                    self.input = Input::Watched;
                }
                polled
            }
            // A bounded number of frames was taken in; there are more.
            (Input::Unread(_), _) => {
                self.turns = self.turns.saturating_add(READ_TURNS);
                return Poll::Ready(None);
            }
            (Input::Empty | Input::Watched, _) => {
                let polled = self
                    .connection
                    .direct_buffer()
                    .map(|mut buffer| transport.poll_read_direct(cx, &mut buffer));
                if let Some(polled) = polled {
                    let read = ready!(polled);
                    return Poll::Ready(
                        self.has_read(read).and_then(|_| self.connection.handle_direct()),
                    );
                }
                let mut chunk = ThreadChunk::borrow();
                let polled = transport.poll_read(cx, chunk.room(1));
                self.input = match polled {
                    Poll::Ready(_) => Input::Unread(chunk),
                    Poll::Pending => Input::Watched,
                };
                polled
            }
        };
        let read = ready!(polled);
        if let Some(len) = self.has_read(read)
            && let Input::Unread(chunk) = &mut self.input
        {
            chunk.filled(len);
        }
        Poll::Ready(None)
    }

    /// Takes in how a read ended; the number of bytes, if there are any.
    fn has_read(&mut self, read: io::Result<usize>) -> Option<usize> {
        match read {
            Ok(0) => self.input_ended(|connection| connection.handle_eof()),
            Ok(len) => {
                self.turns = self.turns.saturating_add(READ_TURNS);
                return Some(len);
            }
            Err(error) => self.input_ended(|connection| connection.handle_transport_error(error)),
        }
        None
    }

    fn input_ended(&mut self, tell: impl FnOnce(&mut Connection)) {
        // A frame that lacks its end stays so.
        if let Input::Unread(chunk) = &mut self.input
            && !chunk.is_empty()
        {
            self.connection.handle_input(chunk.unread());
        }
        self.input = Input::Ended;
        tell(&mut self.connection);
    }

    /// Takes in what a half that sends may take in: control frames, up to the next message, of one read.
    fn look(&mut self, cx: &Context<'_>, half: Half) -> Looked {
        // What stands behind a message that was handed out came with it, and is the receiver's.
        let takes = self.senders_take;
        let may_read = match self.input {
            Input::Unread(_) => takes == Takes::Nothing,
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

    /// Sends what is queued; ready when all of it is with the transport, or never will be.
    pub(crate) fn poll_transmit(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        // A long message is encoded slice by slice. Others have their turn before the next one.
        if !self.connection.is_encoding() || !self.connection.encode_slice() {
            return self.poll_write(cx, half);
        }
        let _ = self.wakers.join(half, cx.waker());
        cx.waker().wake_by_ref();
        let _ = self.poll_write(cx, half);
        Poll::Pending
    }

    /// Sends what is encoded.
    fn poll_write(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        loop {
            let is_flushed = self.output == Output::Flushed || self.is_closed();
            let cx = &mut Context::from_waker(self.wakers.join(half, cx.waker()));
            let polled = match self.connection.transmit_in_one() {
                Some([]) if is_flushed => return Poll::Ready(()),
                Some([]) => self.transport.poll_flush(cx).map_ok(|()| Written::Flushed),
                Some(slice) => {
                    self.transport.poll_write(cx, &[IoSlice::new(slice)]).map_ok(Written::Bytes)
                }
                None => {
                    let mut slices = [IoSlice::new(&[]); SLICES];
                    let count = self.connection.poll_transmit_queued(&mut slices);
                    self.transport.poll_write(cx, &slices[..count]).map_ok(Written::Bytes)
                }
            };
            match polled {
                Poll::Ready(Ok(Written::Flushed)) => {
                    self.output = Output::Flushed;
                    self.connection.transmitted(0);
                    self.wakers.call_others(half);
                }
                Poll::Ready(Ok(Written::Bytes(len @ 1..))) => {
                    self.output = Output::Unflushed;
                    self.connection.transmitted(len);
                    self.wakers.call_others(half);
                }
                Poll::Ready(Ok(Written::Bytes(0))) => {
                    self.has_failed(half, io::ErrorKind::WriteZero.into());
                }
                Poll::Ready(Err(error)) => self.has_failed(half, error),
                Poll::Pending => {
                    self.connection.transmit_blocked();
                    return Poll::Pending;
                }
            }
        }
    }

    fn has_failed(&mut self, half: Half, error: io::Error) {
        self.connection.handle_write_error(error);
        self.output = Output::Flushed;
        self.wakers.call_others(half);
    }

    /// Sends what is queued and keeps the deadlines meanwhile, for a half that sends.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_turn(cx, half));
            if self.poll_transmit(cx, half).is_ready() {
                self.turns = self.turns.saturating_add(1);
                self.look_while_sending(cx, half);
                break;
            }
            ready!(self.poll_look(cx, half, patience))?;
        }
        self.wakers.went_on(half);
        // What was discarded has not been sent, although an end in order is no error.
        let is_lost = self.connection.discarded_bytes() > 0;
        let error = self.connection.send_error().cloned();
        Poll::Ready(error.or(is_lost.then_some(Error::Closed)).map_or(Ok(()), Err))
    }

    /// Whoever only sends looks at what came, and judges silence, although it never has to wait.
    fn look_while_sending(&mut self, cx: &Context<'_>, half: Half) {
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
            Looked::Some => self.connection.answer_close(),
            Looked::Nothing => {}
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
            Patience::UntilClosed => self.look(cx, half),
            Patience::UntilSent => Looked::Nothing,
        };
        if patience == Patience::UntilClosed && self.connection.peer_reads_no_more() {
            self.connection.answer_close();
            self.wakers.went_on(half);
            return Poll::Ready(Err(self.why_closed()));
        }
        let judge = match looked {
            Looked::Some => return Poll::Ready(Ok(())),
            Looked::All => Judge::Reader,
            Looked::Nothing => Judge::Sender,
        };
        self.poll_deadline(cx, half, judge).map(Ok)
    }

    /// Waits until a message of `len` bytes may be queued.
    pub(crate) fn poll_room(
        &mut self,
        cx: &Context<'_>,
        half: Half,
        len: usize,
        patience: Patience,
    ) -> Poll<Result<(), Error>> {
        while self.connection.takes_messages() && !self.connection.has_room_for(len) {
            ready!(self.poll_turn(cx, half));
            if self.poll_transmit(cx, half).is_pending() && !self.connection.has_room_for(len) {
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

    /// Writes if much is queued, without waiting.
    #[inline]
    pub(crate) fn write_early(&mut self, cx: &Context<'_>, half: Half) {
        if self.connection.encoded_bytes() >= WRITE_MARK {
            let _ = self.poll_transmit(cx, half);
            self.wakers.went_on(half);
        }
    }

    pub(crate) fn why_closed(&self) -> Error {
        self.connection.send_error().cloned().unwrap_or(Error::Closed)
    }

    /// Takes the steps that end the transport, as far as they can be taken; true when over.
    fn poll_end(&mut self, cx: &Context<'_>, half: Half) -> bool {
        while self.connection.wants_shutdown() && self.output == Output::Flushed {
            let cx = &mut Context::from_waker(self.wakers.join(half, cx.waker()));
            match self.transport.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.connection.shutdown_done(),
                Poll::Ready(Err(error)) => self.connection.handle_transport_error(error),
                Poll::Pending => return false,
            }
        }
        self.is_closed()
    }

    fn is_closed(&self) -> bool {
        self.connection.state() == State::Closed && !self.connection.wants_shutdown()
    }

    /// Lets other tasks run once, after so much work without waiting. Deadlines are looked at before
    /// waiting, but some peers never let us wait, so they are looked at here as well.
    #[inline]
    fn poll_turn(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        if self.turns < TURNS {
            return Poll::Ready(());
        }
        self.give_up_turn(cx, half)
    }

    #[inline(never)]
    fn give_up_turn(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        self.turns = 0;
        let now = self.timer.now();
        let judge = match half {
            Half::Receive => Judge::Reader,
            Half::Send(_) => Judge::Sender,
        };
        let deadline = self.connection.poll_judged_timeout(judge, || now);
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.connection.judge_timeout(judge, now);
            self.wakers.call_others(half);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the next deadline; ready when one has passed and was dealt with.
    fn poll_deadline(&mut self, cx: &Context<'_>, half: Half, judge: Judge) -> Poll<()> {
        // The timer is one for all who wait, so it keeps the deadlines of whoever receives as well.
        let keeps = if self.wakers.receiver_waits() { Judge::Reader } else { judge };
        let waker = self.wakers.join(half, cx.waker());
        let Some(deadline) = self.connection.poll_judged_timeout(keeps, || self.timer.now()) else {
            return Poll::Pending;
        };
        ready!(self.timer.poll_until(&mut Context::from_waker(waker), deadline));
        self.connection.judge_timeout(judge, self.timer.now());
        // They judge for themselves, and keep their own deadlines from then on.
        self.wakers.call_others(half);
        Poll::Ready(())
    }
}

impl<T, C> Driver<T, C> {
    /// The message of this kind that lies in the chunk.
    #[inline]
    pub(crate) fn take_whole(&mut self, kind: Opcode) -> Message {
        let Input::Unread(chunk) = &mut self.input else { return Message::binary(Bytes::new()) };
        let message = match kind {
            Opcode::Text => Message::Text(chunk.take_text()),
            _ => Message::Binary(chunk.take_bytes()),
        };
        self.put_away();
        message
    }

    /// The event as a message of its own; gives back the chunk, or all of it that is not needed.
    pub(crate) fn take(&mut self, located: Located) -> Message {
        let Input::Unread(chunk) = &mut self.input else { return owned(located) };
        let message = match located {
            Located::Text => Message::Text(chunk.take_text()),
            Located::Binary => Message::Binary(chunk.take_bytes()),
            Located::Ping => Message::Ping(chunk.take_bytes()),
            Located::Pong => Message::Pong(chunk.take_bytes()),
            located => owned(located),
        };
        self.put_away();
        message
    }

    /// Lends the chunk in which an event lies.
    pub(crate) fn lend(&mut self) -> Option<ThreadChunk> {
        match mem::replace(&mut self.input, Input::Lent) {
            Input::Unread(chunk) => Some(chunk),
            input => {
                self.input = input;
                None
            }
        }
    }

    /// Gives back a chunk that is used up, or that has little left for the application to take.
    #[inline]
    pub(crate) fn put_away(&mut self) {
        if let Input::Unread(chunk) = &mut self.input
            && chunk.unread_len() <= SMALL_REST
        {
            if chunk.is_empty() {
                self.input = Input::Watched;
            } else {
                chunk.give_back_the_rest();
            }
        }
    }

    /// Takes back the chunk that was lent.
    pub(crate) fn take_back(&mut self, chunk: ThreadChunk) {
        self.input = if chunk.is_empty() { Input::Watched } else { Input::Unread(chunk) };
    }
}

fn owned(located: Located) -> Message {
    match located {
        Located::Owned(event) => event.into(),
        _ => unreachable!("what lies in a chunk is taken while the chunk is there"),
    }
}
