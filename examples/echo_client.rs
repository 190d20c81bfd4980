//! A client: connects to the URI given, says hello, prints the answer and closes in order.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{CloseCode, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:8080/echo".to_owned());
    let (mut ws, response) = hybi_tokio::connect(&uri).await?;
    println!("connected: {}", response.status());
    ws.send("hello").await?;
    if let Some(message) = ws.recv().await? {
        println!("received: {message:?}");
    }
    let status = ws.close(CloseCode::NORMAL, "done").await?;
    println!("closed: {}, clean: {}", status.code(), status.is_clean());
    Ok(())
}
