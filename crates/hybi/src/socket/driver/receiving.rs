//! The half that receives: what was read, taken in up to the next event, and handed out from where it
//! lies.

use core::{
    mem,
    task::{Context, Poll, ready},
};
use std::io;

use bytes::Bytes;
use hybi_frame::{Chunk, Event, Located, Opcode};

use super::{AfterMessage, Driver, Input, TURNS};
use crate::{
    connection::{Connection, Judge, Message},
    socket::{
        io::{Timer, Transport},
        pool::ThreadChunk,
        wakers::Half,
    },
};

/// How many frames of what was read are taken in before what they caused is sent and deadlines are
/// looked at. No chunk holds as many, but an extension may make as many of it.
const FRAMES: usize = 32 * 1024;

/// How many bytes of a message count as much as a write, where more of them come than were read.
const GATHERED: usize = 128;

/// How many bytes that a codec takes in count as much as a write: the worst of them cost ten times as much as
/// others do.
const DECODED: usize = 16;

/// What a read counts, however little it brings.
const READ_TURNS: u16 = 128;

/// How many bytes of a read count as much as a write.
const READ: usize = 64;

/// A rest of so many bytes that the application has not taken yet moves to a block of its size, so that
/// a handler at work does not hold a chunk.
const SMALL_REST: usize = 4 * 1024;

/// From so many bytes on, a piece is handed out before more is taken in.
const PIECE: usize = 64 * 1024;

/// Which events somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The next message, to keep it.
    Message,
    /// The next message, or what has come of it: [`Driver::poll_event`] gives `None` for
    /// [a piece](Connection::has_piece) as well.
    Pieces,
    /// The same, and the peer's Close frame ends its direction alone: `None` is for that, too.
    Bytes,
    /// No message, but what stands before it.
    Control,
    /// All of them, to drop them.
    Nothing,
}

impl Takes {
    const fn pieces(self) -> bool {
        matches!(self, Self::Pieces | Self::Bytes)
    }

    const fn messages(self) -> bool {
        matches!(self, Self::Message | Self::Pieces | Self::Bytes)
    }
}

/// What became of the bytes that were read.
pub(super) enum Taken {
    Event(Located),
    /// No complete frame is left, or none that may be taken.
    All,
    /// What is left is a frame that lacks so many bytes, for which there is room behind it.
    Incomplete(usize),
    /// A piece of a message, for somebody who takes those.
    Piece,
}

