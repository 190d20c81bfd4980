//! Request: what one connection asks for, beside what its client asks of all (RFC 6455 section 4.1).

use http::{
    Method, Uri,
    header::{HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL},
};
use hybi_handshake::{ClientRequest, FieldError, WsUri};

use super::Client;
use crate::connection::Error;

/// Where to connect, and what to ask for there alone.
///
/// It is made of a string, an [`http::Uri`], a [`WsUri`] or an [`http::Request`], and wherever a connection is
/// asked for, any of these will do. Mistakes are kept until then, so that calls can be chained.
///
/// ```
/// use hybi::{Client, Request};
///
/// let client = Client::builder().header("User-Agent", "example/1.0").build()?;
/// // Fields of this connection go before those of the client that have the same name.
/// let request = Request::from("ws://example.org/chat")
///     .header("Cookie", "session=1")
///     .subprotocol("chat.v2");
/// let (client, uri) = client.prepare(request)?;
/// let handshake = client.handshake(&uri);
/// let head = core::str::from_utf8(handshake.request_bytes()).unwrap();
/// assert!(head.contains("User-Agent: example/1.0\r\n") && head.contains("Cookie: session=1\r\n"));
/// assert!(head.contains("Sec-WebSocket-Protocol: chat.v2\r\n"));
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Request(Result<ClientRequest, Error>);

impl Request {
    fn and(self, change: impl FnOnce(ClientRequest) -> Result<ClientRequest, FieldError>) -> Self {
        Self(self.0.and_then(|request| Ok(change(request)?)))
    }

    /// Adds a header field, as [`ClientBuilder::header`](super::ClientBuilder::header) does.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.and(|request| request.header(name, value))
    }

    /// Says which origin the request comes from, as [`ClientBuilder::origin`](super::ClientBuilder::origin)
    /// does.
    pub fn origin(self, origin: &str) -> Self {
        self.and(|request| request.origin(origin))
    }

    /// Offers a subprotocol, as [`ClientBuilder::subprotocol`](super::ClientBuilder::subprotocol) does; the
    /// client's own are not offered then.
    pub fn subprotocol(self, name: &str) -> Self {
        self.and(|request| request.subprotocol(name))
    }

    /// Adds a field that another library made.
    fn field(self, name: &HeaderName, value: &HeaderValue) -> Self {
        if name == SEC_WEBSOCKET_PROTOCOL {
            let names = value.to_str().unwrap_or("\0").split(',').map(str::trim);
            return names.fold(self, Self::subprotocol);
        }
        self.and(|request| request.header(name, value))
    }
}

impl From<WsUri> for Request {
    fn from(uri: WsUri) -> Self {
        Self(Ok(ClientRequest::new(uri)))
    }
}

impl From<&WsUri> for Request {
    fn from(uri: &WsUri) -> Self {
        Self::from(uri.clone())
    }
}

impl From<&str> for Request {
    fn from(uri: &str) -> Self {
        Self(uri.parse().map(ClientRequest::new).map_err(Error::from))
    }
}

impl From<String> for Request {
    fn from(uri: String) -> Self {
        Self::from(uri.as_str())
    }
}

impl From<&String> for Request {
    fn from(uri: &String) -> Self {
        Self::from(uri.as_str())
    }
}

impl From<&Uri> for Request {
    fn from(uri: &Uri) -> Self {
        Self(WsUri::try_from(uri).map(ClientRequest::new).map_err(Error::from))
    }
}

impl From<Uri> for Request {
    fn from(uri: Uri) -> Self {
        Self::from(&uri)
    }
}

/// Its URI and its fields. The subprotocols are those of `Sec-WebSocket-Protocol`; the other fields that the
/// handshake writes are a mistake, and so is another method than GET.
impl From<http::Request<()>> for Request {
    fn from(request: http::Request<()>) -> Self {
        if request.method() != Method::GET {
            return Self(Err(FieldError::NotGet.into()));
        }
        let empty = Self::from(request.uri());
        request.headers().iter().fold(empty, |request, (name, value)| request.field(name, value))
    }
}

impl Client {
    /// The client for one connection, which asks for what `request` adds as well, and where that goes.
    ///
    /// Whatever takes both a client and a request does this by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Uri`], or [`Error::Field`] for the first field, origin or subprotocol that cannot be sent.
    pub fn prepare(&self, request: impl Into<Request>) -> Result<(Self, WsUri), Error> {
        let request = request.into().0?;
        let uri = request.uri().clone();
        let request = self.request.clone().amended(request);
        Ok((Self { request, ..self.clone() }, uri))
    }
}
