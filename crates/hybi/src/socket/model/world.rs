//! What the halves stand on in the model: a transport and a timer that remember one waker each way, and a
//! peer.
//!
//! They promise no more than a poll does. Each call replaces the waker of the one before, also one that has
//! its answer at once and leaves none. And nobody is woken at the very moment that something can go on, but
//! when the reactor comes to it, and only if nobody took it meanwhile.

use core::{
    future::poll_fn,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
    time::Instant,
};

use hybi_frame::Role;
use shuttle::{
    future::block_on,
    sync::{Mutex, mpsc},
    thread,
};

use crate::{
    connection::{Config, Connection, Message, Negotiated, State},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// How many bytes may be on their way in each direction: fewer than a message has.
pub(super) const CAPACITY: usize = 16;

/// Asks now and then whether somebody who waits can go on.
#[derive(Clone)]
struct Reactor(mpsc::Sender<Box<dyn FnOnce() -> Option<Waker> + Send>>);

impl Reactor {
    fn new() -> Self {
        let (sender, asked) = mpsc::channel::<Box<dyn FnOnce() -> Option<Waker> + Send>>();
        thread::spawn(move || {
            while let Ok(ask) = asked.recv() {
                if let Some(waker) = ask() {
                    waker.wake();
                }
            }
        });
        Self(sender)
    }

    /// Wakes, at some time, whom `ask` finds then.
    fn wake_later<T: Send + 'static>(
        &self,
        shared: &Arc<Mutex<T>>,
        ask: impl FnOnce(&mut T) -> Option<Waker> + Send + 'static,
    ) {
        let shared = shared.clone();
        let ask = move || ask(&mut shared.lock().expect("no panic"));
        self.0.send(Box::new(ask)).expect("it ends with the last of us");
    }
}

/// One direction, of which both ends hold a share.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    end: PipeEnd,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PipeEnd {
    #[default]
    Open,
    /// Its writer ended it.
    Ended,
    /// Its reader is gone.
    Broken,
}

/// An end of a link.
pub(super) struct End {
    input: Arc<Mutex<Pipe>>,
    output: Arc<Mutex<Pipe>>,
    reactor: Reactor,
}

fn link(reactor: &Reactor) -> [End; 2] {
    let pipes = [0, 1].map(|_| Arc::new(Mutex::new(Pipe::default())));
    [(0, 1), (1, 0)].map(|(input, output)| End {
        input: pipes[input].clone(),
        output: pipes[output].clone(),
        reactor: reactor.clone(),
    })
}

impl Pipe {
    fn can_be_read(&self) -> bool {
        self.end == PipeEnd::Ended || !self.bytes.is_empty()
    }

    fn room(&self) -> usize {
        CAPACITY - self.bytes.len()
    }

    fn whom_to_read(&mut self) -> Option<Waker> {
        if self.can_be_read() { self.reader.take() } else { None }
    }

    fn whom_to_write(&mut self) -> Option<Waker> {
        let can_go_on = self.room() > 0 || self.end == PipeEnd::Broken;
        if can_go_on { self.writer.take() } else { None }
    }
}

impl Transport for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.input.lock().expect("no panic");
        pipe.reader = None;
        if !pipe.can_be_read() {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = chunk.len().min(pipe.bytes.len());
        chunk.iter_mut().zip(pipe.bytes.drain(..len)).for_each(|(place, byte)| *place = byte);
        drop(pipe);
        self.reactor.wake_later(&self.input, Pipe::whom_to_write);
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.output.lock().expect("no panic");
        pipe.writer = None;
        if pipe.end == PipeEnd::Broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = pipe.room();
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(slices.iter().flat_map(|slice| slice.iter().copied()).take(room));
        let len = room - pipe.room();
        drop(pipe);
        self.reactor.wake_later(&self.output, Pipe::whom_to_read);
        Poll::Ready(Ok(len))
    }

    /// Waits until the peer has read everything.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.output.lock().expect("no panic");
        pipe.writer = None;
        if pipe.end == PipeEnd::Broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if pipe.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        pipe.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.lock().expect("no panic").end = PipeEnd::Ended;
        self.reactor.wake_later(&self.output, Pipe::whom_to_read);
        Poll::Ready(Ok(()))
    }
}

/// A clock that stands still until it is advanced, and its one timer.
#[derive(Clone)]
pub(super) struct Clock {
    time: Arc<Mutex<Time>>,
    reactor: Reactor,
}

struct Time {
    now: Instant,
    waiting: Option<(Instant, Waker)>,
}

