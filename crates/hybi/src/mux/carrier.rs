//! Carrier: the physical connection, and what it says of the channels in it (RFC 6455 section 9.1).

use http::{HeaderMap, HeaderValue, header};
use hybi_compression::{Agreed, AnswerError, Extension};
use hybi_frame::CloseCode;
use hybi_handshake::{ExtensionAnswer, ExtensionOffer, HandshakeError, Version, write_fields};
use hybi_mux::Config;

use crate::connection;

/// The extension by which channels are agreed upon. It touches no payload.
#[derive(Debug)]
pub(super) struct Multiplexing(pub(super) Config);

impl Extension for Multiplexing {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn is_for(&self, version: Version) -> bool {
        version == Version::RFC6455
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        vec![self.0.offer()]
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        self.0.find(core::slice::from_ref(offer)).map(|_| Agreed::mark(self.0.answer()))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        if answer.params().is_empty() {
            Ok(Agreed::mark(answer.clone()))
        } else {
            Err(AnswerError::new("an answer to it has no parameters", DOCUMENT))
        }
    }
}

const DOCUMENT: &str = "the drafts of the multiplexing extension";

/// Whether the server's answer is multiplexing, which leaves no other beside it: those that were offered before it are for
/// the channels, and none was offered behind.
pub(super) fn is_agreed(config: &Config, agreed: &[Agreed]) -> Result<bool, HandshakeError> {
    let is_there = agreed.iter().any(|agreed| agreed.answer().name() == config.name());
    if is_there && agreed.len() > 1 {
        let rule = "with it, the physical connection has no other that was offered";
        let answer = ExtensionAnswer { name: config.name().to_owned(), rule, document: DOCUMENT };
        return Err(HandshakeError::ExtensionAnswer(Box::new(answer)));
    }
    Ok(is_there)
}

/// What the first channel uses, whose handshake says nothing of it: what was offered for channels may come there, and is
/// never sent, since peers are known that do the one and others that do not understand the other.
pub(super) fn unannounced(agreed: Vec<Agreed>) -> Vec<Agreed> {
    agreed.into_iter().take(1).map(Agreed::only_received).collect()
}

/// The fields of a physical request as a channel has them that says nothing else.
pub(super) fn fields(headers: &HeaderMap, for_channels: &[ExtensionOffer]) -> Vec<u8> {
    let mut headers = headers.clone();
    headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    for offer in for_channels {
        if let Ok(value) = HeaderValue::try_from(offer.to_string()) {
            headers.append(header::SEC_WEBSOCKET_EXTENSIONS, value);
        }
    }
    let mut fields = Vec::new();
    write_fields(&headers, &mut fields);
    fields
}

/// How much waits on the physical connection: what waits on channels has its turns in front of it.
const OUTBOX: usize = 128 * 1024;

/// The choices about the physical connection: its messages are as large as a channel's window, and whole.
pub(super) fn physical(config: &Config, connection: &connection::Config) -> connection::Config {
    let most = config.max_physical_message();
    let mut connection = connection.clone();
    // pywebsocket's client wants a code, whatever it said itself.
    connection.answer_to_empty_close = Some(CloseCode::NORMAL);
    connection
        .max_message(most)
        .max_frame(most as u64)
        .outbox_limit(OUTBOX)
        .fragment_size(None)
        .show_control_frames(false)
}

/// The choices about a channel: whether the peer is there the physical connection finds out for all of them.
pub(super) fn logical(connection: &connection::Config) -> connection::Config {
    connection.clone().ping_interval(None)
}
