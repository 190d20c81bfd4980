//! A program for axum that uses what its own examples use; compiled from this one text against each.

use core::{net::SocketAddr, ops::ControlFlow};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderValue, Version},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::sync::broadcast;

use super::ws::{self, CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};

/// Who is in the room, and what is said there.
struct Room {
    names: Mutex<HashSet<String>>,
    said: broadcast::Sender<String>,
}

pub(crate) fn app() -> Router {
    let room = Arc::new(Room { names: Mutex::default(), said: broadcast::channel(16).0 });
    Router::new()
        .route("/count", any(count))
        .route("/shout", get(shout))
        .route("/told", any(told))
        .route("/room", any(enter))
        .with_state(room)
}

async fn count(
    ws: WebSocketUpgrade,
    version: Version,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> impl IntoResponse {
    ws.protocols(["count.v2", "count.v1"])
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(1024)
        .max_frame_size(1024)
        .on_failed_upgrade(drop)
        .on_upgrade(move |ws| counted(ws, peer, version))
}

/// Greets, counts what comes in a task of its own, and says goodbye.
async fn counted(mut ws: WebSocket, peer: SocketAddr, version: Version) {
    if ws.send(Message::Ping(Bytes::from_static(&[1, 2, 3]))).await.is_err() {
        return;
    }
    let protocol = ws.protocol().map(|name| name.to_str().unwrap_or_default().to_owned());
    let greeting = format!("{} over {version:?} by {protocol:?}", peer.ip());
    if ws.send(Message::Text(greeting.into())).await.is_err() {
        return;
    }
    let (mut sender, mut receiver) = ws.split();
    let receiving = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(Ok(message)) = receiver.next().await {
            if look(message, &mut seen).is_break() {
                break;
            }
        }
        (seen, receiver)
    });
    let Ok((seen, mut receiver)) = receiving.await else { return };
    let _ = sender.send(Message::text(seen.join(", "))).await;
    let reason = Utf8Bytes::from_static("counted");
    let goodbye = CloseFrame { code: ws::close_code::NORMAL, reason };
    let _ = sender.send(Message::Close(Some(goodbye))).await;
    while receiver.next().await.is_some() {}
}

fn look(message: Message, seen: &mut Vec<String>) -> ControlFlow<()> {
    match message {
        Message::Text(text) if text == "enough" => return ControlFlow::Break(()),
        Message::Text(text) => seen.push(format!("text {text}")),
        Message::Binary(bytes) => seen.push(format!("{} bytes", bytes.len())),
        Message::Ping(payload) => seen.push(format!("ping {payload:?}")),
        Message::Pong(payload) => seen.push(format!("pong {payload:?}")),
        Message::Close(_) => return ControlFlow::Break(()),
    }
    ControlFlow::Continue(())
}

async fn shout(ws: WebSocketUpgrade) -> Response {
    ws.on_upgrade(|ws| {
        let (sender, receiver) = ws.split();
        shouted(sender, receiver)
    })
}

/// Over whatever it is given, so that tests need no socket.
pub(crate) async fn shouted<W, R>(mut sender: W, mut receiver: R)
where
    W: Sink<Message> + Unpin,
    R: Stream<Item = Result<Message, axum::Error>> + Unpin,
{
    while let Some(Ok(message)) = receiver.next().await {
        if let Message::Text(text) = message
            && sender.send(Message::Text(text.to_uppercase().into())).await.is_err()
        {
            break;
        }
    }
}

/// Tells the room what comes, and how it ends.
async fn told(mut ws: WebSocketUpgrade, State(room): State<Arc<Room>>) -> Response {
    let first = ws.requested_protocols().next().cloned();
    ws.set_selected_protocol(first.unwrap_or(HeaderValue::from_static("none")));
    let chosen = ws.selected_protocol().cloned();
    ws.on_upgrade(|mut ws| async move {
        assert_eq!(ws.protocol(), chosen.as_ref());
        loop {
            match ws.recv().await {
                Some(Ok(Message::Close(frame))) => {
                    let words = frame.map(|frame| format!("{} {}", frame.code, frame.reason));
                    let _ = room.said.send(words.unwrap_or_else(|| "no words".to_owned()));
                }
                Some(Ok(message)) => {
                    let length = message.to_text().map_or(0, str::len);
                    let _ = room.said.send(format!("{length}"));
                }
                Some(Err(error)) => {
                    let _ = room.said.send(format!("lost: {}", !error.to_string().is_empty()));
                }
                None => break,
            }
        }
    })
}

async fn enter(ws: WebSocketUpgrade, State(room): State<Arc<Room>>) -> Response {
    ws.on_upgrade(|ws| entered(ws, room))
}

/// One of those in the room: the first message is a name.
async fn entered(mut ws: WebSocket, room: Arc<Room>) {
    let mut said = room.said.subscribe();
    let Some(Ok(Message::Text(name))) = ws.recv().await else { return };
    if !room.names.lock().unwrap().insert(name.as_str().to_owned()) {
        let _ = ws.send(Message::Text(Utf8Bytes::from_static("that name is taken"))).await;
        return;
    }
    let _ = room.said.send(format!("{name} came"));
    loop {
        tokio::select! {
            heard = said.recv() => {
                let Ok(heard) = heard else { break };
                if ws.send(Message::Text(heard.into())).await.is_err() {
                    break;
                }
            }
            message = ws.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let _ = room.said.send(format!("{name}: {text}"));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    room.names.lock().unwrap().remove(name.as_str());
    let _ = room.said.send(format!("{name} left"));
}
