//! A server that sends every message back, without a runtime: a thread for each connection.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{net::TcpListener, thread};

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on ws://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            let mut ws = hybi_blocking::accept(stream)?;
            while let Some(message) = ws.recv()? {
                ws.feed(message)?;
            }
            Ok::<(), hybi_blocking::Error>(())
        });
    }
    Ok(())
}
