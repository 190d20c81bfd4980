//! The server's decision on a request: accept or reject (RFC 6455 §4.2.1, §4.2.2).

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use crate::connect;
use crate::error::{FieldError, HandshakeError, RefusedOrigin};
use crate::extension::{self, ExtensionOffer};
use crate::head::fields::{self, SEC_WEBSOCKET_ORIGIN};
use crate::host::HostPolicy;
use crate::key::{accept_key, is_key};
use crate::origin::{OriginPattern, OriginPolicy};
use crate::request::append;
use crate::subprotocol::{SubprotocolPreference, choose, parse_subprotocols};
use crate::target;
use crate::version::{Version, VersionSet};

/// What a server accepts. The default is safe on the open internet: RFC 6455 alone, and browsers' requests
/// only from pages of the server's own origin.
///
/// It judges [`http::Request`]s of any origin, so it also serves inside a framework:
///
/// ```
/// use hybi_handshake::ServerPolicy;
///
/// let request = http::Request::get("/chat")
///     .header("Host", "example.org")
///     .header("Upgrade", "websocket")
///     .header("Connection", "keep-alive, Upgrade")
///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("Sec-WebSocket-Version", "13")
///     .body(())?;
/// let response = ServerPolicy::new().check(&request)?.response();
/// assert_eq!(response.status(), 101);
/// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerPolicy {
    versions: VersionSet,
    hosts: HostPolicy,
    origins: OriginPolicy,
    subprotocols: Vec<String>,
    preference: SubprotocolPreference,
    require_subprotocol: bool,
    secure: bool,
    headers: HeaderMap,
}

