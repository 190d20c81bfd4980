//! A proxy: gives each client a connection of its own to the URI given, passes messages on both ways,
//! and ends each as the other one ended.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its reader")]

use hybi_tokio::{Error, Server, WebSocket, http::Response};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:8080/echo".to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{} leads to {uri}", listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        let uri = uri.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(stream, &uri).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn serve(stream: TcpStream, uri: &str) -> Result<(), Error> {
    let incoming = hybi_tokio::incoming(&Server::compressing(), stream).await?;
    // The client is accepted once there is something to connect it to.
    match hybi_tokio::connect(uri).await {
        Ok((mut server, _response)) => relay(&mut incoming.accept().await?, &mut server).await,
        Err(error) => {
            let refusal = Response::builder().status(502).body(format!("{error}\n"));
            incoming.respond(refusal.expect("a valid response")).await;
            Err(error)
        }
    }
}

async fn relay(client: &mut WebSocket, server: &mut WebSocket) -> Result<(), Error> {
    loop {
        tokio::select! {
            message = client.recv() => match message {
                Ok(Some(message)) => server.send(message).await?,
                // In order or not: the status says it, and is passed on.
                _ => break,
            },
            message = server.recv() => match message {
                Ok(Some(message)) => client.send(message).await?,
                _ => break,
            },
        }
    }
    if let Some(status) = client.close_status() {
        // How that went is for nobody here.
        let _ = server.forward_close(&status).await;
    }
    if let Some(status) = server.close_status() {
        let _ = client.forward_close(&status).await;
    }
    Ok(())
}
