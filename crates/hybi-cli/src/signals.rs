//! SIGTERM and SIGINT: the first asks for an orderly end, the second for an end at once.

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
        let watch = |kind| {
            signal(kind)
                .map_err(|error| Failure::new(Status::Internal, "cannot watch signals", error))
        };
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
