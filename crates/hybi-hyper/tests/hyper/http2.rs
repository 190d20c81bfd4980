//! Over HTTP/2: by extended CONNECT, in streams (RFC 8441 section 5).

use core::{future::pending, time::Duration};

use h2::{Reason, ext::Protocol};
use hybi_hyper::{
    Error, Server, WebSocket,
    http::{Method, Request, header::SEC_WEBSOCKET_VERSION},
};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    client::{Session, frame, request},
    world::{echo, serve},
};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

async fn echoing() -> Session {
    let address =
        serve(|mut request| hybi_hyper::accept(&Server::default(), &mut request, echo)).await;
    Session::connect(address).await
}

/// A server whose application tells how it ends.
async fn telling() -> (Session, mpsc::UnboundedReceiver<Result<(), Error>>) {
    let (tell, hear) = mpsc::unbounded_channel();
    let address = serve(move |mut request| {
        let tell = tell.clone();
        hybi_hyper::accept(&Server::default(), &mut request, |ws| async move {
            tell.send(echo(ws).await).expect("it is heard");
        })
    })
    .await;
    (Session::connect(address).await, hear)
}

#[tokio::test]
async fn it_is_the_same_websocket_and_ends_in_order() {
    let mut stream = echoing().await.open().await;
    stream.send(frame(TEXT, b"hello")).await;
    stream.expect(b"\x81\x05hello").await;
    let long = vec![7; 300_000];
    stream.send(frame(BINARY, &long)).await;
    stream.expect(&[&b"\x82\x7f\0\0\0\0\0\x04\x93\xe0"[..], &long].concat()).await;
    stream.send(frame(CLOSE, b"\x03\xe8")).await;
    stream.expect(b"\x88\x02\x03\xe8").await;
    // A Close frame is answered, then comes END_STREAM, and no reset: the client ends its half in its own time.
    stream.expect_end().await;
    stream.sending.send_data(frame(0, b"").slice(..0), true).expect("its half is open");
}

fn with(name: &'static str, value: &'static str) -> Request<()> {
    let mut request = request();
    request.headers_mut().insert(name, value.parse().expect("a value"));
    request
}

#[tokio::test]
async fn each_request_is_answered_as_the_rules_say() {
    let session = echoing().await;

    let (answer, _) = session.ask(request()).await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("sec-websocket-accept"));
    // A key that came is answered.
    let (answer, _) = session.ask(with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")).await;
    assert_eq!(answer.headers()["sec-websocket-accept"], hybi_suite::peer::ACCEPT);
    // Clients are known that name no version.
    let mut silent = request();
    silent.headers_mut().remove(SEC_WEBSOCKET_VERSION);
    assert_eq!(session.ask(silent).await.0.status(), 200);

    let mut unknown = request();
    unknown.extensions_mut().insert(Protocol::from_static("connect-udp"));
    let (answer, text) = session.ask(unknown).await;
    assert_eq!(answer.status(), 501, "{text}");
    let (answer, text) = session.ask(with("sec-websocket-version", "14")).await;
    assert_eq!(answer.status(), 400, "{text}");
    assert_eq!(answer.headers()["sec-websocket-version"], "13");
    let (answer, text) = session.ask(with("origin", "http://evil.example")).await;
    assert_eq!(answer.status(), 403, "{text}");
    let mut page = request();
    page.extensions_mut().remove::<Protocol>();
    *page.method_mut() = Method::GET;
    let (answer, text) = session.ask(page).await;
    assert_eq!(answer.status(), 405, "{text}");
}

#[tokio::test]
async fn a_broken_rule_is_told_by_a_close_frame_before_the_end() {
    let (session, mut hear) = telling().await;
    let cases: [(&[u8], &[u8]); 2] = [
        // Not masked, and text that is none.
        (b"\x81\x05hello", b"\x03\xea"),
        (b"\x81\x81\0\0\0\0\xff", b"\x03\xef"),
    ];
    for (sent, code) in cases {
        let mut stream = session.open().await;
        stream.send(sent.to_vec().into()).await;
        stream.expect(&[b"\x88\x02", code].concat()).await;
        stream.expect_end().await;
        let error = hear.recv().await.expect("it is told").expect_err("a rule was broken");
        assert!(matches!(error, Error::Protocol(_)), "{error:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_stream_in_mid_message_is_a_loss() {
    let (session, mut hear) = telling().await;
    for reason in [None, Some(Reason::CANCEL), Some(Reason::NO_ERROR)] {
        let mut stream = session.open().await;
        let begun = frame(TEXT, b"hello").slice(..8);
        stream.send(begun).await;
        match reason {
            None => stream.sending.send_data(frame(0, b"").slice(..0), true).expect("it is open"),
            Some(reason) => stream.sending.send_reset(reason),
        }
        let error = hear.recv().await.expect("it is told").expect_err("it was lost");
        assert!(matches!(error, Error::Lost), "{reason:?}: {error:?}");
    }
}

/// A server that answers those of which it is told to take no notice.
async fn with_stuck(stuck: usize) -> Session {
    let (give, take) = std::sync::mpsc::channel();
    (0..stuck).for_each(|_| give.send(()).expect("it is kept"));
    let take = std::sync::Arc::new(std::sync::Mutex::new(take));
    let address = serve(move |mut request| {
        let is_stuck = take.lock().expect("no panic").try_recv().is_ok();
        hybi_hyper::accept(&Server::default(), &mut request, move |ws: WebSocket| async move {
            if is_stuck {
                pending::<()>().await;
            }
            echo(ws).await
        })
    })
    .await;
    Session::connect(address).await
}

#[tokio::test]
async fn ten_that_are_not_read_hold_up_none_of_the_other_forty() {
    let session = with_stuck(10).await;
    // Together more than a window of hyper's own making.
    let full = frame(BINARY, &vec![0; 127 * 1024]);
    let mut stuck = Vec::new();
    for _ in 0..10 {
        let mut stream = session.open().await;
        stream.send(full.clone()).await;
        stuck.push(stream);
    }
    for _ in 0..40 {
        let mut stream = session.open().await;
        stream.send(frame(TEXT, b"hello")).await;
        in_time(stream.expect(b"\x81\x05hello")).await;
        stuck.push(stream);
    }
    assert_eq!(stuck.len(), 50);
}

/// A bound on hangs, never a time that passes.
async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future).await.expect("nothing holds it up")
}

#[tokio::test]
async fn a_stream_that_is_reset_gives_its_window_back() {
    // More than the window of the connection has room for.
    let session = with_stuck(200).await;
    let full = frame(BINARY, &vec![0; 127 * 1024]);
    for _ in 0..200 {
        let mut stream = session.open().await;
        stream.send(full.clone()).await;
        stream.sending.send_reset(Reason::CANCEL);
    }
    let mut stream = session.open().await;
    stream.send(frame(TEXT, b"hello")).await;
    in_time(stream.expect(b"\x81\x05hello")).await;
}
