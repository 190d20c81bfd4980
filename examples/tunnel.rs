//! A tunnel: each WebSocket leads to a TCP port, as a stream of bytes in binary messages. What ends one direction ends
//! it on the other side as well.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{env, io};

use hybi_smol::ByteStream;
use smol::{
    future,
    io::{AsyncWriteExt as _, copy, split},
    net::{TcpListener, TcpStream},
};

fn main() -> io::Result<()> {
    let target = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:22".to_owned());
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("ws://{} leads to {target}", listener.local_addr()?);
        loop {
            let (stream, address) = listener.accept().await?;
            let target = target.clone();
            smol::spawn(async move {
                match lead(stream, &target).await {
                    Ok((up, down)) => println!("{up} bytes up, {down} bytes down"),
                    Err(error) => println!("{address}: {error}"),
                }
            })
            .detach();
        }
    })
}

async fn lead(stream: TcpStream, target: &str) -> io::Result<(u64, u64)> {
    let ws = hybi_smol::accept(stream).await?;
    let (from_client, mut to_client) = split(ByteStream::of_messages(ws));
    let target = TcpStream::connect(target).await?;
    let (from_target, mut to_target) = split(target);
    let up = async {
        let len = copy(from_client, &mut to_target).await?;
        to_target.close().await?;
        Ok::<_, io::Error>(len)
    };
    let down = async {
        let len = copy(from_target, &mut to_client).await?;
        to_client.close().await?;
        Ok(len)
    };
    future::try_zip(up, down).await
}
