//! Counters: what a server has done so far, counted by each connection alone and summed when somebody asks.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hybi::serve::Handle;
use hybi::{Stats, Version};

use super::statistics::{Flow, Statistics, Tally};

/// What all connections of a server have done.
#[derive(Debug)]
pub(crate) struct Counters {
    began: Instant,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    answers: AtomicU64,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    next_id: u64,
    open: HashMap<u64, Arc<Flows>>,
    /// Of all that are over.
    received: Flow,
    sent: Flow,
    by_version: HashMap<Version, Tally>,
    channels: Tally,
}

/// What has gone over one connection. Its task writes, and others may look at any time.
#[derive(Debug, Default)]
struct Flows {
    received: AtomicFlow,
    sent: AtomicFlow,
}

#[derive(Debug, Default)]
struct AtomicFlow {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl AtomicFlow {
    fn set(&self, flow: Flow) {
        self.messages.store(flow.messages, Ordering::Relaxed);
        self.bytes.store(flow.bytes, Ordering::Relaxed);
    }

    fn flow(&self) -> Flow {
        Flow {
            messages: self.messages.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// An open connection, while it counts.
#[derive(Debug)]
pub(crate) struct Counted {
    counters: Arc<Counters>,
    id: u64,
    version: Version,
    flows: Arc<Flows>,
}

/// A channel beside the first of its connection, from its request on.
#[derive(Debug)]
pub(crate) struct CountedChannel(Arc<Counters>);

impl Counters {
    /// Begins with nothing.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            connections: Mutex::default(),
        })
    }

    /// Counts a transport.
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a transport or channel beyond a ceiling.
    pub(crate) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer other than 101.
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that is open now.
    pub(crate) fn opened(self: &Arc<Self>, version: Version) -> Counted {
        let flows = Arc::<Flows>::default();
        let mut connections = self.connections();
        let id = connections.next_id;
        connections.next_id += 1;
        connections.open.insert(id, Arc::clone(&flows));
        *connections.by_version.entry(version).or_default() += Tally { open: 1, total: 1 };
        drop(connections);
        Counted { counters: Arc::clone(self), id, version, flows }
    }

    /// Counts a channel that is asked for.
    pub(crate) fn channel(self: &Arc<Self>) -> CountedChannel {
        self.connections().channels += Tally { open: 1, total: 1 };
        CountedChannel(Arc::clone(self))
    }

    /// What there is and has been, with a number for each of `versions`.
    pub(crate) fn statistics(&self, versions: &[Version], handle: &Handle) -> Statistics {
        let connections = self.connections();
        let (mut received, mut sent) = (connections.received, connections.sent);
        for flows in connections.open.values() {
            received += flows.received.flow();
            sent += flows.sent.flow();
        }
        let tally = |version| connections.by_version.get(version).copied().unwrap_or_default();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // A channel that is on its way out may be counted here and no longer there.
        let open = (handle.connections() as u64).saturating_sub(connections.channels.open);
        Statistics {
            uptime: self.began.elapsed(),
            transports: Tally { open, total: count(&self.accepted) },
            channels: connections.channels,
            connections: versions.iter().map(|version| (*version, tally(version))).collect(),
            answers: count(&self.answers),
            turned_away: count(&self.turned_away),
            received,
            sent,
            draining: handle.is_draining(),
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        // It is whole between any two statements, so a panic elsewhere spoils nothing.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Says what has gone over it by now.
    pub(crate) fn note(&self, stats: &Stats) {
        self.flows.received.set(stats.received.into());
        self.flows.sent.set(stats.sent.into());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut connections = self.counters.connections();
        connections.open.remove(&self.id);
        connections.received += self.flows.received.flow();
        connections.sent += self.flows.sent.flow();
        if let Some(tally) = connections.by_version.get_mut(&self.version) {
            tally.open -= 1;
        }
    }
}

impl Drop for CountedChannel {
    fn drop(&mut self) {
        self.0.connections().channels.open -= 1;
    }
}
