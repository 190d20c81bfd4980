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

use codec::{DeflateCodec, Direction};

use crate::Extensions;

pub(crate) use codec::is_crowded;
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
/// // Fast rather than small, and nothing kept between messages.
/// let deflate = Deflate::default()
///     .level(1)
///     .own_context_takeover(false)
///     .peer_context_takeover(false);
/// let extensions = Extensions::from(deflate);
/// ```
///
/// # Time
///
/// Compressing is slow beside everything else that is done to a message: at level 6 some 80 MB/s of
/// text like JSON, decompressing some 900 MB/s. It pays where the network is slower than that or is
/// paid for by the byte. On a fast local network take a lower level, or none of this
/// ([`Extensions::none`]).
///
/// # Memory
///
/// A compressor takes 245 to 370 KiB, by its window, and a decompressor 47 KiB. Each thread keeps at
/// most four of each for whoever needs one next. Without context takeover a connection borrows them
/// for a message and owns nothing.
///
/// With takeover it holds on to them, and to a copy of the bytes that the next message may refer
/// back to, until it is parked: then it keeps these bytes alone, no more than the window and than
/// were sent, and those compressed if they can be. After ten messages of 1 KiB each way, like one
/// another as messages in JSON are, that is 6 KiB; at worst it is 64 KiB with both windows at 15
/// bits. The next message takes 50 to 100 µs more. Connections are parked when they were quiet for a
/// while, and whenever they wait while more than 256 compressors and decompressors are held in the
/// process, which is some 60 MiB.
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
            level: 6,
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

    /// Sets how hard to try: from 0, which only stores, and 1, the fastest, to 9; 6 by default. What
    /// is beyond is taken for 9.
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
            .with(PermessageDeflateDraft::new(deflate))
            .with(PermessageCompress::new(deflate))
            .with(PermessageCompress::webkit(deflate))
            .with(PerframeCompress::new(deflate))
            .with(DeflateFrame::new(deflate))
            .with(DeflateFrame::webkit(deflate))
            .with(DeflateStream::new(deflate))
    }
}
