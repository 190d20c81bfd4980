//! TLS over a blocking socket, as client or as server, for whoever plays a peer (RFC 6455 section 10.6).

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use rustls::{ClientConnection, Connection, ServerConnection};

use crate::{certificate, peer::Through};

/// The first byte of a TLS handshake: its type of record.
const HANDSHAKE: u8 = 22;

/// The socket of a peer, through TLS or not.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Socket {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS over TCP.
    Secure(Box<Secure>),
}

impl Socket {
    /// A client's, to `localhost`.
    ///
    /// # Panics
    ///
    /// When TLS fails.
    #[must_use]
    pub fn connect(tcp: TcpStream, through: Through) -> Self {
        match through {
            Through::Tcp => Self::Plain(tcp),
            Through::Tls => {
                let config = Arc::clone(&certificate::shared().1);
                let name = "localhost".try_into().expect("a name");
                let tls = ClientConnection::new(config, name).expect("a client");
                Self::Secure(Box::new(Secure::new(tls, tcp).expect("a handshake of TLS")))
            }
        }
    }

    /// A server's: the first byte of the client tells whether it is TLS.
    ///
    /// # Panics
    ///
    /// When TLS fails.
    #[must_use]
    pub fn accept(tcp: TcpStream) -> Self {
        let mut first = [0];
        match tcp.peek(&mut first) {
            Ok(1) if first == [HANDSHAKE] => {
                let config = Arc::clone(&certificate::shared().0);
                let tls = ServerConnection::new(config).expect("a server");
                Self::Secure(Box::new(Secure::new(tls, tcp).expect("a handshake of TLS")))
            }
            _ => Self::Plain(tcp),
        }
    }

    /// The socket of TCP.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Secure(secure) => &secure.tcp,
        }
    }

    /// The socket of TCP, without a word of TLS.
    #[must_use]
    pub fn into_tcp(self) -> TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Secure(secure) => secure.tcp,
        }
    }

    /// Ends the sending half: a FIN, behind a close_notify of TLS.
    ///
    /// # Errors
    ///
    /// That the other end is gone.
    pub fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown(Shutdown::Write),
            Self::Secure(secure) => secure.end(),
        }
    }

    /// Waits until the other end said something more, and leaves it to the system. What TLS says on its own account
    /// behind the handshake has come by then if something was read before.
    ///
    /// # Errors
    ///
    /// That it ended, or was silent for longer than the socket waits.
    pub fn wait_for_more(&self) -> io::Result<()> {
        match self.tcp().peek(&mut [0])? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(chunk),
            Self::Secure(secure) => secure.read(chunk),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Secure(secure) => secure.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Secure(secure) => secure.flush(),
        }
    }
}

/// A TLS stream. It is over when TLS and then TCP say so: one without the other is an error.
#[derive(Debug)]
pub struct Secure {
    tls: Connection,
    tcp: TcpStream,
}

impl Secure {
    /// Runs the handshake.
    ///
    /// # Errors
    ///
    /// What the other end did wrong, or that it was silent for longer than the socket waits.
    pub fn new(tls: impl Into<Connection>, mut tcp: TcpStream) -> io::Result<Self> {
        let mut tls = tls.into();
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Self { tls, tcp })
    }

    /// Ends the sending half: a close_notify, and a FIN.
    ///
    /// # Errors
    ///
    /// That the other end is gone.
    pub fn end(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.flush()?;
        self.tcp.shutdown(Shutdown::Write)
    }
}

impl Read for Secure {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(chunk) {
                Ok(0) if !chunk.is_empty() => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.tls.read_tls(&mut self.tcp)?;
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
        match self.tcp.read(chunk)? {
            0 => Ok(0),
            _ => Err(io::Error::new(ErrorKind::InvalidData, "bytes behind the end of TLS")),
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What was taken is never refused afterwards: it leaves before more is taken.
        self.flush()?;
        let taken = self.tls.writer().write(bytes)?;
        let _ = self.flush();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }
}
