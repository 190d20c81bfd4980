//! One port that answers every version of the protocol that was ever published, and minds what old
//! clients cannot do.
//!
//! `hybi connect -p hixie-76 URL` is one such client.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{CloseCode, Error, Server, Version};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // The versions before hybi-04 mask nothing, and hixie-75 proves nothing: on loopback that is no risk.
    let server = Server::builder().versions(Version::ALL).build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _address) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(&server, stream).await {
                println!("{error}");
            }
        });
    }
}

async fn serve(server: &Server, stream: TcpStream) -> Result<(), Error> {
    let mut ws = hybi_tokio::accept_with(server, stream).await?;
    // A client of hixie-76 may turn out to speak hybi-01 with its first byte.
    while let Some(message) = ws.recv().await? {
        let able = ws.capabilities();
        println!("version {}: {message:?}, answered with {able:?}", ws.version());
        if able.binary {
            ws.send(message.into_bytes()).await?;
        } else {
            ws.send(message).await?;
        }
        if able.close_codes {
            ws.close(CloseCode::GOING_AWAY, "that was all").await?;
        } else {
            // Code 1000 without a reason says no more than a Close frame without a code.
            ws.close(CloseCode::NORMAL, "").await?;
        }
    }
    Ok(())
}
