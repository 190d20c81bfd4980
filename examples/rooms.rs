//! Chat rooms: the path says which, and a room is gone when its last guest is.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use hybi_tokio::{Broadcast, Error, Server};
use tokio::net::{TcpListener, TcpStream};

/// The rooms that somebody is in.
#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, Broadcast>>>);

impl Rooms {
    /// The room of this name; a new one if nobody is there.
    fn enter(&self, name: &str) -> Broadcast {
        let mut rooms = self.0.lock().expect("nobody panics with the lock");
        rooms.retain(|_, room| !room.is_empty());
        rooms.entry(name.to_owned()).or_default().clone()
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rooms = Rooms::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}/NAME-OF-A-ROOM", listener.local_addr()?);
    loop {
        let (stream, address) = listener.accept().await?;
        let rooms = rooms.clone();
        tokio::spawn(async move {
            if let Err(error) = talk(stream, &rooms).await {
                println!("{address}: {error}");
            }
        });
    }
}

async fn talk(stream: TcpStream, rooms: &Rooms) -> Result<(), Error> {
    let incoming = hybi_tokio::incoming(&Server::compressing(), stream).await?;
    let name = incoming.request().uri().path().to_owned();
    let ws = incoming.accept().await?;
    let room = rooms.enter(&name);
    let mut guest = room.join(ws);
    guest.tell_others(format!("somebody enters, {} are here", room.len())).await?;
    while let Some(message) = guest.recv().await? {
        guest.tell_others(message).await?;
    }
    Ok(())
}
