//! Times: how long each stage on the way to a connection took.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hybi::opening::Stage;

/// Those of one connection. A stage that there was none of is missing; one that came several times, for redirects and other
/// versions or for a proxy and the server, has the sum.
pub(crate) type Times = BTreeMap<Stage, Duration>;

/// Takes down times while a connection is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopwatch(Arc<Mutex<Times>>);

impl Stopwatch {
    pub(crate) fn add(&self, stage: Stage, took: Duration) {
        *self.times().entry(stage).or_default() += took;
    }

    /// What was taken down, to begin anew.
    pub(crate) fn take(&self) -> Times {
        core::mem::take(&mut *self.times())
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
