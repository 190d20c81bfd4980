//! A chat room: what one client says, all others hear.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{Error, Prepared};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast::{self, Sender, error::RecvError},
};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // Whoever sends it first compresses it, for all.
    let (room, _) = broadcast::channel::<(u64, Prepared)>(64);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    for id in 0.. {
        let (stream, address) = listener.accept().await?;
        let room = room.clone();
        tokio::spawn(async move {
            if let Err(error) = talk(id, stream, room).await {
                println!("{address}: {error}");
            }
        });
    }
    Ok(())
}

async fn talk(id: u64, stream: TcpStream, room: Sender<(u64, Prepared)>) -> Result<(), Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    let mut heard = room.subscribe();
    loop {
        // Both futures are cancel safe: the one that loses loses nothing.
        tokio::select! {
            message = ws.recv() => match message? {
                Some(message) => drop(room.send((id, Prepared::new(message)))),
                None => return Ok(()),
            },
            said = heard.recv() => match said {
                Ok((from, message)) if from != id => ws.send(message).await?,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
