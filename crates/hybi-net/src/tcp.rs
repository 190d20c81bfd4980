//! Sockets of TCP.

use core::net::SocketAddr;
use std::{io, net::TcpStream};

use hybi::opening::Network;
#[cfg(unix)]
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::{
    io::{Errno, ioctl_fionbio},
    net::{self, AddressFamily, SocketType, sockopt},
};

/// A socket that is to be connected to this address: with `TCP_NODELAY`, prepared and bound as the caller chose. It
/// blocks.
///
/// ```
/// use hybi::opening::Network;
///
/// let network = Network::default().prepare(|socket: &std::net::TcpStream| socket.set_nodelay(false));
/// let socket = hybi_net::socket(&network, ([127, 0, 0, 1], 80).into())?;
/// assert!(!socket.nodelay()?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Whatever the system reports, or [`Network::set_up`].
pub fn socket(network: &Network<TcpStream>, address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = TcpStream::from(net::socket(family, SocketType::STREAM, None)?);
    #[cfg(unix)]
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    // Where it cannot be had, delay is all that comes of it.
    let _ = sockopt::set_tcp_nodelay(&socket, true);
    network.set_up(&socket, address, |socket, local| Ok(net::bind(socket, &local)?))?;
    Ok(socket)
}

/// The same, connecting, and not blocking. [`outcome`] tells when that is done.
///
/// # Errors
///
/// As [`socket`]; what connecting fails of at once.
pub fn connecting(network: &Network<TcpStream>, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(network, address)?;
    ioctl_fionbio(&socket, true)?;
    match net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        // So Windows says it.
        Err(Errno::WOULDBLOCK) if cfg!(windows) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// What became of connecting, to be asked when the socket can be written to.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] while it connects, or what that failed of.
pub fn outcome(socket: &TcpStream) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

/// Connects a [`socket`], and blocks meanwhile.
///
/// # Errors
///
/// Whatever the system reports.
#[cfg(not(unix))]
pub fn connect(socket: &TcpStream, address: SocketAddr) -> io::Result<()> {
    Ok(net::connect(socket, &address)?)
}
