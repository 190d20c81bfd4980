//! A server that sends every message back, on tokio.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _address) = listener.accept().await?;
        tokio::spawn(async move {
            let mut ws = hybi_tokio::accept(stream).await?;
            while let Some(message) = ws.recv().await? {
                // Queued only: `recv` sends it before it waits, together with the answers to
                // everything else that has arrived.
                ws.feed(message).await?;
            }
            Ok::<(), hybi_tokio::Error>(())
        });
    }
}
