//! Whichever call of a stream of futures-io goes wrong below an adapter, with TLS between and without: both ends come to
//! an end, and each knows why. On a clock that can be set, which those of the runtimes cannot.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::{
    io::{self, ErrorKind, IoSlice},
    time::Instant,
};

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use hybi::{
    Client, Config, Error, Server, WebSocket,
    io::Transport,
    opening::{self, accept_on, connect_on, incoming_tls_on},
};
use hybi_testkit::{
    clock::ClockTimer,
    faulty::{Fault, Faulty, What},
    link::End,
    world::World,
};

use super::faults::{Handles, Run, Who, answer, ask, both, each_call, faulty_link, whats};
use crate::certificate;

/// The end of a link as a stream of futures-io.
#[derive(Debug)]
pub struct Stream(Faulty<End>);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunk: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, chunk)
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

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

/// One end of a conversation, before its opening handshake.
type Before = (Stream, ClockTimer, Instant);

/// A conversation in which a call goes wrong, over what these make of the streams of both ends.
fn converse<T: Transport + 'static, C, S>(
    handles: Handles,
    who: Who,
    fault: Option<Fault>,
    connect: impl FnOnce(Before) -> C,
    accept: impl FnOnce(Before) -> S,
) -> Run
where
    C: Future<Output = Result<WebSocket<T, ClockTimer>, Error>> + 'static,
    S: Future<Output = Result<WebSocket<T, ClockTimer>, Error>> + 'static,
{
    let mut world = World::new();
    let (near, far, calls) = faulty_link(world.clock(), who, fault);
    let deadline = Config::default().handshake_deadline(world.clock().now());
    let [near, far] = [near, far].map(|end| (Stream(end), world.clock().timer(), deadline));
    let both = both(ask(handles, connect(near)), answer(handles, accept(far)));
    let (client, server) = world.block_on(both);
    Run::of(who, client, server, calls)
}

/// Over a transport as an adapter makes it of a stream.
pub fn whichever_call_goes_wrong_both_ends_know_why<T: Transport + 'static>(
    transport: fn(Stream) -> T,
) {
    for handles in Handles::ALL {
        let what = format!("{handles:?}");
        let counted = each_call(&what, &whats(), |who, fault| {
            let connect = move |(stream, timer, deadline): Before| async move {
                let (client, transport) = (Client::default(), transport(stream));
                let uri = "ws://localhost/";
                connect_on(&client, uri, transport, timer, deadline).await.map(|(ws, _)| ws)
            };
            let accept = move |(stream, timer, deadline): Before| async move {
                accept_on(&Server::default(), transport(stream), timer, deadline).await
            };
            let run = converse(handles, who, fault, connect, accept);
            run.that_writes_nothing_behind_a_failure()
        });
        let reads = if handles == Handles::Halves { 20 } else { 19 };
        assert_eq!(counted, [reads, 12, 12, 2], "{what}");
    }
}

/// The same below TLS.
pub fn whichever_call_below_tls_goes_wrong_both_ends_know_why<T: Transport + 'static>(
    transport: fn(TlsStream<Stream>) -> T,
) {
    let (server, client) = certificate::shared();
    let (acceptor, connector) =
        (TlsAcceptor::from(server.clone()), TlsConnector::from(client.clone()));
    let mut whats = whats();
    // What TLS makes of what no stream of a runtime says is its own affair.
    let says_again = [ErrorKind::Interrupted, ErrorKind::WouldBlock].map(What::Fails);
    whats.retain(|what| !says_again.contains(what));
    for handles in Handles::ALL {
        let what = format!("TLS, {handles:?}");
        let counted = each_call(&what, &whats, |who, fault| {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            let connect = move |(stream, mut timer, deadline): Before| async move {
                let name = "localhost".try_into().expect("a name");
                let handshake = connector.connect(name, stream);
                let stream = opening::tls("localhost", &mut timer, deadline, handshake).await?;
                let (client, transport) = (Client::default(), transport(stream.into()));
                let uri = "wss://localhost/";
                connect_on(&client, uri, transport, timer, deadline).await.map(|(ws, _)| ws)
            };
            let accept = move |(stream, timer, deadline): Before| async move {
                let handshake = async { Ok(transport(acceptor.accept(stream).await?.into())) };
                let server = Server::default();
                incoming_tls_on(&server, handshake, timer, deadline).await?.accept().await
            };
            converse(handles, who, fault, connect, accept)
        });
        let reads = if handles == Handles::Halves { 26 } else { 25 };
        assert_eq!(counted, [reads, 21, 16, 2], "{what}");
    }
}
