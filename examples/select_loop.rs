//! One loop that waits for several things at once: what comes, what is typed, and the time. Whichever is first, nothing
//! of the others is lost.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use core::time::Duration;

use hybi_tokio::{CloseCode, Error};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::{Instant, sleep_until},
};

/// Who says nothing for so long is asked whether it is still there.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Runtime::new().expect("the system lets threads start");
    let result = runtime.block_on(talk());
    // A thread of it may wait for the next line for ever.
    runtime.shutdown_background();
    result
}

async fn talk() -> Result<(), Error> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:8080/echo".to_owned());
    let (mut ws, _response) = hybi_tokio::connect(&uri).await?;
    let mut lines = BufReader::new(stdin()).lines();
    let mut silent_from = Instant::now();
    loop {
        tokio::select! {
            message = ws.recv() => match message? {
                Some(message) => {
                    println!("{message:?}");
                    silent_from = Instant::now();
                }
                None => break,
            },
            line = lines.next_line() => match line {
                Ok(Some(line)) => ws.send(line).await?,
                // Nothing more is typed: what still comes is dropped.
                _ => {
                    ws.close(CloseCode::NORMAL, "done").await?;
                    break;
                }
            },
            () = sleep_until(silent_from + PATIENCE) => {
                ws.send("are you still there?").await?;
                silent_from = Instant::now();
            }
        }
    }
    let status = ws.close_status().expect("it ended");
    println!("closed: {}, clean: {}", status.code(), status.is_clean());
    Ok(())
}
