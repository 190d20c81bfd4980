//! What axum lacks: origins, compression, limits, and an end in order.

use core::{future::pending, time::Duration};

use axum::{Extension, Router, extract::FromRequestParts as _, response::Response, routing::any};
use hybi_axum::{
    OriginPolicy, Server, Sockets, WebSocketUpgrade,
    rejection::WebSocketUpgradeRejection,
    serve::{Drain, Stage},
};
use hybi_hyper::{Client, CloseCode, Error};
use tokio::sync::mpsc;

use crate::world::{client, connect, serve, text};

async fn echo(ws: WebSocketUpgrade) -> Response {
    ws.on_upgrade(|mut ws| async move {
        while let Some(Ok(message)) = ws.recv().await {
            if ws.send(message).await.is_err() {
                return;
            }
        }
    })
}

async fn stuck(ws: WebSocketUpgrade) -> Response {
    ws.on_upgrade(|ws| async move {
        let _kept = ws;
        pending().await
    })
}

fn app(sockets: &Sockets) -> Router {
    Router::new()
        .route("/echo", any(echo))
        .route("/stuck", any(stuck))
        .layer(Extension(sockets.clone()))
}

/// The status of the refusal.
async fn refused(uri: &str, client: &Client) -> u16 {
    let error = hybi_tokio::connect_with(client, uri).await.expect_err("it is refused");
    error.response().expect("an answer").status().as_u16()
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_unless_they_are_welcome() {
    let page = Client::builder().origin("http://other.example").build().expect("an origin");
    let address = serve(Router::new().route("/echo", any(echo))).await;
    assert_eq!(refused(&format!("ws://{address}/echo"), &page).await, 403);

    let origins = OriginPolicy::List(vec!["http://*.example".parse().expect("a pattern")]);
    let sockets = Sockets::new(Server::builder().origins(origins).build());
    let address = serve(app(&sockets)).await;
    let uri = format!("ws://{address}/echo");
    let (mut ws, _) = hybi_tokio::connect_with(&page, &uri).await.expect("it is welcome");
    ws.send("hello").await.expect("it is open");
    assert_eq!(text(&mut ws).await, "hello");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn a_route_may_compress() {
    use hybi_axum::Deflate;

    async fn route(ws: WebSocketUpgrade) -> Response {
        ws.extensions(Deflate::default()).on_upgrade(|mut ws| async move {
            while let Some(Ok(message)) = ws.recv().await {
                let _ = ws.send(message).await;
            }
        })
    }
    let address = serve(Router::new().route("/echo", any(route))).await;
    let uri = format!("ws://{address}/echo");
    let (mut ws, _) = hybi_tokio::connect(&uri).await.expect("it opens");
    let long = "again and ".repeat(1000);
    ws.send(&*long).await.expect("it is open");
    assert_eq!(text(&mut ws).await, long);
    assert!(ws.stats().received.wire_bytes < 1000, "{:?}", ws.stats());
}

#[tokio::test]
async fn one_more_than_there_may_be_is_told_when_to_come_back() {
    let sockets = Sockets::new(Server::default()).max_connections(1);
    let address = serve(app(&sockets)).await;
    let _first = connect(address, "/echo").await;
    assert_eq!(sockets.connections(), 1);
    assert_eq!(refused(&format!("ws://{address}/echo"), &client()).await, 503);
}

#[tokio::test]
async fn at_the_end_all_are_told_and_who_does_not_go_is_cut() {
    let sockets = Sockets::new(Server::default());
    let address = serve(app(&sockets)).await;
    let mut ws = connect(address, "/echo").await;
    ws.send("hello").await.expect("it is open");
    assert_eq!(text(&mut ws).await, "hello");
    let mut left = connect(address, "/stuck").await;
    let drain = Drain::default()
        .close_with(CloseCode::SERVICE_RESTART, "new version")
        .expect("a code")
        .deadline(Duration::from_millis(300));
    let draining = sockets.drain(drain);
    assert!(sockets.is_draining());
    assert_eq!(ws.recv().await.expect("in order"), None);
    let status = ws.close_status().expect("it is over");
    assert_eq!((status.code(), status.reason()), (CloseCode::SERVICE_RESTART, "new version"));
    assert_eq!(refused(&format!("ws://{address}/echo"), &client()).await, 503);
    let report = draining.await;
    assert_eq!((report.closed, report.refused), (1, 1), "{report}");
    let cut: Vec<_> = report.cut.iter().map(|cut| cut.stage).collect();
    assert_eq!(cut, [Stage::Open]);
    assert_eq!(report.cut[0].peer.map(|peer| peer.ip()), Some(address.ip()));
    let error = left.recv().await.expect_err("it was cut");
    assert!(matches!(error, Error::Lost), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_cannot_be_handed_over_is_said_so() {
    let (mut parts, ()) = axum::http::Request::get("/")
        .header("Host", "example.org")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
        .body(())
        .expect("a request")
        .into_parts();
    let rejection = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.expect_err("no");
    assert!(matches!(rejection, WebSocketUpgradeRejection::ConnectionNotUpgradable));
    assert!(parts.headers.contains_key("upgrade"), "they are given back");
}

#[tokio::test]
async fn a_connection_that_is_lost_before_the_answer_is_told() {
    let (tell, mut hear) = mpsc::unbounded_channel();
    let (give, mut take) = mpsc::unbounded_channel();
    let route = move |ws: WebSocketUpgrade| {
        let tell = tell.clone();
        let ws = ws.on_failed_upgrade(move |error: axum::Error| {
            tell.send(error.into_inner()).expect("it is heard");
        });
        give.send(()).expect("it is heard");
        // The answer is made, and never returned.
        let response = ws.on_upgrade(|_| async {});
        async move {
            pending::<()>().await;
            response
        }
    };
    let address = serve(Router::new().route("/", any(route))).await;
    let asking = tokio::spawn(async move { connect(address, "/").await });
    take.recv().await.expect("it was asked");
    asking.abort();
    let error = hear.recv().await.expect("it is told");
    let error = error.downcast_ref::<Error>().expect("one of ours");
    assert!(matches!(error, Error::Opening(_)), "{error:?}");
}
