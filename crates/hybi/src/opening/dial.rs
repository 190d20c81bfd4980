//! Dialling: from a host to a transport, before the opening handshake; an adapter brings the calls.

use core::future::Future;
use core::net::SocketAddr;
use std::{io, time::Instant};

use super::within;
use crate::{
    connection::{Error, OpeningError},
    socket::io::Timer,
};

/// Connects to a host: looks up its addresses and tries one after the other until one takes the
/// connection, all of it before `deadline`.
///
/// ```
/// use std::{io, net::SocketAddr, time::Instant};
/// use hybi::{Error, WsUri, io::Timer, opening};
///
/// # async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> { unimplemented!() }
/// # async fn connect<S>(address: SocketAddr) -> io::Result<S> { unimplemented!() }
/// /// What an adapter does with its runtime's `look_up` and `connect`.
/// async fn tcp<S, C: Timer>(
///     uri: &WsUri,
///     timer: &mut C,
///     deadline: Instant,
/// ) -> Result<S, Error> {
///     let host = (uri.host(), uri.port());
///     opening::dial(host, timer, deadline, look_up(host.0, host.1), connect).await
/// }
/// ```
///
/// # Errors
///
/// [`OpeningError::Resolve`], or [`OpeningError::Connect`] with what became of each address.
pub async fn dial<S, C: Timer, F: Future<Output = io::Result<S>>>(
    (host, port): (&str, u16),
    timer: &mut C,
    deadline: Instant,
    addresses: impl Future<Output = io::Result<impl IntoIterator<Item = SocketAddr>>>,
    mut connect: impl FnMut(SocketAddr) -> F,
) -> Result<S, Error> {
    let unresolved = |error| OpeningError::Resolve { host: host.to_owned(), error };
    let addresses = match within(timer, deadline, addresses).await {
        Some(addresses) => addresses.map_err(unresolved)?,
        None => return Err(unresolved(too_late()).into()),
    };
    let mut attempts = Vec::new();
    for address in addresses {
        match within(timer, deadline, connect(address)).await {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => attempts.push((address, error)),
            None => {
                attempts.push((address, too_late()));
                break;
            }
        }
    }
    if attempts.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(unresolved(error).into());
    }
    let host =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Err(OpeningError::Connect { host, attempts }.into())
}

/// Runs a TLS handshake with `peer`, but not beyond `deadline`.
///
/// ```
/// use std::{io, time::Instant};
/// use hybi::{Error, io::Timer, opening};
///
/// async fn secure<S, C: Timer>(
///     name: &str,
///     timer: &mut C,
///     deadline: Instant,
///     handshake: impl Future<Output = io::Result<S>>,
/// ) -> Result<S, Error> {
///     opening::tls(name, timer, deadline, handshake).await
/// }
/// ```
///
/// # Errors
///
/// [`OpeningError::Tls`].
pub async fn tls<S, C: Timer>(
    peer: &str,
    timer: &mut C,
    deadline: Instant,
    handshake: impl Future<Output = io::Result<S>>,
) -> Result<S, Error> {
    let stream = within(timer, deadline, handshake).await.unwrap_or_else(|| Err(too_late()));
    Ok(stream.map_err(|error| OpeningError::Tls { peer: peer.to_owned(), error })?)
}

/// What a step fails of that was not done in time.
fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "took too long")
}
