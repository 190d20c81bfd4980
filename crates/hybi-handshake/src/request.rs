//! The client's opening handshake request, built by the application (RFC 6455 §4.1).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::FieldError;
use crate::extension::{self, ExtensionOffer};
use crate::head::{fields, write_fields};
use crate::uri::WsUri;
use crate::version::Version;

/// What a client asks for. It can be used for several attempts, each with a nonce of its own.
///
/// User-info in the URI becomes an `Authorization` field, unless the application sets that itself.
///
/// [RFC 6455 §4.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.1)
///
/// ```
/// use hybi_handshake::{ClientRequest, FieldError};
///
/// let request = ClientRequest::new("wss://example.org/chat".parse()?)
///     .header("Cookie", "session=1")?
///     .origin("https://example.org")?
///     .subprotocol("chat.v2")?;
/// assert_eq!(request.clone().header("Host", "elsewhere").unwrap_err(), FieldError::Reserved);
/// assert_eq!(request.header("X-Note", "a\r\nHost: b").unwrap_err(), FieldError::InvalidValue);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientRequest {
    uri: WsUri,
    version: Version,
    version_header: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    subprotocols: Vec<String>,
    extensions: Vec<ExtensionOffer>,
    headers: HeaderMap,
}

impl ClientRequest {
    /// A request of version 13 for this resource, with no more than the RFC demands.
    #[must_use]
    pub fn new(uri: WsUri) -> Self {
        Self {
            uri,
            version: Version::RFC6455,
            version_header: None,
            origin: None,
            subprotocols: Vec::new(),
            extensions: Vec::new(),
            headers: HeaderMap::new(),
        }
    }

    /// Adds a field, such as `Cookie` or `Authorization`. A name that is set twice is sent twice, but for
    /// `Origin`, which is what [`origin`](Self::origin) sets.
    ///
    /// # Errors
    ///
    /// [`FieldError::Reserved`] for `Host`, `Upgrade`, `Connection`, `Sec-WebSocket-*` and
    /// `WebSocket-*`, and for the fields that announce a body; [`FieldError::InvalidName`] and [`FieldError::InvalidValue`]
    /// for what no field can hold, such as a line end.
    pub fn header(
        mut self,
        name: impl AsRef<str>,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, FieldError> {
        append(&mut self.headers, name.as_ref(), value.as_ref())?;
        // Not all versions call it so.
        if let Some(origin) = self.headers.remove(header::ORIGIN) {
            self.origin = Some(origin);
        }
        Ok(self)
    }

    /// The same without what is for one origin alone: `Authorization`, `Proxy-Authorization` and `Cookie`
    /// (RFC 9110 §15.4).
    #[must_use]
    pub fn without_credentials(mut self) -> Self {
        for name in [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE] {
            // All of one name go with it.
            drop(self.headers.remove(name));
        }
        self
    }

    /// Names the origin, as a browser would: `scheme://host[:port]`, or `null`.
    ///
    /// # Errors
    ///
    /// [`FieldError::InvalidValue`] for what no field can hold.
    pub fn origin(mut self, origin: &str) -> Result<Self, FieldError> {
        self.origin = Some(HeaderValue::from_str(origin).map_err(|_| FieldError::InvalidValue)?);
        Ok(self)
    }

    /// Offers a subprotocol, after those already offered in order of preference.
    ///
    /// # Errors
    ///
    /// [`FieldError::NotAToken`] and [`FieldError::DuplicateSubprotocol`].
    pub fn subprotocol(mut self, name: &str) -> Result<Self, FieldError> {
        let name = fields::token(name.as_bytes()).ok_or(FieldError::NotAToken)?;
        if self.subprotocols.iter().any(|other| other == name) {
            return Err(FieldError::DuplicateSubprotocol);
        }
        self.subprotocols.push(name.to_owned());
        Ok(self)
    }

    /// Offers an extension, after those already offered in order of preference.
    #[must_use]
    pub fn extension(mut self, offer: ExtensionOffer) -> Self {
        self.extensions.push(offer);
        self
    }

    /// Speaks another version than 13. [`ClientHandshake`](crate::ClientHandshake) fits all that share the
    /// handshake of RFC 6455, 5 to 13, and, but for the nonce of the server, 4.
    #[must_use]
    pub const fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Says something else than the version's own value in the field that names it: for tests, and for
    /// servers that want another `Sec-WebSocket-Draft` than the documents have. hixie-75 has no such
    /// field.
    ///
    /// # Errors
    ///
    /// [`FieldError::InvalidValue`] for what no field can hold.
    pub fn version_header(mut self, value: &str) -> Result<Self, FieldError> {
        let value = HeaderValue::from_str(value).map_err(|_| FieldError::InvalidValue)?;
        self.version_header = Some(value);
        Ok(self)
    }

    /// The same request, saying in the field that names the version what the version has there.
    #[must_use]
    pub fn without_version_header(mut self) -> Self {
        self.version_header = None;
        self
    }

    /// The same request for another resource.
    #[must_use]
    pub fn with_uri(mut self, uri: WsUri) -> Self {
        self.uri = uri;
        self
    }

    /// The same request with what another asks for: its resource, its fields instead of ours of the same
    /// names, and its origin and subprotocols if it has any. Version and extensions stay.
    ///
    /// ```
    /// use hybi_handshake::ClientRequest;
    ///
    /// let always = ClientRequest::new("ws://example.org/".parse()?)
    ///     .header("User-Agent", "example/1.0")?
    ///     .header("Authorization", "Bearer 1234")?;
    /// let once = ClientRequest::new("ws://example.org/chat".parse()?)
    ///     .header("Authorization", "Bearer 5678")?;
    /// let request = always.amended(once);
    /// let mut fields = Vec::new();
    /// request.write_fields(&mut fields);
    /// assert_eq!(fields, b"User-Agent: example/1.0\r\nAuthorization: Bearer 5678\r\n");
    /// assert_eq!(request.uri().resource(), "/chat");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn amended(mut self, by: Self) -> Self {
        self.uri = by.uri;
        self.origin = by.origin.or(self.origin);
        if !by.subprotocols.is_empty() {
            self.subprotocols = by.subprotocols;
        }
        // It replaces what is there of a name with all that comes of it.
        self.headers.extend(by.headers);
        self
    }

