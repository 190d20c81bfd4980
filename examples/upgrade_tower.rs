//! WebSocket in a service of tower, by the types of `http` alone: whatever serves it, the request is answered by hybi.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{Request, Response, StatusCode};
use hybi_tokio::{Deflate, Error, Server, Upgrade};
use hyper::{server::conn::http1, upgrade::OnUpgrade};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tower_service::Service;

/// Answers in capital letters on `/shout`, and with a page elsewhere.
#[derive(Clone)]
struct Shout {
    server: Server,
}

impl<B> Service<Request<B>> for Shout {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        ready(Ok(match request.uri().path() {
            "/" => Response::new("connect a WebSocket to /shout\n".to_owned()),
            "/shout" => match self.server.upgrade(&request) {
                Ok((response, upgrade)) => {
                    // The connection is handed over once the answer has left, so not before this returns.
                    tokio::spawn(shout(upgrade, hyper::upgrade::on(&mut request)));
                    response.map(|()| String::new())
                }
                Err(refusal) => refusal.response(),
            },
            _ => {
                let mut response = Response::new("no such thing\n".to_owned());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }))
    }
}

async fn shout(upgrade: Upgrade, upgrading: OnUpgrade) -> Result<(), Error> {
    // A client that left before its answer is nobody to talk to.
    let Ok(stream) = upgrading.await else { return Ok(()) };
    let mut ws = hybi_tokio::upgraded(upgrade, TokioIo::new(stream));
    while let Some(message) = ws.recv().await? {
        if let Some(text) = message.as_text() {
            ws.feed(text.to_uppercase()).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = Server::builder().subprotocols(["shout.v1"]);
    let shout = Shout { server: server.extensions(Deflate::default()).build() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{0} and ws://{0}/shout", listener.local_addr()?);
    loop {
        let (stream, _address) = listener.accept().await?;
        let service = TowerToHyperService::new(shout.clone());
        let http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(http.with_upgrades());
    }
}
