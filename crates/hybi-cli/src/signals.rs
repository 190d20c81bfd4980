//! Signals. SIGTERM and SIGINT: the first asks for an orderly end, the second for an end at once.
//! SIGHUP and SIGUSR1 ask a server for something else, and it goes on.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Failure, Status};

/// The two signals that ask a program to end.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Watches from now on; neither signal kills the program any more.
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal; answers the status that it ends a program with. Cancel safe.
    pub(crate) async fn next(&mut self) -> Status {
        tokio::select! {
            _ = self.terminate.recv() => Status::Terminated,
            _ = self.interrupt.recv() => Status::Interrupted,
        }
    }
}

/// What a running server is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    /// SIGHUP: read certificates again, open logs again.
    Reload,
    /// SIGUSR1: print a line of statistics.
    Statistics,
}

/// The signals that a server goes on after.
#[derive(Debug)]
pub(crate) struct Requests {
    hangup: Signal,
    user: Signal,
    /// A log that has reached the limit of a file's size: the write fails, and that is told.
    _file_size: Signal,
}

impl Requests {
    /// Watches from now on; none of them kills the program any more.
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            hangup: watch(SignalKind::hangup())?,
            user: watch(SignalKind::user_defined1())?,
            _file_size: watch(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits for the next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.hangup.recv() => Request::Reload,
            _ = self.user.recv() => Request::Statistics,
        }
    }
}

fn watch(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::new(Status::Internal, "cannot watch signals", error))
}
