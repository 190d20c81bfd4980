//! A client behind a proxy that wants to know who asks: encrypted end to end, and compressed.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{Client, CloseCode, Deflate, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let uri = args.next().unwrap_or_else(|| "wss://example.org/chat".to_owned());
    let proxy = args.next().unwrap_or_else(|| "http://user:secret@127.0.0.1:3128".to_owned());
    let client = Client::builder().extensions(Deflate::default()).proxy(&proxy).build()?;
    let (mut ws, _response) = hybi_tokio::connect_with(&client, &uri).await?;
    ws.send("hello").await?;
    println!("received: {:?}", ws.recv().await?);
    ws.close(CloseCode::NORMAL, "done").await?;
    Ok(())
}
