//! TLS over a blocking socket, as client or as server, for whoever plays a peer (RFC 6455 section 10.6).

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
};

use rustls::Connection;

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

    /// The socket below.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The socket below, without a word of TLS.
    #[must_use]
    pub fn into_tcp(self) -> TcpStream {
        self.tcp
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
