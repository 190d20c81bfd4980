//! Accepting transports: what a runtime brings, and what becomes of an accept that failed.

use core::{net::SocketAddr, time::Duration};
use std::io;

use super::Opened;
use crate::{
    opening::server::Server,
    socket::io::{Timer, Transport},
};

/// What a runtime does for a server: its listener, its tasks, its timer, perhaps its TLS. An adapter's `serve`
/// implements it; limits, order and the end are those of [`Serving`](super::Serving).
///
/// ```
/// use std::{future::{Future, Ready, ready}, io, net::SocketAddr};
/// use hybi::{Error, Server, io::{FuturesIo, Timer}, serve::{Accept, Arrival, Opened, Serving}};
/// # trait Io: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin + Send {}
/// # type TcpStream = Box<dyn Io>;
/// # struct TcpListener;
/// # impl TcpListener {
/// #     async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> { unimplemented!() }
/// # }
/// # fn spawn(task: impl Future<Output = ()> + Send + 'static) { unimplemented!() }
///
/// /// A runtime with its own `TcpListener` and `spawn`, and without TLS.
/// struct Listener(TcpListener);
///
/// impl Accept for Listener {
///     type Transport = FuturesIo<TcpStream>;
///     type Opening = Ready<io::Result<Opened<Self::Transport>>>;
/// #   type Timer = Never;
/// #   fn timer(&self) -> Never { Never }
///     // ... and its timer.
///
///     async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
///         let (stream, address) = self.0.accept().await?;
///         Ok(Arrival::new(ready(Ok(FuturesIo::new(stream).into()))).of(address))
///     }
///
///     fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
///         spawn(task);
///     }
/// }
/// # struct Never;
/// # impl Timer for Never {
/// #     fn now(&self) -> std::time::Instant { std::time::Instant::now() }
/// #     fn poll_until(
/// #         &mut self,
/// #         _: &mut std::task::Context<'_>,
/// #         _: std::time::Instant,
/// #     ) -> std::task::Poll<()> {
/// #         std::task::Poll::Pending
/// #     }
/// # }
///
/// async fn echo(listener: TcpListener) {
///     let report = Serving::new(Listener(listener), Server::default(), |mut ws| async move {
///         while let Some(message) = ws.recv().await? {
///             ws.feed(message).await?;
///         }
///         Ok::<_, Error>(())
///     });
///     println!("{}", report.await);
/// }
/// ```
pub trait Accept: Send + 'static {
    /// What connections are made over.
    type Transport: Transport + Send + 'static;
    /// The timer of a connection.
    type Timer: Timer + Send + 'static;
    /// What comes between a stream that was accepted and its first request: TLS, if there is any. It runs in
    /// the task of the connection, within the deadline of the opening handshake, and says whether one request is to
    /// come or many.
    type Opening: Future<Output = io::Result<Opened<Self::Transport>>> + Send + 'static;

    /// Waits for the next stream. `TCP_NODELAY` is to be set: frames are written whole. Dropping the future is to lose
    /// no stream. One that has several listeners waits for all of them, and begins with another one each time.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports. An error of one stream is passed over; after any other, such as that no
    /// descriptor is left, it is waited before the next call.
    fn accept(&mut self) -> impl Future<Output = io::Result<Arrival<Self::Opening>>> + Send;

    /// The same at the end, when the listener is about to be dropped: it is asked for what is in its queue until it is
    /// pending, once each time, since dropping it resets those who are there. A runtime that goes by what it heard of the
    /// listener before asks the system instead.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    fn accept_queued(&mut self) -> impl Future<Output = io::Result<Arrival<Self::Opening>>> + Send {
        self.accept()
    }

    /// Runs a task of its own.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// What ends this transport for whoever waits for it, on whichever thread, when its connection is cut; `None`, which
    /// is provided, where handlers are futures, which are dropped with their connection then. A handler that blocks its
    /// thread cannot be: it is for its transport to end its waiting, with an error. It is called on the thread that cuts,
    /// once, and must not wait.
    fn cutter(transport: &Self::Transport) -> Option<Cutter> {
        let _ = transport;
        None
    }

    /// A timer.
    fn timer(&self) -> Self::Timer;
}

