//! Chunk: a block of input, which part of it is unread, and where the last event lies (RFC 6455 §5.2).
#![expect(
    unsafe_code,
    reason = "hands out text that was checked, and takes back a block for whole"
)]

use alloc::boxed::Box;
use core::fmt;
use core::mem;
use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use crate::decoder::FrameDecoder;
use crate::located::Located;
use crate::mask;
use crate::message::MessageAssembler;
use crate::opcode::Opcode;
use crate::payload::{Event, Payload, TextPayload};
use crate::utf8::{Utf8Bytes, checked_text};
use crate::whole::Kind;

/// A block of input bytes that is read into, decoded in place, and handed out without a copy.
///
/// ```text
///  given away   0       consumed       start    unread    end     room    block.len()
///  ~~~~~~~~~~~~~|-----------------------|------------------|--------------|
///                      |<--- lent --->|
/// ```
///
/// What a transport brings goes to the [room](Self::room); [`decode`](Self::decode) takes it from
/// the front of what is [unread](Self::unread). The event that it finds stays where it lies, and
/// can be looked at ([`lent_text`](Self::lent_text)) or kept ([`take_text`](Self::take_text)). A
/// large one that is kept is split off together with all bytes before it, and the block goes on
/// behind it. Once nobody holds such a part any more, the block is [whole again](Self::reclaim).
///
/// ```
/// use hybi_frame::{Chunk, FrameDecoder, FrameRules, Limits, Located, MessageAssembler, Role};
///
/// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
/// let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
/// let mut assembler = MessageAssembler::new(rules, limits);
///
/// let mut chunk = Chunk::new();
/// let read = b"\x81\x05Hello\x82\x02";
/// chunk.room(1)[..read.len()].copy_from_slice(read);
/// chunk.filled(read.len());
///
/// let located = chunk.decode(usize::MAX, |bytes| match decoder.decode(bytes) {
///     Ok((taken, Some(part))) => (taken, assembler.push(part).ok().flatten()),
///     Ok((taken, None)) => (taken, None),
///     Err(_) => (0, None),
/// });
/// assert!(matches!(located, Some(Located::Text)));
/// assert_eq!(chunk.lent_text(), "Hello");
/// assert_eq!(chunk.take_text(), "Hello");
/// assert_eq!(chunk.unread(), b"\x82\x02");
/// ```
///
/// # What a kept message holds
///
/// A message of [`SPLIT_MIN`](Self::SPLIT_MIN) bytes or more holds the memory of its whole block,
/// [`LEN`](Self::LEN) at most, until it is dropped; a smaller one is copied out and holds its own
/// bytes only.
pub struct Chunk {
    /// What is left of the block behind the parts that were given away.
    ///
    /// Invariants: `block.len() == block.capacity()`, and each byte of the allocation underneath has
    /// been initialised since the block was made.
    block: BytesMut,
    /// The length of the block when it is whole.
    whole: usize,
    /// Invariant: `start <= end <= block.len()`.
    start: usize,
    end: usize,
    lent: Lent,
}

/// Where the last event lies. Its bytes are as they were when it was found: whoever gives access to
/// bytes of the block forgets it first.
enum Lent {
    Nothing,
    /// Invariant: these bytes of the block are UTF-8.
    Text(Range<usize>),
    Bytes(Range<usize>),
}

impl Chunk {
    /// The length in bytes of the block that a thread has: 130 KiB, so that two messages of 64 KiB fit
    /// with their headers.
    ///
    /// With one read for both, their answers leave in one write: an echo of such messages over TCP does
    /// a third more of them a second than with blocks of half the length.
    pub const LEN: usize = 130 * 1024;

    /// From this length in bytes on, 4 KiB, an event that is kept is not copied.
    ///
    /// A shorter one costs less to copy than to share, and must not hold a whole block.
    pub const SPLIT_MIN: usize = 4 * 1024;

