//! A client that comes back: after an end that was not meant, with pauses that grow and differ from those of others.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::{hash::BuildHasher as _, time::Duration};
use std::hash::RandomState;

use hybi_tokio::{CloseCode, Error, WebSocket};
use tokio::time::sleep;

/// Of the first pause; each is up to twice as long as the one before.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:8080/news".to_owned());
    let mut most = FIRST;
    loop {
        match hybi_tokio::connect(&uri).await {
            Ok((ws, _response)) => {
                most = FIRST;
                if listen(ws).await? {
                    return Ok(());
                }
            }
            // Nobody is there, or not yet, or no more.
            Err(Error::Opening(error)) => println!("not connected: {error}"),
            // A server that says no will say so again.
            Err(error) => return Err(error),
        }
        // If all that were cut off came back at once, the next to fall would be the server.
        let pause = most.mul_f64(RandomState::new().hash_one(0) as f64 / u64::MAX as f64);
        sleep(pause).await;
        most = LONGEST.min(2 * most);
    }
}

/// Prints what comes; whether that was all.
async fn listen(mut ws: WebSocket) -> Result<bool, Error> {
    loop {
        match ws.recv().await {
            Ok(Some(message)) => println!("{message:?}"),
            Ok(None) => break,
            Err(error) if error.is_closed() || error.is_timeout() => {
                println!("lost: {error}");
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    let code = ws.close_status().map_or(CloseCode::NO_STATUS, |status| status.code());
    println!("closed: {code}");
    // Somebody restarts, or has too much to do.
    let comes_back = [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER];
    Ok(!comes_back.contains(&code))
}
