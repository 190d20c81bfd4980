//! What hixie-75 and hixie-76 have in common: the client names its origin and the place it asks
//! for, and the server repeats both.

use http::{HeaderMap, Request, header};
use hybi_handshake::{
    ClientRequest, DraftRule, HandshakeError, HeadLimits, ServerAccepted, ServerPolicy, Version,
    write_fields,
};

use super::fields::{lists, printable, single};
use super::rules::{self, of_client, of_server};
use crate::draft::{Draft, SubprotocolSyntax};

/// What the two spell differently, and the rules that each has under its own name.
pub(super) struct Spelling {
    /// The first three lines of a response.
    pub(super) first_lines: &'static str,
    pub(super) origin: &'static str,
    pub(super) location: &'static str,
    pub(super) subprotocol: &'static str,
    subprotocol_malformed: DraftRule,
    other_origin: DraftRule,
    other_location: DraftRule,
    subprotocol_missing: DraftRule,
    subprotocol_not_offered: DraftRule,
}

const NOT_OFFERED: &str = "the server chose a subprotocol that was not offered";

/// hixie-75.
pub(super) static HIXIE_75: Spelling = Spelling {
    first_lines: "HTTP/1.1 101 Web Socket Protocol Handshake\r\n\
        Upgrade: WebSocket\r\nConnection: Upgrade\r\n",
    origin: "WebSocket-Origin",
    location: "WebSocket-Location",
    subprotocol: "WebSocket-Protocol",
    subprotocol_malformed: of_client(
        "WebSocket-Protocol is not a name of visible characters and spaces",
        "hixie-75",
    ),
    other_origin: of_server("WebSocket-Origin does not repeat the origin", "hixie-75"),
    other_location: of_server("WebSocket-Location does not repeat the URI", "hixie-75"),
    subprotocol_missing: of_server("the server did not accept the subprotocol", "hixie-75"),
    subprotocol_not_offered: of_server(NOT_OFFERED, "hixie-75"),
};

/// hixie-76 to hybi-03.
pub(super) static HIXIE_76: Spelling = Spelling {
    first_lines: "HTTP/1.1 101 WebSocket Protocol Handshake\r\n\
        Upgrade: WebSocket\r\nConnection: Upgrade\r\n",
    origin: "Sec-WebSocket-Origin",
    location: "Sec-WebSocket-Location",
    subprotocol: "Sec-WebSocket-Protocol",
    subprotocol_malformed: of_client(
        "Sec-WebSocket-Protocol does not consist of visible characters and spaces",
        "hixie-76",
    ),
    other_origin: of_server("Sec-WebSocket-Origin does not repeat the origin", "hixie-76"),
    other_location: of_server("Sec-WebSocket-Location does not repeat the URI", "hixie-76"),
    subprotocol_missing: of_server("the server accepted none of the subprotocols", "hixie-76"),
    subprotocol_not_offered: of_server(NOT_OFFERED, "hixie-76"),
};

impl Spelling {
    /// Applies the rules that both have for a request, and the policy.
    ///
    /// There is no body: what follows the head is the challenge or frames. Some clients announce the
    /// challenge, which hixie-75 has not, with `Content-Length: 8`; any other length but 0 would let an
    /// intermediary take frames for a body, or a part of it for the next request.
    pub(super) fn check<B>(
        &'static self,
        policy: &ServerPolicy,
        request: &Request<B>,
        version: Version,
    ) -> Result<ServerAccepted, HandshakeError> {
        let host = policy.check_head(request)?;
        let headers = request.headers();
        let announced = single(headers, "Content-Length")?;
        let fits = announced.is_none_or(|len| match len {
            b"0" => true,
            b"8" => version != Version::HIXIE_75,
            _ => false,
        });
        if headers.contains_key(header::TRANSFER_ENCODING) || !fits {
            return Err(HandshakeError::Body);
        }
        if !lists(headers, "Upgrade", "websocket") {
            return Err(HandshakeError::Draft(&rules::UPGRADE_MISSING));
        }
        if !lists(headers, "Connection", "upgrade") {
            return Err(HandshakeError::Draft(&rules::CONNECTION_MISSING));
        }
        // Browsers name one, as the drafts want; other clients of the time are known that do not.
        let origin = single(headers, "Origin")?;
        policy.decide(version, host, origin, || self.offers(headers, version))
    }