impl<T: Transport, C: Timer> Driver<T, C> {
    /// The kind of the next message, if it is whole and has been read already: most are such. It lies in
    /// the chunk then.
    // Not inlined: where a message comes at a time, the processor has to fetch less code.
    #[inline(never)]
    pub(crate) fn whole_message(&mut self, half: Half) -> Option<Opcode> {
        let Input::Unread(chunk) = &mut self.input else { return None };
        if self.connection.owes_answers() {
            return None;
        }
        let kind = self.connection.decode_whole(chunk)?;
        self.turns = self.turns.saturating_add(1);
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
            let takes = self.takes_now(takes);
            // Few bytes may be many messages where there is a codec. Where there is none, what was read is handed out
            // before others have their turn, so that no block is held meanwhile.
            if self.connection.input_limit() < usize::MAX {
                ready!(self.poll_turn(cx, half));
            }
            let taken = match self.take_in(cx, half, takes) {
                Taken::Event(located) => return self.hand_out(half, Some(located)),
                Taken::Piece => return self.hand_out(half, None),
                taken => taken,
            };
            // Blocked or not, reading goes on: if both peers waited for the other to read, none
            // ever would.
            let _ = self.poll_transmit(cx, half);
            if was_receiving && !self.connection.is_receiving() {
                // Those who send may have looked before the end was taken in, and wait for nobody then. They
                // are told once: they may be of the same task, which would call itself for ever.
                was_receiving = false;
                self.wakers.call_others(half);
            }
            if self.connection.owes_close() {
                if takes == Takes::Bytes {
                    return self.hand_out(half, None);
                }
                let waits = self.connection.queued_bytes() > 0;
                ready!(self.poll_answers(cx, half, takes));
                let has_left = self.poll_transmit(cx, half).is_ready();
                // The transport took the rest only now. Nobody else will say so: neither does it, nor is there more to
                // read.
                if waits && has_left && self.connection.owes_close() {
                    continue;
                }
            }
            if self.poll_end(cx, half) {
                return self.hand_out(half, None);
            }
            // Who sends without a pause is asked to leave as well.
            if self.asked.is_asked() && self.close_if_asked(half) {
                continue;
            }
            ready!(self.poll_turn(cx, half));
            match self.poll_read(cx, half, &taken) {
                Poll::Ready(Some(event)) if takes.messages() && event.is_data() => {
                    return self.hand_out(half, Some(Located::Owned(event)));
                }
                Poll::Ready(_) if takes == Takes::Message => {
                    if let Some(kind) = self.whole_message(half) {
                        let is_text = kind == Opcode::Text;
                        let located = if is_text { Located::Text } else { Located::Binary };
                        return Poll::Ready(Some(located));
                    }
                }
                Poll::Ready(_) => {}
                // A frame that lacks its end was taken in, and it broke a rule: the peer is told.
                Poll::Pending if was_receiving && !self.connection.is_receiving() => {}
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
        // What waits behind a message that is being written leaves no sooner than its end comes, if ever.
        let leaving = match self.connection.is_writing() {
            true => self.connection.encoded_bytes(),
            false => self.connection.queued_bytes(),
        };
        if takes.messages() && leaving == 0 {
            if self.after_message == AfterMessage::AtOnce {
                self.after_message = AfterMessage::Waited;
                let _ = self.wakers.join(half, cx.waker());
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !self.wakers.sender_waits() {
                self.connection.answer_close();
            }
        } else if takes.messages() {
            // When that has left, there is room for more.
            self.after_message = AfterMessage::AtOnce;
        } else {
            self.connection.answer_close();
        }
        Poll::Ready(())
    }

    /// The half goes on with this. What others wait for may have changed with it: what stood behind a
    /// message, or that the connection is over.
    pub(super) fn hand_out(&mut self, half: Half, event: Option<Located>) -> Poll<Option<Located>> {
        if event.is_none() && self.is_closed() {
            self.connection.trace_end();
        }
        self.after_message = AfterMessage::AtOnce;
        self.wakers.call_others(half);
        self.wakers.went_on(half);
        Poll::Ready(event)
    }

    /// Takes in the frames that were read, up to the next event that is wanted. Control frames that were
    /// answered in front of it are answered before it is handed out, if the transport takes the answers.
    pub(super) fn take_in(&mut self, cx: &Context<'_>, half: Half, takes: Takes) -> Taken {
        let shows_control_frames = self.connection.config().show_control_frames && !takes.pieces();
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
            let (before, unread) = (connection.gathered(), chunk.unread_len());
            let located = chunk.decode(most, |bytes| connection.handle_input(bytes));
            let mut work = 1;
            if most < usize::MAX {
                // A few bytes may have become many, which is work; and so is what becomes nothing.
                let after = match &located {
                    Some(Located::Owned(Event::Text(text))) => text.len(),
                    Some(Located::Owned(Event::Binary(bytes))) => bytes.len(),
                    Some(_) => 0,
                    None => connection.gathered(),
                };
                work += after.saturating_sub(before) / GATHERED;
                work += (unread - chunk.unread_len()) / DECODED;
            }
            self.turns = self.turns.saturating_add(work.min(TURNS.into()) as u16);
            let Some(located) = located else {
                if takes.pieces() && self.connection.gathered() >= PIECE {
                    break;
                }
                if self.turns >= TURNS && most < usize::MAX {
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
            if is_shown && takes.messages() {
                taken = Taken::Event(located);
                break;
            }
        }
        if takes.pieces()
            && matches!(taken, Taken::All)
            && self.connection.is_receiving()
            && self.connection.has_piece()
        {
            taken = Taken::Piece;
        }
        if self.connection.owes_answers() {
            // Without another step of what is being encoded: that is for the turns of whoever asked for this.
            let _ = self.poll_write(cx, half);
        }
        taken
    }

    /// Reads once; ready when something came of it, perhaps an event already. Pending: all that came has
    /// been read.
    pub(super) fn poll_read(
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
                let counts = (len / READ).min(TURNS.into()) as u16;
                self.turns = self.turns.saturating_add(READ_TURNS + counts);
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
}

impl<T, C> Driver<T, C> {
    /// The event of this kind that lies in the chunk, as a message of its own; gives back the chunk, or all
    /// of it that is not needed.
    #[inline]
    pub(crate) fn take_lying(&mut self, kind: Opcode) -> Message {
        let Input::Unread(chunk) = &mut self.input else { return Message::binary(Bytes::new()) };
        let message = match kind {
            Opcode::Text => Message::Text(chunk.take_text()),
            Opcode::Ping => Message::Ping(chunk.take_bytes()),
            Opcode::Pong => Message::Pong(chunk.take_bytes()),
            _ => Message::Binary(chunk.take_bytes()),
        };
        self.put_away();
        message
    }

    /// The same, wherever it lies.
    pub(crate) fn take(&mut self, located: Located) -> Message {
        match kind(located) {
            Ok(kind) => self.take_lying(kind),
            Err(event) => {
                self.put_away();
                event.into()
            }
        }
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

/// What an event is that lies in the chunk; one that does not comes back.
pub(crate) fn kind(located: Located) -> Result<Opcode, Event<'static>> {
    match located {
        Located::Text => Ok(Opcode::Text),
        Located::Binary => Ok(Opcode::Binary),
        Located::Ping => Ok(Opcode::Ping),
        Located::Pong => Ok(Opcode::Pong),
        Located::Owned(event) => Err(event),
    }
}
