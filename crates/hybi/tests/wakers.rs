//! Two tasks on one connection: whatever one of them waits for, it is woken, although the other
//! polled last and everything underneath remembers one waker only.

mod support;

use core::{
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use futures_util::{
    Sink, SinkExt, Stream, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hybi::{Config, Deadline, Error, Message, Role, State, WebSocket};
use support::{
    clock::{Clock, ClockTimer},
    link::{End, Far, Manners, link},
    peer::{Peer, connection_with},
    tasks::Task,
};

type Socket = WebSocket<End, ClockTimer>;

const SECOND: Duration = Duration::from_secs(1);

/// A server whose transport takes ten bytes at a time, split into halves on two tasks.
struct World {
    clock: Clock,
    far: Far,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    writer: Task,
    reader: Task,
}

impl World {
    fn new(config: Config) -> Self {
        let clock = Clock::new();
        let (end, far) = link(Manners { capacity: 10, ..Manners::PLAIN });
        let socket = WebSocket::new(connection_with(Role::Server, config), end, clock.timer());
        let (sink, stream) = StreamExt::split(socket);
        Self { clock, far, sink, stream, writer: Task::new(), reader: Task::new() }
    }

    fn poll_next(&mut self) -> Poll<Option<Result<Message, Error>>> {
        let stream = &mut self.stream;
        self.reader.poll(pin!(core::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx))))
    }

    fn poll_flush(&mut self) -> Poll<Result<(), Error>> {
        let sink = &mut self.sink;
        self.writer.poll(pin!(core::future::poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx))))
    }

    /// Queues a message of which most cannot be written yet.
    fn queue(&mut self) {
        let message = Message::text("more than ten bytes");
        let queued = self.writer.poll(pin!(self.sink.feed(message)));
        assert!(matches!(queued, Poll::Ready(Ok(()))), "{queued:?}");
    }

    /// Both wait, and `last` polled last; nobody was woken since.
    fn both_wait(&mut self, last: Last) {
        for _ in 0..2 {
            match last {
                Last::Reader => {
                    assert!(self.poll_flush().is_pending());
                    assert!(self.poll_next().is_pending());
                }
                Last::Writer => {
                    assert!(self.poll_next().is_pending());
                    assert!(self.poll_flush().is_pending());
                }
            }
        }
        let _ = (self.reader.wakes(), self.writer.wakes());
    }
}

#[derive(Clone, Copy, Debug)]
enum Last {
    Reader,
    Writer,
}

const ORDERS: [Last; 2] = [Last::Reader, Last::Writer];

fn no_pings() -> Config {
    Config::default().ping_interval(None)
}

#[test]
fn the_writer_is_woken_when_the_transport_takes_bytes() {
    for last in ORDERS {
        let mut world = World::new(Config::default());
        world.queue();
        world.both_wait(last);
        assert_eq!(world.far.take(10).len(), 10);
        assert!(world.writer.wakes() > 0, "{last:?} polled last");

        // And again, after one of them alone has gone on.
        assert!(world.poll_flush().is_pending());
        assert!(world.poll_next().is_pending());
        let _ = world.writer.wakes();
        assert_eq!(world.far.take(10).len(), 10);
        assert!(world.writer.wakes() > 0, "{last:?} polled last");
        assert!(matches!(world.poll_flush(), Poll::Ready(Ok(()))));
    }
}

#[test]
fn the_writer_is_woken_when_a_held_flush_is_done() {
    for last in ORDERS {
        let mut world = World::new(Config::default());
        world.far.hold_flush(true);
        let queued = world.writer.poll(pin!(world.sink.feed(Message::text("short"))));
        assert!(matches!(queued, Poll::Ready(Ok(()))));
        world.both_wait(last);
        world.far.hold_flush(false);
        assert!(world.writer.wakes() > 0, "{last:?} polled last");
        assert!(matches!(world.poll_flush(), Poll::Ready(Ok(()))));
    }
}

#[test]
fn the_reader_is_woken_when_bytes_come() {
    for last in ORDERS {
        let mut world = World::new(Config::default());
        world.queue();
        world.both_wait(last);
        world.far.put(b"\x81\x82\0\0\0\0hi");
        assert!(world.reader.wakes() > 0, "{last:?} polled last");
        let Poll::Ready(Some(Ok(message))) = world.poll_next() else { panic!("a message") };
        assert_eq!(message, Message::text("hi"));
    }
}