impl ServerPolicy {
    /// The default policy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the versions accepted; 13 alone by default.
    #[must_use]
    pub fn with_versions(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// Sets the hosts that requests may be for; any by default. Others are refused with 421, whatever
    /// their version.
    #[must_use]
    pub fn with_hosts(mut self, hosts: HostPolicy) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets the origins accepted; by default the server's own, and requests without one.
    #[must_use]
    pub fn with_origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// Sets the subprotocols that the server knows, most wanted first; none by default. A name that is not a
    /// token is never chosen, since no client can offer it.
    #[must_use]
    pub fn with_subprotocols<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whose order of subprotocols counts; the server's by default.
    #[must_use]
    pub const fn with_subprotocol_preference(mut self, preference: SubprotocolPreference) -> Self {
        self.preference = preference;
        self
    }

    /// Sets whether a request is refused with 400 when it offers no subprotocol that the server knows;
    /// by default it is accepted without one.
    #[must_use]
    pub const fn with_subprotocol_required(mut self, required: bool) -> Self {
        self.require_subprotocol = required;
        self
    }

    /// Sets whether clients come over TLS, so that a page that came without is a foreign origin; false by
    /// default.
    #[must_use]
    pub const fn with_secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Adds a field that every response has, such as `Server`: each 101 by itself, a refusal where
    /// whoever sends it adds [`headers`](Self::headers).
    ///
    /// # Errors
    ///
    /// As [`ServerAccepted::with_header`].
    pub fn with_header(
        mut self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, FieldError> {
        append(&mut self.headers, name.as_ref(), value.as_ref())?;
        Ok(self)
    }

    /// The fields that every response has.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The versions accepted.
    #[must_use]
    pub const fn versions(&self) -> VersionSet {
        self.versions
    }

    /// Whether clients come over TLS.
    #[must_use]
    pub const fn secure(&self) -> bool {
        self.secure
    }

    /// Applies every rule that RFC 6455 §4.2.1 has for a request, and this policy.
    ///
    /// # Errors
    ///
    /// The first rule broken. Answer [`HandshakeError::response`]: 505 for HTTP/1.0, 405 for a method other
    /// than GET, 421 for the host, 426 with the versions accepted for another version or a plain request,
    /// 403 for the origin, 400 for everything else.
    ///
    /// # Over HTTP/2 and later
    ///
    /// A request with method CONNECT and a [`Protocol`](crate::Protocol) among its extensions is judged by RFC 8441 §5
    /// instead: of version 13, which it need not name, for the host in its URI, and answered with 200. There is no key
    /// in it; one that comes all the same is answered. Refusals differ in 501 for another protocol and 400 for another
    /// version, since nothing can be upgraded there. A request over HTTP/2 that is none of this gets 405.
    pub fn check<B>(&self, request: &Request<B>) -> Result<ServerAccepted, HandshakeError> {
        if let Some(protocol) = connect::asked_for(request) {
            return self.check_connect(request, protocol);
        }
        let host = self.check_head(request)?;
        let headers = request.headers();
        if announces_body(headers) {
            return Err(HandshakeError::Body);
        }
        if !fields::list_contains(headers, &header::UPGRADE, b"websocket") {
            return Err(if has_handshake_field(headers) {
                HandshakeError::MissingUpgrade
            } else {
                HandshakeError::NotWebSocket { accepted: self.versions }
            });
        }
        if !fields::list_contains(headers, &header::CONNECTION, b"upgrade") {
            return Err(HandshakeError::MissingConnection);
        }
        let version = self.check_version(headers)?;
        let key = fields::single(headers, &header::SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key")?
            .ok_or(HandshakeError::MissingKey)?;
        let key = core::str::from_utf8(key).ok().filter(|key| is_key(key.as_bytes(), version));
        let key = key.ok_or(HandshakeError::MalformedKey)?;
        let origin = origin(headers, version)?;
        // hybi-04 to 07 do not say that a name is a token, and no client is known that sends another.
        let offered =
            || parse_subprotocols(fields::filled(headers, &header::SEC_WEBSOCKET_PROTOCOL));
        let accepted = self.decide(version, host, origin, offered)?;
        let offers = ExtensionOffer::parse_list(
            fields::filled(headers, &header::SEC_WEBSOCKET_EXTENSIONS),
            version,
        )?;
        Ok(ServerAccepted { key: key.to_owned(), offers, ..accepted })
    }

    /// Checks what HTTP asks of every request, a plain one too, and whether it is for a host of this
    /// policy. Gives the value of `Host`, which only a request of HTTP/1.0 may lack.
    ///
    /// ```
    /// use hybi_handshake::ServerPolicy;
    ///
    /// let page = http::Request::get("/").header("Host", "a/b").body(()).unwrap();
    /// let refusal = ServerPolicy::new().check_host(&page).unwrap_err();
    /// assert_eq!(refusal.response().status(), 400);
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError::MalformedTarget`], [`HandshakeError::MissingHost`],
    /// [`HandshakeError::DuplicateField`], [`HandshakeError::MalformedHost`],
    /// [`HandshakeError::HostMismatch`] and [`HandshakeError::HostNotServed`].
    ///
    /// [RFC 9112 §3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)
    pub fn check_host<'r, B>(
        &self,
        request: &'r Request<B>,
    ) -> Result<Option<&'r str>, HandshakeError> {
        let host = target::check(request)?;
        match host {
            Some(host) if !self.hosts.allows(host, self.secure) => {
                Err(HandshakeError::HostNotServed { host: host.into() })
            }
            host => Ok(host),
        }
    }

    /// Checks what every draft asks of a request: HTTP/1.1, GET and one host that is served here.
    /// Gives the value of `Host`.
    ///
    /// # Errors
    ///
    /// The first rule broken: [`HandshakeError::HttpVersion`], [`HandshakeError::Method`], or one of
    /// [`check_host`](Self::check_host).
    pub fn check_head<'r, B>(&self, request: &'r Request<B>) -> Result<&'r str, HandshakeError> {
        if request.version() < http::Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if request.version() >= http::Version::HTTP_2 {
            return Err(HandshakeError::NotConnect);
        }
        if request.method() != Method::GET {
            return Err(HandshakeError::Method);
        }
        self.check_host(request)?.ok_or(HandshakeError::MissingHost)
    }

    /// Applies this policy to a request whose handshake was checked elsewhere, because it is one of a draft that
    /// [`check`](Self::check) does not know: origin and subprotocols.
    ///
    /// `host` is the value of `Host`, and `subprotocols` reads what the client offers.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Origin`], what `subprotocols` finds, and
    /// [`HandshakeError::SubprotocolRequired`].
    pub fn decide(
        &self,
        version: Version,
        host: &str,
        origin: Option<&[u8]>,
        subprotocols: impl FnOnce() -> Result<Vec<String>, HandshakeError>,
    ) -> Result<ServerAccepted, HandshakeError> {
        // Text that is not UTF-8 is an origin all the same, and no pattern but `*` matches it.
        let origin = origin.map(|value| core::str::from_utf8(value).unwrap_or("\u{fffd}"));
        if !self.origins.allows(origin, host, self.secure) {
            let allowed_by = OriginPattern::that_allows(origin, host);
            let origin = origin.map(str::to_owned);
            return Err(HandshakeError::Origin(Box::new(RefusedOrigin { origin, allowed_by })));
        }
        let subprotocols = subprotocols()?;
        let subprotocol = choose(&subprotocols, &self.subprotocols, self.preference).cloned();
        if self.require_subprotocol && subprotocol.is_none() {
            return Err(HandshakeError::SubprotocolRequired);
        }
        Ok(ServerAccepted {
            version,
            key: String::new(),
            subprotocol,
            subprotocols,
            way: Way::Upgrade,
            offers: Vec::new(),
            extensions: Vec::new(),
            headers: self.headers.clone(),
        })
    }

    fn check_version(&self, headers: &HeaderMap) -> Result<Version, HandshakeError> {
        let accepted = self.versions;
        let value =
            fields::single(headers, &header::SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")?
                .ok_or_else(|| missing_version(headers, accepted))?;
        let value = core::str::from_utf8(value)
            .ok()
            .filter(|value| Version::is_number(value))
            .ok_or(HandshakeError::MalformedVersion { accepted })?;
        let requested = Version::parse(value).ok_or(HandshakeError::UnknownVersion { accepted })?;
        if accepted.contains(requested) && requested.is_in_field() {
            Ok(requested)
        } else {
            Err(HandshakeError::UnsupportedVersion { requested, accepted })
        }
    }
}

/// Whether a request has a body, or may have.
pub(crate) fn announces_body(headers: &HeaderMap) -> bool {
    let no_length = |value: &HeaderValue| value.as_bytes().trim_ascii() == b"0";
    headers.contains_key(header::TRANSFER_ENCODING)
        || !headers.get_all(header::CONTENT_LENGTH).iter().all(no_length)
}

/// What is wrong with a request that names no version.
fn missing_version(headers: &HeaderMap, accepted: VersionSet) -> HandshakeError {
    // Keys in two fields are the handshake of hixie-76.
    let keys = ["sec-websocket-key1", "sec-websocket-key2"];
    let has_one = headers.contains_key(header::SEC_WEBSOCKET_KEY);
    if !has_one && keys.into_iter().all(|key| headers.contains_key(key)) {
        HandshakeError::UnsupportedVersion { requested: Version::HIXIE_76, accepted }
    } else {
        HandshakeError::MissingVersion { accepted }
    }
}

/// The origin that a request names.
pub(crate) fn origin(
    headers: &HeaderMap,
    version: Version,
) -> Result<Option<&[u8]>, HandshakeError> {
    let origin = fields::single(headers, &header::ORIGIN, "Origin")?;
    // hybi-08 to hybi-10 use the other name, hybi-11 and hybi-12 this one, all as version 8; a
    // server of 13 looks for both too, so that no page gets past it under the old name.
    if origin.is_some() && version >= Version::HYBI_08 {
        return Ok(origin);
    }
    let old = fields::single(headers, &SEC_WEBSOCKET_ORIGIN, "Sec-WebSocket-Origin")?;
    Ok(old.or(origin))
}

/// Whether the request means to open a WebSocket connection, well formed or not.
///
/// A server that also serves pages asks this first and gives what is an attempt to
/// [`ServerPolicy::check`]: it lists `websocket` in `Upgrade`, has a `Sec-WebSocket-*` field, or is an extended CONNECT
/// (see [`Protocol`](crate::Protocol)).
///
/// ```
/// let page = http::Request::get("/").header("Host", "example.org").body(()).unwrap();
/// assert!(!hybi_handshake::is_upgrade(&page));
/// ```
#[must_use]
pub fn is_upgrade<B>(request: &Request<B>) -> bool {
    connect::asked_for(request).is_some()
        || fields::list_contains(request.headers(), &header::UPGRADE, b"websocket")
        || has_handshake_field(request.headers())
}

fn has_handshake_field(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("sec-websocket-"))
}

/// A request that may be answered with 101 (RFC 6455 §4.2.2), or over HTTP/2 with 200 (RFC 8441 §5).
///
/// The application may still choose extensions and another subprotocol, or turn the request down
/// with a response of its own.
///
/// ```
/// use hybi_handshake::ServerPolicy;
///
/// let request = http::Request::get("/chat")
///     .header("Host", "example.org")
///     .header("Upgrade", "websocket")
///     .header("Connection", "Upgrade")
///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("Sec-WebSocket-Version", "13")
///     .header("Sec-WebSocket-Protocol", "chat.v2, chat.v1")
///     .body(())?;
/// let accepted = ServerPolicy::new().check(&request)?;
/// assert_eq!(accepted.subprotocols, ["chat.v2", "chat.v1"]);
/// let accepted = accepted.with_subprotocol(Some("chat.v1"))?.with_header("Set-Cookie", "seen=1")?;
/// assert_eq!(accepted.response().headers()["sec-websocket-protocol"], "chat.v1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerAccepted {
    /// The version that the client asked for.
    pub version: Version,
    /// The value of `Sec-WebSocket-Key`; empty in drafts without that field, and over HTTP/2 unless one came.
    pub key: String,
    /// The subprotocol chosen, if any.
    pub subprotocol: Option<String>,
    /// The subprotocols that the client offered, most wanted first.
    pub subprotocols: Vec<String>,
    /// The extensions that the client offered, most wanted first.
    pub offers: Vec<ExtensionOffer>,
    way: Way,
    extensions: Vec<ExtensionOffer>,
    headers: HeaderMap,
}

/// How a request asks for a WebSocket, and so is answered.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// `Upgrade`, in HTTP/1.1.
    Upgrade,
    /// Extended CONNECT.
    Connect,
}