    /// The response up to its blank line, in the order that hixie-75 fixes.
    pub(super) fn response_head<B>(
        &'static self,
        policy: &ServerPolicy,
        request: &Request<B>,
        accepted: &ServerAccepted,
    ) -> Result<Vec<u8>, HandshakeError> {
        let location = location(policy.secure(), policy.check_head(request)?, request.uri());
        let mut out = self.first_lines.as_bytes().to_vec();
        if let Some(origin) = single(request.headers(), "Origin")? {
            put(&mut out, self.origin, origin);
        }
        put(&mut out, self.location, location.as_bytes());
        let chosen = accepted.subprotocol.as_deref();
        if let Some(name) = chosen.and_then(|name| printable(name.as_bytes())) {
            put(&mut out, self.subprotocol, name.as_bytes());
        }
        write_fields(accepted.headers(), &mut out);
        out.extend(b"\r\n");
        Ok(out)
    }

    /// The subprotocols that a request offers; an empty field is as none. Clients compare the answer
    /// with all that they sent, so that this comes first, and the names in it only behind.
    fn offers(
        &'static self,
        headers: &HeaderMap,
        version: Version,
    ) -> Result<Vec<String>, HandshakeError> {
        let value = single(headers, self.subprotocol)?.filter(|value| !value.is_empty());
        let Some(value) = value else { return Ok(Vec::new()) };
        let whole = printable(value).ok_or(HandshakeError::Draft(&self.subprotocol_malformed))?;
        let mut offers = vec![whole.to_owned()];
        let syntax = Draft::spoken_as(version).map(Draft::subprotocols);
        if syntax == Some(SubprotocolSyntax::Spaces) && whole.contains(' ') {
            let names = || whole.split(' ').filter(|name| !name.is_empty());
            if names().nth(HeadLimits::MAX_NAMES).is_some() {
                return Err(HandshakeError::TooManyNames { field: self.subprotocol });
            }
            offers.extend(names().map(str::to_owned));
        }
        Ok(offers)
    }
}

/// Where the client believes to be, as the server can tell.
fn location(secure: bool, host: &str, target: &http::Uri) -> String {
    let (scheme, default_port) = if secure { ("wss", ":443") } else { ("ws", ":80") };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(default_port).or_else(|| host.strip_suffix(':')).unwrap_or(&host);
    let resource = target.path_and_query().map(ToString::to_string).unwrap_or_default();
    format!("{scheme}://{host}{resource}")
}

/// Appends one field with its line end.
pub(super) fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    [name.as_bytes(), b": ", value, b"\r\n"].iter().for_each(|part| out.extend_from_slice(part));
}

/// What a client names in its request, and a server has to repeat.
pub(super) struct Named {
    spelling: &'static Spelling,
    pub(super) origin: Vec<u8>,
    location: String,
    /// The names asked for, as they stand in the field.
    pub(super) subprotocols: Vec<String>,
}

impl Named {
    /// Without an origin in the request it is the one of a page at the same place.
    pub(super) fn new(spelling: &'static Spelling, request: &ClientRequest) -> Self {
        let uri = request.uri();
        let scheme = if uri.is_secure() { "https" } else { "http" };
        let origin = match request.named_origin().map(|origin| origin.as_bytes().trim_ascii()) {
            None | Some([]) => format!("{scheme}://{}", uri.host_header()).into_bytes(),
            Some(origin) => origin.to_ascii_lowercase(),
        };
        let subprotocols = request.subprotocols().to_vec();
        // Behind a Unix socket the server knows of the socket as little as of the scheme that names it.
        let scheme = if uri.is_secure() { "wss" } else { "ws" };
        let location = format!("{scheme}://{}{}", uri.host_header(), uri.resource());
        Self { spelling, origin, location, subprotocols }
    }

    /// Checks that a response repeats it; gives the subprotocol that the server accepted.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Option<String>, HandshakeError> {
        let spelling = self.spelling;
        if single(headers, spelling.origin)? != Some(&self.origin) {
            return Err(HandshakeError::Draft(&spelling.other_origin));
        }
        if single(headers, spelling.location)? != Some(self.location.as_bytes()) {
            return Err(HandshakeError::Draft(&spelling.other_location));
        }
        let chosen = single(headers, spelling.subprotocol)?.filter(|name| !name.is_empty());
        let Some(chosen) = chosen else {
            return if self.subprotocols.is_empty() {
                Ok(None)
            } else {
                Err(HandshakeError::Draft(&spelling.subprotocol_missing))
            };
        };
        // A server of several names may accept all that was sent, or one of them.
        let whole = self.subprotocols.join(" ");
        let names = self.subprotocols.iter().chain([&whole]);
        let name = names.into_iter().find(|name| name.as_bytes() == chosen);
        name.cloned().map(Some).ok_or(HandshakeError::Draft(&spelling.subprotocol_not_offered))
    }
}
