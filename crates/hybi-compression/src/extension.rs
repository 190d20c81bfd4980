//! Extension: what an extension agrees on in the opening handshake (RFC 6455 §9).

use core::fmt;
use std::sync::Arc;

use hybi_frame::Rsv;
use hybi_handshake::{ExtensionOffer, Version};

use crate::codec::{PayloadCodec, StreamCodec};

/// An extension that an endpoint is willing to use, with all that it was configured to.
///
/// One value serves any number of connections, as client and as server. A client sends its
/// [`offers`](Self::offers) and judges the server's answer with [`confirm`](Self::confirm); a server
/// judges offers with [`accept`](Self::accept). What both agree on is an [`Agreed`].
///
/// An extension of one's own, which sends messages backwards and marks them with RSV3:
///
/// ```
/// use hybi_compression::{
///     Agreed, AnswerError, Compress, Extension, ExtensionOffer, Extensions, PayloadCodec, Rsv,
///     Violation,
/// };
///
/// #[derive(Debug)]
/// struct Backwards;
///
/// impl Extension for Backwards {
///     fn name(&self) -> &str {
///         "x-backwards"
///     }
///
///     fn offers(&self) -> Vec<ExtensionOffer> {
///         ExtensionOffer::new(self.name()).into_iter().collect()
///     }
///
///     fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
///         let codec = || Codec(Vec::new());
///         offer.params().is_empty().then(|| Agreed::message(offer.clone(), Rsv::RSV3, codec))
///     }
///
///     fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
///         let unknown = AnswerError::new("it has no parameters", "the page that describes it");
///         self.accept(answer).ok_or(unknown)
///     }
/// }
///
/// /// What came of the message that is arriving.
/// struct Codec(Vec<u8>);
///
/// impl PayloadCodec for Codec {
///     fn encode(&mut self, payload: &[u8], _compress: Compress, out: &mut Vec<u8>) -> bool {
///         out.extend(payload.iter().rev());
///         true
///     }
///
///     fn decode(
///         &mut self,
///         piece: &[u8],
///         end: bool,
///         out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
///     ) -> Result<(), Violation> {
///         // Pieces pass through where that is possible; the first byte of this one comes last.
///         self.0.extend_from_slice(piece);
///         if end {
///             self.0.reverse();
///             out(&self.0)?;
///             self.0.clear();
///         }
///         Ok(())
///     }
/// }
///
/// let extensions = Extensions::from(Backwards);
/// ```
///
/// [RFC 6455 §9.1](https://www.rfc-editor.org/rfc/rfc6455#section-9.1)
pub trait Extension: fmt::Debug + Send + Sync {
    /// The registered name, compared exactly. Offers and answers with this name are for this
    /// extension.
    fn name(&self) -> &str;

    /// Whether the extension may be used with this version of the protocol: from hybi-07 on, where
    /// frames have the reserved bits of RFC 6455, unless it says otherwise. Before hybi-04 nothing is
    /// negotiated, whatever it says.
    fn is_for(&self, version: Version) -> bool {
        version >= Version::HYBI_07
    }

    /// What a client offers, most wanted first; several are alternatives.
    fn offers(&self) -> Vec<ExtensionOffer>;

    /// Judges, as server, an offer of this name. `None` declines it: an unknown parameter, a value
    /// that is not lawful, a demand that cannot be met. That is no error; the next offer is tried.
    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed>;

    /// Judges, as client, the server's answer to one of the [`offers`](Self::offers).
    ///
    /// # Errors
    ///
    /// The rule that the answer breaks; the client fails the connection.
    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError>;
}

/// A server's answer that does not fit the client's offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerError {
    pub(crate) rule: &'static str,
    pub(crate) document: &'static str,
}

impl AnswerError {
    /// The rule in a few words, as it was broken, and where it is written.
    #[must_use]
    pub const fn new(rule: &'static str, document: &'static str) -> Self {
        Self { rule, document }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.rule, self.document)
    }
}

impl core::error::Error for AnswerError {}

/// An extension as it was agreed on for one connection.
#[derive(Clone)]
pub struct Agreed {
    answer: ExtensionOffer,
    pub(crate) rsv: Rsv,
    pub(crate) start: Start,
}

/// Makes the codec of one connection.
#[derive(Clone)]
pub(crate) enum Start {
    Payload {
        per_frame: bool,
        make: MakePayloadCodec,
    },
    Stream(Arc<dyn Fn() -> Box<dyn StreamCodec> + Send + Sync>),
    /// There is none.
    Mark,
}

