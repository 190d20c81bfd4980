//! News for many: each line that is typed is compressed once, whoever listens.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;

use hybi_tokio::{Error, Prepared, Stream, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

type Sender = hybi_tokio::Sender<TokioIo<Stream>, TokioTimer>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listeners = Arc::new(Mutex::new(Vec::<Sender>::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    tokio::spawn({
        let listeners = listeners.clone();
        async move {
            while let Ok((stream, _address)) = listener.accept().await {
                tokio::spawn(listen(stream, listeners.clone()));
            }
        }
    });

    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let news = Prepared::new(line);
        let mut listeners = listeners.lock().await;
        // One after the other waits for its turn; `Broadcast` has what to do about those that do not read.
        let mut there = Vec::new();
        for mut listener in listeners.drain(..) {
            if listener.send(&news).await.is_ok() {
                there.push(listener);
            }
        }
        println!("told {}", there.len());
        *listeners = there;
    }
    Ok(())
}

/// What a listener says is dropped; that it goes away is seen.
async fn listen(stream: TcpStream, listeners: Arc<Mutex<Vec<Sender>>>) -> Result<(), Error> {
    let (sender, mut receiver) = hybi_tokio::accept(stream).await?.split();
    listeners.lock().await.push(sender);
    while receiver.recv_ref().await?.is_some() {}
    Ok(())
}
