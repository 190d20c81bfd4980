//! A server without a runtime that ends in order: a line on standard input sends everybody away, one after the other,
//! and it says who did not go. A second line cuts what is left.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::{num::NonZero, time::Duration};
use std::{io, net::TcpListener, thread};

use hybi_blocking::{CloseCode, Error, Server, WebSocket, serve::Drain};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serving = hybi_blocking::serve(listener, Server::default(), echo)
        .max_connections(1_000)
        .max_per_address(100)
        .on_incident(|incident| println!("{incident}"));
    // So many a second, lest all come back at once.
    let drain = Drain::default()
        .close_with(CloseCode::SERVICE_RESTART, "new version")?
        .per_second(const { NonZero::new(200).unwrap() })
        .deadline(Duration::from_secs(30));

    let handle = serving.handle();
    thread::spawn(move || {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        println!("sending {} away", handle.connections());
        // It begins with this, and comes without anybody who waits for it here.
        drop(handle.drain(drain));
        // The end of the input asks for nothing.
        if io::stdin().read_line(&mut line)? > 0 {
            handle.cut();
        }
        Ok::<_, io::Error>(())
    });
    println!("listening on ws://{address}");
    let report = serving.run();
    println!("{report}");
    for cut in &report.cut {
        println!("{cut}");
    }
    Ok(())
}

/// Runs on a thread of its own. When the server ends, `recv` says `None` once what was received is answered.
fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv()? {
        ws.feed(message)?;
    }
    Ok(())
}
