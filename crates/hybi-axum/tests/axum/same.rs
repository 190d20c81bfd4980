//! What a program for axum does, it does on either.

use futures_util::{future::ready, sink, stream};
use hybi_hyper::{CloseCode, Message, bytes::Bytes};

use crate::world::{connect, serve, text};

macro_rules! on {
    ($name:ident) => {
        mod $name {
            use super::*;
            use crate::$name::{program, ws};

            #[tokio::test]
            async fn messages_pings_and_the_end_are_seen() {
                let mut client = connect(serve(program::app()).await, "/count").await;
                assert_eq!(client.subprotocol(), Some("count.v1"));
                let ping = Message::Ping(Bytes::from_static(&[1, 2, 3]));
                assert_eq!(client.recv().await.expect("it is open"), Some(ping));
                let greeting = "127.0.0.1 over HTTP/1.1 by Some(\"count.v1\")";
                assert_eq!(text(&mut client).await, greeting);
                client.send("one").await.expect("it is open");
                client.send(vec![0; 1000]).await.expect("it is open");
                let ping = Message::Ping(Bytes::from_static(b"hi"));
                client.send(ping).await.expect("it is open");
                client.send("enough").await.expect("it is open");
                let pong = Message::Pong(Bytes::from_static(b"hi"));
                assert_eq!(client.recv().await.expect("it is open"), Some(pong));
                let seen = "pong b\"\\x01\\x02\\x03\", text one, 1000 bytes, ping b\"hi\"";
                assert_eq!(text(&mut client).await, seen);
                assert_eq!(client.recv().await.expect("in order"), None);
                let status = client.close_status().expect("it is over");
                assert_eq!((status.code(), status.reason()), (CloseCode::NORMAL, "counted"));
            }

            #[tokio::test]
            async fn halves_are_a_sink_and_a_stream() {
                let mut client = connect(serve(program::app()).await, "/shout").await;
                client.send("hello").await.expect("it is open");
                assert_eq!(text(&mut client).await, "HELLO");

                // And what it is given may be anything.
                let mut said = Vec::new();
                let sender = sink::unfold(&mut said, |said, message: ws::Message| {
                    said.push(message);
                    ready(Ok::<_, axum::Error>(said))
                });
                let heard = ["one", "two"].map(|text| Ok(text.into()));
                program::shouted(Box::pin(sender), stream::iter(heard)).await;
                assert_eq!(said, ["ONE", "TWO"].map(ws::Message::from));
            }

            #[tokio::test]
            async fn a_room_hears_of_all_and_of_how_others_end() {
                let address = serve(program::app()).await;
                let mut first = connect(address, "/room").await;
                first.send("ann").await.expect("it is open");
                assert_eq!(text(&mut first).await, "ann came");
                let mut second = connect(address, "/room").await;
                second.send("ann").await.expect("it is open");
                assert_eq!(text(&mut second).await, "that name is taken");
                let mut third = connect(address, "/room").await;
                third.send("bob").await.expect("it is open");
                assert_eq!(text(&mut first).await, "bob came");
                third.send("hello").await.expect("it is open");
                assert_eq!(text(&mut first).await, "bob: hello");

                let mut told = connect(address, "/told").await;
                told.send("four").await.expect("it is open");
                assert_eq!(text(&mut first).await, "4");
                told.close(CloseCode::GOING_AWAY, "bye").await.expect("in order");
                assert_eq!(text(&mut first).await, "1001 bye");
                drop(connect(address, "/told").await);
                assert_eq!(text(&mut first).await, "lost: true");
                drop(third);
                assert_eq!(text(&mut first).await, "bob left");
            }
        }
    };
}

on!(on_axum);
on!(on_hybi);
