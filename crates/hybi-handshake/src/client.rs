//! The client's opening handshake: request out, response checked (RFC 6455 §4.1).

use core::fmt;

use http::{Response, header};

use crate::error::HandshakeError;
use crate::extension::ExtensionOffer;
use crate::head::{HeadLimits, fields};
use crate::key::{accept_key, key_of};
use crate::request::ClientRequest;
use crate::response::ResponseReader;
use crate::version::Version;

/// One opening handshake of a client.
///
/// ```text
///  request_bytes ──▶ transport        transport ──▶ handle_input / handle_eof
///
///  head ──101──▶ ClientAccepted       head ──other──▶ body ──▶ HandshakeError::Rejected
/// ```
///
/// Errors are sticky: after the first, every call returns it again.
///
/// [RFC 6455 §4.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.1)
///
/// ```
/// use hybi_handshake::{ClientHandshake, ClientRequest, HandshakeError, HeadLimits};
///
/// let request = ClientRequest::new("ws://example.org/chat".parse()?);
/// let mut client = ClientHandshake::new(&request, *b"the sample nonce", HeadLimits::default());
/// // Send `client.request_bytes()`, then feed what arrives, cut as it may be.
/// let answer = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5\r\n\r\nmoved";
/// assert!(client.handle_input(&answer[..40])?.1.is_none());
/// let Err(HandshakeError::Rejected(response)) = client.handle_input(&answer[40..]) else { panic!() };
/// assert_eq!(response.headers()["location"], "/elsewhere");
/// assert_eq!(response.body(), b"moved");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientHandshake {
    request: Vec<u8>,
    key: String,
    offered: Offered,
    reader: ResponseReader,
    state: State,
}

enum State {
    Waiting,
    Accepted,
    Failed(HandshakeError),
}

/// What a server accepted (RFC 6455 §4.1).
///
/// ```
/// use hybi_handshake::{ClientHandshake, ClientRequest, HeadLimits};
///
/// let request = ClientRequest::new("ws://example.org/chat".parse()?).subprotocol("chat.v2")?;
/// let mut client = ClientHandshake::new(&request, *b"the sample nonce", HeadLimits::default());
/// let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat.v2\r\n\
///     Server: example\r\n\r\n";
/// let (_, accepted) = client.handle_input(answer)?;
/// let accepted = accepted.expect("the head is complete");
/// assert_eq!(accepted.subprotocol.as_deref(), Some("chat.v2"));
/// assert_eq!(accepted.response.headers()["server"], "example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientAccepted {
    /// The whole response head.
    pub response: Response<()>,
    /// The version that was asked for, and so is spoken now.
    pub version: Version,
    /// The subprotocol that the server chose among those offered.
    pub subprotocol: Option<String>,
    /// The extensions that the server chose, in the order in which they apply. Each has the name of one that
    /// was offered; whether its parameters answer the offer is for the extension to judge.
    pub extensions: Vec<ExtensionOffer>,
}

impl ClientAccepted {
    /// A handshake of a draft that has its own; neither subprotocol nor extensions yet.
    #[must_use]
    pub const fn new(response: Response<()>, version: Version) -> Self {
        Self { response, version, subprotocol: None, extensions: Vec::new() }
    }
}

impl ClientHandshake {
    /// Prepares one attempt. The nonce has to be unpredictable and new for each; `limits` bound the
    /// head of the response.
    #[must_use]
    pub fn new(request: &ClientRequest, nonce: [u8; 16], limits: HeadLimits) -> Self {
        let key = key_of(nonce);
        Self {
            request: request.to_bytes(&key),
            key,
            offered: Offered::of(request),
            reader: ResponseReader::new(limits),
            state: State::Waiting,
        }
    }

