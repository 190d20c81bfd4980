//! The second process: a hundred clients of each kind, which have messages echoed when they are told to.

use bytes::Bytes;
use hybi_benches::second_process::obey;
use hybi_h2::{Connector, WebSocket};
use hybi_tokio::{Client, Config, Message};
use tokio::runtime::Builder;

use crate::SOCKETS;

pub(crate) fn run(address: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut ways = runtime.block_on(open(&format!("ws://{address}/")));
    obey(|command| {
        let mut numbers = command.split(' ').map(|number| number.parse().expect("a number"));
        let mut number = || numbers.next().expect("a number");
        let (way, len, in_flight, times): (usize, _, _, _) =
            (number(), number(), number(), number());
        let payload = (0..len).map(|at| b'a' + (at % 26) as u8).collect::<Bytes>();
        runtime.block_on(async {
            let echoes = ways[way].drain(..).map(|ws| {
                tokio::spawn(echo(ws, Message::binary(payload.clone()), (in_flight, times)))
            });
            let mut all = Vec::new();
            for echo in echoes.collect::<Vec<_>>() {
                all.push(echo.await.expect("an echo"));
            }
            ways[way] = all;
        });
        String::new()
    });
}

/// Those over HTTP/1.1, and those over HTTP/2.
async fn open(uri: &str) -> [Vec<WebSocket>; 2] {
    let client = Client::builder().config(Config::default().ping_interval(None)).build();
    let client = client.expect("nothing to be wrong");
    let session = Connector::new().prior_knowledge().session(&client, uri).await;
    let session = session.expect("a connection").expect("a server that takes WebSockets");
    let mut ways = [Vec::new(), Vec::new()];
    for _ in 0..SOCKETS {
        ways[0].push(Connector::new().connect(&client, uri).await.expect("a server").0);
        ways[1].push(session.open(&client, uri).await.expect("a server").0);
    }
    ways
}

async fn echo(
    mut ws: WebSocket,
    message: Message,
    (in_flight, times): (usize, usize),
) -> WebSocket {
    for _ in 0..times {
        for _ in 0..in_flight {
            ws.feed(message.clone()).await.expect("a server that reads");
        }
        for _ in 0..in_flight {
            let came = ws.recv().await.expect("a server that answers");
            assert!(came.as_ref() == Some(&message), "another message");
        }
    }
    ws
}
