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

/// What TLS with a server needs.
pub(crate) type Tls = Needs;

const OTHERWISE: Otherwise =
    if cfg!(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")) {
        Otherwise::TrustRoots
    } else {
        Otherwise::Refuse {
            feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-blocking`, or give \
                      `Connector::roots_pem` a file",
        }
    };

pub(crate) fn tls(connector: &Connector, uri: &WsUri) -> Result<Option<Tls>, Error> {
    Needs::of(uri, &connector.tls, OTHERWISE)
}

pub(crate) async fn secure(tls: Tls, stream: Stream) -> io::Result<Stream> {
    match stream {
        MaybeTls::Plain(stream) => connect(tls.config, tls.name, stream).await,
        stream => {
            let session = ClientConnection::new(tls.config, tls.name).map_err(io::Error::other)?;
            let nested = TlsStream::handshake(session.into(), stream).await?;
            Ok(MaybeTls::Nested(Box::new(nested)))
        }
    }
}

pub(crate) async fn connect<S: Socket>(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: BlockingIo<S>,
) -> io::Result<MaybeTls<S>> {
    let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    Ok(MaybeTls::Tls(Box::new(TlsStream::handshake(session.into(), stream).await?)))
}

pub(crate) async fn accept<S: Socket>(
    config: &Arc<ServerConfig>,
    stream: BlockingIo<S>,
) -> io::Result<MaybeTls<S>> {
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    Ok(MaybeTls::Tls(Box::new(TlsStream::handshake(session.into(), stream).await?)))
}

/// TLS over a socket, or over TLS.
///
/// [`MaybeTls`] has one of these where TLS was asked for.
#[derive(Debug)]
pub struct TlsStream<T = BlockingIo<TcpStream>> {
    session: Connection,
    stream: T,
    goodbye: Goodbye,
}

/// A stream as rustls uses one: what it has now, or what there is room for. Whoever polls is told of more.
struct Now<'a, 'c, T> {
    stream: &'a mut T,
    cx: &'a mut Context<'c>,
}

fn or_would_block(polled: Poll<io::Result<usize>>) -> io::Result<usize> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl<T: Transport> Read for Now<'_, '_, T> {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        or_would_block(self.stream.poll_read(self.cx, chunk))
    }
}

impl<T: Transport> Write for Now<'_, '_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(self.stream.poll_write(self.cx, &[IoSlice::new(bytes)]))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        or_would_block(self.stream.poll_write(self.cx, slices))
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

impl<T> TlsStream<T> {
    /// What is underneath. Whoever reads from it or writes to it breaks the connection.
    #[must_use]
    pub const fn get_ref(&self) -> &T {
        &self.stream
    }

    /// The session: its protocol version, the certificates of the peer.
    #[must_use]
    pub const fn session(&self) -> &Connection {
        &self.session
    }
}

impl<T: Transport> TlsStream<T> {
    async fn handshake(session: Connection, stream: T) -> io::Result<Self> {
        let mut this = Self { session, stream, goodbye: Goodbye::Unsaid };
        poll_fn(|cx| this.poll_handshake(cx)).await?;
        Ok(this)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_send(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_take_in(cx))? == 0 && self.session.is_handshaking() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Reads records, and takes them in.
    fn poll_take_in(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let len = match self.session.read_tls(&mut Now { stream: &mut self.stream, cx }) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            read => read?,
        };
        if let Err(error) = self.session.process_new_packets() {
            // The peer is told why, if it reads.
            let _ = self.poll_send(cx);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        Poll::Ready(Ok(len))
    }

    /// Sends the records that wait; ready when all have left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Now { stream: &mut self.stream, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        // What TLS within TLS sent waits in the outer one.
        self.stream.poll_flush(cx)
    }
}

impl<T: Transport> Transport for TlsStream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end of input, with a goodbye or without, is told by it as well.
                read => return Poll::Ready(read),
            }
            ready!(self.poll_take_in(cx))?;
            // What that has to be answered with, as new keys are, waits for nobody who writes.
            let _ = self.poll_send(cx);
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let len = self.session.writer().write_vectored(slices)?;
        // An error is that of the next call: these bytes are taken.
        let _ = self.poll_send(cx);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.goodbye == Goodbye::Unsaid {
            self.goodbye = Goodbye::Said;
            self.session.send_close_notify();
        }
        ready!(self.poll_send(cx))?;
        self.stream.poll_shutdown(cx)
    }
}
