//! Who is connected: places and their limits, whom to close next, and whom to cut.

use core::{
    fmt, mem,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
    task::{Poll, Waker},
    time::Duration,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use hybi_handshake::HandshakeError;

use super::{
    Cutter, Incident,
    connection::Listener,
    drain::{Cut, Drain, Drained, Stage},
};
#[cfg(feature = "mux")]
use crate::opening::Seat;
use crate::{
    connection::{Error, incident as traced},
    opening::Gate,
    socket::{Closer, Outcome, Progress},
};

/// How many that are over a limit may be answered at a time; more are dropped, so that a flood cannot hold more
/// than this.
const ANSWERED: usize = 256;

/// The limits on connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) per_address: usize,
    pub(super) retry_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let retry_after = Duration::from_secs(1);
        Self { connections: 10_000, per_address: usize::MAX, retry_after }
    }
}

/// All connections of a server.
pub(super) struct Registry {
    /// The phase as far as it can be told without the lock.
    ending: AtomicU8,
    listener: OnceLock<Listener>,
    state: Mutex<State>,
}

const SERVING: u8 = 0;
const DRAINING: u8 = 1;

#[derive(Default)]
struct State {
    phase: Phase,
    limits: Limits,
    next_id: u64,
    places: BTreeMap<u64, Arc<Place>>,
    /// How many of them are over a limit.
    surplus: usize,
    /// How many of them carry others.
    carriers: usize,
    per_address: HashMap<IpAddr, usize>,
    /// Whoever serves.
    server: Option<Waker>,
    /// Whoever waits for the end.
    waiting: HashMap<u64, Waker>,
    next_waiting: u64,
    /// Whom to close next: all before are told, but those that opened late.
    cursor: u64,
    late: BTreeSet<u64>,
    wants_cut: bool,
    report: Drained,
}

#[derive(Default)]
enum Phase {
    #[default]
    Serving,
    Draining(Drain),
    Over,
}

/// What the registry knows of one connection, and tells it.
pub(super) struct Place {
    registry: Arc<Registry>,
    id: u64,
    peer: Option<SocketAddr>,
    accepted_at: Instant,
    /// Over a limit: to be answered so.
    is_surplus: bool,
    is_cut: AtomicBool,
    /// Cut, and whoever has it was told what there is to tell.
    is_over: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The task of the connection.
    task: Option<Waker>,
    /// Few have any.
    channels: Option<Box<Channels>>,
    /// What ends its transport, where its handler blocks.
    cutter: Option<Cutter>,
    closer: Option<Closer>,
    was_refused: bool,
    /// Requests of others come by it, which are known by themselves.
    is_carrier: bool,
}

/// What is known of the channels in a connection.
#[derive(Default)]
struct Channels {
    /// Whoever waits for more of them.
    task: Option<Waker>,
    /// Of what is around them; it ends after the last of them.
    physical: Option<Closer>,
}

impl Known {
    /// Whether the peer did not do its part of the end of what is around channels.
    fn has_physical_timed_out(&self) -> bool {
        let physical = self.channels.as_ref().and_then(|channels| channels.physical.as_ref());
        physical.is_some_and(|closer| closer.progress() == Progress::Ended(Outcome::TimedOut))
    }
}

/// A place that is taken; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Member(pub(super) Arc<Place>);