    /// The value of `Sec-WebSocket-Key`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The request, to be sent before anything else. Nothing more may be sent before the answer.
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        &self.request
    }

    /// Takes the next bytes from the server and says how many of them it took. When that is not
    /// all of them, the handshake is over and the rest are frames.
    ///
    /// # Errors
    ///
    /// The rule of RFC 6455 §4.1 or of HTTP that the response breaks; [`HandshakeError::Rejected`]
    /// with the whole response when the status is not 101. The client drops the transport.
    pub fn handle_input(
        &mut self,
        chunk: &[u8],
    ) -> Result<(usize, Option<ClientAccepted>), HandshakeError> {
        match &self.state {
            State::Waiting => {}
            State::Accepted => return Ok((0, None)),
            State::Failed(error) => return Err(error.clone()),
        }
        let result = self.reader.handle_input(chunk).and_then(|(taken, head)| {
            Ok((taken, head.map(|head| self.check(head.response)).transpose()?))
        });
        match &result {
            Ok((_, Some(_))) => self.state = State::Accepted,
            Ok((_, None)) => {}
            Err(error) => self.state = State::Failed(error.clone()),
        }
        result
    }

    /// The server ended its half of the transport; says what the handshake failed of.
    ///
    /// [`HandshakeError::Rejected`] with what there is of the body once the head of a rejection has
    /// come, else [`HandshakeError::UnexpectedEof`].
    pub fn handle_eof(&mut self) -> HandshakeError {
        let error = match &self.state {
            State::Failed(error) => error.clone(),
            State::Waiting | State::Accepted => self.reader.handle_eof(),
        };
        self.state = State::Failed(error.clone());
        error
    }

    /// Whether the server's answer is known to be a rejection, of which no more than the body is missing.
    /// That need not be waited for: [`give_up`](Self::give_up) ends it.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        self.reader.is_rejection()
    }

    /// Ends the handshake because the transport failed or a deadline passed.
    ///
    /// [`HandshakeError::Rejected`] with what there is of the body once the head of a rejection has
    /// come: the server's answer is known, whatever happened to its end. Before, there is nothing to
    /// say but what the caller knows.
    pub fn give_up(&mut self) -> Option<HandshakeError> {
        let error = self.reader.give_up()?;
        self.state = State::Failed(error.clone());
        Some(error)
    }

    /// Applies the rules for a response of status 101.
    fn check(&self, response: Response<()>) -> Result<ClientAccepted, HandshakeError> {
        let headers = response.headers();
        let upgrade = fields::single(headers, &header::UPGRADE, "Upgrade")?;
        if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) {
            return Err(HandshakeError::ResponseUpgrade);
        }
        if !fields::list_contains(headers, &header::CONNECTION, b"upgrade") {
            return Err(HandshakeError::ResponseConnection);
        }
        let accept =
            fields::single(headers, &header::SEC_WEBSOCKET_ACCEPT, "Sec-WebSocket-Accept")?;
        if accept.ok_or(HandshakeError::MissingAccept)? != accept_key(&self.key).as_bytes() {
            return Err(HandshakeError::AcceptMismatch);
        }
        self.offered.accept(response)
    }
}

/// What a client offered, among which the server chooses.
pub(crate) struct Offered {
    version: Version,
    subprotocols: Vec<String>,
    extensions: Vec<ExtensionOffer>,
}

impl Offered {
    pub(crate) fn of(request: &ClientRequest) -> Self {
        Self {
            version: request.requested_version(),
            subprotocols: request.subprotocols().to_vec(),
            extensions: request.extensions().to_vec(),
        }
    }

    /// Applies the rules for the choices of a response that opens the connection.
    pub(crate) fn accept(&self, response: Response<()>) -> Result<ClientAccepted, HandshakeError> {
        let headers = response.headers();
        let extensions = ExtensionOffer::parse_list(
            fields::filled(headers, &header::SEC_WEBSOCKET_EXTENSIONS),
            self.version,
        )?;
        let offered = |chosen: &ExtensionOffer| {
            self.extensions.iter().any(|offer| offer.name() == chosen.name())
        };
        if !extensions.iter().all(offered) {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        let chosen =
            fields::single(headers, &header::SEC_WEBSOCKET_PROTOCOL, "Sec-WebSocket-Protocol")?;
        let chosen = chosen
            .filter(|value| !value.is_empty())
            .map(|value| fields::token(value).ok_or(HandshakeError::MalformedSubprotocol))
            .transpose()?;
        if chosen.is_some_and(|name| !self.subprotocols.iter().any(|offer| offer == name)) {
            return Err(HandshakeError::SubprotocolNotOffered);
        }
        let subprotocol = chosen.map(str::to_owned);
        Ok(ClientAccepted { response, version: self.version, subprotocol, extensions })
    }
}

impl fmt::Debug for ClientHandshake {
    /// Leaves the request out, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting => "waiting",
            State::Accepted => "accepted",
            State::Failed(_) => "failed",
        };
        f.debug_struct("ClientHandshake").field("state", &state).finish_non_exhaustive()
    }
}
