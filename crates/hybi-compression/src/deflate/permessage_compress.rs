//! permessage-compress: permessage-deflate as one of several possible methods
//! (draft-ietf-hybi-permessage-compression-00 to -04, 2012).

use hybi_handshake::{ExtensionOffer, Version};

use crate::deflate::draft_names::{DRAFT_NAMES, accepted, confirmed, offer};
use crate::deflate::methods;
use crate::deflate::permessage_deflate::{NAMES, Names, Params};
use crate::deflate::{Deflate, params};
use crate::extension::{Agreed, AnswerError, Extension};

/// permessage-compress, for peers of the second half of 2012.
///
/// It is permessage-deflate with its parameters inside a list of methods, of which `deflate` is the
/// only one there ever was: `permessage-compress; method="deflate; s2c_max_window_bits=10"`. Other
/// methods are skipped. Parameters begin with `s2c_` and `c2s_`; some servers of 2013 took those of
/// RFC 7692 here, so either set is understood, though not both at once, and an answer uses that of
/// its offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermessageCompress {
    deflate: Deflate,
    name: &'static str,
}

impl PermessageCompress {
    /// The extension under its own name, with its method `deflate`.
    #[must_use]
    pub const fn new(deflate: Deflate) -> Self {
        Self { deflate, name: "permessage-compress" }
    }

    /// The same under the name that WebKit gave it, `x-webkit-permessage-compress`.
    #[must_use]
    pub const fn webkit(deflate: Deflate) -> Self {
        Self { deflate, name: "x-webkit-permessage-compress" }
    }

    /// Judges a method as server.
    fn accept_method(&self, method: &ExtensionOffer) -> Option<Agreed> {
        let names = names(method)?;
        // Those about the client were no part of an offer: a server could use them unasked.
        let mut asked = Params { client_window: Some(None), ..Params::default() };
        for param in method.params() {
            if param.name() == names.server_no_takeover {
                params::flag(&mut asked.server_no_takeover, param.value()).ok()?;
            } else if param.name() == names.server_window {
                params::window(&mut asked.server_window, param.value()).ok()?;
            }
        }
        let answer = asked.answer(&self.deflate)?;
        let method = answer.write(methods::DEFLATE, names)?;
        Some(accepted(self.deflate, answer, methods::element(self.name, &method)?))
    }
}

impl Extension for PermessageCompress {
    fn name(&self) -> &str {
        self.name
    }

    fn is_for(&self, version: Version) -> bool {
        methods::version_has_methods(version)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        let params = Params { client_window: None, ..offer(&self.deflate) };
        let method = params.write(methods::DEFLATE, &DRAFT_NAMES);
        method.and_then(|method| methods::element(self.name, &method)).into_iter().collect()
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let offered = methods::parse(offer)?;
        let mut known = offered.iter().filter(|method| method.name() == methods::DEFLATE);
        known.find_map(|method| self.accept_method(method))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        let method = methods::chosen(answer, DOCUMENT)?;
        let mixed = AnswerError::new("the answer mixes old and new names", DOCUMENT);
        let names = names(&method).ok_or(mixed)?;
        let params = Params::read(&method, names).map_err(|error| error.in_answer(DOCUMENT))?;
        confirmed(self.deflate, params, answer)
    }
}

/// The names that a method uses, those of the drafts if none; `None` if it mixes both sets.
fn names(method: &ExtensionOffer) -> Option<&'static Names> {
    let uses = |names: &Names| {
        let Names { server_no_takeover, client_no_takeover, server_window, client_window } = names;
        let set = [server_no_takeover, client_no_takeover, server_window, client_window];
        method.params().iter().any(|param| set.contains(&&param.name()))
    };
    match (uses(&DRAFT_NAMES), uses(&NAMES)) {
        (true, true) => None,
        (false, true) => Some(&NAMES),
        (_, false) => Some(&DRAFT_NAMES),
    }
}

const DOCUMENT: &str = "draft-ietf-hybi-permessage-compression-04";
