//! Cause: what a connection of HTTP/2 ended of, as its streams tell it.

use std::{
    io,
    sync::{Arc, OnceLock},
};

/// What a connection ended of, known to all its streams.
///
/// h2 tells them when reading failed, and when writing failed no more than that the connection is gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause(Arc<OnceLock<(io::ErrorKind, String)>>);

impl Cause {
    /// The connection failed of this; before it is dropped, since that is what streams hear of.
    pub(crate) fn failed(&self, error: h2::Error) {
        self.set(&io_error(error));
    }

    /// The peer is gone: it has not answered a ping.
    pub(crate) fn gone(&self) {
        self.set(&io::Error::new(io::ErrorKind::TimedOut, "the peer answers no pings any more"));
    }

    fn set(&self, error: &io::Error) {
        // The first is what the others come of.
        let _ = self.0.set((error.kind(), error.to_string()));
    }

    /// What the connection ended of, if it did not in order.
    pub(crate) fn known(&self) -> Option<io::Error> {
        self.0.get().map(|(kind, text)| io::Error::new(*kind, text.clone()))
    }

    /// What a stream failed of.
    pub(crate) fn of(&self, error: h2::Error) -> io::Error {
        let error = io_error(error);
        match self.known() {
            Some(known) if error.kind() == io::ErrorKind::BrokenPipe => known,
            _ => error,
        }
    }
}

/// What HTTP/2 failed of, as an error of a transport: a stream that was reset is what a connection of TCP that was reset is.
pub(crate) fn io_error(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
    }
    let kind = match () {
        () if error.is_reset() => io::ErrorKind::ConnectionReset,
        () if error.is_go_away() => io::ErrorKind::ConnectionAborted,
        () => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
