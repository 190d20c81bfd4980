//! A client that comes back, in a task of its own on several threads.

use core::time::Duration;

use hybi_suite::peer::{Peer, listen};
use hybi_testkit::wire::TEXT;
use hybi_tokio::{
    Client, Connector, Message,
    reconnect::{Backoff, GaveUp, Reconnecting},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_is_connected_again_until_the_server_says_no() {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        for word in [&b"one"[..], b"two"] {
            let mut peer = Peer::answer(&listener, "");
            peer.send_frame(TEXT, word);
            peer.end();
        }
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    let uri = format!("ws://{address}/");
    let heard = tokio::spawn(async move {
        let soon = Backoff::default().first(Duration::from_millis(1));
        let mut reconnecting =
            Reconnecting::new(Connector::new(), Client::default(), uri).backoff(soon);
        let mut heard = Vec::new();
        loop {
            let mut ws = match reconnecting.connect().await {
                Ok((ws, _response)) => ws,
                Err(why) => return (heard, why),
            };
            while let Ok(Some(message)) = ws.recv().await {
                heard.push(message);
            }
            reconnecting.ended(ws.close_status());
        }
    });
    let (heard, why) = heard.await.expect("no panic");
    played.join().expect("it came three times");
    assert_eq!(heard, ["one", "two"].map(Message::from));
    assert!(matches!(&why, GaveUp::Failed(error) if error.response().is_some()), "{why}");
}
