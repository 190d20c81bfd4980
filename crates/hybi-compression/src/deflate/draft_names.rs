//! Draft names: the parameters of permessage-deflate as they were called until October 2013
//! (draft-ietf-hybi-permessage-compression-06 to -08).

use hybi_handshake::{ExtensionOffer, Version};

use crate::deflate::Deflate;
use crate::deflate::permessage_deflate::{NAME, Names, Params, agreed};
use crate::extension::{Agreed, AnswerError, Extension};

/// permessage-deflate as clients and servers of 2013 had it, with parameters that begin with `s2c_`
/// and `c2s_` where RFC 7692 has `server_` and `client_`.
///
/// Neither knows the other's names, so put it behind permessage-deflate itself: each declines what
/// is for the other, and an offer without parameters is for the first.
///
/// As a client, offer it only to a server of that time: one that is strict about RFC 7692 refuses the
/// handshake for a parameter that it does not know, instead of declining the offer (section 7).
///
/// ```
/// use hybi_compression::{AcceptOnly, Deflate, Extensions, PermessageDeflateDraft};
///
/// let old = PermessageDeflateDraft::new(Deflate::default());
/// let server = Extensions::from(Deflate::default()).with(old);
/// let either_role = Extensions::from(Deflate::default()).with(AcceptOnly(old));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermessageDeflateDraft {
    deflate: Deflate,
}

impl PermessageDeflateDraft {
    /// The extension with the old names.
    #[must_use]
    pub const fn new(deflate: Deflate) -> Self {
        Self { deflate }
    }
}

impl Extension for PermessageDeflateDraft {
    fn name(&self) -> &str {
        NAME
    }

    fn is_for(&self, version: Version) -> bool {
        version >= Version::RFC6455
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        offer(&self.deflate).write(NAME, &DRAFT_NAMES).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let params = Params::read(offer, &DRAFT_NAMES).ok()?.answer(&self.deflate)?;
        let answer = params.write(NAME, &DRAFT_NAMES)?;
        Some(accepted(self.deflate, params, answer))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let document = "draft-ietf-hybi-permessage-compression-08";
        let params =
            Params::read(answer, &DRAFT_NAMES).map_err(|error| error.in_answer(document))?;
        confirmed(self.deflate, params, answer)
    }
}

/// What a client offers. In these drafts it could demand something of the server, and say that it
/// understands `c2s_max_window_bits`, but nothing else about itself.
pub(crate) fn offer(deflate: &Deflate) -> Params {
    let offer = Params::offer(deflate);
    Params { client_no_takeover: false, client_window: offer.client_window.map(|_| None), ..offer }
}

/// What a server agrees to with this answer.
pub(crate) fn accepted(deflate: Deflate, params: Params, answer: ExtensionOffer) -> Agreed {
    agreed(deflate, answer, params.server(deflate.own_takeover), params.client(true))
}

/// Judges, as the client that made the [`offer`], what was answered.
pub(crate) fn confirmed(
    deflate: Deflate,
    params: Params,
    answer: &ExtensionOffer,
) -> Result<Agreed, AnswerError> {
    let params = offer(&deflate).confirm(params)?;
    let mut send = params.client(deflate.own_takeover);
    send.window_bits = send.window_bits.min(deflate.own_window());
    Ok(agreed(deflate, answer.clone(), send, params.server(true)))
}

pub(crate) const DRAFT_NAMES: Names = Names {
    server_no_takeover: "s2c_no_context_takeover",
    client_no_takeover: "c2s_no_context_takeover",
    server_window: "s2c_max_window_bits",
    client_window: "c2s_max_window_bits",
};
