//! Requested: a request that came in frames, with a transport of its own to answer it on (RFC 9113 section 8.1).

use core::fmt;
use std::io;

use http::header::{CONNECTION, HeaderName, TRANSFER_ENCODING, UPGRADE};

use crate::socket::io::Transport;

/// A transport that begins with the answer to a request: a stream of HTTP/2.
///
/// ```
/// use std::{io, task::{Context, Poll}};
/// use hybi::{http::Response, io::Transport, opening::Respond};
/// # struct Frames;
/// # impl Frames {
/// #     fn headers(&mut self, head: Response<()>) -> io::Result<()> { unimplemented!() }
/// # }
///
/// struct Stream { frames: Frames }
/// # impl Transport for Stream {
/// #     fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> { unimplemented!() }
/// #     fn poll_write(&mut self, _: &mut Context<'_>, _: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> { unimplemented!() }
/// #     fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> { unimplemented!() }
/// #     fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> { unimplemented!() }
/// # }
///
/// impl Respond for Stream {
///     fn respond(&mut self, head: Response<()>) -> io::Result<()> {
///         self.frames.headers(head)
///     }
/// }
/// ```
pub trait Respond: Transport {
    /// Sends the head of the response. What is written from then on follows it, and the end of the sending half is
    /// the end of the response. Dropping the transport without an answer is to tell the peer that nothing was done.
    ///
    /// # Errors
    ///
    /// Whatever the transport reports.
    fn respond(&mut self, head: http::Response<()>) -> io::Result<()>;
}

/// A request that has its own transport, to be answered there: what [`incoming_for`](super::incoming_for) begins with.
///
/// A `:protocol` that came with it is to be among its extensions, as a
/// [`Protocol`](crate::handshake::Protocol) (RFC 8441 section 4).
///
/// ```
/// use std::time::Instant;
/// use hybi::{Error, Server, WebSocket, http::Request, io::Timer, opening::{self, Requested, Respond}};
///
/// /// A stream of a connection of HTTP/2 as a WebSocket.
/// async fn accept<T: Respond, C: Timer>(
///     server: &Server,
///     request: Request<()>,
///     stream: T,
///     timer: C,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let deadline = server.config().handshake_deadline(timer.now());
///     let requested = Requested::new(request, stream);
///     opening::incoming_for(server, requested, timer, deadline).await?.accept().await
/// }
/// ```
pub struct Requested<T> {
    pub(super) request: http::Request<()>,
    pub(super) transport: T,
    pub(super) respond: Responder<T>,
}

/// [`Respond::respond`] of a transport that has it.
pub(super) type Responder<T> = fn(&mut T, http::Response<()>) -> io::Result<()>;

impl<T: Respond> Requested<T> {
    /// This request, to be answered by this transport.
    pub const fn new(request: http::Request<()>, transport: T) -> Self {
        Self { request, transport, respond: T::respond }
    }
}

impl<T> Requested<T> {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &http::Request<()> {
        &self.request
    }
}

impl<T> fmt::Debug for Requested<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requested")
            .field("path", &self.request.uri().path())
            .finish_non_exhaustive()
    }
}

/// Leaves out the fields that are for one connection of HTTP/1.1 alone: a response in frames that has one is malformed
/// (RFC 9113 section 8.2.2).
pub(super) fn without_connection_fields<B>(response: &mut http::Response<B>) {
    let of_connection = [
        CONNECTION,
        UPGRADE,
        TRANSFER_ENCODING,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in of_connection {
        // All of one name go with it.
        drop(response.headers_mut().remove(name));
    }
}
