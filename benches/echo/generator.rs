//! The clients: many connections on one thread, which costs less than any server does.
//!
//! What they send was made before: whole frames, written from one buffer. What they receive is counted
//! and dropped by the kernel (`MSG_TRUNC`), after one answer of each connection was compared.

use core::net::SocketAddr;
use core::time::Duration;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    os::fd::OwnedFd,
    time::Instant,
};

use hybi_benches::by_hand;
use hybi_frame::{MaskingKey, Opcode, Rsv, encode_frame};
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    net::{RecvFlags, recv},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// A server that says nothing for so long never will.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// What a connection sends, again and again, and gets for it.
pub(crate) struct Load {
    raw: bool,
    in_flight: usize,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// The request, one more time than may be under way: wherever a write stopped, all that may
    /// follow lies behind it.
    requests: Vec<u8>,
}

impl Load {
    /// Messages of `len` bytes; `raw` for a server that sends back what it gets as it is.
    pub(crate) fn new(raw: bool, len: usize, in_flight: usize) -> Self {
        let payload: Vec<u8> = (0..len).map(|at| b'a' + (at % 26) as u8).collect();
        let frame = |key| {
            let mut bytes = Vec::new();
            encode_frame(&mut bytes, true, Rsv::NONE, Opcode::Binary, &payload, key);
            bytes
        };
        let request = frame(Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d])));
        let answer = if raw { request.clone() } else { frame(None) };
        let requests = request.repeat(in_flight + 1);
        Self { raw, in_flight, request, answer, requests }
    }
}

/// Open connections to one server.
pub(crate) struct Clients<'a> {
    load: &'a Load,
    connections: Vec<Connection>,
    epoll: OwnedFd,
    /// Never written to.
    sink: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// Where in a request the next write begins.
    at: usize,
    /// Bytes that may be written now.
    owed: usize,
    /// Bytes received of answers that are not whole.
    part: usize,
}

/// What came of a turn.
pub(crate) struct Turn {
    pub(crate) messages: usize,
    pub(crate) elapsed: Duration,
}

impl<'a> Clients<'a> {
    /// Opens connections, each of which gets the right answer to one message.
    pub(crate) fn open(server: SocketAddr, connections: usize, load: &'a Load) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll instance");
        let connect = |at| {
            let mut stream = if load.raw {
                TcpStream::connect(server).expect("the server")
            } else {
                by_hand::open(&server.to_string(), "").0
            };
            stream.set_nodelay(true).expect("an option of TCP");
            stream.write_all(&load.request).expect("a server that reads");
            let mut answer = vec![0; load.answer.len()];
            stream.read_exact(&mut answer).expect("a server that answers");
            assert!(answer == load.answer, "an answer that differs from what was sent");
            stream.set_nonblocking(true).expect("a mode of sockets");
            let edges = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            let number = epoll::EventData::new_u64(at as u64);
            epoll::add(&epoll, &stream, number, edges).expect("room for it");
            Connection { stream, at: 0, owed: 0, part: 0 }
        };
        let connections = (0..connections).map(connect).collect();
        Self { load, connections, epoll, sink: vec![0; 1 << 20] }
    }

    /// Keeps as many messages in flight as the load says for so long, then waits for the answers
    /// that lack.
    pub(crate) fn turn(&mut self, time: Duration) -> Turn {
        let start = Instant::now();
        let in_flight = self.load.in_flight;
        let (mut messages, mut waiting) = (0, in_flight * self.connections.len());
        for connection in &mut self.connections {
            connection.send(self.load, in_flight).expect("a server that reads");
        }
        let mut events = Vec::with_capacity(self.connections.len());
        while waiting > 0 {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&PATIENCE))
                .expect("an epoll instance");
            assert!(!events.is_empty(), "{waiting} answers did not come");
            let more = start.elapsed() < time;
            for event in &events {
                let connection = &mut self.connections[event.data.u64() as usize];
                let answers =
                    connection.receive(self.load, &mut self.sink).expect("a server that answers");
                messages += answers;
                let next = if more { answers } else { 0 };
                waiting -= answers - next;
                connection.send(self.load, next).expect("a server that reads");
            }
        }
        Turn { messages, elapsed: start.elapsed() }
    }
}

impl Connection {
    /// Takes what is there; how many answers that completed.
    fn receive(&mut self, load: &Load, sink: &mut [u8]) -> io::Result<usize> {
        match recv(&self.stream, &mut *sink, RecvFlags::TRUNC) {
            Ok((_, 0)) => return Err(ErrorKind::UnexpectedEof.into()),
            // Less than was asked for is all there is, and what comes later is an event of its own.
            Ok((_, len)) => self.part += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        let answers = self.part / load.answer.len();
        self.part %= load.answer.len();
        Ok(answers)
    }

    /// Sends so many messages more, as far as the kernel takes them.
    fn send(&mut self, load: &Load, messages: usize) -> io::Result<()> {
        self.owed += messages * load.request.len();
        while self.owed > 0 {
            match (&self.stream).write(&load.requests[self.at..self.at + self.owed]) {
                Ok(len) => {
                    self.owed -= len;
                    self.at = (self.at + len) % load.request.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Servers run there.
pub(crate) fn pin_to_first_core() {
    pin(|cores| cores.next());
}

/// Clients run there.
pub(crate) fn pin_to_last_core() {
    pin(|cores| cores.last());
}

/// Keeps this thread on one of its cores, where the system lets it choose.
fn pin(choose: impl FnOnce(&mut dyn Iterator<Item = usize>) -> Option<usize>) {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    if let Some(core) = choose(&mut cores) {
        let mut only = CpuSet::new();
        only.set(core);
        let _ = sched_setaffinity(None, &only);
    }
}