    /// Where the request goes.
    #[must_use]
    pub const fn uri(&self) -> &WsUri {
        &self.uri
    }

    /// The version that is asked for.
    #[must_use]
    pub const fn requested_version(&self) -> Version {
        self.version
    }

    /// What is said in the field that names the version, if not what the version has there.
    #[must_use]
    pub fn version_value(&self) -> Option<&HeaderValue> {
        self.version_header.as_ref()
    }

    /// The subprotocols offered, most wanted first.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The origin, if one was named.
    #[must_use]
    pub fn named_origin(&self) -> Option<&HeaderValue> {
        self.origin.as_ref()
    }

    /// Appends the fields of the application, and the `Authorization` that the user-info of the URI stands for, to
    /// a request head.
    pub fn write_fields(&self, out: &mut Vec<u8>) {
        if let Some(value) = self.authorization() {
            write_fields(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]), out);
        }
        write_fields(&self.headers, out);
    }

    /// Adds to `headers` all fields that are the same over each version of HTTP: subprotocols, extensions, origin, and what
    /// [`write_fields`](Self::write_fields) writes.
    pub(crate) fn append_fields(&self, headers: &mut HeaderMap) {
        // Tokens and quoted strings are always valid values.
        let list = |list: String| HeaderValue::try_from(list).ok().filter(|list| !list.is_empty());
        let extensions = list(extension::list_value(&self.extensions));
        let fields = [
            (header::SEC_WEBSOCKET_PROTOCOL, list(self.subprotocols.join(", "))),
            (header::SEC_WEBSOCKET_EXTENSIONS, extensions),
            (header::ORIGIN, self.origin.clone()),
            (header::AUTHORIZATION, self.authorization()),
        ];
        for (name, value) in fields {
            headers.extend(value.map(|value| (name, value)));
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
    }

    /// What the user-info of the URI stands for, unless the application says it itself.
    fn authorization(&self) -> Option<HeaderValue> {
        let value = self.uri.basic_authorization();
        value.filter(|_| !self.headers.contains_key(header::AUTHORIZATION))
    }

    pub(crate) fn extensions(&self) -> &[ExtensionOffer] {
        &self.extensions
    }

    /// The request head with this key.
    pub(crate) fn to_bytes(&self, key: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        put(&[b"GET ", self.uri.resource().as_bytes(), b" HTTP/1.1\r\n"]);
        put(&[b"Host: ", self.uri.host_header().as_bytes(), b"\r\n"]);
        put(&[b"Upgrade: websocket\r\nConnection: Upgrade\r\n"]);
        put(&[b"Sec-WebSocket-Key: ", key.as_bytes(), b"\r\n"]);
        let number = self.version.to_string();
        let version = self.version_value().map_or(number.as_bytes(), HeaderValue::as_bytes);
        put(&[b"Sec-WebSocket-Version: ", version, b"\r\n"]);
        if !self.subprotocols.is_empty() {
            put(&[b"Sec-WebSocket-Protocol: ", self.subprotocols.join(", ").as_bytes(), b"\r\n"]);
        }
        if !self.extensions.is_empty() {
            let list = extension::list_value(&self.extensions);
            put(&[b"Sec-WebSocket-Extensions: ", list.as_bytes(), b"\r\n"]);
        }
        if let Some(origin) = &self.origin {
            fields::write_name(&self.version.origin_field(), &mut out);
            [b": ", origin.as_bytes(), b"\r\n"].iter().for_each(|part| out.extend_from_slice(part));
        }
        self.write_fields(&mut out);
        out.extend(b"\r\n");
        out
    }
}

/// Adds a field of the application, which may not be one that the handshake writes or relies on.
pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), FieldError> {
    let name = HeaderName::try_from(name).map_err(|_| FieldError::InvalidName)?;
    let frames_body = name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING;
    if fields::is_owned(&name) || frames_body {
        return Err(FieldError::Reserved);
    }
    let mut value = HeaderValue::from_bytes(value).map_err(|_| FieldError::InvalidValue)?;
    value.set_sensitive(name == header::AUTHORIZATION || name == header::COOKIE);
    headers.try_append(name, value).map_err(|_| FieldError::InvalidValue)?;
    Ok(())
}
