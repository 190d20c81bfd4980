//! TLS: a session of rustls over a socket, and whom to trust as client if the caller does not say.

use core::{
    future::poll_fn,
    task::{Context, Poll, ready},
};
use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use hybi::{Error, WsUri, io::Transport};
use hybi_tls::{
    Needs, Otherwise,
    rustls::{ClientConnection, Connection, ServerConfig, ServerConnection},
};

use crate::{BlockingIo, Connector, Stream};

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
    let Some(Needs { config, name, .. }) = tls else { return Ok(Stream::Plain(stream)) };
    let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    TlsStream::handshake(session.into(), stream).await
}

pub(crate) async fn accept(
    config: &Arc<ServerConfig>,
    stream: BlockingIo<TcpStream>,
) -> io::Result<Stream> {
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    TlsStream::handshake(session.into(), stream).await
}

/// TLS over TCP.
///
/// [`Stream`] has one of these where TLS was asked for.
#[derive(Debug)]
pub struct TlsStream {
    session: Connection,
    tcp: BlockingIo<TcpStream>,
    goodbye: Goodbye,
}

/// Whether the peer was told that nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    Unsaid,
    Said,
}

impl TlsStream {
    /// The TCP stream underneath. Whoever reads from it or writes to it breaks the connection.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        self.tcp.get_ref()
    }

    /// The session: its protocol version, the certificates of the peer.
    #[must_use]
    pub fn session(&self) -> &Connection {
        &self.session
    }

    async fn handshake(session: Connection, tcp: BlockingIo<TcpStream>) -> io::Result<Stream> {
        let mut stream = Self { session, tcp, goodbye: Goodbye::Unsaid };
        poll_fn(|_| stream.poll_handshake()).await?;
        Ok(Stream::Tls(Box::new(stream)))
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
        let len = ready!(self.tcp.read(|tcp| {
            let mut tcp = tcp;
            session.read_tls(&mut tcp)
        }))?;
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
            let len = ready!(self.tcp.write(|tcp| {
                let mut tcp = tcp;
                session.write_tls(&mut tcp)
            }))?;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The same as far as it goes without waiting.
    fn send_now(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            let mut tcp = self.tcp.get_ref();
            match self.session.write_tls(&mut tcp) {
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

impl Transport for TlsStream {
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
        Poll::Ready(self.tcp.end())
    }
}