#[test]
fn the_reader_is_woken_when_a_deadline_passes() {
    for last in ORDERS {
        let config = no_pings().idle_timeout(Some(SECOND * 40)).write_timeout(None);
        let mut world = World::new(config);
        world.queue();
        world.both_wait(last);
        for _ in 0..4 {
            world.clock.advance(SECOND * 10);
            assert!(world.reader.wakes() > 0, "{last:?} polled last");
            assert!(world.poll_next().is_pending());
        }
        // It has given up: the Close frame waits behind the message, until that of the whole end.
        world.clock.advance(SECOND * 30);
        assert!(world.reader.wakes() > 0);
        let Poll::Ready(Some(Err(error))) = world.poll_next() else { panic!("an error") };
        assert!(error.is_timeout(), "{error}");
        assert!(world.writer.wakes() > 0, "the writer is told, too");
        let Poll::Ready(Err(told)) = world.poll_flush() else { panic!("an error") };
        assert_eq!(told.to_string(), error.to_string());
    }
}

#[test]
fn both_are_told_when_the_write_deadline_passes() {
    for last in ORDERS {
        for first in ORDERS {
            let mut world = World::new(no_pings().write_timeout(Some(SECOND * 30)));
            world.queue();
            world.both_wait(last);
            world.clock.advance(SECOND * 30);
            assert!(world.reader.wakes() > 0 && world.writer.wakes() > 0, "{last:?} polled last");
            for turn in [Some(first), None] {
                let reads = matches!((turn, first), (Some(Last::Reader), _) | (None, Last::Writer));
                let error = if reads {
                    let Poll::Ready(Some(Err(error))) = world.poll_next() else { panic!("told") };
                    error
                } else {
                    let Poll::Ready(Err(error)) = world.poll_flush() else { panic!("told") };
                    error
                };
                assert_eq!(error.to_string(), "the peer did not read for too long");
            }
        }
    }
}

#[test]
fn the_write_deadline_of_a_flush_that_hangs_passes_too() {
    let mut world = World::new(no_pings().write_timeout(Some(SECOND * 30)));
    world.far.hold_flush(true);
    let mut task = pin!(world.sink.send(Message::text("short")));
    assert!(world.writer.poll(task.as_mut()).is_pending());
    world.clock.advance(SECOND * 30);
    assert!(world.writer.wakes() > 0);
    let Poll::Ready(Err(error)) = world.writer.poll(task.as_mut()) else { panic!("an error") };
    assert!(error.is_timeout(), "{error}");
}

/// A flush that took its time has ended: the write deadline with it, and Pings are answered.
#[test]
fn nothing_is_blocked_after_a_slow_flush() {
    let mut world = World::new(no_pings().write_timeout(Some(SECOND * 30)));
    world.far.hold_flush(true);
    let queued = world.writer.poll(pin!(world.sink.feed(Message::text("short"))));
    assert!(matches!(queued, Poll::Ready(Ok(()))));
    world.both_wait(Last::Reader);
    world.far.put(b"\x89\x81\0\0\0\0?");
    assert!(world.poll_next().is_pending());
    assert_eq!(world.far.take(100), b"\x81\x05short", "the answer has to wait");
    world.far.hold_flush(false);
    assert!(world.reader.wakes() > 0, "woken to answer");
    assert!(world.poll_next().is_pending());
    assert_eq!(world.far.take(100), b"\x8a\x01?");
    world.far.put(b"\x89\x81\0\0\0\0!");
    assert!(world.poll_next().is_pending());
    assert_eq!(world.far.take(100), b"\x8a\x01!", "the next is answered at once");
    world.clock.advance(SECOND * 3_600);
    assert!(world.poll_next().is_pending(), "nothing waits, so no write deadline passes");
}

#[test]
fn a_writer_that_waits_is_told_when_the_transport_is_lost() {
    for last in ORDERS {
        let mut world = World::new(Config::default());
        world.queue();
        world.both_wait(last);
        world.far.end();
        assert!(world.reader.wakes() > 0);
        assert!(matches!(world.poll_next(), Poll::Ready(Some(Err(Error::Lost)))));
        assert!(world.writer.wakes() > 0, "{last:?} polled last");
        assert!(matches!(world.poll_flush(), Poll::Ready(Err(Error::Lost))));
    }
}

/// The closing handshake has a deadline that did not run before: the reader, which keeps it,
/// must hear of it.
#[test]
fn the_reader_is_woken_when_the_writer_closes() {
    let mut world = World::new(no_pings().close_timeout(SECOND * 5));
    assert!(world.poll_next().is_pending());
    let _ = world.reader.wakes();
    let closed = world.writer.poll(pin!(world.sink.close()));
    assert!(matches!(closed, Poll::Ready(Ok(()))), "{closed:?}");
    assert!(world.reader.wakes() > 0);
    assert!(world.poll_next().is_pending());
    assert_eq!(world.clock.next_deadline(), Some(world.clock.now() + SECOND * 5));
    assert_eq!(world.far.take(100), b"\x88\x02\x03\xe8");
    world.clock.advance(SECOND * 5);
    assert!(world.reader.wakes() > 0);
    let Poll::Ready(Some(Err(error))) = world.poll_next() else { panic!("no answer came") };
    assert!(matches!(error, Error::Timeout(Deadline::Close)), "{error}");
}

