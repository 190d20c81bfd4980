//! A server that sends every message back, on smol.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use smol::net::TcpListener;

fn main() -> std::io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on ws://{}", listener.local_addr()?);
        loop {
            let (stream, _address) = listener.accept().await?;
            smol::spawn(async move {
                let mut ws = hybi_smol::accept(stream).await?;
                while let Some(message) = ws.recv().await? {
                    ws.feed(message).await?;
                }
                Ok::<(), hybi_smol::Error>(())
            })
            .detach();
        }
    })
}
