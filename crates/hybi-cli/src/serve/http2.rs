//! HTTP/2 beside HTTP/1.1: the same listeners, each stream of whose connections may be a WebSocket (RFC 8441).

use core::pin::Pin;
use std::io;

use hybi::serve::{Accept, Arrival, Opened};
use hybi_h2::{Http2Listener, Settings};
use hybi_tokio::{TokioIo, TokioTimer};

use super::listen::Listeners;
use super::shared::Shared;
use crate::stream::Stream;

/// What HTTP/2 counts for each field beside its name and value (RFC 9113 section 6.5.2).
const FIELD: usize = 32;

/// These listeners for both versions of HTTP, with the limits of the options.
pub(super) fn listener(shared: &Shared, listeners: Listeners) -> Http2Listener<Tcp> {
    let limits = &shared.args.limits;
    let head = limits.max_headers.saturating_mul(FIELD).saturating_add(limits.max_header_bytes);
    let head = u32::try_from(head).unwrap_or(u32::MAX);
    Http2Listener::new(Tcp(listeners)).settings(Settings::default().max_header_list(head))
}

/// Listeners none of which is a unix socket.
#[derive(Debug)]
pub(super) struct Tcp(Listeners);

impl Tcp {
    fn arrival(&self, arrival: Arrival<<Listeners as Accept>::Opening>) -> Arrival<Opening> {
        arrival.map(|opening| -> Opening {
            Box::pin(async {
                match opening.await? {
                    Opened::Single(stream) => match stream.into_inner() {
                        Stream::Tcp(stream) => Ok(TokioIo::new(stream).into()),
                        Stream::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
                    },
                    Opened::Carrier(_) => Err(io::ErrorKind::Unsupported.into()),
                }
            })
        })
    }
}

type Opening =
    Pin<Box<dyn Future<Output = io::Result<Opened<TokioIo<hybi_tokio::Stream>>>> + Send>>;

impl Accept for Tcp {
    type Transport = TokioIo<hybi_tokio::Stream>;
    type Timer = TokioTimer;
    type Opening = Opening;

    async fn accept(&mut self) -> io::Result<Arrival<Opening>> {
        let arrival = self.0.accept().await?;
        Ok(self.arrival(arrival))
    }

    async fn accept_queued(&mut self) -> io::Result<Arrival<Opening>> {
        let arrival = self.0.accept_queued().await?;
        Ok(self.arrival(arrival))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn timer(&self) -> TokioTimer {
        self.0.timer()
    }
}
