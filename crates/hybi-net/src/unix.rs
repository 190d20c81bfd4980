//! Unix sockets.

use std::{io, net::TcpStream, path::Path};

use rustix::{
    io::{FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{self, AddressFamily, SocketAddrUnix, SocketType},
};

/// A connection to a Unix socket, which does not block. To the system it is a stream like any other, so it is one of the
/// type that has those of TCP: it has no address of the network, and says so when it is asked.
///
/// ```
/// # let place = std::env::temp_dir().join(format!("hybi-net-{}", std::process::id()));
/// # let path = place.as_path();
/// # let _ = std::fs::remove_file(path);
/// use std::{io::Write, os::unix::net::UnixListener};
///
/// let listener = UnixListener::bind(path)?;
/// let mut stream = hybi_net::unix(path)?;
/// assert!(stream.peer_addr().is_err());
/// assert_eq!(stream.write(b"hello")?, 5);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Whatever the system reports: [`io::ErrorKind::WouldBlock`] if its queue of connections is full.
pub fn unix(path: &Path) -> io::Result<TcpStream> {
    let address = SocketAddrUnix::new(path).map_err(|error| {
        let told = format!("the path is too long, or none: {error}");
        io::Error::new(io::ErrorKind::InvalidInput, told)
    })?;
    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    net::connect(&socket, &address)?;
    Ok(socket.into())
}
