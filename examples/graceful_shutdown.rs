//! A server that ends in order: at Ctrl-C it lets nobody in any more, sends everybody away, one after the other, and
//! says who did not go. A second Ctrl-C cuts what is left.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::{num::NonZero, time::Duration};

use hybi_tokio::{CloseCode, Error, Server, WebSocket, serve::Drain};
use tokio::{net::TcpListener, signal::ctrl_c};

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = hybi_tokio::serve(listener, Server::default(), echo)
        .max_connections(5_000)
        .max_per_address(100)
        .on_incident(|incident| println!("{incident}"));
    // So many a second, lest all come back at once.
    let drain = Drain::default()
        .close_with(CloseCode::SERVICE_RESTART, "new version")?
        .per_second(const { NonZero::new(200).unwrap() })
        .deadline(Duration::from_secs(30));

    let handle = serving.handle();
    tokio::spawn(async move {
        ctrl_c().await?;
        println!("sending {} away", handle.connections());
        let ending = handle.drain(drain);
        tokio::select! {
            _ = ending => {}
            _ = ctrl_c() => handle.cut(),
        }
        Ok::<_, std::io::Error>(())
    });
    println!("listening on ws://{address}");
    let report = serving.await;
    println!("{report}");
    for cut in &report.cut {
        println!("{cut}");
    }
    Ok(())
}

/// When the server ends, `recv` says `None` once what was received is answered.
async fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}
