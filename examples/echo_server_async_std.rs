//! A server that sends every message back, on async-std.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use async_std::{net::TcpListener, task};

fn main() -> std::io::Result<()> {
    task::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on ws://{}", listener.local_addr()?);
        loop {
            let (stream, _address) = listener.accept().await?;
            task::spawn(async move {
                let mut ws = hybi_async_std::accept(stream).await?;
                while let Some(message) = ws.recv().await? {
                    ws.feed(message).await?;
                }
                Ok::<(), hybi_async_std::Error>(())
            });
        }
    })
}