/// What the peer's address is counted as: one peer has one IPv4 address, but a whole network of IPv6.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Registry {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            ending: AtomicU8::new(SERVING),
            listener: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// It begins, with these limits and somebody who hears of incidents.
    pub(super) fn open_with(&self, limits: Limits, listener: Option<Listener>) {
        self.state().limits = limits;
        if let Some(listener) = listener {
            // It begins once.
            let _ = self.listener.set(listener);
        }
    }

    /// Tells whoever hears of incidents.
    pub(super) fn tell(&self, incident: &Incident<'_>) {
        // A refusal was told by the opening.
        if !matches!(incident, Incident::NotOpened { error: Error::Handshake(_), .. }) {
            traced(incident);
        }
        if let Some(listener) = self.listener.get() {
            listener(incident);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two statements below.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in, at this time; `None` if even an answer is too much.
    pub(super) fn enter(
        self: &Arc<Self>,
        peer: Option<SocketAddr>,
        accepted_at: Instant,
    ) -> Option<Member> {
        let member = self.place(peer, accepted_at);
        let answered = member.is_some();
        if member.as_ref().is_none_or(|member| member.0.is_surplus) {
            self.tell(&Incident::TooMany { peer, answered });
        }
        member
    }

    fn place(self: &Arc<Self>, peer: Option<SocketAddr>, accepted_at: Instant) -> Option<Member> {
        let mut state = self.state();
        let limits = state.limits;
        let address = peer.map(|peer| counted(peer.ip()));
        let of_address = address
            .map_or(0, |address| state.per_address.get(&address).copied().unwrap_or_default());
        let is_full = state.places.len() - state.surplus >= limits.connections
            || of_address >= limits.per_address;
        if is_full && state.surplus >= ANSWERED {
            return None;
        }
        let id = state.next_id;
        state.next_id += 1;
        if is_full {
            state.surplus += 1;
        } else if let Some(address) = address {
            *state.per_address.entry(address).or_default() += 1;
        }
        let is_over = matches!(state.phase, Phase::Over);
        let place = Arc::new(Place {
            registry: self.clone(),
            id,
            peer,
            accepted_at,
            is_surplus: is_full,
            is_cut: AtomicBool::new(is_over),
            is_over: AtomicBool::new(is_over),
            known: Mutex::default(),
        });
        state.places.insert(id, place.clone());
        Some(Member(place))
    }

    /// How many there are, but for those over a limit.
    pub(super) fn len(&self) -> usize {
        let state = self.state();
        state.places.len() - state.surplus
    }

    pub(super) fn is_draining(&self) -> bool {
        self.ending.load(Ordering::Acquire) != SERVING
    }

    /// When to come back, for those who are refused.
    pub(super) fn retry_after(&self) -> Duration {
        let state = self.state();
        match &state.phase {
            Phase::Draining(drain) => drain.retry_after,
            _ => state.limits.retry_after,
        }
    }

    /// Has the task of `waker` woken when there is something to do for whoever serves.
    pub(super) fn wake_server(&self, waker: &Waker) {
        let mut state = self.state();
        if state.server.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            let before = state.server.replace(waker.clone());
            // Whatever dropping it does, it does without the lock.
            drop(state);
            drop(before);
        }
    }

    /// Begins the end, if nobody has.
    pub(super) fn drain(&self, drain: Drain) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Serving) {
            return;
        }
        state.phase = Phase::Draining(drain);
        self.ending.store(DRAINING, Ordering::Release);
        // Whoever is in its opening handshake is to answer now.
        let mut wakers: Vec<_> =
            state.places.values().flat_map(|place| place.who_waits()).collect();
        wakers.extend(state.server.take());
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Has all that is left cut now.
    pub(super) fn cut_now(&self) {
        self.drain(Drain::default());
        let mut state = self.state();
        state.wants_cut = true;
        let server = state.server.take();
        drop(state);
        server.into_iter().for_each(Waker::wake);
    }

    pub(super) fn wants_cut(&self) -> bool {
        self.state().wants_cut
    }

    /// How it is to end, once that was asked for.
    pub(super) fn how(&self) -> Drain {
        match &self.state().phase {
            Phase::Draining(drain) => drain.clone(),
            _ => Drain::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().places.is_empty()
    }

    /// Whether nothing is left but carriers, if there are any.
    pub(super) fn has_carriers_alone(&self) -> bool {
        let state = self.state();
        state.places.len() == state.carriers
    }

    /// Closes the next connection that is open and has not been told; false if there is none.
    pub(super) fn close_next(&self, drain: &Drain) -> bool {
        loop {
            let mut state = self.state();
            let next = state.places.range(state.cursor..).next().map(|(id, _)| *id);
            let id = match next {
                Some(id) => {
                    state.cursor = id + 1;
                    id
                }
                None => match state.late.pop_first() {
                    Some(id) => id,
                    None => return false,
                },
            };
            let closer = state.places.get(&id).and_then(|place| place.known().closer.clone());
            drop(state);
            if let Some(closer) = closer {
                // Without the lock, since it wakes. What was given is known to be lawful.
                let _ = closer.close(drain.code, &drain.reason);
                return true;
            }
        }
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        let state = self.state();
        state.places.values().filter(|place| place.known().closer.is_some()).count()
    }

    /// Cuts all that are left. With `drain` those that are open are told, as far as that is done at once, and carriers
    /// stay: they have still to send what is said then.
    pub(super) fn cut(&self, drain: Option<&Drain>) {
        let mut state = self.state();
        let State { places, report, .. } = &mut *state;
        let mut cut = Vec::new();
        for place in places.values() {
            let is_carrier = place.known().is_carrier;
            if is_carrier && drain.is_some() || place.is_cut.swap(true, Ordering::AcqRel) {
                continue;
            }
            if !is_carrier {
                report.cut.push(Cut { peer: place.peer, stage: place.stage() });
            }
            cut.push(place.clone());
        }
        drop(state);
        for place in cut {
            let closer = place.known().closer.clone();
            if let (Some(closer), Some(drain)) = (closer, drain) {
                let _ = closer.close(drain.code, &drain.reason);
            }
            place.is_over.store(true, Ordering::Release);
            let mut known = place.known();
            let (cutter, task) = (known.cutter.take(), known.task.clone());
            drop(known);
            cutter.into_iter().for_each(|cut| cut());
            task.into_iter().for_each(Waker::wake);
        }
    }

    /// It is over; tells whoever waits for that.
    pub(super) fn over(&self) -> Drained {
        self.ending.store(DRAINING, Ordering::Release);
        let mut state = self.state();
        state.phase = Phase::Over;
        let waiting = mem::take(&mut state.waiting);
        let report = state.report.clone();
        drop(state);
        waiting.into_values().for_each(Waker::wake);
        report
    }

    /// Nobody serves any more.
    pub(super) fn abandon(&self) {
        if matches!(self.state().phase, Phase::Over) {
            return;
        }
        self.cut(None);
        self.over();
    }

    /// Somebody waits for the end; a number by which it does.
    pub(super) fn wait(&self) -> u64 {
        let mut state = self.state();
        state.next_waiting += 1;
        state.next_waiting
    }

    pub(super) fn poll_over(&self, number: u64, waker: &Waker) -> Poll<Drained> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Over) {
            return Poll::Ready(state.report.clone());
        }
        let before = state.waiting.insert(number, waker.clone());
        drop(state);
        drop(before);
        Poll::Pending
    }

    pub(super) fn wait_no_more(&self, number: u64) {
        let waker = self.state().waiting.remove(&number);
        drop(waker);
    }

    /// A connection is gone.
    fn leave(&self, place: &Place) {
        let mut state = self.state();
        state.places.remove(&place.id);
        state.late.remove(&place.id);
        state.carriers -= usize::from(place.known().is_carrier);
        if place.is_surplus {
            state.surplus -= 1;
        } else if let Some(address) = place.peer.map(|peer| counted(peer.ip()))
            && let Some(count) = state.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&address);
            }
        }
        let Phase::Draining(_) = state.phase else { return };
        if !place.is_cut.load(Ordering::Acquire) {
            let known = place.known();
            let report = &mut state.report;
            report.refused += usize::from(known.was_refused);
            match known.closer.as_ref().map(Closer::progress) {
                None => {}
                Some(progress)
                    if progress == Progress::Ended(Outcome::TimedOut)
                        || known.has_physical_timed_out() =>
                {
                    report.cut.push(Cut { peer: place.peer, stage: Stage::Closing });
                }
                Some(Progress::Ended(Outcome::Clean)) => report.closed += 1,
                Some(_) => report.lost += 1,
            }
        }
        let has_carriers_alone = state.places.len() == state.carriers;
        let server = if has_carriers_alone { state.server.take() } else { None };
        drop(state);
        server.into_iter().for_each(Waker::wake);
    }
}

