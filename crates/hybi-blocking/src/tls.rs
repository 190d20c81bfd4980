//! TLS: a session of rustls over a socket, and whom to trust as client if the caller does not say.

use core::{
    future::poll_fn,
    task::{Context, Poll, ready},
};
use std::{
    io::{self, IoSlice, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use hybi::{Error, WsUri, io::Transport};
use hybi_tls::{
    Needs, Otherwise,
    rustls::{
        ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection,
        pki_types::ServerName,
    },
};

use crate::{BlockingIo, Connector, MaybeTls, Socket, Stream};

/// What TLS with a server needs; `None` without TLS.
pub(crate) type Tls = Option<Needs>;

const OTHERWISE: Otherwise =
    if cfg!(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")) {
        Otherwise::TrustRoots
    } else {
        Otherwise::Refuse {
            feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-blocking`, or give \
                      `Connector::rustls` a configuration",
        }
    };

pub(crate) fn tls(connector: &Connector, uri: &WsUri) -> Result<Tls, Error> {
    Needs::of(uri, connector.tls.as_ref(), OTHERWISE)
}

pub(crate) async fn secure(tls: Tls, stream: BlockingIo<TcpStream>) -> io::Result<Stream> {
    match tls {
        None => Ok(MaybeTls::Plain(stream)),
        Some(Needs { config, name, .. }) => connect(config, name, stream).await,
    }
}

pub(crate) async fn connect<S: Socket>(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: BlockingIo<S>,
) -> io::Result<MaybeTls<S>> {
    let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    TlsStream::handshake(session.into(), stream).await
}

pub(crate) async fn accept<S: Socket>(
    config: &Arc<ServerConfig>,
    stream: BlockingIo<S>,
) -> io::Result<MaybeTls<S>> {
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    TlsStream::handshake(session.into(), stream).await
}

/// TLS over a socket.
///
/// [`MaybeTls`] has one of these where TLS was asked for.
#[derive(Debug)]
pub struct TlsStream<S = TcpStream> {
    session: Connection,
    socket: BlockingIo<S>,
    goodbye: Goodbye,
}

/// A socket as rustls uses one: what it has now, or what there is room for.
struct Now<'a, S>(&'a S);

impl<S: Socket> Read for Now<'_, S> {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        self.0.read_now(chunk)
    }
}

impl<S: Socket> Write for Now<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_now(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_now(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the peer was told that nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    Unsaid,
    Said,
}

impl<S: Socket> TlsStream<S> {
    /// The socket underneath. Whoever reads from it or writes to it breaks the connection.
    #[must_use]
    pub fn tcp(&self) -> &S {
        self.socket.get_ref()
    }

    pub(crate) const fn socket(&self) -> &Arc<S> {
        self.socket.socket()
    }

    /// The session: its protocol version, the certificates of the peer.
    #[must_use]
    pub fn session(&self) -> &Connection {
        &self.session
    }

    async fn handshake(session: Connection, socket: BlockingIo<S>) -> io::Result<MaybeTls<S>> {
        let mut stream = Self { session, socket, goodbye: Goodbye::Unsaid };
        poll_fn(|_| stream.poll_handshake()).await?;
        Ok(MaybeTls::Tls(Box::new(stream)))
    }

    fn poll_handshake(&mut self) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_send())?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_take_in())? == 0 && self.session.is_handshaking() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Reads records, and takes them in.
    fn poll_take_in(&mut self) -> Poll<io::Result<usize>> {
        let session = &mut self.session;
        let len = ready!(self.socket.read(|socket| session.read_tls(&mut Now(socket))))?;
        if let Err(error) = session.process_new_packets() {
            // The peer is told why, if it reads.
            let _ = self.send_now();
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        Poll::Ready(Ok(len))
    }

    /// Sends the records that wait; ready when all have left.
    fn poll_send(&mut self) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let session = &mut self.session;
            let len = ready!(self.socket.write(|socket| session.write_tls(&mut Now(socket))))?;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The same as far as it goes without waiting.
    fn send_now(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Now(self.socket.get_ref())) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<S: Socket> Transport for TlsStream<S> {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end of input, with a goodbye or without, is told by it as well.
                read => return Poll::Ready(read),
            }
            ready!(self.poll_take_in())?;
            // What that has to be answered with, as new keys are, waits for nobody who writes.
            let _ = self.send_now();
        }
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send())?;
        let len = self.session.writer().write_vectored(slices)?;
        // An error is that of the next call: these bytes are taken.
        let _ = self.send_now();
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send()
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.goodbye == Goodbye::Unsaid {
            self.goodbye = Goodbye::Said;
            self.session.send_close_notify();
        }
        ready!(self.poll_send())?;
        Poll::Ready(self.socket.end())
    }
}
