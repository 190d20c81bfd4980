//! A client of HTTP/2 that writes frames of its own: the `h2` crate, and nothing of ours.

use core::{future::poll_fn, net::SocketAddr};

use h2::{RecvStream, SendStream, client::SendRequest, ext::Protocol};
use hybi_hyper::{
    bytes::Bytes,
    http::{Method, Request, Response, Version},
};
use tokio::net::TcpStream;

/// One connection.
pub(crate) struct Session(SendRequest<Bytes>);

/// One stream that was answered with 200.
pub(crate) struct Stream {
    pub(crate) sending: SendStream<Bytes>,
    receiving: RecvStream,
    came: Vec<u8>,
}

/// A request for a WebSocket.
pub(crate) fn request() -> Request<()> {
    Request::builder()
        .method(Method::CONNECT)
        .version(Version::HTTP_2)
        .uri("http://example.org/chat")
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .body(())
        .expect("a request")
}

/// A frame as a client sends it, masked by zeros.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | u8::try_from(len).expect("it is small")),
        len @ ..65_536 => {
            frame.push(0xfe);
            frame.extend(u16::try_from(len).expect("it is").to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame.into()
}

impl Session {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a listener");
        let (sending, frames) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(frames);
        let mut sending = sending.ready().await.expect("it is open");
        // The setting comes with the first frame.
        while !sending.is_extended_connect_protocol_enabled() {
            tokio::task::yield_now().await;
            sending = sending.ready().await.expect("it is open");
        }
        Self(sending)
    }

    /// The answer to a request that is whole.
    pub(crate) async fn ask(&self, request: Request<()>) -> (Response<()>, String) {
        let is_connect = request.method() == Method::CONNECT;
        let mut sending = self.0.clone().ready().await.expect("it is open");
        let (answer, _sending) = sending.send_request(request, !is_connect).expect("lawful");
        let (head, mut body) = answer.await.expect("an answer").into_parts();
        let mut text = String::new();
        // The answer to a CONNECT that opens has no end.
        while !(head.status.is_success() && is_connect)
            && let Some(data) = body.data().await
        {
            text.push_str(core::str::from_utf8(&data.expect("no reset")).expect("text"));
        }
        (Response::from_parts(head, ()), text)
    }

    pub(crate) async fn open(&self) -> Stream {
        let mut sending = self.0.clone().ready().await.expect("it is open");
        let (answer, sending) = sending.send_request(request(), false).expect("lawful");
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200);
        Stream { sending, receiving: answer.into_body(), came: Vec::new() }
    }
}

impl Stream {
    /// Sends these bytes if the windows let it, or as many as they do; gives how many.
    pub(crate) async fn send(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            self.sending.reserve_capacity(bytes.len());
            let room = poll_fn(|cx| self.sending.poll_capacity(cx)).await;
            let room = room.expect("it is open").expect("it is open");
            let piece = bytes.split_to(room.min(bytes.len()));
            self.sending.send_data(piece, false).expect("it is open");
        }
    }

    /// Waits for this.
    pub(crate) async fn expect(&mut self, bytes: &[u8]) {
        while self.came.len() < bytes.len() {
            let data = self.receiving.data().await.expect("not the end").expect("no reset");
            self.receiving.flow_control().release_capacity(data.len()).expect("it came");
            self.came.extend_from_slice(&data);
        }
        let came: Vec<u8> = self.came.drain(..bytes.len()).collect();
        assert!(came == bytes, "{} and not {}", came.escape_ascii(), bytes.escape_ascii());
    }

    /// Waits for `END_STREAM`, with nothing before it.
    pub(crate) async fn expect_end(&mut self) {
        assert!(self.came.is_empty(), "{}", self.came.escape_ascii());
        while let Some(data) = self.receiving.data().await {
            let data = data.expect("no reset");
            assert!(data.is_empty(), "{}", data.escape_ascii());
        }
    }
}
