//! Connector: from a URI to a WebSocket over the version of HTTP that the server prefers.

use core::net::SocketAddr;
use std::{io, time::Instant};

use hybi::{
    Client, Error, Request, Version, WsUri,
    io::Timer,
    opening::{self, Dial},
};
use hybi_tokio::{Stream, TokioIo, TokioTimer};

use crate::{EitherIo, Session, Settings, Sniffed, WebSocket, alpn};

/// How to reach a server, over HTTP/2 if it takes WebSockets there, and else over HTTP/1.1.
///
/// A `wss` server is asked by ALPN. If it settles on HTTP/2 and then does not say that it takes WebSockets, it is connected
/// to once more, for HTTP/1.1 alone: there is no way back within a connection. A `ws` server is spoken to in HTTP/1.1, unless
/// it is known that it speaks HTTP/2. Old versions stay on HTTP/1.1.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi::Error> {
/// use hybi::Client;
/// use hybi_h2::Connector;
///
/// let (mut ws, response) =
///     Connector::new().connect(&Client::default(), "wss://example.org/chat").await?;
/// println!("open over {:?}", response.version());
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Connector {
    tokio: hybi_tokio::Connector,
    settings: Settings,
    plain: Plain,
}

/// What is spoken without TLS.
#[derive(Clone, Copy, Debug, Default)]
enum Plain {
    #[default]
    Http1,
    Http2,
}

impl Connector {
    /// As [`hybi_tokio::Connector::new`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Reaches servers as this one does: its TLS configuration counts here too, but for the protocols of its ALPN.
    pub fn reached_by(mut self, connector: hybi_tokio::Connector) -> Self {
        self.tokio = connector;
        self
    }

    /// Sets the limits of each connection of HTTP/2.
    pub const fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Speaks HTTP/2 with `ws` servers, which are known to understand it (RFC 9113 section 3.3).
    pub const fn prior_knowledge(mut self) -> Self {
        self.plain = Plain::Http2;
        self
    }

    /// Connects to a `ws` or `wss` URI as `client` says: through its proxy, along redirects, by one deadline.
    ///
    /// # Errors
    ///
    /// As [`hybi_tokio::Connector::connect`].
    pub async fn connect(
        &self,
        client: &Client,
        request: impl Into<Request>,
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let request = client.prepare(request)?;
        // In a box, as all that only the opening needs.
        Box::pin(self.follow(request)).await
    }

    /// Connects to the server of this URI over HTTP/2, for several WebSockets; `None` if it takes none there.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), hybi::Error> {
    /// use hybi::Client;
    /// use hybi_h2::Connector;
    ///
    /// let client = Client::default();
    /// let session = Connector::new().session(&client, "wss://example.org/").await?;
    /// if let Some(session) = session {
    ///     let (news, _response) = session.open(&client, "wss://example.org/news").await?;
    ///     let (chat, _response) = session.open(&client, "wss://example.org/chat").await?;
    /// #   let _ = (news, chat);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Uri`], and what [`Session::on`] and [`hybi_tokio::Connector::connect`] have for what comes before the
    /// opening handshake.
    pub async fn session(
        &self,
        client: &Client,
        uri: impl Into<Request>,
    ) -> Result<Option<Session>, Error> {
        let (client, uri) = client.prepare(uri)?;
        let deadline = client.config().handshake_deadline(TokioTimer::default().now());
        match self.reach(&client, &uri, deadline).await? {
            Reached::Http2(session) => Ok(Some(session)),
            Reached::Http1(_) | Reached::Neither => Ok(None),
        }
    }

    async fn follow(
        &self,
        (mut client, mut uri): (Client, WsUri),
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let deadline = client.config().handshake_deadline(TokioTimer::default().now());
        loop {
            let error = match self.attempt(&client, &uri, deadline).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            match client.redirect(&uri, &error)? {
                Some(next) => (client, uri) = next,
                None => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        client: &Client,
        uri: &WsUri,
        deadline: Instant,
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let mut first = if client.version() == Version::RFC6455 {
            match self.reach(client, uri, deadline).await? {
                Reached::Http2(session) => {
                    return session.ask(client, uri, TokioTimer::default(), deadline).await;
                }
                Reached::Http1(stream) => Some(stream),
                Reached::Neither => None,
            }
        } else {
            None
        };
        // Each version that the client falls back to needs a connection of its own.
        let connect = || {
            let reached = first.take();
            async move {
                let stream = match reached {
                    Some(stream) => stream,
                    None => self.dial(Offer::Http1, client, uri, deadline).await?,
                };
                let stream = TokioIo::new(Sniffed::new(stream));
                Ok((EitherIo::Http1(stream), TokioTimer::default()))
            }
        };
        opening::connect_anew(client, uri, deadline, connect).await
    }

    async fn reach(
        &self,
        client: &Client,
        uri: &WsUri,
        deadline: Instant,
    ) -> Result<Reached, Error> {
        let stream = self.dial(Offer::Both, client, uri, deadline).await?;
        let is_http2 = match (&stream, self.plain) {
            (Stream::Plain(_), Plain::Http1) => false,
            (Stream::Plain(_), Plain::Http2) => true,
            (stream, _) => stream.alpn_protocol() == Some(b"h2"),
        };
        if !is_http2 {
            return Ok(Reached::Http1(stream));
        }
        let session =
            Session::begin(client, self.settings, stream, TokioTimer::default(), deadline).await?;
        Ok(session.map_or(Reached::Neither, Reached::Http2))
    }

    async fn dial(
        &self,
        offer: Offer,
        client: &Client,
        uri: &WsUri,
        deadline: Instant,
    ) -> Result<Stream, Error> {
        let dial = Dialler { tokio: &self.tokio, server: uri, offer };
        let (transport, _timer) = opening::reach(&dial, client, uri, deadline).await?;
        Ok(transport.into_inner())
    }
}

/// What a server turned out to speak.
enum Reached {
    Http2(Session),
    Http1(Stream),
    /// HTTP/2, but no WebSockets over it.
    Neither,
}

/// What may be spoken with a server through TLS.
#[derive(Clone, Copy)]
pub(crate) enum Offer {
    Both,
    Http1,
}

/// The calls of tokio, with an ALPN of our own.
struct Dialler<'a> {
    tokio: &'a hybi_tokio::Connector,
    server: &'a WsUri,
    offer: Offer,
}

impl Dial for Dialler<'_> {
    type Tls = <hybi_tokio::Connector as Dial>::Tls;
    type Transport = TokioIo<Stream>;
    type Timer = TokioTimer;

    fn timer(&self) -> TokioTimer {
        self.tokio.timer()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.tokio.look_up(host, port).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TokioIo<Stream>> {
        Dial::connect(self.tokio, address).await
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<Self::Tls>, Error> {
        let mut needs = self.tokio.tls(uri)?;
        if let Some(needs) = &mut needs {
            // A proxy is spoken to in HTTP/1.1.
            let offer = if uri == self.server { self.offer } else { Offer::Http1 };
            alpn::offer(offer, needs);
        }
        Ok(needs)
    }

    async fn secure(&self, tls: Self::Tls, stream: TokioIo<Stream>) -> io::Result<TokioIo<Stream>> {
        self.tokio.secure(tls, stream).await
    }
}
