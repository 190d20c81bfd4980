//! The line of one request in the access log: what is known so far, written when it is over, in whichever way.

use core::mem;
use std::sync::Arc;

use super::access_log::Record;
use super::shared::Shared;

/// The line of a request, or of the connection that followed. Dropping it writes it, if the request was answered: one
/// that is cut is a future that is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
    /// In a box: tasks keep room for each place that a value passes.
    pub(crate) record: Box<Record>,
}

impl Line {
    /// Of a request of this peer.
    pub(crate) fn new(shared: &Arc<Shared>, peer: String) -> Self {
        let record = Box::new(Record { peer, ..Record::default() });
        Self { shared: Arc::clone(shared), record }
    }

    /// Counts what was answered, and writes the line, once.
    pub(crate) fn write(&mut self) {
        let record = mem::take(&mut *self.record);
        if record.status == 0 {
            return;
        }
        if !record.is_accepted() {
            self.shared.counters.answered();
        }
        if let Some(access_log) = &self.shared.access_log {
            access_log.write(&record);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.write();
    }
}