    /// An empty block of [`LEN`](Self::LEN) bytes. It is zeroed now and never again.
    ///
    /// ```
    /// use hybi_frame::Chunk;
    ///
    /// let mut chunk = Chunk::new();
    /// assert!(chunk.is_empty());
    /// assert_eq!(chunk.room(1).len(), Chunk::LEN);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::of(BytesMut::zeroed(Self::LEN), 0)
    }

    /// A block that is full: of just these bytes, all unread.
    ///
    /// ```
    /// use hybi_frame::Chunk;
    ///
    /// let mut chunk = Chunk::holding(b"\x81\x05Hel");
    /// assert_eq!(chunk.unread(), b"\x81\x05Hel");
    /// assert!(chunk.room(2).is_empty());
    /// ```
    #[must_use]
    pub fn holding(bytes: &[u8]) -> Self {
        Self::of(BytesMut::from(bytes), bytes.len())
    }

    fn of(mut block: BytesMut, end: usize) -> Self {
        // An allocator may give more than was asked for.
        block.resize(block.capacity(), 0);
        Self { whole: block.len(), block, start: 0, end, lent: Lent::Nothing }
    }

    /// The bytes that were read and not consumed. What was lent is forgotten.
    #[inline]
    pub fn unread(&mut self) -> &mut [u8] {
        self.lent = Lent::Nothing;
        &mut self.block[self.start..self.end]
    }

    /// How many bytes are unread.
    #[inline]
    #[must_use]
    pub const fn unread_len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the block was made [`LEN`](Self::LEN) bytes long, whatever was split off it since.
    #[inline]
    #[must_use]
    pub const fn is_full_size(&self) -> bool {
        self.whole >= Self::LEN
    }

    /// Whether no byte is unread.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes `len` bytes at the front of what is unread for read; all of them when there are fewer.
    #[inline]
    pub const fn consume(&mut self, len: usize) {
        let rest = self.unread_len();
        self.start += if len < rest { len } else { rest };
    }

    /// Space to read into, behind what is unread. What was lent is forgotten.
    ///
    /// An empty chunk gives its whole block. Else, when fewer than `least` bytes are left behind
    /// what is unread, that moves to the front first; there may still be fewer then, or none.
    ///
    /// ```
    /// use hybi_frame::Chunk;
    ///
    /// let mut chunk = Chunk::new();
    /// chunk.filled(Chunk::LEN);
    /// chunk.consume(Chunk::LEN - 10);
    /// // A frame of which ten bytes are here and five are missing.
    /// assert_eq!(chunk.room(5).len(), Chunk::LEN - 10);
    /// ```
    pub fn room(&mut self, least: usize) -> &mut [u8] {
        self.lent = Lent::Nothing;
        let least = if self.is_empty() { self.whole } else { least };
        if self.block.len() - self.end < least {
            self.block.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.unread_len());
            if self.block.len() - self.end < least {
                self.regain();
            }
        }
        &mut self.block[self.end..]
    }

    /// Notes that the first `len` bytes of the [room](Self::room) hold input now.
    ///
    /// ```
    /// use hybi_frame::Chunk;
    ///
    /// let mut chunk = Chunk::new();
    /// chunk.room(1)[..2].copy_from_slice(b"\x89\x00");
    /// chunk.filled(2);
    /// assert_eq!(chunk.unread(), b"\x89\x00");
    /// ```
    #[inline]
    pub fn filled(&mut self, len: usize) {
        self.end = self.block.len().min(self.end.saturating_add(len));
    }

    /// Lets `f` decode the front of what is unread, at most `max` bytes of it; consumes as many as
    /// it says, and returns the event that it found as one that says where it lies.
    ///
    /// A payload that lies in the bytes consumed stays there: it is lent until the next call of this
    /// method or of any other that gives access to bytes. Any other is owned, copied if need be.
    #[inline]
    pub fn decode(
        &mut self,
        max: usize,
        f: impl for<'a> FnOnce(&'a mut [u8]) -> (usize, Option<Event<'a>>),
    ) -> Option<Located> {
        self.lent = Lent::Nothing;
        let start = self.start;
        let len = max.min(self.unread_len());
        let bytes = &mut self.block[start..start + len];
        let front = bytes.as_ptr().addr();
        let (taken, event) = f(bytes);
        let taken = taken.min(len);
        self.start += taken;
        // Where a payload lies in the block, if it is among the bytes consumed. An address is enough
        // to tell: they were borrowed mutably, so that nothing else can lie there.
        let place = |payload: &[u8]| {
            let at = payload.as_ptr().addr().wrapping_sub(front);
            let inside = at <= taken && payload.len() <= taken - at;
            inside.then(|| start + at..start + at + payload.len())
        };
        let event = event?;
        let (located, lent) = match &event {
            Event::Text(TextPayload::Borrowed(text)) => {
                (Located::Text, place(text.as_bytes()).map(Lent::Text))
            }
            Event::Binary(Payload::Borrowed(payload)) => {
                (Located::Binary, place(payload).map(Lent::Bytes))
            }
            Event::Ping(Payload::Borrowed(payload)) => {
                (Located::Ping, place(payload).map(Lent::Bytes))
            }
            Event::Pong(Payload::Borrowed(payload)) => {
                (Located::Pong, place(payload).map(Lent::Bytes))
            }
            _ => return Some(Located::Owned(event.into_owned())),
        };
        let Some(lent) = lent else { return Some(Located::Owned(event.into_owned())) };
        self.lent = lent;
        Some(located)
    }

    /// Takes the message that begins what is unread, if it is whole: one frame without reserved bits,
    /// all of it here. It is lent then, text or binary as the opcode says.
    ///
    /// [`decode`](Self::decode) with the same decoder and assembler would find the same, but nearly
    /// all messages are such, and for short ones this is half of the work. It does nothing, and
    /// `decode` is to be asked, in all other cases: also where a rule is broken.
    ///
    /// ```
    /// use hybi_frame::{Chunk, FrameDecoder, FrameRules, Limits, MessageAssembler, Opcode, Role};
    ///
    /// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    /// let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
    /// let assembler = MessageAssembler::new(rules, limits);
    ///
    /// let mut chunk = Chunk::holding(b"\x81\x05Hello\x89\x00");
    /// assert_eq!(chunk.decode_whole(&mut decoder, &assembler), Some(Opcode::Text));
    /// assert_eq!(chunk.lent_text(), "Hello");
    /// assert!(chunk.decode_whole(&mut decoder, &assembler).is_none(), "a Ping is no message");
    /// ```
    #[inline]
    pub fn decode_whole(
        &mut self,
        decoder: &mut FrameDecoder,
        assembler: &MessageAssembler,
    ) -> Option<Opcode> {
        self.lent = Lent::Nothing;
        let unread = &mut self.block[self.start..self.end];
        let message = decoder.find_whole(unread)?;
        let payload = &mut unread[message.start..message.end];
        if !assembler.may_take(payload.len()) {
            return None;
        }
        let key = message.key.map(|key| key.at(0));
        let ascii = key.is_some_and(|key| mask::apply(payload, key));
        let at = self.start + message.start..self.start + message.end;
        let opcode = match message.kind {
            Kind::Binary => {
                self.lent = Lent::Bytes(at);
                Opcode::Binary
            }
            Kind::Text if checked_text(payload, ascii).is_ok() => {
                self.lent = Lent::Text(at);
                Opcode::Text
            }
            Kind::Text => {
                // As it was; what becomes of it is told on the long way.
                if let Some(key) = key {
                    mask::apply(payload, key);
                }
                return None;
            }
        };
        decoder.take_whole(message);
        self.start += message.end;
        Some(opcode)
    }

    /// The text that is lent, without a second look at it; empty when there is none.
    #[inline]
    #[must_use]
    pub fn lent_text(&self) -> &str {
        let Lent::Text(at) = &self.lent else {
            debug_assert!(false, "no text is lent");
            return "";
        };
        // SAFETY: by the invariant of `Lent::Text`, these bytes are UTF-8.
        unsafe { str::from_utf8_unchecked(&self.block[at.clone()]) }
    }

    /// The payload that is lent, of whatever kind; empty when there is none.
    #[inline]
    #[must_use]
    pub fn lent_bytes(&self) -> &[u8] {
        let (Lent::Text(at) | Lent::Bytes(at)) = &self.lent else {
            debug_assert!(false, "nothing is lent");
            return &[];
        };
        &self.block[at.clone()]
    }

    /// The text that is lent, to keep; empty when there is none. It is lent no longer.
    ///
    /// One of [`SPLIT_MIN`](Self::SPLIT_MIN) bytes or more is not copied: it is split off the block,
    /// which stays in memory as long as the text does.
    #[inline]
    #[must_use]
    pub fn take_text(&mut self) -> Utf8Bytes {
        let Lent::Text(at) = mem::replace(&mut self.lent, Lent::Nothing) else {
            debug_assert!(false, "no text is lent");
            return Utf8Bytes::default();
        };
        // SAFETY: by the invariant of `Lent::Text`, these bytes are UTF-8.
        unsafe { Utf8Bytes::from_bytes_unchecked(self.keep(at)) }
    }

    /// The payload that is lent, of whatever kind, to keep; empty when there is none. It is lent no
    /// longer, and copied or not as by [`take_text`](Self::take_text).
    #[inline]
    #[must_use]
    pub fn take_bytes(&mut self) -> Bytes {
        let (Lent::Text(at) | Lent::Bytes(at)) = mem::replace(&mut self.lent, Lent::Nothing) else {
            debug_assert!(false, "nothing is lent");
            return Bytes::new();
        };
        self.keep(at)
    }

    /// These bytes of the block, which were consumed.
    #[inline]
    fn keep(&mut self, at: Range<usize>) -> Bytes {
        if at.len() < Self::SPLIT_MIN {
            return Bytes::from(Box::<[u8]>::from(&self.block[at]));
        }
        // What was consumed before goes with it: its memory would be held anyway.
        let mut part = self.block.split_to(at.end);
        self.start -= at.end;
        self.end -= at.end;
        part.advance(at.start);
        part.freeze()
    }

    /// Makes the block whole again; says whether it is fit to be used anew, empty and
    /// [`LEN`](Self::LEN) bytes long.
    ///
    /// It is not while bytes are unread or somebody holds a part of it, nor when it never was that
    /// long. Nothing is copied, zeroed or allocated.
    ///
    /// ```
    /// use hybi_frame::{Event, Chunk, Payload};
    ///
    /// let mut chunk = Chunk::new();
    /// chunk.filled(5000);
    /// chunk.decode(usize::MAX, |bytes| {
    ///     (bytes.len(), Some(Event::Binary(Payload::Borrowed(bytes))))
    /// });
    /// let message = chunk.take_bytes();
    /// assert!(!chunk.reclaim(), "a part of it is held");
    /// drop(message);
    /// assert!(chunk.reclaim());
    /// ```
    #[must_use]
    pub fn reclaim(&mut self) -> bool {
        self.is_empty() && self.room(Self::LEN).len() == Self::LEN
    }

    /// Moves the unread bytes to a block of just their size, and returns the one that they were in,
    /// empty, for others to use; `None` when they are more than half of it, or when it is not one of
    /// [`LEN`](Self::LEN) bytes. What was lent is forgotten.
    ///
    /// An application may take its time over a message while the beginning of the next is here, and
    /// large blocks are few.
    ///
    /// ```
    /// use hybi_frame::Chunk;
    ///
    /// let mut chunk = Chunk::new();
    /// chunk.room(1)[..2].copy_from_slice(b"\x81\x05");
    /// chunk.filled(2);
    /// let mut block = chunk.shrink_to_rest().expect("two bytes of 130 KiB");
    /// assert_eq!(chunk.unread(), b"\x81\x05");
    /// assert!(block.reclaim());
    /// ```
    pub fn shrink_to_rest(&mut self) -> Option<Self> {
        if self.whole != Self::LEN || self.unread_len() > Self::LEN / 2 {
            return None;
        }
        let rest = Self::holding(self.unread());
        let mut block = mem::replace(self, rest);
        block.consume(usize::MAX);
        Some(block)
    }

    /// Gets back what was given away, if nobody holds any of it. The unread bytes lie at the front,
    /// and are kept.
    #[cold]
    fn regain(&mut self) {
        self.block.truncate(self.end);
        let _ = self.block.try_reclaim(self.whole - self.end);
        // SAFETY: each byte of the allocation was initialised when it was made. Since then it was
        // written to through `&mut [u8]` alone, here and in `room`, `unread` and `decode`: parts that
        // were given away are read-only while this handle to the allocation exists.
        unsafe { self.block.set_len(self.block.capacity()) };
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unread, block) = (self.unread_len(), self.block.len());
        f.debug_struct("Chunk")
            .field("unread", &unread)
            .field("block", &block)
            .finish_non_exhaustive()
    }
}
