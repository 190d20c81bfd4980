//! The client's end of an extended CONNECT: request out, response checked (RFC 8441 §5).

use core::fmt;

use http::{Method, Request, Response, Uri, header};

use super::Protocol;
use crate::body::BodyReader;
use crate::client::{ClientAccepted, Offered};
use crate::error::HandshakeError;
use crate::request::ClientRequest;

/// One opening handshake of a client over HTTP/2 or later, on [`http`] types: whoever speaks HTTP/2 sends the
/// request and gives back the response.
///
/// There is neither key nor accept: that the server understands `:protocol` it has said beforehand, by
/// `SETTINGS_ENABLE_CONNECT_PROTOCOL`. Do not ask without having seen that. All but the key is as over
/// HTTP/1.1, the masking of frames too. Version 13 alone goes over HTTP/2, so the request's own does not count.
///
/// [RFC 8441 §5](https://www.rfc-editor.org/rfc/rfc8441#section-5)
///
/// ```
/// use hybi_handshake::{ClientRequest, ConnectHandshake, Protocol};
///
/// let request = ClientRequest::new("wss://example.org/chat".parse()?).subprotocol("chat.v2")?;
/// let mut handshake = ConnectHandshake::new(&request);
/// let request = handshake.request();
/// assert_eq!((request.method().as_str(), request.uri().to_string()), ("CONNECT", "https://example.org/chat".into()));
/// assert_eq!(request.extensions().get(), Some(&Protocol::WEBSOCKET));
///
/// // What the server answers.
/// let response = http::Response::builder().header("sec-websocket-protocol", "chat.v2").body(())?;
/// let accepted = handshake.handle_response(response)?.expect("2xx");
/// assert_eq!(accepted.subprotocol.as_deref(), Some("chat.v2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConnectHandshake {
    request: Request<()>,
    offered: Offered,
    refusal: Option<Box<BodyReader>>,
}

impl ConnectHandshake {
    /// Prepares one attempt.
    #[must_use]
    pub fn new(request: &ClientRequest) -> Self {
        Self { request: connect(request), offered: Offered::of(request), refusal: None }
    }

    /// The request: its URI has scheme (`https` or `http`), authority and path, and its [`Protocol`] is among its
    /// extensions. It has no body and no end either: the stream stays open.
    #[must_use]
    pub const fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Takes the head of the response. With a status of 2xx it is done, and what follows in the stream are frames;
    /// `None` is a refusal, whose body is to be given to [`handle_data`](Self::handle_data) or
    /// [given up](Self::give_up).
    ///
    /// # Errors
    ///
    /// The rule of RFC 6455 §4.1 that an answer of 2xx breaks; abort the stream.
    pub fn handle_response(
        &mut self,
        response: Response<()>,
    ) -> Result<Option<ClientAccepted>, HandshakeError> {
        if response.status().is_success() {
            return self.offered.accept(response).map(Some);
        }
        self.refusal = Some(Box::new(BodyReader::new(response)));
        Ok(None)
    }

    /// Takes more of the body of a refusal; gives the whole once it is complete, or as much of it as is kept (64 KiB).
    pub fn handle_data(&mut self, data: &[u8]) -> Option<HandshakeError> {
        let body = self.refusal.as_mut()?;
        body.feed(data);
        if body.is_complete() { self.give_up() } else { None }
    }

    /// The server ended the stream; says what the handshake failed of.
    pub fn handle_eof(&mut self) -> HandshakeError {
        match self.refusal.take() {
            Some(body) => HandshakeError::Rejected(Box::new(body.finish(true))),
            None => HandshakeError::UnexpectedEof { received: 0 },
        }
    }

    /// The refusal whose head has come, with what there is of its body, if there is one.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        let body = self.refusal.take()?;
        Some(HandshakeError::Rejected(Box::new(body.finish(false))))
    }
}

/// The request over HTTP/2.
fn connect(request: &ClientRequest) -> Request<()> {
    let uri = request.uri();
    let scheme = if uri.is_secure() { "https" } else { "http" };
    let mut connect = Request::new(());
    *connect.method_mut() = Method::CONNECT;
    *connect.version_mut() = http::Version::HTTP_2;
    // What a `WsUri` was read from is a URI with another scheme.
    if let Ok(target) = Uri::builder()
        .scheme(scheme)
        .authority(uri.host_header())
        .path_and_query(uri.resource())
        .build()
    {
        *connect.uri_mut() = target;
    }
    connect.extensions_mut().insert(Protocol::WEBSOCKET);
    request.append_fields(connect.headers_mut());
    let number = header::HeaderValue::from_static("13");
    let version = request.version_value().cloned().unwrap_or(number);
    connect.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, version);
    connect
}

impl fmt::Debug for ConnectHandshake {
    /// Leaves the request out, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_refused = self.refusal.is_some();
        f.debug_struct("ConnectHandshake").field("is_refused", &is_refused).finish_non_exhaustive()
    }
}
