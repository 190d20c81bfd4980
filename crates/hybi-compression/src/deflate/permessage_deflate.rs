//! permessage-deflate: offer, answer and both sides' judgement of them (RFC 7692 §7.1).

use hybi_frame::Rsv;
use hybi_handshake::ExtensionOffer;

use crate::deflate::params::{self, ParamError};
use crate::deflate::{Deflate, DeflateCodec, Direction};
use crate::extension::{Agreed, AnswerError, Extension};

impl Extension for Deflate {
    fn name(&self) -> &str {
        NAME
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        Params::offer(self).write(NAME, &NAMES).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let answer = Params::read(offer, &NAMES).ok()?.answer(self)?;
        let (send, receive) = (answer.server(self.own_takeover), answer.client(true));
        Some(agreed(*self, answer.write(NAME, &NAMES)?, send, receive))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let read = Params::read(answer, &NAMES).map_err(|error| error.in_answer(DOCUMENT))?;
        let read = Params::offer(self).confirm(read)?;
        let (send, receive) = (read.client(self.own_takeover), read.server(true));
        Ok(agreed(*self, answer.clone(), send, receive))
    }
}

/// The four parameters, in an offer or in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params {
    pub(crate) server_no_takeover: bool,
    pub(crate) client_no_takeover: bool,
    pub(crate) server_window: Option<u8>,
    /// Without a value, which only an offer may have it, it says that an answer may have it.
    pub(crate) client_window: Option<Option<u8>>,
}

/// What the four parameters are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) server_no_takeover: &'static str,
    pub(crate) client_no_takeover: &'static str,
    pub(crate) server_window: &'static str,
    pub(crate) client_window: &'static str,
}

impl Params {
    /// What a client offers.
    pub(crate) fn offer(deflate: &Deflate) -> Self {
        let own = deflate.own_window_bits;
        Self {
            server_no_takeover: !deflate.peer_takeover,
            client_no_takeover: !deflate.own_takeover,
            server_window: Some(deflate.peer_window_bits).filter(|&bits| bits < 15),
            client_window: Deflate::HAS_WINDOW_BITS.then(|| Some(own).filter(|&bits| bits < 15)),
        }
    }

    /// What a server answers to this offer, if it can do what is asked.
    pub(crate) fn answer(self, deflate: &Deflate) -> Option<Self> {
        let own = deflate.own_window();
        if !Deflate::HAS_WINDOW_BITS && self.server_window.is_some_and(|bits| bits < 15) {
            return None;
        }
        let asked = self.server_window.map_or(own, |bits| bits.min(own));
        let peer = deflate.peer_window_bits;
        let client_window = self.client_window.filter(|_| peer < 15);
        Some(Self {
            server_no_takeover: self.server_no_takeover || !deflate.own_takeover,
            client_no_takeover: !deflate.peer_takeover,
            server_window: (self.server_window.is_some() || own < 15).then_some(asked),
            client_window: client_window.map(|bits| Some(bits.map_or(peer, |bits| bits.min(peer)))),
        })
    }

    /// Judges, as the client that offered this, what was answered; returns what holds.
    pub(crate) fn confirm(self, mut answer: Self) -> Result<Self, AnswerError> {
        let broken = |rule| Err(AnswerError::new(rule, DOCUMENT));
        if self.server_no_takeover && !answer.server_no_takeover {
            return broken("the server does not say that it starts each message afresh, as asked");
        }
        match (self.server_window, answer.server_window) {
            (Some(_), None) => return broken("the server does not limit its window, as asked"),
            (Some(asked), Some(bits)) if bits > asked => {
                return broken("the server's window is larger than the one asked for");
            }
            _ => {}
        }
        match (self.client_window, answer.client_window) {
            (None, Some(_)) => return broken("the client's window is limited without its offer"),
            (_, Some(None)) => return broken("the limit of the client's window has no value"),
            (Some(Some(own)), Some(Some(bits))) if bits > own => {
                return broken("the client's window is larger than the one it offered");
            }
            (offered, None) => answer.client_window = offered,
            _ => {}
        }
        Ok(answer)
    }

    /// What the server sends.
    pub(crate) fn server(&self, takeover: bool) -> Direction {
        Direction {
            takeover: takeover && !self.server_no_takeover,
            window_bits: self.server_window.unwrap_or(15),
        }
    }

    /// What the client sends.
    pub(crate) fn client(&self, takeover: bool) -> Direction {
        Direction {
            takeover: takeover && !self.client_no_takeover,
            window_bits: self.client_window.flatten().unwrap_or(15),
        }
    }

    pub(crate) fn read(element: &ExtensionOffer, names: &Names) -> Result<Self, ParamError> {
        let mut read = Self::default();
        for param in element.params() {
            let (name, value) = (param.name(), param.value());
            if name == names.server_no_takeover {
                params::flag(&mut read.server_no_takeover, value)?;
            } else if name == names.client_no_takeover {
                params::flag(&mut read.client_no_takeover, value)?;
            } else if name == names.server_window {
                params::window(&mut read.server_window, value)?;
            } else if name == names.client_window {
                params::window_hint(&mut read.client_window, value)?;
            } else {
                return Err(ParamError::Unknown);
            }
        }
        Ok(read)
    }

    /// `None` only if one of the names is not a token.
    pub(crate) fn write(&self, name: &str, names: &Names) -> Option<ExtensionOffer> {
        let mut element = ExtensionOffer::new(name).ok()?;
        if self.server_no_takeover {
            element = element.with_param(names.server_no_takeover, None).ok()?;
        }
        if self.client_no_takeover {
            element = element.with_param(names.client_no_takeover, None).ok()?;
        }
        if let Some(bits) = self.server_window {
            element = element.with_param(names.server_window, Some(&bits.to_string())).ok()?;
        }
        if let Some(bits) = self.client_window {
            let bits = bits.map(|bits| bits.to_string());
            element = element.with_param(names.client_window, bits.as_deref()).ok()?;
        }
        Some(element)
    }
}

/// The agreement on an extension over messages that this answer makes.
pub(crate) fn agreed(
    deflate: Deflate,
    answer: ExtensionOffer,
    send: Direction,
    receive: Direction,
) -> Agreed {
    Agreed::message(answer, Rsv::RSV1, move || DeflateCodec::new(deflate, send, receive))
}

pub(crate) const NAME: &str = "permessage-deflate";
const DOCUMENT: &str = "RFC 7692 §7.1";
pub(crate) const NAMES: Names = Names {
    server_no_takeover: "server_no_context_takeover",
    client_no_takeover: "client_no_context_takeover",
    server_window: "server_max_window_bits",
    client_window: "client_max_window_bits",
};

#[cfg(test)]
mod tests;
