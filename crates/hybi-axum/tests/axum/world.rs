//! Servers of axum on free ports, and clients of ours.

use core::net::SocketAddr;

use axum::Router;
use hybi_hyper::{Client, Config, Message};
use hybi_tokio::WebSocket;
use tokio::net::TcpListener;

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// A client that is shown pings and pongs.
pub(crate) fn client() -> Client {
    let config = Config::default().show_control_frames(true);
    Client::builder().config(config).subprotocol("count.v1").build().expect("lawful")
}

pub(crate) async fn connect(address: SocketAddr, path: &str) -> WebSocket {
    let uri = format!("ws://{address}{path}");
    hybi_tokio::connect_with(&client(), &uri).await.expect("it opens").0
}

/// The next message, which is a text.
pub(crate) async fn text(ws: &mut WebSocket) -> String {
    match ws.recv().await.expect("it is open") {
        Some(Message::Text(text)) => text.as_str().to_owned(),
        other => panic!("{other:?} is no text"),
    }
}