pub(crate) type MakePayloadCodec = Arc<dyn Fn() -> Box<dyn PayloadCodec> + Send + Sync>;

impl Agreed {
    /// Works on whole messages: `rsv` is set on the first frame of each that is encoded, and on no
    /// other. Without bits of its own, every message is encoded.
    ///
    /// `answer` is the element of `Sec-WebSocket-Extensions` that the server sends; `codec` makes
    /// the codec of one connection.
    pub fn message<C: PayloadCodec + 'static>(
        answer: ExtensionOffer,
        rsv: Rsv,
        codec: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        Self::payload(answer, rsv, false, codec)
    }

    /// Works on each data frame for itself: `rsv` is set on those that are encoded.
    pub fn frame<C: PayloadCodec + 'static>(
        answer: ExtensionOffer,
        rsv: Rsv,
        codec: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        Self::payload(answer, rsv, true, codec)
    }

    fn payload<C: PayloadCodec + 'static>(
        answer: ExtensionOffer,
        rsv: Rsv,
        per_frame: bool,
        codec: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        let make = Arc::new(move || -> Box<dyn PayloadCodec> { Box::new(codec()) });
        Self { answer, rsv, start: Start::Payload { per_frame, make } }
    }

    /// Works on all bytes that follow the opening handshake, headers and control frames included.
    pub fn stream<C: StreamCodec + 'static>(
        answer: ExtensionOffer,
        codec: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        let start = Start::Stream(Arc::new(move || Box::new(codec())));
        Self { answer, rsv: Rsv::NONE, start }
    }

    /// Agreed on and answered, and nothing more: it touches neither frames nor bytes, so that a connection
    /// is as fast as without it. What it means is up to whoever reads the messages. It claims no
    /// reserved bit and goes with every other extension and every layout of frames.
    ///
    /// ```
    /// use hybi_compression::{Agreed, AnswerError, Extension, ExtensionOffer, Extensions, Version};
    ///
    /// /// Both ends put the time in front of each message.
    /// #[derive(Debug)]
    /// struct Timed;
    ///
    /// impl Extension for Timed {
    ///     fn name(&self) -> &str {
    ///         "x-timed"
    ///     }
    ///
    ///     fn offers(&self) -> Vec<ExtensionOffer> {
    ///         ExtensionOffer::new(self.name()).into_iter().collect()
    ///     }
    ///
    ///     fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
    ///         offer.params().is_empty().then(|| Agreed::mark(offer.clone()))
    ///     }
    ///
    ///     fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
    ///         let unknown = AnswerError::new("it has no parameters", "the page that describes it");
    ///         self.accept(answer).ok_or(unknown)
    ///     }
    /// }
    ///
    /// let extensions = Extensions::from(Timed);
    /// let agreed = extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455);
    /// assert!(agreed[0].is_mark() && agreed[0].answer().name() == "x-timed");
    /// ```
    #[must_use]
    pub fn mark(answer: ExtensionOffer) -> Self {
        Self { answer, rsv: Rsv::NONE, start: Start::Mark }
    }

    /// The element of `Sec-WebSocket-Extensions` that the server sends.
    #[must_use]
    pub fn answer(&self) -> &ExtensionOffer {
        &self.answer
    }

    /// Whether it works on all bytes, so that it fits any layout of frames.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self.start, Start::Stream(_))
    }

    /// Whether it works on whole messages, so that their frames may be cut anew on the way.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self.start, Start::Payload { per_frame: false, .. })
    }

    /// Whether it touches [nothing](Self::mark).
    #[must_use]
    pub fn is_mark(&self) -> bool {
        matches!(self.start, Start::Mark)
    }

    /// Whether the two cannot be used on one connection: they claim the same reserved bit, or each
    /// the whole stream.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        let both_streams = self.is_stream() && other.is_stream();
        both_streams || self.rsv.difference(other.rsv) != self.rsv
    }
}

/// Equal when the same was agreed on, in the header's words.
impl PartialEq for Agreed {
    fn eq(&self, other: &Self) -> bool {
        self.answer == other.answer
    }
}

impl Eq for Agreed {}

impl fmt::Debug for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.start {
            Start::Payload { per_frame: false, .. } => "message",
            Start::Payload { per_frame: true, .. } => "frame",
            Start::Stream(_) => "stream",
            Start::Mark => "mark",
        };
        f.debug_struct("Agreed")
            .field("answer", &self.answer)
            .field("rsv", &self.rsv)
            .field("place", &place)
            .finish_non_exhaustive()
    }
}
