//! What the halves stand on in the model: a transport and a timer that remember one waker each way, and a
//! peer.

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
use shuttle::{future::block_on, sync::Mutex};

use crate::{
    connection::{Config, Connection, Message, Negotiated, State},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// How many bytes may be on their way in each direction: fewer than a message has.
const CAPACITY: usize = 12;

/// One direction, of which both ends hold a share.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// An end of a link.
#[derive(Debug)]
pub(super) struct End {
    input: Arc<Mutex<Pipe>>,
    output: Arc<Mutex<Pipe>>,
}

fn link() -> [End; 2] {
    let pipe = || Arc::new(Mutex::new(Pipe::default()));
    let (up, down) = (pipe(), pipe());
    [End { input: down.clone(), output: up.clone() }, End { input: up, output: down }]
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Transport for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.input.lock().expect("no panic");
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = chunk.len().min(pipe.bytes.len());
        chunk.iter_mut().zip(pipe.bytes.drain(..len)).for_each(|(place, byte)| *place = byte);
        let writer = pipe.writer.take();
        drop(pipe);
        wake(writer);
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.output.lock().expect("no panic");
        let room = CAPACITY - pipe.bytes.len();
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = pipe.bytes.len();
        pipe.bytes.extend(slices.iter().flat_map(|slice| slice.iter().copied()).take(room));
        let (len, reader) = (pipe.bytes.len() - before, pipe.reader.take());
        drop(pipe);
        wake(reader);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.output.lock().expect("no panic");
        pipe.ended = true;
        let reader = pipe.reader.take();
        drop(pipe);
        wake(reader);
        Poll::Ready(Ok(()))
    }
}

/// A clock that stands still until it is advanced, and its one timer.
#[derive(Clone, Debug)]
pub(super) struct Clock(Arc<Mutex<Time>>);

#[derive(Debug)]
struct Time {
    now: Instant,
    waiting: Option<(Instant, Waker)>,
}

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Time { now: Instant::now(), waiting: None })))
    }

    /// Lets time pass.
    pub(super) fn advance(&self, time: Duration) {
        let mut clock = self.0.lock().expect("no panic");
        clock.now += time;
        let now = clock.now;
        let due = clock.waiting.take_if(|(deadline, _)| *deadline <= now);
        drop(clock);
        wake(due.map(|(_, waker)| waker));
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        self.0.lock().expect("no panic").now
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let mut clock = self.0.lock().expect("no panic");
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
    let [near, far] = link();
    let clock = Clock::new();
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
