//! Whichever call of a stream goes wrong below HTTP/2: both ends of a WebSocket come to an end, and each knows why.

use core::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use hybi::{Client, Error, OpeningError, Server, io::Transport as _, opening, serve::Carrier as _};
use hybi_suite::suite::{
    bounded,
    faults::{Handles, Run, answer, ask, both, each_call, faulty_link, whats},
};
use hybi_testkit::{clock::Clock, faulty::Faulty, link::End};
use hybi_tokio::TokioTimer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime,
};

use super::Connection;
use crate::{Session, Settings, WebSocket};

/// The end of a link as a stream of tokio.
struct Stream(Faulty<End>);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunk: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = ready!(self.0.poll_read(cx, chunk.initialize_unfilled()))?;
        chunk.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

fn not_opened(why: impl Into<io::Error>) -> Error {
    OpeningError::Handshake(why.into()).into()
}

async fn connect(stream: Stream) -> Result<WebSocket, Error> {
    let client = Client::default();
    let session = Session::on(&client, stream).await?;
    let session = session.ok_or_else(|| not_opened(io::ErrorKind::Unsupported))?;
    session.open(&client, "ws://localhost/").await.map(|(ws, _)| ws)
}

async fn accept(stream: Stream) -> Result<WebSocket, Error> {
    let server = Server::default();
    let (timer, deadline): (TokioTimer, _) = opening::begin(server.config());
    let waiting = deadline.into();
    let connection =
        tokio::time::timeout_at(waiting, Connection::accept(stream, Settings::default()));
    let mut connection = connection.await.map_err(not_opened)?.map_err(not_opened)?;
    let asked = tokio::time::timeout_at(waiting, poll_fn(|cx| connection.poll_next(cx)));
    let asked = asked.await.map_err(not_opened)?;
    let Some(asked) = asked else {
        let why = connection.cause.known();
        return Err(not_opened(why.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())));
    };
    // It carries what was asked for until that has ended.
    drop(tokio::spawn(async move {
        connection.close();
        while poll_fn(|cx| connection.poll_next(cx)).await.is_some() {}
    }));
    opening::incoming_for(&server, asked, timer, deadline).await?.accept().await
}

#[test]
fn whichever_call_below_http2_goes_wrong_both_ends_know_why() {
    bounded("whichever_call_below_http2_goes_wrong_both_ends_know_why", || {
        for handles in Handles::ALL {
            let counted = each_call(&format!("HTTP/2, {handles:?}"), &whats(), |who, fault| {
                let (near, far, calls) = faulty_link(&Clock::new(), who, fault);
                // On a clock that goes on when everybody waits.
                let runtime =
                    runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
                let (client, server) = runtime.expect("a runtime").block_on(both(
                    ask(handles, connect(Stream(near))),
                    answer(handles, accept(Stream(far))),
                ));
                Run::of(who, client, server, calls).that_fails_as_one()
            });
            assert_eq!(counted, [52, 23, 34, 2], "{handles:?}");
        }
    });
}
