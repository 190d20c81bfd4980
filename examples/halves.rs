//! Two halves of one connection in two tasks: what is typed is sent, what comes is printed.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use hybi_tokio::{CloseCode, Error};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:8080/echo".to_owned());
    let (ws, _response) = hybi_tokio::connect(&uri).await?;
    let (mut sender, mut receiver) = ws.split();
    let receiving = tokio::spawn(async move {
        while let Some(message) = receiver.recv().await? {
            println!("{message:?}");
        }
        Ok::<_, Error>(receiver.close_status())
    });

    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        sender.send(line).await?;
    }
    // Messages that still come are the receiver's, which sees the end as well.
    let status = sender.close(CloseCode::NORMAL, "done").await?;
    println!("closed: {}, clean: {}", status.code(), status.is_clean());
    receiving.await.expect("it does not panic")?;
    Ok(())
}
