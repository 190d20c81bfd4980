//! A file in one message, be it longer than memory: a server that takes it in as it comes, and with two arguments a
//! client that sends it as it is read.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::error::Error;
use std::env;

use hybi_tokio::{CloseCode, MessageKind};
use tokio::{
    fs::File,
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => serve().await,
        [uri, file] => send(uri, file).await,
        _ => Err("long_message, or long_message URI FILE".into()),
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, address) = listener.accept().await?;
        tokio::spawn(async move {
            match take(stream).await {
                Ok(len) => println!("{len} bytes"),
                Err(error) => println!("{address}: {error}"),
            }
        });
    }
}

/// Takes in one message, of whatever length: the limits are for what is kept in memory, and this is not.
async fn take(stream: TcpStream) -> Result<u64, hybi_tokio::Error> {
    let mut ws = hybi_tokio::accept(stream).await?;
    let mut len = 0;
    if let Some(mut reader) = ws.recv_reader().await? {
        while let Some(piece) = reader.next_piece().await? {
            // Here it would be written to a file.
            len += piece.len() as u64;
        }
    }
    ws.close(CloseCode::NORMAL, "thank you").await?;
    Ok(len)
}

async fn send(uri: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let mut file = File::open(file).await?;
    let (mut ws, _response) = hybi_tokio::connect(uri).await?;
    let mut writer = ws.send_writer(MessageKind::Binary)?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let len = file.read(&mut piece).await?;
        if len == 0 {
            break;
        }
        writer.write_all(&piece[..len]).await?;
    }
    // Without this the server would be told that the end is missing.
    writer.finish().await?;
    drop(writer);
    // It says when it has all of it.
    while ws.recv().await?.is_some() {}
    let sent = ws.stats().sent;
    println!("{} bytes in {} frames", sent.payload_bytes, sent.frames);
    Ok(())
}
