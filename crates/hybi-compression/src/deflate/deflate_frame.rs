//! deflate-frame: each frame compressed for itself, as drafts of 2011 and early 2012 had it
//! (draft-tyoshino-hybi-websocket-perframe-deflate-02 to -05).

use hybi_frame::Rsv;
use hybi_handshake::ExtensionOffer;

use crate::deflate::params::{self, ParamError};
use crate::deflate::{Deflate, DeflateCodec, Direction};
use crate::extension::{Agreed, AnswerError, Extension};

/// deflate-frame, for peers of 2011 and 2012; Safari spoke it up to 14.1, as
/// `x-webkit-deflate-frame`.
///
/// Every data frame is compressed or not for itself, and those that are have RSV1 set. The
/// parameters `max_window_bits` and `no_context_takeover` bind the peer of the one who sends them,
/// in the offer as in the answer. Nothing in an answer repeats the offer, so a client that offers
/// alternatives with and without takeover could not tell which of them was taken: offer one.
///
/// As server, parameters of other names are ignored, as the first implementations did; as client
/// they fail the connection.
///
/// ```
/// use hybi_compression::{Deflate, DeflateFrame, Extensions};
///
/// // The order is that of preference.
/// let extensions = Extensions::default()
///     .with(DeflateFrame::new(Deflate::default()))
///     .with(DeflateFrame::webkit(Deflate::default()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateFrame {
    deflate: Deflate,
    name: &'static str,
}

impl DeflateFrame {
    /// The extension under its own name, `deflate-frame`.
    #[must_use]
    pub const fn new(deflate: Deflate) -> Self {
        Self { deflate, name: "deflate-frame" }
    }

    /// The same under the name that WebKit gave it, `x-webkit-deflate-frame`.
    #[must_use]
    pub const fn webkit(deflate: Deflate) -> Self {
        Self { deflate, name: "x-webkit-deflate-frame" }
    }
}

impl Extension for DeflateFrame {
    fn name(&self) -> &str {
        self.name
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        demands(self.name, &self.deflate, MAX_WINDOW_BITS).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let (answer, agreed) = accept(&self.deflate, offer)?;
        Some(agreed.into_agreed(self.deflate, answer))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        Ok(confirm(&self.deflate, answer)?.into_agreed(self.deflate, answer.clone()))
    }
}

/// What was agreed on for both directions.
pub(crate) struct Directions {
    send: Direction,
    receive: Direction,
}

impl Directions {
    pub(crate) fn into_agreed(self, deflate: Deflate, answer: ExtensionOffer) -> Agreed {
        let Self { send, receive } = self;
        Agreed::frame(answer, Rsv::RSV1, move || DeflateCodec::new(deflate, send, receive))
    }

    /// What this endpoint wants, with what its peer asked of it.
    fn new(deflate: &Deflate, peer: &Demands<'_>) -> Option<Self> {
        let window_bits = deflate.own_window().min(peer.window_bits.unwrap_or(15));
        if window_bits < 15 && !Deflate::HAS_WINDOW_BITS {
            return None;
        }
        let takeover = deflate.own_takeover && !peer.no_context_takeover;
        Some(Self {
            send: Direction { takeover, window_bits },
            receive: Direction {
                takeover: deflate.peer_takeover,
                window_bits: deflate.peer_window_bits,
            },
        })
    }
}

/// The element that tells the peer what this endpoint wants of it; `None` only if a name is no token.
pub(crate) fn demands(name: &str, deflate: &Deflate, window_bits: &str) -> Option<ExtensionOffer> {
    let mut element = ExtensionOffer::new(name).ok()?;
    if deflate.peer_window_bits < 15 {
        let bits = deflate.peer_window_bits.to_string();
        element = element.with_param(window_bits, Some(&bits)).ok()?;
    }
    if !deflate.peer_takeover {
        element = element.with_param(NO_CONTEXT_TAKEOVER, None).ok()?;
    }
    Some(element)
}

/// Judges an offer as server; gives the answer.
pub(crate) fn accept(
    deflate: &Deflate,
    offer: &ExtensionOffer,
) -> Option<(ExtensionOffer, Directions)> {
    let peer = Demands::parse(offer).ok()?;
    let agreed = Directions::new(deflate, &peer)?;
    Some((demands(offer.name(), deflate, peer.window_bits_name)?, agreed))
}

/// Judges an answer as client.
pub(crate) fn confirm(
    deflate: &Deflate,
    answer: &ExtensionOffer,
) -> Result<Directions, AnswerError> {
    let peer = Demands::parse(answer).map_err(|error| error.in_answer(DOCUMENT))?;
    if peer.unknown {
        return Err(ParamError::Unknown.in_answer(DOCUMENT));
    }
    let unmet = AnswerError::new("the answer asks for a window that cannot be had", DOCUMENT);
    Directions::new(deflate, &peer).ok_or(unmet)
}

/// What an element asks of the endpoint that receives it.
struct Demands<'a> {
    window_bits: Option<u8>,
    /// The name by which it was called.
    window_bits_name: &'a str,
    no_context_takeover: bool,
    /// There were others.
    unknown: bool,
}

impl<'a> Demands<'a> {
    fn parse(element: &'a ExtensionOffer) -> Result<Self, ParamError> {
        let mut demands = Self {
            window_bits: None,
            window_bits_name: MAX_WINDOW_BITS,
            no_context_takeover: false,
            unknown: false,
        };
        for param in element.params() {
            match param.name() {
                name @ (MAX_WINDOW_BITS | WINDOW_BITS) => {
                    params::window(&mut demands.window_bits, param.value())?;
                    demands.window_bits_name = name;
                }
                NO_CONTEXT_TAKEOVER => {
                    params::flag(&mut demands.no_context_takeover, param.value())?;
                }
                _ => demands.unknown = true,
            }
        }
        Ok(demands)
    }
}

const DOCUMENT: &str = "draft-tyoshino-hybi-websocket-perframe-deflate-05";

pub(crate) const MAX_WINDOW_BITS: &str = "max_window_bits";
/// The name in drafts -02 to -04.
const WINDOW_BITS: &str = "window_bits";
const NO_CONTEXT_TAKEOVER: &str = "no_context_takeover";
