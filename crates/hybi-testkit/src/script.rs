//! The scripted peer on a simulated link: it sends any bytes at all, lawful or not, and judges what comes back
//! with a frame reader of its own (RFC 6455 section 5.2).

use core::future::poll_fn;
use std::io::{self, IoSlice};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hybi::io::Transport;
use sha1_smol::Sha1;

use crate::wire::{self, Frame, Side};

/// One end of a connection, played by a test, over any transport.
///
/// A server that answers with a frame which no server may send, and a client that says so:
///
/// ```
/// use hybi::{Client, Error, io::Timer as _, opening};
/// use hybi_testkit::link::{Conditions, link};
/// use hybi_testkit::script::{self, Script};
/// use hybi_testkit::wire::{self, Side};
/// use hybi_testkit::world::World;
///
/// let mut world = World::new();
/// let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
/// world.spawn("server", async move {
///     let mut script = Script::new(far, Side::Server);
///     let request = script.read_head().await;
///     assert!(request.starts_with("GET /chat HTTP/1.1\r\n"));
///     let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
///     script.send(script::response(key.expect("a key"), "")).await;
///     // A server that masks.
///     script.send(wire::frame(Side::Client, wire::TEXT, b"masked")).await;
///     script.expect(wire::CLOSE, &wire::close_payload(1002, b"")).await;
/// });
/// let timer = world.clock().timer();
/// let error = world.block_on(async move {
///     let client = Client::default();
///     let deadline = client.config().handshake_deadline(timer.now());
///     let uri = "ws://example.org/chat";
///     let (mut ws, _) = opening::connect_on(&client, uri, near, timer, deadline).await?;
///     Err::<(), _>(ws.recv().await.expect_err("a broken rule"))
/// });
/// assert!(matches!(error, Err(Error::Protocol(_))), "{error:?}");
/// ```
#[derive(Debug)]
pub struct Script<T> {
    transport: T,
    /// Which end it plays.
    side: Side,
    /// Reserved bits that were agreed on, for the frames that begin a message.
    bits: u8,
    input: Vec<u8>,
}

impl<T: Transport> Script<T> {
    /// A peer that plays this side, and says nothing yet.
    #[must_use]
    pub fn new(transport: T, side: Side) -> Self {
        Self { transport, side, bits: 0, input: Vec::new() }
    }

    /// The same where an extension uses `bits` of the first byte of a message, such as [`wire::RSV1`].
    #[must_use]
    pub fn with_bits(self, bits: u8) -> Self {
        Self { bits, ..self }
    }

    /// Its transport.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// When the other end is gone.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the other end takes what is sent");
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// What the transport says.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let slices = [IoSlice::new(rest)];
            let len = poll_fn(|cx| self.transport.poll_write(cx, &slices)).await?;
            rest = &rest[len..];
        }
        poll_fn(|cx| self.transport.poll_flush(cx)).await
    }

    /// Sends a lawful frame.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(wire::frame(self.side, first, payload)).await;
    }

    /// Ends the sending half.
    pub async fn end(&mut self) {
        // Fails if the other end is gone altogether, which is what is wanted.
        let _ = poll_fn(|cx| self.transport.poll_shutdown(cx)).await;
    }

    /// Reads more into `input`; false at the end.
    async fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        let len = poll_fn(|cx| self.transport.poll_read(cx, &mut chunk)).await?;
        self.input.extend_from_slice(&chunk[..len]);
        Ok(len > 0)
    }

    /// Reads so many bytes as they are.
    ///
    /// # Panics
    ///
    /// When the connection ends before.
    pub async fn read_bytes(&mut self, len: usize) -> Vec<u8> {
        while self.input.len() < len {
            assert!(self.fill().await.expect("a connection"), "the connection ends before them");
        }
        self.input.drain(..len).collect()
    }

    /// Reads the head of a request or a response, up to and with its empty line.
    ///
    /// # Panics
    ///
    /// When the connection ends before it does, or the head is no text.
    pub async fn read_head(&mut self) -> String {
        loop {
            if let Some(at) = self.input.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.input.drain(..at + 4).collect();
                return String::from_utf8(head).expect("a head is text");
            }
            assert!(self.fill().await.expect("a connection"), "the connection ends inside a head");
        }
    }

    /// Reads a frame; `None` at an orderly end.
    ///
    /// # Panics
    ///
    /// When the connection breaks, or the frame is not one that the other end may send.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let frame = wire::read_frame_with(self.bits, self.side.other(), &self.input);
            if let Some((frame, len)) = frame {
                self.input.drain(..len);
                return Some(frame);
            }
            if !self.fill().await.expect("an orderly end") {
                assert!(self.input.is_empty(), "the connection ends inside a frame");
                return None;
            }
        }
    }

    /// Reads a frame and asserts what it is.
    ///
    /// # Panics
    ///
    /// When it is another, or none.
    pub async fn expect(&mut self, first: u8, payload: &[u8]) {
        let frame = self.next_frame().await.expect("a frame, not the end of the connection");
        let wanted = Frame { first, payload: payload.to_vec() };
        assert!(frame == wanted, "{wanted:?} expected, not {frame:?}");
    }
}

/// The value of `Sec-WebSocket-Accept` that answers this `Sec-WebSocket-Key` (section 4.2.2).
///
/// ```
/// use hybi_testkit::script::accept;
///
/// assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept(key: &str) -> String {
    let mut hash = Sha1::from(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(hash.digest().bytes())
}

/// The head that accepts a request with this `Sec-WebSocket-Key`, with more field lines, each with its end.
#[must_use]
pub fn response(key: &str, fields: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{fields}\r\n",
        accept(key)
    )
}