impl Clock {
    fn new(reactor: Reactor) -> Self {
        let time = Time { now: Instant::now(), waiting: None };
        Self { time: Arc::new(Mutex::new(time)), reactor }
    }

    /// Lets time pass.
    pub(super) fn advance(&self, time: Duration) {
        self.time.lock().expect("no panic").now += time;
        self.reactor.wake_later(&self.time, |Time { now, waiting }| {
            waiting.take_if(|(deadline, _)| deadline <= now).map(|(_, waker)| waker)
        });
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        self.time.lock().expect("no panic").now
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let mut clock = self.time.lock().expect("no panic");
        if deadline <= clock.now {
            clock.waiting = None;
            return Poll::Ready(());
        }
        clock.waiting = Some((deadline, cx.waker().clone()));
        Poll::Pending
    }
}

/// The other end, which the thread of the test plays.
pub(super) struct Peer {
    connection: Connection,
    end: End,
    output: Vec<u8>,
    /// The messages and control frames that came.
    pub(super) events: Vec<Message>,
    sees_end: bool,
}

/// A server, the clock it goes by, and its peer.
pub(super) fn world(config: Config) -> (WebSocket<End, Clock>, Clock, Peer) {
    let reactor = Reactor::new();
    let [near, far] = link(&reactor);
    let clock = Clock::new(reactor);
    let connection =
        |role, config: Config| Connection::new(role, Negotiated::default(), Arc::new(config));
    let ws = WebSocket::new(connection(Role::Server, config), near, clock.clone());
    let peer = Peer {
        connection: connection(Role::Client, Config::default()),
        end: far,
        output: Vec::new(),
        events: Vec::new(),
        sees_end: false,
    };
    (ws, clock, peer)
}

impl Peer {
    pub(super) fn queue(&mut self, message: impl Into<Message>) {
        self.connection.queue(message.into()).expect("open");
    }

    /// Sends what is queued and receives, until `done`.
    pub(super) fn go_on_until(&mut self, done: impl Fn(&Self) -> bool) {
        block_on(poll_fn(|cx| {
            loop {
                let moved = self.write(cx) | self.read(cx);
                if done(self) {
                    return Poll::Ready(());
                }
                if !moved {
                    return Poll::Pending;
                }
            }
        }));
    }

    /// Sends what is queued, and reads nothing.
    pub(super) fn send_all(&mut self) {
        block_on(poll_fn(|cx| {
            while self.write(cx) {}
            if self.output.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    /// Reads once, as much as may be on its way.
    pub(super) fn read_once(&mut self) {
        block_on(poll_fn(|cx| if self.read(cx) { Poll::Ready(()) } else { Poll::Pending }));
    }

    /// Takes nothing any more.
    pub(super) fn break_off(&self) {
        self.end.input.lock().expect("no panic").end = PipeEnd::Broken;
        self.end.reactor.wake_later(&self.end.input, Pipe::whom_to_write);
    }

    /// Ends its direction without a word.
    pub(super) fn end_input(self) {
        self.end.output.lock().expect("no panic").end = PipeEnd::Ended;
        self.end.reactor.wake_later(&self.end.output, Pipe::whom_to_read);
    }

    /// Goes on until the connection is over.
    pub(super) fn finish(&mut self) {
        self.go_on_until(|peer| peer.connection.state() == State::Closed && peer.sees_end);
    }

    /// The texts that came and begin with `prefix`, in order.
    pub(super) fn texts(&self, prefix: char) -> Vec<&str> {
        let texts = self.events.iter().filter_map(Message::as_text);
        texts.filter(|text| text.starts_with(prefix)).collect()
    }

    /// Whether anything could be written.
    fn write(&mut self, cx: &mut Context<'_>) -> bool {
        self.output.append(&mut self.connection.transmit_to_vec());
        if self.output.is_empty() {
            if self.connection.wants_shutdown() {
                let _ = self.end.poll_shutdown(cx);
                self.connection.shutdown_done();
            }
            return false;
        }
        let Poll::Ready(Ok(len)) = self.end.poll_write(cx, &[IoSlice::new(&self.output)]) else {
            return false;
        };
        self.output.drain(..len);
        true
    }

    /// Whether there was anything to read.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        let mut chunk = [0; CAPACITY];
        if self.sees_end {
            return false;
        }
        let Poll::Ready(Ok(len)) = self.end.poll_read(cx, &mut chunk) else { return false };
        if len == 0 {
            self.sees_end = true;
            self.connection.handle_eof();
        }
        let mut at = 0;
        while at < len {
            let (consumed, event) = self.connection.handle_input(&mut chunk[at..len]);
            self.events.extend(event.map(Message::from));
            at += consumed;
        }
        true
    }
}
