//! What is offered in TLS to be spoken, where there is none.

use hybi::opening::Dial;

use crate::connector::Offer;

/// There is nothing to offer it in.
pub(crate) fn offer(_what: Offer, _tls: &mut <hybi_tokio::Connector as Dial>::Tls) {}
