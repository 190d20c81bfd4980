//! A chat room: what one client says, all others hear.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{Broadcast, Error};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // Who reads too slowly for it is closed; `Slow` has what else there is.
    let room = Broadcast::new();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, address) = listener.accept().await?;
        let room = room.clone();
        tokio::spawn(async move {
            if let Err(error) = talk(stream, &room).await {
                println!("{address}: {error}");
            }
        });
    }
}

async fn talk(stream: TcpStream, room: &Broadcast) -> Result<(), Error> {
    let mut member = room.join(hybi_tokio::accept(stream).await?);
    // What the room has for this client is delivered while this waits.
    while let Some(message) = member.recv().await? {
        member.tell_others(message).await?;
    }
    Ok(())
}
