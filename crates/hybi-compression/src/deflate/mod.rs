//! The extensions that compress with DEFLATE (RFC 1951), a file each, and the choices about them.

mod codec;
mod deflate_frame;
mod deflate_stream;
mod draft_names;
mod methods;
mod params;
mod perframe_compress;
mod permessage_compress;
mod permessage_deflate;

pub(crate) use codec::share;
use codec::{DeflateCodec, Direction};

use crate::{AcceptOnly, Extension, Extensions};

pub use deflate_frame::DeflateFrame;
pub use deflate_stream::DeflateStream;
pub use draft_names::PermessageDeflateDraft;
pub use perframe_compress::PerframeCompress;
pub use permessage_compress::PermessageCompress;

/// Every choice about an extension that compresses with DEFLATE.
///
/// "Own" is what this endpoint sends and "peer" what it receives, so that one value serves clients
/// and servers. It is itself permessage-deflate, [`Extension`](crate::Extension) and all
/// ([RFC 7692](https://www.rfc-editor.org/rfc/rfc7692)); the extensions before it are made of one.
///
/// ```
/// use hybi_compression::{Deflate, Extensions};
///
/// // Small rather than fast, and nothing kept between messages.
/// let deflate = Deflate::default()
///     .level(6)
///     .own_context_takeover(false)
///     .peer_context_takeover(false);
/// let extensions = Extensions::from(deflate);
/// ```
///
/// # Time
///
/// Compressing is slow beside everything else that is done to a message, and the level says how slow.
/// This is what zlib-rs makes of a message of 1 KiB that is like those before it, or of the same
/// without context takeover, in microseconds and bytes:
///
/// | level | JSON | text | protobuf | JSON, without takeover |
/// |---|---|---|---|---|
/// | 1 | 1.9 µs, 289 B | 3.1 µs, 445 B | 4.2 µs, 622 B | 3.5 µs, 529 B |
/// | 2 | 7.6 µs, 245 B | 12.0 µs, 373 B | 35 µs, 602 B | 11.9 µs, 431 B |
/// | 3 | 8.9 µs, 233 B | 13.4 µs, 345 B | 23 µs, 589 B | 13.0 µs, 425 B |
/// | 6 | 12.7 µs, 216 B | 18.8 µs, 330 B | 28 µs, 553 B | 13.0 µs, 422 B |
/// | 9 | 19.1 µs, 211 B | 30.0 µs, 326 B | 57 µs, 530 B | 15.0 µs, 421 B |
///
/// Level 1 is the default: it has no tables to make, so it needs a quarter of the time of the next
/// level and a seventh of that of level 6, for a third more bytes at most. Take more where the
/// network is slow or paid for by the byte: level 2 gains the most where messages are not like each
/// other, where there is no takeover, and in text of few letters such as base64, which level 1 does
/// not count. Decompressing takes 1 to 2 µs. The benchmark `deflate_levels` of
/// the workspace prints all this from 256 bytes to 1 MiB, and echoes beside other implementations.
///
/// The largest window is the best in time as well as in size, since the more is found, the less is
/// left to do: with 12 bits, a message of 1 KiB takes a tenth longer and a seventh more bytes.
///
/// What looks like noise is not compressed: bytes that are compressed already, or encrypted. It is
/// looked at in a few places, which takes at most 3 µs, and a sample of it compressed now and then,
/// since looks deceive. Neither happens with [`Compress::Always`](crate::Compress::Always).
/// [`DeflateStream`] cannot leave out anything.
///
/// # Memory
///
/// A compressor takes 200 to 330 KiB, by its window, and a decompressor 48 KiB. Each thread keeps at
/// most two of each for whoever needs one next, unless it
/// [leaves](crate::share_buffers) them to others. Without context takeover a connection borrows them
/// for a message and owns nothing.
///
/// With takeover the next message goes on with the states of the last. Between messages they are in
/// one place for the whole process, with a budget in bytes ([`Deflate::set_budget`]): 16 MiB unless
/// it is set. When that is used up, the state that was unused for longest makes room, but only for a
/// connection whose last message is not as long ago: so a crowd of connections that speak once takes
/// nothing from those that are busy. In the middle of a message a decompressor is its connection's
/// own, and does not count. So is a compressor in the middle of a message that is compressed in
/// [slices](crate::Chain::start_message), as long as all of those take no more than another budget;
/// connections beyond make one again for each slice.
///
/// What else a connection has is what makes a state again. Of what it sent these are the last 4 KiB,
/// of what it received the last 32 KiB: as it came, compressed, while that is short, as it is when it
/// gets longer, and packed when the connection is quiet (`Config::park_after` in hybi). After ten
/// messages of 1 KiB each way, like one another as messages in JSON are, that is 8 KiB; at worst it is
/// 36 KiB. With all else that a connection needs under tokio, 10,000 of these take 10.5 to 12 KB each of
/// resident memory, and 7.5 KB each if the ten were only sent.
///
/// A state made again costs a message of 1 KiB some 5 µs in sending and up to 10 µs in receiving. With
/// many connections that is less than the time it takes to bring a state that was kept into the
/// processor's cache. And since kept states know more than 4 KiB, the message takes some 6 % more bytes
/// at level 1, and 13 % at level 6.
///
/// Smaller windows make smaller compressors. They do not make what is kept of received bytes smaller:
/// a peer that refers farther back than it agreed to is understood.
///
/// Nothing is ever sized by what a peer declares: what a payload inflates to passes through 64 KiB
/// that each thread has, and is counted there against the limit on messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deflate {
    pub(crate) level: u8,
    pub(crate) min_size: usize,
    pub(crate) own_takeover: bool,
    pub(crate) peer_takeover: bool,
    pub(crate) own_window_bits: u8,
    pub(crate) peer_window_bits: u8,
}

