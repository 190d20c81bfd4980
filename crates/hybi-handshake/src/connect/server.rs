//! The server's decision on an extended CONNECT (RFC 8441 §5).

use http::Request;
use http::header::{self, HeaderMap};

use super::Protocol;
use crate::error::HandshakeError;
use crate::extension::ExtensionOffer;
use crate::head::fields;
use crate::key::is_key;
use crate::policy::{ServerAccepted, ServerPolicy, announces_body, origin};
use crate::subprotocol::parse_subprotocols;
use crate::version::{Version, VersionSet};

impl ServerPolicy {
    /// Applies every rule that RFC 8441 §5 has for a request, and this policy.
    pub(crate) fn check_connect<B>(
        &self,
        request: &Request<B>,
        protocol: &Protocol,
    ) -> Result<ServerAccepted, HandshakeError> {
        if request.version() < http::Version::HTTP_2 {
            return Err(HandshakeError::HttpVersion);
        }
        // Before anything else: what other protocols may say is theirs to know.
        if !protocol.is_websocket() {
            return Err(HandshakeError::UnknownProtocol);
        }
        let uri = request.uri();
        // Other than plain CONNECT it has all of a URI (RFC 8441 §4).
        if uri.scheme().is_none() || uri.path_and_query().is_none() {
            return Err(HandshakeError::MalformedTarget);
        }
        let host = self.check_host(request)?.ok_or(HandshakeError::MissingHost)?;
        let headers = request.headers();
        if announces_body(headers) {
            return Err(HandshakeError::Body);
        }
        self.check_connect_version(headers)?;
        // The fields of the key are not processed, says the RFC; but clients are known that send one all the
        // same, and wait for its answer. One that sends none is given none.
        let key = fields::single(headers, &header::SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key")?;
        let key = key
            .map(|key| {
                let key = core::str::from_utf8(key).ok();
                let key = key.filter(|key| is_key(key.as_bytes(), Version::RFC6455));
                key.map(str::to_owned).ok_or(HandshakeError::MalformedKey)
            })
            .transpose()?;
        let origin = origin(headers, Version::RFC6455)?;
        let offered =
            || parse_subprotocols(fields::filled(headers, &header::SEC_WEBSOCKET_PROTOCOL));
        let accepted = self.decide(Version::RFC6455, host, origin, offered)?;
        let offers = ExtensionOffer::parse_list(
            fields::filled(headers, &header::SEC_WEBSOCKET_EXTENSIONS),
            Version::RFC6455,
        )?;
        Ok(accepted.over_connect(key, offers))
    }

    /// Only RFC 6455 goes over HTTP/2. Clients are known that do not name the version, since there is no other.
    fn check_connect_version(&self, headers: &HeaderMap) -> Result<(), HandshakeError> {
        let value =
            fields::single(headers, &header::SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")?;
        let is_spoken = self.versions().contains(Version::RFC6455);
        if is_spoken && value.is_none_or(|value| value == b"13") {
            return Ok(());
        }
        let accepted: VersionSet = is_spoken.then_some(Version::RFC6455).into_iter().collect();
        Err(HandshakeError::ConnectVersion { accepted })
    }
}