impl Place {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who wants to know of the end.
    fn who_waits(&self) -> impl Iterator<Item = Waker> + use<> {
        let mut known = self.known();
        let channels = known.channels.as_mut().and_then(|channels| channels.task.take());
        known.task.clone().into_iter().chain(channels)
    }

    pub(super) fn tell(&self, incident: &Incident<'_>) {
        self.registry.tell(incident);
    }

    /// Has the task of `waker` woken when the connection is cut, or is to be refused.
    pub(super) fn wake(&self, waker: &Waker) {
        let before = self.known().task.replace(waker.clone());
        drop(before);
    }

    /// Requests of others come by it.
    pub(super) fn is_carrier(&self) {
        let mut state = self.registry.state();
        self.known().is_carrier = true;
        state.carriers += 1;
    }

    /// Whether no more is to come by it.
    pub(super) fn takes_no_more(&self) -> bool {
        self.is_surplus || self.registry.is_draining()
    }

    /// Takes in a request that came by it; `None` if even an answer is too much.
    pub(super) fn carried(&self, asked_at: Instant) -> Option<Member> {
        self.registry.enter(self.peer, asked_at)
    }

    /// Has whoever serves look for what there is to do.
    pub(super) fn call_server(&self) {
        let server = self.registry.state().server.take();
        server.into_iter().for_each(Waker::wake);
    }