impl Default for Deflate {
    fn default() -> Self {
        Self {
            level: 1,
            min_size: 128,
            own_takeover: true,
            peer_takeover: true,
            own_window_bits: 15,
            peer_window_bits: 15,
        }
    }
}

impl Deflate {
    /// Whether the library compiled in has a choice of the window: `zlib-rs` has, `miniz_oxide` has
    /// not. Without it, [`own_window_bits`](Self::own_window_bits) has no effect: a server declines
    /// offers that ask it for less than 15 bits, and a client does not offer to use less.
    pub const HAS_WINDOW_BITS: bool = cfg!(feature = "zlib-rs");

    /// Sets how many bytes of compressors and decompressors are kept from message to message, by all
    /// connections of the process together; 16 MiB by default.
    ///
    /// It is enough for some 44 connections that send and receive at the same time, each with the
    /// largest windows, at 380 KiB each. What is beyond, a connection makes again for each message: see
    /// [Memory](Self#memory). That takes about the same time, since the states of many connections are
    /// not in the processor's cache either, but the messages are larger by some per cent. A smaller
    /// budget than what is in use takes effect at once.
    ///
    /// ```
    /// use hybi_compression::Deflate;
    ///
    /// // A server with memory to spare, for 10,000 connections that are sent to all the time.
    /// Deflate::set_budget(4 << 30);
    /// assert_eq!(Deflate::budget(), 4 << 30);
    /// ```
    pub fn set_budget(bytes: usize) {
        codec::set_budget(bytes);
    }

    /// What [`set_budget`](Self::set_budget) set, or the default, in bytes.
    #[must_use]
    pub fn budget() -> usize {
        codec::budget().0
    }

    /// How much of the [budget](Self::set_budget) is in use, in bytes: what a program that watches
    /// itself would print.
    #[must_use]
    pub fn budget_used() -> usize {
        codec::budget().1
    }

    /// Sets how hard to try: from 0, which only stores, and 1, the fastest, to 9; 1 by default, see
    /// [Time](Self#time). What is beyond is taken for 9.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = level.min(9);
        self
    }

    /// Sets the length in bytes below which a message is not compressed; 128 by default.
    #[must_use]
    pub fn min_size(mut self, bytes: usize) -> Self {
        self.min_size = bytes;
        self
    }

    /// Sets whether what this endpoint sends may refer back to messages before; true by default.
    /// It is what makes small messages of one kind much smaller.
    #[must_use]
    pub fn own_context_takeover(mut self, takeover: bool) -> Self {
        self.own_takeover = takeover;
        self
    }

    /// Sets whether the peer may do the same; true by default. What is demanded here, a server obeys or
    /// goes without the extension, and a client obeys.
    #[must_use]
    pub fn peer_context_takeover(mut self, takeover: bool) -> Self {
        self.peer_takeover = takeover;
        self
    }

    /// Sets how far back what this endpoint sends may refer at most: 2 to the power of 8 to 15 bytes;
    /// 15 by default. The peer may ask for less. Other numbers are taken for the nearest of these.
    #[must_use]
    pub fn own_window_bits(mut self, bits: u8) -> Self {
        self.own_window_bits = bits.clamp(8, 15);
        self
    }

    /// Sets how far back the peer may refer at most; 15 by default, which demands nothing. A server
    /// obeys or goes without the extension; of clients it is demanded if they say that they can.
    ///
    /// It is for the sake of the peer's memory. A peer that refers farther back, as some that round the
    /// number up do, is understood all the same.
    #[must_use]
    pub fn peer_window_bits(mut self, bits: u8) -> Self {
        self.peer_window_bits = bits.clamp(8, 15);
        self
    }

    /// How far back what this endpoint sends refers at most, if it can be chosen.
    pub(crate) fn own_window(&self) -> u8 {
        if Self::HAS_WINDOW_BITS { self.own_window_bits } else { 15 }
    }
}

impl Extensions {
    /// Every extension of this crate, newest first: for programs that are to talk to whatever there
    /// is. Those that do not fit the version of a connection are left out of it.
    ///
    /// Some are accepted and not [offered](AcceptOnly): [`PermessageDeflateDraft`]; and, without a
    /// choice of the window ([`Deflate::HAS_WINDOW_BITS`]), those that allow a server to demand a
    /// smaller one of the client unasked, which are all but permessage-deflate and deflate-stream.
    ///
    /// ```
    /// use hybi_compression::{Deflate, Extensions};
    /// use hybi_handshake::{ExtensionOffer, Version};
    ///
    /// let server = Extensions::all(Deflate::default());
    /// let offers = ExtensionOffer::parse_list(["x-webkit-deflate-frame"], Version::RFC6455)?;
    /// assert_eq!(server.accept(&offers, Version::RFC6455)[0].answer(), &offers[0]);
    /// # Ok::<(), hybi_handshake::HandshakeError>(())
    /// ```
    #[must_use]
    pub fn all(deflate: Deflate) -> Self {
        Self::from(deflate)
            .with(AcceptOnly(PermessageDeflateDraft::new(deflate)))
            .with(offered_with_windows(PermessageCompress::new(deflate)))
            .with(offered_with_windows(PermessageCompress::webkit(deflate)))
            .with(offered_with_windows(PerframeCompress::new(deflate)))
            .with(offered_with_windows(DeflateFrame::new(deflate)))
            .with(offered_with_windows(DeflateFrame::webkit(deflate)))
            .with(DeflateStream::new(deflate))
    }
}

/// A server may answer this with a smaller window for the client, which not every library has.
fn offered_with_windows(extension: impl Extension + 'static) -> Extensions {
    if Deflate::HAS_WINDOW_BITS { extension.into() } else { AcceptOnly(extension).into() }
}
