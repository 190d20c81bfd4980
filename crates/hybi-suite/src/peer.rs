//! The scripted peer: a blocking socket that sends any bytes and asserts what comes back, through TLS or not
//! (RFC 6455 sections 4 to 7).

use core::{fmt, net::SocketAddr, time::Duration};
use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
};

use hybi_testkit::script;
use hybi_testkit::wire::{self, CLOSE, Frame, PING, Side};

use crate::secure::Socket;

/// The longest that a peer waits for anything: a bound on hangs, never a time that passes.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The request of RFC 6455 section 1.2, without subprotocol, extension and origin.
pub const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// What answers the key of [`REQUEST`], as the RFC prints it.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// One end of a connection, played by a test.
#[derive(Debug)]
pub struct Peer {
    stream: Socket,
    /// Which end it plays.
    side: Side,
    /// Reserved bits that were agreed on, for the frames that begin a message.
    bits: u8,
    input: Vec<u8>,
}

/// What is between two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests have to know them all")]
pub enum Through {
    /// TCP alone.
    Tcp,
    /// TLS over TCP, with the certificate of [`shared`](crate::certificate::shared).
    Tls,
}

impl Through {
    /// The scheme of a WebSocket's URI.
    #[must_use]
    pub const fn ws(self) -> &'static str {
        match self {
            Self::Tcp => "ws",
            Self::Tls => "wss",
        }
    }

    /// The scheme of an origin.
    #[must_use]
    pub const fn http(self) -> &'static str {
        match self {
            Self::Tcp => "http",
            Self::Tls => "https",
        }
    }
}

/// Where a server is, and what is between.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Address {
    /// Its socket.
    pub socket: SocketAddr,
    /// What is between.
    pub through: Through,
}

impl Address {
    /// A server that is reached through this.
    #[must_use]
    pub fn new(socket: SocketAddr, through: Through) -> Self {
        Self { socket, through }
    }
}

/// Without TLS.
impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        Self::new(socket, Through::Tcp)
    }
}

/// The host and port of a URI.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

/// The head of an HTTP message, and what belongs to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Head {
    /// The request line or status line.
    pub start: String,
    /// The field lines.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The value of the one field of this name, whatever its case.
    ///
    /// # Panics
    ///
    /// When there are several.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "several fields {name} in {self:?}");
        value
    }

    /// The status of a response.
    ///
    /// # Panics
    ///
    /// When this is none.
    #[must_use]
    pub fn status(&self) -> u16 {
        let status = self.start.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        status.and_then(|status| status.parse().ok()).expect("a status line of HTTP/1.1")
    }
}

/// A listener of a scripted server, on a free port of the loopback interface.
///
/// # Panics
///
/// When there is no such port.
#[must_use]
pub fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("the address of a listener");
    (listener, address)
}

impl Peer {
    /// The time-outs come first: TLS has them as well.
    fn new(tcp: TcpStream, side: Side, begin: impl FnOnce(TcpStream) -> Socket) -> Self {
        tcp.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        tcp.set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        tcp.set_nodelay(true).expect("no delay");
        Self { stream: begin(tcp), side, bits: 0, input: Vec::new() }
    }

    /// Connects as client, and says nothing yet.
    ///
    /// # Panics
    ///
    /// When nobody listens there.
    #[must_use]
    pub fn connect(address: impl Into<Address>) -> Self {
        let Address { socket, through } = address.into();
        let tcp = TcpStream::connect(socket).expect("a listener");
        Self::new(tcp, Side::Client, |tcp| Socket::connect(tcp, through))
    }

    /// Connects as client and opens a WebSocket connection.
    #[must_use]
    pub fn open(address: impl Into<Address>) -> Self {
        let mut peer = Self::connect(address);
        peer.send(REQUEST);
        peer.expect_accepted();
        peer
    }

    /// The same with an extension that uses RSV1, which has to be accepted as it is offered.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[must_use]
    pub fn open_compressed(address: impl Into<Address>, extension: &str) -> Self {
        let mut peer = Self::connect(address);
        let request = REQUEST.trim_end();
        peer.send(format!("{request}\r\nSec-WebSocket-Extensions: {extension}\r\n\r\n"));
        let head = peer.expect_accepted();
        assert_eq!(head.field("Sec-WebSocket-Extensions"), Some(extension));
        peer.bits = wire::RSV1;
        peer
    }

