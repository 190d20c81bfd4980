//! The world of these tests: a listener whose streams are links, tasks without a runtime, and clients.

use core::{
    cell::RefCell,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::Pin,
    task::{Poll, Waker},
    time::Duration,
};
use std::{
    collections::VecDeque,
    io,
    rc::Rc,
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use hybi::{
    Client, Error, Server, WebSocket,
    io::Timer as _,
    opening,
    serve::{Accept, Arrival, Drained, Handle, Incident, Opened, Outcome, Serving},
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    link::{Conditions, End, link},
    script::Script,
    wire::Side,
    world::World,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;
pub(crate) type Site = Serving<Listener>;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A request as a client of version 13 sends it.
pub(crate) const REQUEST: &str = "GET /garden HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(crate) type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<End>>> + Send>>;

/// Where clients connect to, as the test sees it.
#[derive(Clone)]
pub(crate) struct Port {
    queue: Arc<Mutex<Queue>>,
    clock: Clock,
}

#[derive(Default)]
struct Queue {
    streams: VecDeque<Arrival<Opening>>,
    /// What comes before them, and how often; each is one accept.
    failures: VecDeque<i32>,
    failed: usize,
    waker: Option<Waker>,
    is_closed: bool,
}

impl Port {
    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let waker = {
            let mut queue = self.queue.lock().expect("no panic");
            change(&mut queue);
            queue.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// A link whose other end the server is to accept.
    pub(crate) fn connect(&self, from: SocketAddr) -> End {
        self.connect_by(Conditions::default(), from)
    }

    pub(crate) fn connect_by(&self, conditions: Conditions, from: SocketAddr) -> End {
        self.connect_as(conditions, |opening| Arrival::new(opening).of(from))
    }

    /// The same as a listener of its own has it.
    pub(crate) fn connect_as(
        &self,
        conditions: Conditions,
        arrive: impl FnOnce(Opening) -> Arrival<Opening>,
    ) -> End {
        let (near, far) = link(&self.clock, conditions, conditions);
        self.change(|queue| queue.streams.push_back(arrive(Box::pin(async { Ok(far.into()) }))));
        near
    }

    /// A stream whose TLS never comes to an end.
    pub(crate) fn connect_without_end(&self, from: SocketAddr) {
        let never: Opening = Box::pin(core::future::pending());
        self.change(|queue| queue.streams.push_back(Arrival::new(never).of(from)));
    }

    /// The next accepts fail with these numbers of the system.
    pub(crate) fn fail(&self, errors: impl IntoIterator<Item = i32>) {
        self.change(|queue| queue.failures.extend(errors));
    }

    /// How many accepts have failed.
    pub(crate) fn failed(&self) -> usize {
        self.queue.lock().expect("no panic").failed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().expect("no panic").is_closed
    }
}

/// The server's end of it.
pub(crate) struct Listener {
    port: Port,
    tasks: Arc<Mutex<(Vec<Task>, Option<Waker>)>>,
}

impl Listener {
    pub(crate) fn clock(&self) -> Clock {
        self.port.clock.clone()
    }
}

impl Accept for Listener {
    type Transport = End;
    type Timer = ClockTimer;
    type Opening = Opening;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        poll_fn(|cx| {
            let mut queue = self.port.queue.lock().expect("no panic");
            if let Some(error) = queue.failures.pop_front() {
                queue.failed += 1;
                return Poll::Ready(Err(io::Error::from_raw_os_error(error)));
            }
            if let Some(arrival) = queue.streams.pop_front() {
                return Poll::Ready(Ok(arrival));
            }
            queue.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().expect("no panic");
        tasks.0.push(Box::pin(task));
        tasks.1.take().into_iter().for_each(Waker::wake);
    }

    fn timer(&self) -> ClockTimer {
        self.port.clock.timer()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.port.change(|queue| queue.is_closed = true);
    }
}

/// A server at work, and the clients that come.
pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) port: Port,
    pub(crate) handle: Handle,
    pub(crate) report: Rc<RefCell<Option<(Duration, Drained)>>>,
    pub(crate) incidents: Arc<Mutex<Vec<String>>>,
    serving: Rc<RefCell<Option<Site>>>,
}

impl Town {
    pub(crate) fn new(make: impl FnOnce(Listener) -> Site) -> Self {
        Self::heard_by(make, |incident| incident.to_string())
    }

    /// The same with other words for what happens.
    pub(crate) fn heard_by(
        make: impl FnOnce(Listener) -> Site,
        say: impl Fn(&Incident<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        let mut world = World::new();
        let port = Port { queue: Arc::default(), clock: world.clock().clone() };
        let tasks: Arc<Mutex<(Vec<Task>, Option<Waker>)>> = Arc::default();
        let listener = Listener { port: port.clone(), tasks: tasks.clone() };
        let incidents = Arc::<Mutex<Vec<String>>>::default();
        let told = incidents.clone();
        let serving = make(listener).on_incident(move |incident| {
            told.lock().expect("no panic").push(say(incident));
        });
        let handle = serving.handle();
        let serving = Rc::new(RefCell::new(Some(serving)));
        let report = Rc::new(RefCell::new(None));

        let (place, at, clock) = (report.clone(), serving.clone(), world.clock().clone());
        world.spawn("server", async move {
            let drained = poll_fn(|cx| match &mut *at.borrow_mut() {
                Some(serving) => Pin::new(serving).poll(cx).map(Some),
                None => Poll::Ready(None),
            });
            if let Some(drained) = drained.await {
                *place.borrow_mut() = Some((clock.elapsed(), drained));
            }
        });
        let mut running = FuturesUnordered::new();
        let over = report.clone();
        world.spawn("tasks", async move {
            poll_fn(|cx| {
                loop {
                    {
                        let mut tasks = tasks.lock().expect("no panic");
                        running.extend(tasks.0.drain(..));
                        tasks.1 = Some(cx.waker().clone());
                    }
                    match running.poll_next_unpin(cx) {
                        Poll::Ready(Some(())) => {}
                        Poll::Ready(None) if over.borrow().is_some() => return Poll::Ready(()),
                        _ => return Poll::Pending,
                    }
                }
            })
            .await;
        });
        Self { world, port, handle, report, incidents, serving }
    }

    pub(crate) fn serve<F, R>(
        handler: impl Fn(Socket) -> F + Send + Sync + 'static,
        change: impl FnOnce(Site) -> Site,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        Self::new(|listener| change(Serving::new(listener, Server::default(), handler)))
    }

    /// Lets everybody do what they can, and then time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        let timer = self.world.clock().timer();
        self.world.block_on(wait(timer, time));
    }

    /// Lets everybody do what they can at this moment.
    pub(crate) fn settle(&mut self) {
        self.wait(Duration::ZERO);
        self.world.block_on(async {
            for _ in 0..200 {
                hybi_testkit::world::pause().await;
            }
        });
    }

    /// A client that is connected.
    pub(crate) fn client(&mut self, from: SocketAddr) -> Result<Socket, Error> {
        let (stream, timer) = (self.port.connect(from), self.world.clock().timer());
        self.world.block_on(open(stream, timer))
    }

    /// What the server answers to these bytes: status line and fields.
    pub(crate) fn ask(&mut self, from: SocketAddr, request: &'static str) -> String {
        let stream = self.port.connect(from);
        self.world.block_on(async move {
            let mut script = Script::new(stream, Side::Client);
            script.send(request).await;
            script.read_head().await
        })
    }

    /// Drops the server.
    pub(crate) fn abandon(&self) {
        drop(self.serving.borrow_mut().take());
    }

    pub(crate) fn incidents(&self) -> Vec<String> {
        self.incidents.lock().expect("no panic").clone()
    }

    /// The report, once it is there, and when it came.
    pub(crate) fn report(&mut self) -> (Duration, Drained) {
        let report = self.report.clone();
        let timer = self.world.clock().timer();
        self.world.block_on(async move {
            let mut timer = timer;
            for _ in 0..100_000 {
                if let Some(report) = report.borrow().clone() {
                    return report;
                }
                let next = timer.now() + Duration::from_millis(1);
                poll_fn(|cx| timer.poll_until(cx, next)).await;
            }
            panic!("no report");
        })
    }
}

pub(crate) async fn open(stream: End, timer: ClockTimer) -> Result<Socket, Error> {
    let client = Client::default();
    let deadline = timer.now() + 60 * SECOND;
    let uri = "ws://example.org/garden";
    Ok(opening::connect_on(&client, uri, stream, timer, deadline).await?.0)
}

pub(crate) async fn wait(mut timer: ClockTimer, time: Duration) {
    let until = timer.now() + time;
    poll_fn(|cx| timer.poll_until(cx, until)).await;
}

/// The address of the n-th peer.
pub(crate) fn peer(n: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 1000 + n))
}

pub(crate) async fn echo(mut ws: Socket) -> Result<(), Error> {
    while let Some(message) = ws.recv().await? {
        ws.feed(message).await?;
    }
    Ok(())
}
