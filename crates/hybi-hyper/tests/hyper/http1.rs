//! Over HTTP/1.1: by Upgrade (RFC 6455 section 4).

use core::{convert::Infallible, future::pending, time::Duration};

use hybi_hyper::{
    Client, CloseCode, Config, Deadline, Error, Message, Server, Version, http::Response,
};
use hybi_suite::peer::{ACCEPT, REQUEST};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncWriteExt as _, duplex},
    sync::mpsc,
    time::Instant,
};

use crate::world::{Answer, echo, exchange, is_page, serve};

#[tokio::test]
async fn a_service_in_one_call() {
    let server = Server::builder().subprotocols(["chat.v2"]).build();
    let address = serve(move |mut request| {
        if !hybi_hyper::is_upgrade(&request) {
            return Response::new("a page".into());
        }
        hybi_hyper::accept(&server, &mut request, echo)
    })
    .await;

    let client = Client::builder().subprotocol("chat.v2").build().expect("a token");
    let uri = format!("ws://{address}/");
    let (mut ws, response) = hybi_tokio::connect_with(&client, &uri).await.expect("it opens");
    assert_eq!((response.status().as_u16(), ws.subprotocol()), (101, Some("chat.v2")));
    for message in [Message::from("hello"), Message::from(vec![7; 300_000])] {
        ws.send(message.clone()).await.expect("it is open");
        assert_eq!(ws.recv().await.expect("it is open"), Some(message));
    }
    let status = ws.close(CloseCode::NORMAL, "done").await.expect("in order");
    assert_eq!((status.code(), status.is_clean()), (CloseCode::NORMAL, true));

    let page = exchange(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", is_page).await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("a page"), "{page}");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn what_both_know_is_compressed() {
    let address =
        serve(|mut request| hybi_hyper::accept(&Server::compressing(), &mut request, echo)).await;
    let uri = format!("ws://{address}/");
    let (mut ws, _) = hybi_tokio::connect(&uri).await.expect("it opens");
    let extensions: Vec<_> = ws.extensions().map(|agreed| agreed.name().to_owned()).collect();
    assert_eq!(extensions, ["permessage-deflate"]);
    let text = "again and ".repeat(1000);
    ws.send(&*text).await.expect("it is open");
    assert_eq!(ws.recv().await.expect("it is open"), Some(text.into()));
    let traffic = ws.stats();
    assert!(traffic.received.wire_bytes < 1000, "{traffic:?}");
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused_in_words() {
    let address =
        serve(|mut request| hybi_hyper::accept(&Server::default(), &mut request, echo)).await;
    let cases = [
        (REQUEST.replace("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n"), "403 Forbidden"),
        (REQUEST.replace("Version: 13", "Version: 14"), "426 Upgrade Required"),
        (REQUEST.replace("dGhl", "@@@@"), "400 Bad Request"),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), "505 HTTP Version Not Supported"),
        (REQUEST.replace("GET", "POST"), "405 Method Not Allowed"),
    ];
    for (request, status) in cases {
        let answer = exchange(address, request.as_bytes(), is_page).await;
        let (_, line) = answer.split_once(' ').expect("a status line");
        assert!(line.starts_with(status), "{request}{answer}");
    }
}

#[tokio::test]
async fn what_comes_with_the_request_are_the_first_frames() {
    let address =
        serve(|mut request| hybi_hyper::accept(&Server::default(), &mut request, echo)).await;
    let mut bytes = REQUEST.as_bytes().to_vec();
    bytes.extend_from_slice(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x80\0\0\0\0");
    let frames = b"\r\n\r\n\x81\x05Hello\x88\x00";
    let answer = exchange(address, &bytes, |came| came.ends_with(frames)).await;
    assert!(answer.contains(ACCEPT), "{answer}");
}

#[tokio::test]
async fn a_connection_that_is_lost_before_the_answer_is_an_error() {
    let (ours, mut theirs) = duplex(4096);
    let (tell, mut hear) = mpsc::channel(1);
    let service = service_fn(move |mut request| {
        let (_, ws) =
            hybi_hyper::upgrade::<_, ()>(&Server::default(), &mut request).expect("lawful");
        tell.try_send(ws).expect("it is heard");
        pending::<Result<Answer, Infallible>>()
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(ours), service);
    let serving = tokio::spawn(serving.with_upgrades());
    theirs.write_all(REQUEST.as_bytes()).await.expect("it takes it");
    let ws = hear.recv().await.expect("it was asked");
    assert_eq!(ws.negotiated().map(|negotiated| negotiated.version), Some(Version::RFC6455));
    serving.abort();
    let error = ws.await.expect_err("it never opens");
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_waits_for_it_before_it_answers_waits_no_longer_than_for_a_handshake() {
    let (ours, mut theirs) = duplex(4096);
    let (tell, mut hear) = mpsc::channel(1);
    let began = Instant::now();
    let service = service_fn(move |mut request| {
        let tell = tell.clone();
        async move {
            let config = Config::default().handshake_timeout(Duration::from_secs(3));
            let server = Server::builder().config(config).build();
            let (response, ws) = hybi_hyper::upgrade(&server, &mut request).expect("lawful");
            tell.send((ws.await.map(drop), began.elapsed())).await.expect("it is heard");
            Ok::<Answer, Infallible>(response)
        }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(ours), service);
    tokio::spawn(serving.with_upgrades());
    theirs.write_all(REQUEST.as_bytes()).await.expect("it takes it");
    let (outcome, after) = hear.recv().await.expect("it is told");
    let error = outcome.expect_err("it cannot open");
    assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error:?}");
    assert_eq!(after.as_secs(), 3);
}
