//! Incoming: a request that has been read and waits for an answer.

use core::net::SocketAddr;
use std::time::Instant;

use hybi::{
    Config, Error, HandshakeError, Server, handshake::ServerAccepted, http, io::Transport, opening,
};

use crate::{BlockingTimer, Stream, WebSocket, block_on};

/// A request that has been read and waits to be accepted, rejected or answered; see [`hybi::Incoming`], whose
/// methods these are.
///
/// ```no_run
/// use hybi_blocking::{Error, Incoming, Server, http::Response};
///
/// fn decide(incoming: Incoming) -> Result<(), Error> {
///     if incoming.request().uri().path() == "/chat" {
///         let mut ws = incoming.accept()?;
///         while ws.recv()?.is_some() {}
///     } else {
///         let response = Response::builder().status(404).body("no such room");
///         incoming.respond(response.expect("a valid response"));
///     }
///     Ok(())
/// }
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
/// let server = Server::default();
/// for stream in listener.incoming() {
///     decide(hybi_blocking::incoming(&server, stream?)?)?;
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Incoming<T = Stream>(hybi::Incoming<T, BlockingTimer>);

impl<T> From<hybi::Incoming<T, BlockingTimer>> for Incoming<T> {
    fn from(incoming: hybi::Incoming<T, BlockingTimer>) -> Self {
        Self(incoming)
    }
}

impl<T: Transport> Incoming<T> {
    pub(crate) async fn read(server: &Server, transport: T) -> Result<Self, Error> {
        let (timer, deadline) = opening::begin(server.config());
        opening::incoming_on(server, transport, timer, deadline).await.map(Self)
    }

    /// The same through TLS, whose handshake shares the deadline.
    #[cfg(feature = "rustls")]
    pub(crate) async fn read_tls(
        server: &Server,
        handshake: impl Future<Output = std::io::Result<T>>,
    ) -> Result<Self, Error> {
        let (timer, deadline) = opening::begin(server.config());
        opening::incoming_tls_on(server, handshake, timer, deadline).await.map(Self)
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &http::Request<()> {
        self.0.request()
    }

    /// The address that it comes from, if [`serve_requests`](crate::serve_requests) accepted the transport.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.peer()
    }

    /// When [`serve_requests`](crate::serve_requests) accepted the transport: the opening handshake began then.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Instant> {
        self.0.accepted_at()
    }

    /// The transport underneath, to look at.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.0.transport()
    }

    /// Whether the request asks for a WebSocket at all; if not, it is plain HTTP, and
    /// [`respond`](Self::respond) may serve a page.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.0.is_upgrade()
    }

    /// Replaces the choices about the connection that will follow, for this request alone.
    #[must_use]
    pub fn with_config(self, config: Config) -> Self {
        Self(self.0.with_config(config))
    }

    /// Checks the request against the server's rules without answering it.
    ///
    /// # Errors
    ///
    /// The rule that it breaks; [`reject`](Self::reject) answers so.
    pub fn check(&self) -> Result<ServerAccepted, HandshakeError> {
        self.0.check()
    }

    /// Accepts the request if it keeps the server's rules, and rejects it if not.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] if it was rejected, [`Error::Opening`] or [`Error::Timeout`] if the
    /// answer could not be sent.
    pub fn accept(self) -> Result<WebSocket<T>, Error> {
        block_on(self.0.accept()).map(WebSocket::from)
    }

    /// Accepts the request with an answer of the caller's making: one of [`check`](Self::check), with another
    /// subprotocol or more header fields.
    ///
    /// # Errors
    ///
    /// [`Error::Opening`] or [`Error::Timeout`] if the answer could not be sent.
    pub fn accept_as(self, accepted: ServerAccepted) -> Result<WebSocket<T>, Error> {
        block_on(self.0.accept_as(accepted)).map(WebSocket::from)
    }

    /// Rejects the request as `error` says, ends the transport in order, and hands the error back.
    #[must_use]
    pub fn reject(self, error: HandshakeError) -> Error {
        block_on(self.0.reject(error))
    }

    /// Answers the request with plain HTTP and ends the transport in order.
    pub fn respond<B: AsRef<[u8]>>(self, response: http::Response<B>) {
        block_on(self.0.respond(response));
    }

    /// The same for what is done within [`block_on`], such as `mux::accept`.
    #[must_use]
    pub fn into_inner(self) -> hybi::Incoming<T, BlockingTimer> {
        self.0
    }
}
