//! A network: names, addresses, who listens there, and what a client did on its way.

use core::{
    cell::RefCell,
    convert::Infallible as Never,
    future::{pending, poll_fn},
    net::SocketAddr,
    task::{Poll, Waker},
    time::Duration,
};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    rc::Rc,
};

use hybi::{
    Client, Error, Request, WebSocket, WsUri, http,
    io::Timer as _,
    opening::{self, Dial},
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    link::{Conditions, End, link},
    script::{self, Script},
    wire::Side,
    world::World,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

/// Who is at an address.
pub(crate) enum Host {
    /// Nobody: the attempt fails so, after this time.
    Fails(Duration, io::ErrorKind),
    /// Nothing ever comes back.
    Silent,
    /// Connects after this time, and is played by whoever takes the other end.
    Listens(Duration),
}

#[derive(Default)]
struct State {
    names: BTreeMap<String, Vec<SocketAddr>>,
    hosts: BTreeMap<SocketAddr, Host>,
    /// Streams that nobody has taken.
    streams: BTreeMap<SocketAddr, VecDeque<End>>,
    accepting: Vec<Waker>,
    /// What was done, and when.
    done: Vec<(Duration, String)>,
    /// How long TLS takes.
    tls: Option<Duration>,
}

/// The network; clones are the same.
#[derive(Clone)]
pub(crate) struct Network {
    clock: Clock,
    state: Rc<RefCell<State>>,
}

impl Network {
    pub(crate) fn new(world: &World) -> Self {
        Self { clock: world.clock().clone(), state: Rc::default() }
    }

    pub(crate) fn name(&self, name: &str, addresses: &[&str]) -> &Self {
        let addresses = addresses.iter().map(|address| at(address)).collect();
        self.state.borrow_mut().names.insert(name.to_owned(), addresses);
        self
    }

    pub(crate) fn host(&self, address: &str, host: Host) -> &Self {
        self.state.borrow_mut().hosts.insert(at(address), host);
        self
    }

    /// A host with a name of its own that listens.
    pub(crate) fn listens(&self, name: &str, address: &str) -> &Self {
        self.name(name, &[address]).host(address, Host::Listens(Duration::ZERO))
    }

    /// What was done, without the times.
    pub(crate) fn done(&self) -> Vec<String> {
        self.state.borrow().done.iter().map(|(_, what)| what.clone()).collect()
    }

    /// What was done, with the milliseconds.
    pub(crate) fn timed(&self) -> Vec<(u128, String)> {
        let done = &self.state.borrow().done;
        done.iter().map(|(when, what)| (when.as_millis(), what.clone())).collect()
    }

    pub(crate) fn tls_takes(&self, time: Duration) {
        self.state.borrow_mut().tls = Some(time);
    }

    fn note(&self, what: String) {
        self.state.borrow_mut().done.push((self.clock.elapsed(), what));
    }

    /// The other end of the next stream to an address.
    pub(crate) async fn accept(&self, address: &str) -> Script<End> {
        let address = at(address);
        let stream = poll_fn(|cx| {
            let mut state = self.state.borrow_mut();
            match state.streams.get_mut(&address).and_then(VecDeque::pop_front) {
                Some(stream) => Poll::Ready(stream),
                None => {
                    state.accepting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        });
        Script::new(stream.await, Side::Server)
    }

    /// Plays a server at this address that accepts, and then waits. Gives its request.
    pub(crate) fn serve(&self, world: &mut World, address: &'static str) -> Rc<RefCell<String>> {
        let seen = Rc::<RefCell<String>>::default();
        let (network, request) = (self.clone(), seen.clone());
        world.spawn(format!("server at {address}"), async move {
            let mut script = network.accept(address).await;
            *request.borrow_mut() = answer(&mut script).await;
            pending::<()>().await;
        });
        seen
    }

    /// Connects, and says when that was over.
    pub(crate) fn connect(
        &self,
        world: &mut World,
        client: Client,
        request: impl Into<Request>,
    ) -> (Result<(Socket, http::Response<()>), Error>, Duration) {
        let (dial, request) = (self.clone(), request.into());
        let clock = self.clock.clone();
        world.block_on(async move {
            let outcome = opening::connect(&dial, &client, request).await;
            (outcome, clock.elapsed())
        })
    }
}

/// Waits for this time of the clock that stands still.
pub(crate) async fn wait(clock: &Clock, time: Duration) {
    let mut timer = clock.timer();
    let until = timer.now() + time;
    poll_fn(|cx| timer.poll_until(cx, until)).await;
}

/// Reads a request and accepts it.
pub(crate) async fn answer(script: &mut Script<End>) -> String {
    let request = script.read_head().await;
    accept(script, &request).await;
    request
}

/// Accepts a request that was read.
pub(crate) async fn accept(script: &mut Script<End>, request: &str) {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    script.send(script::response(key.expect("a key"), "")).await;
}

pub(crate) fn at(address: &str) -> SocketAddr {
    address.parse().expect("an address")
}

impl Dial for Network {
    /// Whose certificate it is.
    type Tls = String;
    type Transport = End;
    type Timer = ClockTimer;

    fn timer(&self) -> ClockTimer {
        self.clock.timer()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        self.note(format!("look up {host}:{port}"));
        let found = self.state.borrow().names.get(host).cloned();
        match found {
            Some(addresses) => Ok(addresses),
            None if host == "silent.example" => pending().await,
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
        }
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<End> {
        self.note(format!("connect {address}"));
        let (time, outcome) = match self.state.borrow().hosts.get(&address) {
            Some(Host::Fails(time, kind)) => (*time, Err(io::Error::from(*kind))),
            Some(Host::Listens(time)) => (*time, Ok(())),
            Some(Host::Silent) | None => (Duration::MAX, Ok(())),
        };
        if time == Duration::MAX {
            pending::<Never>().await;
        }
        if !time.is_zero() {
            wait(&self.clock, time).await;
        }
        outcome?;
        let (near, far) = link(&self.clock, Conditions::default(), Conditions::default());
        let mut state = self.state.borrow_mut();
        state.streams.entry(address).or_default().push_back(far);
        state.accepting.drain(..).for_each(Waker::wake);
        drop(state);
        Ok(near)
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<String>, Error> {
        Ok(uri.is_secure().then(|| uri.host().to_owned()))
    }

    async fn secure(&self, name: String, stream: End) -> io::Result<End> {
        self.note(format!("TLS {name}"));
        let takes = self.state.borrow().tls;
        if let Some(time) = takes {
            wait(&self.clock, time).await;
        }
        Ok(stream)
    }
}
