//! Whichever call of a stream goes wrong below the adapter, with TLS between and without: both ends come to an end, and
//! each knows why.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use hybi_suite::suite::{
    bounded,
    faults::{Handles, Run, Who, answer, ask, both, each_call, faulty_link, whats},
};
use hybi_testkit::{
    clock::Clock,
    faulty::{Calls, Fault, Faulty},
    link::End,
};
use hybi_tokio::{Client, Error, Server, WebSocket, io::Transport as _};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime,
};

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

fn streams(who: Who, fault: Option<Fault>) -> (Stream, Stream, Calls) {
    let (near, far, calls) = faulty_link(&Clock::new(), who, fault);
    (Stream(near), Stream(far), calls)
}

/// Runs on a clock that goes on when everybody waits.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(future)
}

async fn connect(stream: Stream) -> Result<WebSocket<Stream>, Error> {
    let client = Client::default();
    hybi_tokio::connect_on(&client, "ws://localhost/", stream).await.map(|(ws, _)| ws)
}

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    bounded("whichever_call_goes_wrong_both_ends_know_why", || {
        for handles in Handles::ALL {
            let counted = each_call(&format!("{handles:?}"), &whats(), |who, fault| {
                let (near, far, calls) = streams(who, fault);
                let server = Server::default();
                let (client, server) = block_on(both(
                    ask(handles, connect(near)),
                    answer(handles, hybi_tokio::accept_on(&server, far)),
                ));
                Run::of(who, client, server, calls).that_writes_nothing_behind_a_failure()
            });
            let reads = if handles == Handles::Halves { 20 } else { 19 };
            assert_eq!(counted, [reads, 12, 12, 2], "{handles:?}");
        }
    });
}

#[cfg(feature = "rustls")]
mod tls {
    use core::time::Duration;
    use std::io::ErrorKind;

    use hybi_suite::certificate;
    use hybi_testkit::faulty::What;
    use hybi_tokio::{
        Deadline, MaybeTls, TlsAcceptor, TlsConnector, rustls::pki_types::ServerName,
        tokio_rustls::client::TlsStream,
    };
    use tokio::time::timeout;

    use super::*;

    async fn connect(
        connector: TlsConnector,
        stream: Stream,
    ) -> Result<WebSocket<TlsStream<Stream>>, Error> {
        let name = ServerName::try_from("localhost").expect("a name");
        let (client, connecting) = (Client::default(), connector.connect(name, stream));
        let time = Duration::from_secs(10);
        let timed_out = |_| Error::Timeout(Deadline::Handshake);
        let stream = timeout(time, connecting).await.map_err(timed_out)??;
        hybi_tokio::connect_on(&client, "wss://localhost/", stream).await.map(|(ws, _)| ws)
    }

    async fn accept(
        acceptor: TlsAcceptor,
        stream: Stream,
    ) -> Result<WebSocket<MaybeTls<Stream>>, Error> {
        hybi_tokio::incoming_tls_on(&Server::default(), &acceptor, stream).await?.accept().await
    }

    #[test]
    fn whichever_call_below_tls_goes_wrong_both_ends_know_why() {
        bounded("whichever_call_below_tls_goes_wrong_both_ends_know_why", || {
            let (server, client) = certificate::configurations(&["localhost"]);
            let acceptor = TlsAcceptor::from(server);
            let mut whats = whats();
            // What TLS makes of what no stream of tokio says is its own affair.
            let says_again = [ErrorKind::Interrupted, ErrorKind::WouldBlock].map(What::Fails);
            whats.retain(|what| !says_again.contains(what));
            for handles in Handles::ALL {
                let counted = each_call(&format!("TLS, {handles:?}"), &whats, |who, fault| {
                    let (near, far, calls) = streams(who, fault);
                    let (client, server) = block_on(both(
                        ask(handles, connect(client.clone().into(), near)),
                        answer(handles, accept(acceptor.clone(), far)),
                    ));
                    Run::of(who, client, server, calls)
                });
                let reads = if handles == Handles::Halves { 33 } else { 32 };
                assert_eq!(counted, [reads, 21, 16, 2], "{handles:?}");
            }
        });
    }
}
