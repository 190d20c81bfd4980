//! Bytes both ways between a connection of TCP and a stream of HTTP/2, with the end of each direction and its flow
//! control.

use core::future::poll_fn;

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::Failure;

const CHUNK: usize = 64 * 1024;

/// Copies until both directions have ended; `begun` has come over TCP already.
pub(crate) async fn both_ways(
    tcp: TcpStream,
    begun: BytesMut,
    (sending, receiving): (SendStream<Bytes>, RecvStream),
) -> Result<(), Failure> {
    let (reading, writing) = tcp.into_split();
    tokio::try_join!(to_http2(reading, begun, sending), to_tcp(receiving, writing))?;
    Ok(())
}

async fn to_http2(
    mut reading: OwnedReadHalf,
    mut came: BytesMut,
    mut sending: SendStream<Bytes>,
) -> Result<(), Failure> {
    loop {
        while !came.is_empty() {
            sending.reserve_capacity(came.len());
            while sending.capacity() == 0 {
                poll_fn(|cx| sending.poll_capacity(cx)).await.ok_or("the stream has ended")??;
            }
            let len = came.len().min(sending.capacity());
            sending.send_data(came.split_to(len).freeze(), false)?;
        }
        came.reserve(CHUNK);
        if reading.read_buf(&mut came).await? == 0 {
            return Ok(sending.send_data(Bytes::new(), true)?);
        }
    }
}

async fn to_tcp(mut receiving: RecvStream, mut writing: OwnedWriteHalf) -> Result<(), Failure> {
    while let Some(data) = receiving.data().await {
        let data = data?;
        writing.write_all(&data).await?;
        receiving.flow_control().release_capacity(data.len())?;
    }
    Ok(writing.shutdown().await?)
}
