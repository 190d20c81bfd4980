//! What the system knows a socket by: a descriptor, or a handle on Windows, where only sockets can be waited for.

#[cfg(not(windows))]
pub(crate) use rustix::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
pub(crate) use std::os::windows::io::{AsSocket as AsFd, BorrowedSocket as BorrowedFd};

/// The one of this socket.
#[cfg(not(windows))]
pub(crate) fn borrow<S: AsFd + ?Sized>(socket: &S) -> BorrowedFd<'_> {
    socket.as_fd()
}

/// The one of this socket.
#[cfg(windows)]
pub(crate) fn borrow<S: AsFd + ?Sized>(socket: &S) -> BorrowedFd<'_> {
    socket.as_socket()
}
