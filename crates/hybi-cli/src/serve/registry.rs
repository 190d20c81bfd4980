//! Who is connected: the ceilings on their number, and the way to ask all of them to leave.

use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hybi::Version;
use tokio::sync::Notify;

use super::statistics::{Counter, Flow, Statistics, Tally};

/// Connections asked to leave at a time when the server drains, and the pause between.
const BATCH: usize = 1000;
const PAUSE: Duration = Duration::from_millis(100);

/// Transports over the ceiling that may be told so at a time; more are dropped unanswered, so
/// that a flood cannot hold more memory than this.
const TURNED_AWAY: usize = 256;

/// All open transports, and the channels in them beside the first of each, whose place is the transport's.
#[derive(Debug)]
pub(crate) struct Registry {
    max: usize,
    max_per_ip: usize,
    draining: AtomicBool,
    cut: AtomicUsize,
    began: Instant,
    answers: AtomicU64,
    open: Mutex<Open>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next_id: u64,
    members: HashMap<u64, Arc<Place>>,
    /// How many of the members are channels.
    channels: Tally,
    turned_away: usize,
    per_ip: HashMap<IpAddr, usize>,
    history: History,
}

/// What is over, and what will be.
#[derive(Debug, Default)]
struct History {
    turned_away: u64,
    connections: HashMap<Version, u64>,
    received: Flow,
    sent: Flow,
}

/// What the registry and a member tell each other.
#[derive(Debug, Default)]
struct Place {
    asked_to_leave: AtomicBool,
    /// Wakes whoever waits for that.
    leave: Notify,
    /// What is spoken, once that is settled.
    version: OnceLock<Version>,
    received: Counter,
    sent: Counter,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Transport,
    Channel,
}

/// The place of one transport or channel; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Member {
    registry: Arc<Registry>,
    id: u64,
    ip: Option<IpAddr>,
    sort: Sort,
    place: Arc<Place>,
    /// Over a ceiling: to be answered with 503.
    pub(crate) surplus: bool,
}

