//! Plain HTTP and WebSocket on one port, decided on the request.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use http::{Response, StatusCode};
use hybi_tokio::{Deflate, Error, Server};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = Server::builder().subprotocols(["shout.v1"]);
    let server = server.extensions(Deflate::default()).build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{0} and ws://{0}/shout", listener.local_addr()?);
    loop {
        let (stream, _address) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move { serve(&server, stream).await });
    }
}

async fn serve(server: &Server, stream: TcpStream) -> Result<(), Error> {
    let incoming = hybi_tokio::incoming(server, stream).await?;
    match (incoming.is_upgrade(), incoming.request().uri().path()) {
        (true, "/shout") => {
            let mut ws = incoming.accept().await?;
            while let Some(message) = ws.recv().await? {
                if let Some(text) = message.as_text() {
                    ws.feed(text.to_uppercase()).await?;
                }
            }
        }
        (false, "/") => incoming.respond(Response::new("connect a WebSocket to /shout\n")).await,
        _ => {
            let mut response = Response::new("no such thing\n");
            *response.status_mut() = StatusCode::NOT_FOUND;
            incoming.respond(response).await;
        }
    }
    Ok(())
}
