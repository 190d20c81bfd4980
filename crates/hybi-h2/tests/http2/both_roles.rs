//! Messages pass both ways, with what was agreed on, over one connection and many streams.

use hybi::{Client, CloseCode, Config, Message, Server};
use hybi_h2::{EitherIo, Session, Settings};
use tokio::net::TcpStream;

use crate::peer::{echoing, open, serve_echo, session};

#[tokio::test]
async fn messages_of_all_lengths_come_back_and_the_close_is_clean() {
    let session = session(serve_echo(Server::default()).await).await;
    let mut ws = open(&session).await;
    assert!(matches!(ws.transport(), EitherIo::Http2(_)));
    for len in [0, 1, 125, 126, 16 * 1024, 65_535, 65_536, 1024 * 1024, 5_000_000] {
        let message = Message::binary(vec![len as u8; len]);
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
    let status = ws.close(CloseCode::NORMAL, "done").await.unwrap();
    assert!(status.is_clean());
    assert_eq!(status.reason(), "done");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn it_compresses_if_both_say_so() {
    let session = session(serve_echo(Server::compressing()).await).await;
    for (client, compresses) in [(Client::compressing(), true), (Client::default(), false)] {
        let (mut ws, response) = session.open(&client, "ws://example.org/").await.unwrap();
        let answer = response.headers().get("sec-websocket-extensions");
        let is_agreed =
            answer.is_some_and(|answer| answer.as_bytes().starts_with(b"permessage-deflate"));
        assert_eq!(is_agreed, compresses);
        assert_eq!(ws.extensions().count(), usize::from(compresses));
        let message = Message::text("again ".repeat(10_000));
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
}

#[tokio::test]
async fn a_subprotocol_is_agreed_on() {
    let server = Server::builder().subprotocols(["chat.v2", "chat.v1"]).build();
    let session = session(serve_echo(server).await).await;
    let client = Client::builder().subprotocol("chat.v1").subprotocol("other").build().unwrap();
    let (ws, response) = session.open(&client, "ws://example.org/").await.unwrap();
    assert_eq!(ws.subprotocol(), Some("chat.v1"));
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), http::Version::HTTP_2);
}

#[tokio::test]
async fn many_share_a_connection() {
    let session = session(serve_echo(Server::default()).await).await;
    let mut all = Vec::new();
    for _ in 0..100 {
        all.push(open(&session).await);
    }
    for (number, ws) in all.iter_mut().enumerate() {
        ws.send(number.to_string()).await.unwrap();
    }
    for (number, ws) in all.iter_mut().enumerate().rev() {
        assert_eq!(ws.recv().await.unwrap(), Some(number.to_string().into()));
    }
}

#[tokio::test]
async fn one_more_than_the_server_allows_waits_for_its_turn() {
    let (serving, address) = echoing(Server::default(), Settings::default().max_streams(1)).await;
    tokio::spawn(serving);
    let session = session(address).await;
    let mut first = open(&session).await;
    let mut second = tokio::spawn({
        let session = session.clone();
        async move { open(&session).await }
    });
    // What has come and gone shows that the other would have been sent.
    first.send("first").await.unwrap();
    assert_eq!(first.recv().await.unwrap(), Some("first".into()));
    assert!(!second.is_finished());
    first.close(CloseCode::NORMAL, "").await.unwrap();
    drop(first);
    let second = (&mut second).await.unwrap();
    assert_eq!(second.close_status(), None);
}

#[tokio::test]
async fn one_port_takes_both_versions() {
    let address = serve_echo(Server::default()).await;
    let over_2 = open(&session(address).await).await;
    let connector = hybi_h2::Connector::new();
    let uri = format!("ws://{address}/");
    let client = Client::default();
    let (over_1, response) = connector.connect(&client, &uri).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (101, http::Version::HTTP_11));
    let (known, response) = connector.prior_knowledge().connect(&client, &uri).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
    for mut ws in [over_2, over_1, known] {
        ws.send("hello").await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some("hello".into()));
    }
}

#[tokio::test]
async fn a_limit_of_messages_is_told_to_the_peer() {
    let config = Config::default().max_message(1000);
    let address = serve_echo(crate::peer::with(config)).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let session = Session::on(&Client::default(), stream).await.unwrap().unwrap();
    let mut ws = open(&session).await;
    ws.send(vec![1; 1001]).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), None);
    assert_eq!(ws.close_status().unwrap().code(), CloseCode::MESSAGE_TOO_BIG);
}
