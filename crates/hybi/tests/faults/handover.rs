//! One half does what the other waits for: that one is woken, although the transport and the timer
//! remember who asked last, and the peer may read at any moment.

use core::{
    cell::Cell,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use std::{
    io::{self, IoSlice},
    rc::Rc,
};

use futures_util::{
    Sink as _, SinkExt as _, Stream as _, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hybi::{Error, Message, Role, Version, WebSocket, io::Transport};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Far, Manners, link},
        tasks::Task,
    },
    world::{connection, everyone, quiet, wire},
};

/// A transport whose peer reads all there is right behind a write or flush that was pending, while
/// whoever asked is still being polled. Sockets of runtimes with several threads are like this.
struct Eager {
    end: End,
    far: Rc<Far>,
    /// After the next operation that is pending.
    reads: Rc<Cell<bool>>,
}

impl Eager {
    fn then_read<R>(&self, polled: Poll<R>) -> Poll<R> {
        if polled.is_pending() && self.reads.take() {
            self.far.take(usize::MAX);
            self.far.hold_flush(false);
        }
        polled
    }
}

impl Transport for Eager {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.end.poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.end.poll_write(cx, slices);
        self.then_read(polled)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.end.poll_flush(cx);
        self.then_read(polled)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.poll_shutdown(cx)
    }
}

type Socket = WebSocket<Eager, ClockTimer>;

/// Halves on two tasks, over a transport with room for so many bytes.
struct Halves {
    far: Rc<Far>,
    reads: Rc<Cell<bool>>,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    writer: Task,
    reader: Task,
}

impl Halves {
    fn new(role: Role, version: Version, capacity: usize) -> Self {
        let (end, far) = link(Manners { capacity, ..Manners::PLAIN });
        let (far, reads) = (Rc::new(far), Rc::new(Cell::new(false)));
        let own = connection(role, version, quiet());
        let eager = Eager { end, far: far.clone(), reads: reads.clone() };
        let socket = WebSocket::new(own, eager, Clock::new().timer());
        let (sink, stream) = StreamExt::split(socket);
        Self { far, reads, sink, stream, writer: Task::new(), reader: Task::new() }
    }

    fn feed(&mut self, message: &str) {
        let fed = self.writer.poll(pin!(self.sink.feed(message.into())));
        assert!(matches!(fed, Poll::Ready(Ok(()))), "{fed:?}");
    }

    fn poll_flush(&mut self) -> Poll<Result<(), Error>> {
        let sink = &mut self.sink;
        self.writer.poll(pin!(core::future::poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx))))
    }

    fn poll_next(&mut self) -> Poll<Option<Result<Message, Error>>> {
        let stream = &mut self.stream;
        self.reader.poll(pin!(core::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx))))
    }

    /// Both wait, and nobody was woken since.
    fn both_wait(&mut self) {
        // Each may wake the other once: whoever is woken is polled.
        for _ in 0..3 {
            assert!(self.poll_next().is_pending());
            assert!(self.poll_flush().is_pending());
        }
        let _ = (self.reader.wakes(), self.writer.wakes());
    }
}

/// All of it leaves while the receiving half is polled for a reason of its own.
#[test]
fn the_writer_is_woken_when_the_reader_has_written_everything() {
    for (role, version) in everyone() {
        for held in [false, true] {
            let what = format!("{role:?} {version:?}, a held flush: {held}");
            let mut halves = Halves::new(role, version, if held { 1_000 } else { 30 });
            halves.far.hold_flush(held);
            // Thirty bytes do not take it whole, and twice thirty do.
            halves.feed(&"x".repeat(40));
            halves.both_wait();
            halves.reads.set(true);
            assert!(halves.poll_next().is_pending(), "{what}");
            assert!(!halves.reads.get(), "{what}: it tried to write");
            // Whoever was woken is polled, and so on until all sleep.
            for _ in 0..10 {
                if halves.reader.wakes() > 0 {
                    assert!(halves.poll_next().is_pending(), "{what}");
                }
            }
            assert!(
                halves.writer.wakes() > 0,
                "{what}: nothing is left to be written, and it sleeps"
            );
            assert!(matches!(halves.poll_flush(), Poll::Ready(Ok(()))), "{what}");
        }
    }
}

/// The last of it leaves while the sending half is polled: the end of the transport is next.
#[test]
fn the_reader_is_woken_when_the_writer_has_written_everything() {
    for (_, version) in everyone().filter(|(role, version)| {
        // A server ends the transport, which is what its reader waits to do.
        *role == Role::Server && *version != Version::HIXIE_75
    }) {
        let what = format!("{version:?}");
        let mut halves = Halves::new(Role::Server, version, 30);
        halves.feed(&"x".repeat(40));
        halves.both_wait();
        halves.far.put(&wire(Role::Server, version, [Message::Close(None)]));
        assert!(halves.poll_next().is_pending(), "{what}");
        let _ = (halves.reader.wakes(), halves.writer.wakes());
        halves.reads.set(true);
        let _ = halves.poll_flush();
        for _ in 0..10 {
            if halves.writer.wakes() > 0 {
                let _ = halves.poll_flush();
            }
            halves.far.take(usize::MAX);
            if halves.reader.wakes() > 0 {
                let _ = halves.poll_next();
            }
        }
        assert!(halves.far.sees_end(), "{what}: all has left, and nobody ends the transport");
    }
}