impl Registry {
    pub(crate) fn new(max: usize, max_per_ip: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_ip: max_per_ip.unwrap_or(usize::MAX),
            draining: AtomicBool::new(false),
            cut: AtomicUsize::new(0),
            began: Instant::now(),
            answers: AtomicU64::new(0),
            open: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Takes a new transport in; `None` when even the answer 503 is too much.
    pub(crate) fn enter(self: &Arc<Self>, ip: Option<IpAddr>) -> Option<Member> {
        self.place(ip, Sort::Transport)
    }

    fn place(self: &Arc<Self>, ip: Option<IpAddr>, sort: Sort) -> Option<Member> {
        let mut open = self.lock();
        let full = open.members.len() - open.turned_away >= self.max
            || ip.is_some_and(|ip| {
                open.per_ip.get(&ip).is_some_and(|count| *count >= self.max_per_ip)
            });
        let id = open.next_id;
        open.next_id += 1;
        open.history.turned_away += u64::from(full);
        if full && open.turned_away >= TURNED_AWAY {
            return None;
        }
        let place = Arc::<Place>::default();
        open.members.insert(id, Arc::clone(&place));
        if sort == Sort::Channel {
            open.channels += Tally { open: 1, total: 1 };
        }
        if full {
            open.turned_away += 1;
        } else if let Some(ip) = ip {
            *open.per_ip.entry(ip).or_insert(0) += 1;
        }
        Some(Member { registry: Arc::clone(self), id, ip, sort, place, surplus: full })
    }

    /// Whether the server is on its way out.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Notes an answer other than 101.
    pub(crate) fn note_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// What there is and has been, with a number for each of `versions`.
    pub(crate) fn statistics(&self, versions: &[Version]) -> Statistics {
        let open = self.lock();
        let (mut received, mut sent) = (open.history.received, open.history.sent);
        for place in open.members.values() {
            received += place.received.flow();
            sent += place.sent.flow();
        }
        let tally = |version: &Version| {
            let speaks = |place: &&Arc<Place>| place.version.get() == Some(version);
            let total = open.history.connections.get(version).copied().unwrap_or_default();
            Tally { open: open.members.values().filter(speaks).count() as u64, total }
        };
        Statistics {
            uptime: self.began.elapsed(),
            transports: Tally {
                open: open.members.len() as u64 - open.channels.open,
                total: open.next_id - open.channels.total,
            },
            channels: open.channels,
            connections: versions.iter().map(|version| (*version, tally(version))).collect(),
            answers: self.answers.load(Ordering::Relaxed),
            turned_away: open.history.turned_away,
            received,
            sent,
            draining: self.is_draining(),
        }
    }

    /// Notes that a connection was ended without its peer's agreement.
    pub(crate) fn note_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks all to leave, waits up to `patience`, and says how many had to be cut.
    pub(crate) async fn drain(&self, patience: Duration) -> usize {
        self.draining.store(true, Ordering::Release);
        let all_gone = async {
            let members: Vec<Arc<Place>> = self.lock().members.values().cloned().collect();
            for (n, batch) in members.chunks(BATCH).enumerate() {
                if n > 0 {
                    tokio::time::sleep(PAUSE).await;
                }
                for place in batch {
                    place.asked_to_leave.store(true, Ordering::Relaxed);
                    place.leave.notify_waiters();
                }
            }
            loop {
                let changed = self.changed.notified();
                if self.lock().members.is_empty() {
                    break;
                }
                changed.await;
            }
        };
        // Whether it ran out of time shows in who is left.
        let _ = tokio::time::timeout(patience, all_gone).await;
        self.lock().members.len() + self.cut.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // The maps are whole between any two statements below, so a panic elsewhere spoils nothing.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether the server has asked this connection to leave.
    pub(crate) fn is_asked_to_leave(&self) -> bool {
        self.place.asked_to_leave.load(Ordering::Relaxed)
    }

    /// Waits until the server asks this connection to leave. Cancel safe.
    pub(crate) async fn asked_to_leave(&self) {
        // Before looking: from here on it is woken, whoever else waits for the same.
        let leave = self.place.leave.notified();
        if !self.is_asked_to_leave() {
            leave.await;
        }
    }

    /// Notes that a connection of this version is open.
    pub(crate) fn opened(&self, version: Version) {
        if self.place.version.set(version).is_ok() {
            *self.registry.lock().history.connections.entry(version).or_default() += 1;
        }
    }

    /// What the peer has sent.
    pub(crate) fn received(&self) -> &Counter {
        &self.place.received
    }

    /// What the peer was sent.
    pub(crate) fn sent(&self) -> &Counter {
        &self.place.sent
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Takes in a channel of this transport, as [`Registry::enter`] does.
    pub(crate) fn enter_channel(&self) -> Option<Self> {
        self.registry.place(self.ip, Sort::Channel)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        open.members.remove(&self.id);
        if self.sort == Sort::Channel {
            open.channels.open -= 1;
        }
        open.history.received += self.place.received.flow();
        open.history.sent += self.place.sent.flow();
        if self.surplus {
            open.turned_away -= 1;
        } else if let Some(ip) = self.ip
            && let Some(count) = open.per_ip.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                open.per_ip.remove(&ip);
            }
        }
        let empty = open.members.is_empty();
        drop(open);
        if empty {
            // A permit is kept if the drain is just about to wait.
            self.registry.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_turn_away_and_places_come_back() {
        let registry = Registry::new(2, Some(1));
        let (a, b) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = registry.enter(Some(a)).unwrap();
        assert!(!first.surplus);
        assert!(registry.enter(Some(a)).unwrap().surplus, "second of one address");
        let second = registry.enter(Some(b)).unwrap();
        assert!(!second.surplus);
        assert!(registry.enter(None).unwrap().surplus, "third in all");
        drop(first);
        assert!(!registry.enter(Some(a)).unwrap().surplus);
        drop(second);
        assert!(registry.lock().members.is_empty() && registry.lock().per_ip.is_empty());
    }

    #[test]
    fn channels_have_places_of_their_own_and_are_no_transports() {
        let registry = Registry::new(3, Some(2));
        let address = IpAddr::from([127, 0, 0, 1]);
        let transport = registry.enter(Some(address)).unwrap();
        let channel = transport.enter_channel().unwrap();
        assert!(!channel.surplus);
        assert!(transport.enter_channel().unwrap().surplus, "third of one address");
        assert!(!registry.enter(None).unwrap().surplus, "third in all");
        let tallies = || {
            let statistics = registry.statistics(&[]);
            (statistics.transports.to_string(), statistics.channels.to_string())
        };
        assert_eq!(tallies(), ("1/2".into(), "1/2".into()));
        drop(channel);
        assert!(!transport.enter_channel().unwrap().surplus);
        assert_eq!(tallies(), ("1/2".into(), "0/3".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_for_one_place_are_asked_to_leave() {
        let registry = Registry::new(1, None);
        let member = Arc::new(registry.enter(None).unwrap());
        for _ in 0..2 {
            let member = Arc::clone(&member);
            tokio::spawn(async move { member.asked_to_leave().await });
        }
        drop(member);
        assert_eq!(registry.drain(Duration::from_secs(25)).await, 0);
    }

    #[test]
    fn a_flood_over_the_ceiling_is_bounded() {
        let registry = Registry::new(0, None);
        let surplus: Vec<Member> =
            (0..TURNED_AWAY).map(|_| registry.enter(None).unwrap()).collect();
        assert!(registry.enter(None).is_none());
        drop(surplus);
        assert!(registry.enter(None).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_asks_in_batches_and_ends_when_all_have_left() {
        let registry = Registry::new(usize::MAX, None);
        for _ in 0..2 * BATCH + 1 {
            let member = registry.enter(None).unwrap();
            tokio::spawn(async move { member.asked_to_leave().await });
        }
        let begun = tokio::time::Instant::now();
        assert_eq!(registry.drain(Duration::from_secs(25)).await, 0);
        assert_eq!(begun.elapsed().as_millis(), 2 * PAUSE.as_millis());
        assert!(registry.is_draining());
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_counts_who_stays_and_who_was_cut() {
        let registry = Registry::new(usize::MAX, None);
        let stays = registry.enter(None).unwrap();
        registry.note_cut();
        assert_eq!(registry.drain(Duration::from_secs(25)).await, 2);
        drop(stays);
    }
}