/// A peer that sends its Close frame, ends its half and does not read: the connection waits for
/// its deadline, and does not turn round and round in a single poll.
#[test]
fn a_peer_that_half_closes_and_does_not_read_costs_nothing() {
    let mut world = World::new(no_pings());
    world.queue();
    world.both_wait(Last::Reader);
    world.far.put(b"\x88\x80\0\0\0\0");
    world.far.end();
    for _ in 0..10 {
        assert!(world.poll_next().is_pending());
        let told = world.poll_flush();
        assert!(matches!(told, Poll::Ready(Err(Error::Closed))), "at once: {told:?}");
    }
    assert!(world.reader.wakes() <= 2, "pending without waking itself");
    world.clock.advance(SECOND * 30);
    assert!(world.reader.wakes() > 0);
    let Poll::Ready(Some(Err(error))) = world.poll_next() else { panic!("bytes were lost") };
    assert!(error.is_timeout(), "{error}");
}

/// A task hands its half over to another: that one is woken from then on.
#[test]
fn a_half_may_move_to_another_task() {
    for moved in ORDERS {
        for last in ORDERS {
            let mut world = World::new(no_pings().write_timeout(Some(SECOND * 30)));
            world.queue();
            world.both_wait(Last::Reader);
            match moved {
                Last::Reader => world.reader = Task::new(),
                Last::Writer => world.writer = Task::new(),
            }
            world.both_wait(last);
            world.clock.advance(SECOND * 30);
            assert!(world.reader.wakes() > 0, "{moved:?} moved, {last:?} polled last");
            assert!(world.writer.wakes() > 0, "{moved:?} moved, {last:?} polled last");
        }
    }
}

/// The sending half ends behind what was written, not before it was handed to the network.
#[test]
fn the_transport_is_ended_after_the_flush() {
    let mut world = World::new(no_pings());
    world.far.hold_flush(true);
    world.far.put(b"\x88\x80\0\0\0\0");
    assert!(world.poll_next().is_pending());
    assert_eq!(world.far.take(100), b"\x88\x00");
    assert!(!world.far.sees_end());
    world.far.hold_flush(false);
    assert!(world.reader.wakes() > 0);
    assert!(world.poll_next().is_pending());
    assert!(world.far.sees_end(), "a server ends the transport first");
    world.far.end();
    assert!(matches!(world.poll_next(), Poll::Ready(None)));
}

/// Two connections echo on separate tasks over links that are nearly always full; nobody is
/// polled unless woken.
#[test]
fn halves_that_are_polled_only_when_woken_get_everything_across() {
    let mut world = World::new(Config::default());
    let far = core::mem::replace(&mut world.far, link(Manners::PLAIN).1);
    let mut peer = Peer::new(Role::Client, far);
    let total = 50;
    let (mut sent, mut received) = (0, 0);
    (0..total).for_each(|number: i32| peer.queue(number.to_string().repeat(20)));
    let mut awake = (true, true);
    for _ in 0..100_000 {
        if awake.0 {
            while let Poll::Ready(item) = world.poll_next() {
                let message = item.expect("open").expect("no error");
                assert_eq!(message, Message::text(received.to_string().repeat(20)));
                received += 1;
            }
        }
        if awake.1 {
            while sent < total {
                let sink = &mut world.sink;
                let ready = core::future::poll_fn(|cx| Pin::new(&mut *sink).poll_ready(cx));
                assert!(matches!(world.writer.poll(pin!(ready)), Poll::Ready(Ok(()))));
                let message = Message::text(sent.to_string().repeat(9));
                Pin::new(&mut world.sink).start_send(message).expect("open");
                sent += 1;
            }
            let _ = world.poll_flush();
        }
        peer.step(7);
        if received == total && peer.events.len() == total as usize {
            break;
        }
        awake = (world.reader.wakes() > 0, world.writer.wakes() > 0);
    }
    assert_eq!((received, peer.events.len()), (total, total as usize));
    for (number, event) in peer.events.iter().enumerate() {
        assert_eq!(*event, Message::text(number.to_string().repeat(9)));
    }
    assert_eq!(peer.connection.state(), State::Open);
}
