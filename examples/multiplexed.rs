//! Channels: an echo for clients that ask for many connections over one, and for all others.
//! `hybi connect --ext mux --channels 3 URL` is such a client.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{
    Error, Server, TokioTimer,
    io::Transport,
    mux::{self, Accepted, Config, Requests},
};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, address) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                println!("{address}: {error}");
            }
        });
    }
}

async fn serve(stream: TcpStream) -> Result<(), Error> {
    let incoming = hybi_tokio::incoming(&Server::default(), stream).await?;
    // How many channels there may be, and how much may wait on each.
    let config = Config::default().max_channels(16).window(16 * 1024);
    match mux::accept(incoming, &config, TokioTimer::default).await? {
        Accepted::Single(ws) => echo(ws).await,
        Accepted::Multiplexed(mux) => {
            tokio::spawn(echo(mux.first));
            tokio::spawn(accept(mux.requests));
            // Moves the messages of all of them, until the connection ends.
            mux.driver.run().await
        }
    }
}

/// A task for each channel that the client asks for.
async fn accept(mut requests: Requests<TokioTimer>) {
    while let Some(incoming) = requests.next().await {
        tokio::spawn(async move {
            let id = incoming.transport().id();
            println!("channel {id} for {}", incoming.request().uri());
            if let Err(error) = async { echo(incoming.accept().await?).await }.await {
                println!("channel {id}: {error}");
            }
        });
    }
}

/// The same for a connection and for a channel.
async fn echo<T: Transport>(mut ws: hybi::WebSocket<T, TokioTimer>) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}