    /// Has its transport ended by this when it is cut.
    pub(super) fn cut_by(&self, cutter: Cutter) {
        let mut known = self.known();
        known.cutter = Some(cutter);
        // Whoever cuts looks for it after saying so.
        let missed = if self.is_over() { known.cutter.take() } else { None };
        drop(known);
        missed.into_iter().for_each(|cut| cut());
    }

    /// Whether it is to be dropped.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn stage(&self) -> Stage {
        match self.known().closer.as_ref().map(Closer::progress) {
            None => Stage::Opening,
            Some(Progress::Open | Progress::Asked) => Stage::Open,
            Some(Progress::Begun) => Stage::Closing,
            Some(Progress::Ended(_)) => Stage::Ended,
        }
    }
}

impl Gate for Place {
    fn is_closing(&self) -> bool {
        self.registry.is_draining()
    }

    fn refusal(&self) -> Option<HandshakeError> {
        if !self.is_surplus && !self.registry.is_draining() {
            return None;
        }
        let retry_after = self.registry.retry_after();
        self.known().was_refused = true;
        Some(HandshakeError::Unavailable { retry_after })
    }

    fn opened(&self, closer: Closer) {
        let mut state = self.registry.state();
        self.known().closer = Some(closer);
        // Its turn has passed.
        if self.id < state.cursor {
            state.late.insert(self.id);
            let server = state.server.take();
            drop(state);
            server.into_iter().for_each(Waker::wake);
        }
    }

    fn not_opened(&self, error: &Error, request: Option<&http::Request<()>>) {
        let Self { peer, accepted_at, .. } = *self;
        self.tell(&Incident::NotOpened { peer, error, request, accepted_at });
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn accepted_at(&self) -> Instant {
        self.accepted_at
    }

    #[cfg(feature = "mux")]
    fn carries(&self, physical: Closer) {
        self.known().channels.get_or_insert_default().physical = Some(physical);
    }

    #[cfg(feature = "mux")]
    fn wake_at_closing(&self, waker: &Waker) {
        let before = self.known().channels.get_or_insert_default().task.replace(waker.clone());
        drop(before);
    }

    #[cfg(feature = "mux")]
    fn channel(&self, asked_at: Instant) -> Option<(Arc<dyn Gate>, Seat)> {
        let member = self.carried(asked_at)?;
        Some((member.0.clone(), Seat::new(member)))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.registry.leave(&self.0);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("len", &self.len()).finish_non_exhaustive()
    }
}