impl ServerAccepted {
    /// The same for an extended CONNECT.
    pub(crate) fn over_connect(self, key: Option<String>, offers: Vec<ExtensionOffer>) -> Self {
        Self { way: Way::Connect, key: key.unwrap_or_default(), offers, ..self }
    }

    /// Answers the offers, in the order in which the extensions apply; what was answered before is
    /// forgotten.
    #[must_use]
    pub fn with_extensions(mut self, answers: impl IntoIterator<Item = ExtensionOffer>) -> Self {
        self.extensions = answers.into_iter().collect();
        self
    }

    /// Chooses the subprotocol by hand, or none.
    ///
    /// # Errors
    ///
    /// [`FieldError::SubprotocolNotOffered`]: the client would fail the connection.
    pub fn with_subprotocol(mut self, name: Option<&str>) -> Result<Self, FieldError> {
        if name.is_some_and(|name| !self.subprotocols.iter().any(|offer| offer == name)) {
            return Err(FieldError::SubprotocolNotOffered);
        }
        self.subprotocol = name.map(str::to_owned);
        Ok(self)
    }

    /// Adds a field to the response, such as `Set-Cookie`.
    ///
    /// # Errors
    ///
    /// [`FieldError::Reserved`] for the fields that the handshake writes itself and those that announce
    /// a body; [`FieldError::InvalidName`] and [`FieldError::InvalidValue`] for what no field can hold.
    pub fn with_header(
        mut self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, FieldError> {
        append(&mut self.headers, name.as_ref(), value.as_ref())?;
        Ok(self)
    }

    /// The extensions answered so far.
    #[must_use]
    pub fn extensions(&self) -> &[ExtensionOffer] {
        &self.extensions
    }

    /// The fields that the policy and the application add.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The response 101, or 200 to an extended CONNECT. From its last byte on, both ends send frames.
    ///
    /// It is the one of hybi-05 to RFC 6455, and of RFC 8441. What older drafts answer is in `hybi-legacy`.
    ///
    /// [RFC 6455 §4.2.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2)
    #[must_use]
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = match self.way {
            Way::Upgrade => StatusCode::SWITCHING_PROTOCOLS,
            // Any 2xx opens it by the rules of CONNECT, but browsers insist on this one.
            Way::Connect => StatusCode::OK,
        };
        let headers = response.headers_mut();
        headers.reserve(5 + self.headers.len());
        let answers_key = match self.way {
            Way::Upgrade => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                true
            }
            Way::Connect => !self.key.is_empty(),
        };
        // Base64 and tokens are always valid values.
        if answers_key && let Ok(accept) = HeaderValue::try_from(accept_key(&self.key)) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(Ok(name)) = self.subprotocol.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, name);
        }
        if !self.extensions.is_empty()
            && let Ok(list) = HeaderValue::try_from(extension::list_value(&self.extensions))
        {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, list);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        response
    }
}