/// What ends a transport that somebody waits for; see [`Accept::cutter`].
pub type Cutter = Box<dyn FnOnce() + Send>;

/// A stream that was accepted, and what is known of it.
///
/// ```
/// use std::{future::ready, net::SocketAddr};
/// use hybi::{HostPolicy, Server, serve::Arrival};
///
/// # struct Stream;
/// /// Two listeners of one server: what comes by the inner one is for any host.
/// fn arrival(stream: Stream, peer: SocketAddr, is_inner: bool) -> Arrival<impl Future<Output = Stream>> {
///     let arrival = Arrival::new(ready(stream)).of(peer);
///     if !is_inner {
///         return arrival;
///     }
///     arrival.judged_by(Server::builder().hosts(HostPolicy::Any).build())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Arrival<O> {
    pub(super) opening: O,
    pub(super) peer: Option<SocketAddr>,
    pub(super) server: Option<Server>,
}

impl<O> Arrival<O> {
    /// A stream with what comes [before its first request](Accept::Opening), from no address.
    pub const fn new(opening: O) -> Self {
        Self { opening, peer: None, server: None }
    }

    /// Goes on with what comes before its first request.
    ///
    /// ```
    /// use hybi::serve::Arrival;
    ///
    /// /// What an adapter over another does.
    /// async fn secured<O: Future>(arrival: Arrival<O>) -> Arrival<impl Future<Output = O::Output>> {
    ///     arrival.map(|opening| async {
    ///         // ... and what else there is.
    ///         opening.await
    ///     })
    /// }
    /// ```
    pub fn map<P>(self, change: impl FnOnce(O) -> P) -> Arrival<P> {
        Arrival { opening: change(self.opening), peer: self.peer, server: self.server }
    }

    /// Says where it comes from: what limits, reports and [`Incoming::peer`](crate::Incoming::peer) go by.
    #[must_use]
    pub fn of(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Has its request judged by another [`Server`] than others are: each listener may have its own.
    #[must_use]
    pub fn judged_by(mut self, server: Server) -> Self {
        self.server = Some(server);
        self
    }
}

/// How long it is waited after an accept that failed; twice as long each time, up to the longest.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// So many streams in a row may fail before they are taken for one fault that stays.
const PASSED_OVER: u32 = 64;

/// The time between accepts that fail. A listener that has an error at once would otherwise be asked again and
/// again: without descriptors a stream stays in its queue, so that it is always ready.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    passed_over: u32,
    failed: u32,
}

impl BackOff {
    /// A stream was accepted.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How long to wait after this error; `None` to go on at once.
    pub(super) fn after(&mut self, error: &io::Error) -> Option<Duration> {
        if is_of_one_stream(error) && self.passed_over < PASSED_OVER {
            self.passed_over += 1;
            return None;
        }
        let pause = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failed)).min(LONGEST);
        self.failed = self.failed.saturating_add(1);
        Some(pause)
    }
}

/// Whether the error is of a stream that was lost before anybody took it (accept(2), "Error handling"), so that
/// the next may do better.
pub(super) fn is_of_one_stream(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_stream_is_passed_over_and_a_fault_that_stays_is_not() {
        let mut pause = BackOff::default();
        let lost = io::Error::from(io::ErrorKind::ConnectionAborted);
        for _ in 0..PASSED_OVER {
            assert_eq!(pause.after(&lost), None);
        }
        assert_eq!(pause.after(&lost), Some(SHORTEST));
        pause.reset();
        assert_eq!(pause.after(&lost), None);
        // EMFILE, whose kind has no name.
        let none_left = io::Error::from_raw_os_error(24);
        let pauses: Vec<_> =
            (0..40).map(|_| pause.after(&none_left).expect("never at once").as_millis()).collect();
        assert_eq!(pauses[..8], [10, 20, 40, 80, 160, 320, 640, 1000]);
        assert!(pauses[8..].iter().all(|pause| *pause == 1000));
    }
}