    /// Waits for a client and for its first byte, and says nothing yet, or no more than TLS has to if it begins with
    /// that.
    ///
    /// # Panics
    ///
    /// When accepting fails.
    #[must_use]
    pub fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a client");
        Self::new(stream, Side::Server, Socket::accept)
    }

    /// Waits for a client and opens a WebSocket connection, adding `fields` to the response.
    #[must_use]
    pub fn answer(listener: &TcpListener, fields: &str) -> Self {
        let mut peer = Self::accept(listener);
        let request = peer.read_head();
        peer.send(response(&request, fields));
        peer
    }

    /// The same with an extension that uses RSV1.
    #[must_use]
    pub fn answer_compressed(listener: &TcpListener, extension: &str) -> Self {
        let mut peer =
            Self::answer(listener, &format!("Sec-WebSocket-Extensions: {extension}\r\n"));
        peer.bits = wire::RSV1;
        peer
    }

    /// The address that this peer speaks from.
    ///
    /// # Panics
    ///
    /// When its socket has none.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.stream.tcp().local_addr().expect("TCP")
    }

    /// Which end this peer plays.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// When the other end does not take them, or resets the connection.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the other end takes what is sent");
    }

    /// Sends bytes as they are; false when the other end is gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends a lawful frame.
    pub fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(wire::frame(self.side, first, payload));
    }

    /// Sends a Close frame with a code and no reason.
    pub fn send_close(&mut self, code: u16) {
        self.send_frame(CLOSE, &wire::close_payload(code, b""));
    }

    /// Sends as much of `unit`, again and again, as the other end takes while nobody reads what
    /// it answers, up to `limit` bytes; says how many.
    ///
    /// It counts as blocked when it took nothing for `pause`.
    ///
    /// # Panics
    ///
    /// When the connection breaks.
    pub fn flood(&mut self, unit: &[u8], limit: usize, pause: Duration) -> usize {
        self.stream.tcp().set_write_timeout(Some(pause)).expect("a write timeout");
        let mut sent = 0;
        while sent < limit {
            match self.stream.write(&unit[sent % unit.len()..]) {
                Ok(len) => sent += len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(error.kind()) => break,
                Err(error) => panic!("after {sent} bytes: {error}"),
            }
        }
        self.stream.tcp().set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        sent
    }

    /// Ends the sending half: a FIN, behind a close_notify of TLS.
    pub fn end(&mut self) {
        // Fails if the other end is gone altogether, which is what is wanted.
        let _ = self.stream.end();
    }

    /// Leaves a Pong of the other end unread, so that the system ends the connection with a reset as soon as it is
    /// closed by TCP's rules.
    ///
    /// # Panics
    ///
    /// When no Pong comes.
    pub fn leave_unread(&mut self) {
        self.send_frame(PING, b"unread");
        self.stream.wait_for_more().expect("a Pong");
    }

    /// Ends as a process does that is killed: its socket is handed to one, and SIGKILL sent to that.
    ///
    /// # Panics
    ///
    /// When there is no program `sleep`.
    #[cfg(unix)]
    pub fn kill(self) {
        kill(self.stream.into_tcp().into());
    }

    /// Reads more into `input`; false at the end.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(len) => {
                    self.input.extend_from_slice(&chunk[..len]);
                    return len > 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(error.kind()) => panic!("the other end says nothing"),
                Err(error) => panic!("a broken connection instead of an orderly end: {error}"),
            }
        }
    }

    /// Reads a frame.
    ///
    /// # Panics
    ///
    /// When the connection ends instead, or the frame is not one that the other end may send.
    pub fn read_frame(&mut self) -> Frame {
        self.next_frame().expect("a frame, not the end of the connection")
    }

    /// Reads a frame; `None` at an orderly end.
    ///
    /// # Panics
    ///
    /// When the connection breaks, or the frame is not one that the other end may send.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) =
                wire::read_frame_with(self.bits, self.side.other(), &self.input)
            {
                self.input.drain(..len);
                return Some(frame);
            }
            if !self.fill() {
                assert!(self.input.is_empty(), "the connection ends inside a frame");
                return None;
            }
        }
    }

    /// Reads a frame and asserts what it is.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[track_caller]
    pub fn expect(&mut self, first: u8, payload: &[u8]) {
        let frame = self.read_frame();
        let is_wanted = frame.first == first && frame.payload == payload;
        assert!(is_wanted, "{first:#04x} {payload:02x?} expected, not {frame:02x?}");
    }

    /// Reads a Close frame with a code, `None` for an empty one, and no reason.
    #[track_caller]
    pub fn expect_close(&mut self, code: impl Into<Option<u16>>) {
        let payload = code.into().map(|code| code.to_be_bytes().to_vec());
        self.expect(CLOSE, &payload.unwrap_or_default());
    }

    /// Reads a Close frame with a code and a reason.
    #[track_caller]
    pub fn expect_close_saying(&mut self, code: u16, reason: &str) {
        self.expect(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat());
    }

    /// Asserts that the other end ends its half in order, with nothing before it.
    ///
    /// # Panics
    ///
    /// When something comes, or a reset.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let more = !self.input.is_empty() || self.fill();
        assert!(!more, "{:?} instead of the end", String::from_utf8_lossy(&self.input));
        self.expect_no_reset();
    }

    /// Asserts that the connection was not reset until now, read or unread.
    ///
    /// # Panics
    ///
    /// When it was.
    #[track_caller]
    pub fn expect_no_reset(&self) {
        let error = self.stream.tcp().take_error().expect("the state of a socket");
        assert!(error.is_none(), "a reset: {error:?}");
    }

    /// Reads the head of a request or response.
    ///
    /// # Panics
    ///
    /// When the connection ends before the blank line, or a line is malformed.
    pub fn read_head(&mut self) -> Head {
        let end = loop {
            if let Some(at) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill(), "{:?} and no more", String::from_utf8_lossy(&self.input));
        };
        let bytes = self.input.drain(..end).collect();
        let text = String::from_utf8(bytes).expect("a head of text");
        let mut lines = text.trim_end().split("\r\n").map(str::to_owned);
        let start = lines.next().expect("a first line");
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a field line");
            (name.to_owned(), value.to_owned())
        });
        Head { start, fields: fields.collect() }
    }

    /// Reads a response that accepts [`REQUEST`], and returns it.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[track_caller]
    pub fn expect_accepted(&mut self) -> Head {
        let head = self.read_head();
        assert_eq!(head.start, "HTTP/1.1 101 Switching Protocols");
        let upgrade = head.field("Upgrade").expect("Upgrade");
        assert!(upgrade.eq_ignore_ascii_case("websocket"), "{head:?}");
        let connection = head.field("Connection").expect("Connection");
        assert!(connection.eq_ignore_ascii_case("upgrade"), "{head:?}");
        assert_eq!(head.field("Sec-WebSocket-Accept"), Some(ACCEPT));
        assert_eq!(head.field("Content-Length"), None);
        head
    }

    /// Reads a refusal with its body, which the length has to fit and an orderly end to follow.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn expect_refusal(&mut self) -> (Head, String) {
        let head = self.read_head();
        let len: usize = head.field("Content-Length").expect("a length").parse().expect("a number");
        while self.input.len() < len && self.fill() {}
        assert_eq!(self.input.len().min(len), len, "the body is cut");
        let body = self.input.drain(..len).collect();
        self.expect_end();
        (head, String::from_utf8(body).expect("a body of text"))
    }

    /// Reads raw bytes: as many as `bytes` has room for.
    ///
    /// # Panics
    ///
    /// When the connection ends before.
    pub fn read_raw(&mut self, bytes: &mut [u8]) {
        while self.input.len() < bytes.len() {
            assert!(self.fill(), "the connection ends");
        }
        bytes.copy_from_slice(&self.input[..bytes.len()]);
        self.input.drain(..bytes.len());
    }

    /// Asserts that nothing more comes before the end, be that in order or a reset.
    ///
    /// # Panics
    ///
    /// When something does.
    #[track_caller]
    pub fn expect_nothing_more(&mut self) {
        let mut chunk = [0; 1024];
        let read = self.stream.read(&mut chunk);
        assert!(self.input.is_empty() && matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

/// As [`Peer::kill`], for the socket of whoever is no [`Peer`].
///
/// # Panics
///
/// When there is no program `sleep`.
#[cfg(unix)]
pub fn kill(socket: std::os::fd::OwnedFd) {
    use std::process::{Command, Stdio};
    let started = Command::new("sleep").arg("600").stdin(Stdio::from(socket)).spawn();
    let mut holder = started.expect("a process that holds the socket");
    holder.kill().expect("our own");
    holder.wait().expect("its end");
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The response that accepts `request`, with `fields` added.
///
/// # Panics
///
/// When the request has no key.
#[must_use]
pub fn response(request: &Head, fields: &str) -> String {
    script::response(request.field("Sec-WebSocket-Key").expect("a key"), fields)
}

/// The value of `Sec-WebSocket-Accept` that answers `request`.
///
/// # Panics
///
/// When the request has no key.
#[must_use]
pub fn accept_of(request: &Head) -> String {
    script::accept(request.field("Sec-WebSocket-Key").expect("a key"))
}
