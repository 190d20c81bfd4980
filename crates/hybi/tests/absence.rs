//! An application that was away for long: what lies in the kernel counts before a deadline does,
//! however often was read before.

mod support;

use core::{pin::pin, task::Poll, time::Duration};

use hybi::{Config, Message, Role, WebSocket};
use support::{
    clock::{Clock, ClockTimer},
    link::{End, Far, Manners, link},
    peer::connection_with,
    tasks::Task,
};

struct World {
    socket: WebSocket<End, ClockTimer>,
    far: Far,
    clock: Clock,
    task: Task,
}

impl World {
    /// After `reads` messages have been received, one a read.
    fn after(reads: usize, capacity: usize) -> Self {
        let (end, far) = link(Manners { capacity, ..Manners::PLAIN });
        let clock = Clock::new();
        let connection = connection_with(Role::Server, Config::default());
        let socket = WebSocket::new(connection, end, clock.timer());
        let mut world = Self { socket, far, clock, task: Task::new() };
        for _ in 0..reads {
            world.far.put(b"\x82\x80\0\0\0\0");
            assert!(world.receive().is_some());
        }
        assert!(world.receive().is_none(), "it waits, and its deadlines run");
        world
    }

    /// A message, or `None` when there is none yet.
    fn receive(&mut self) -> Option<Message> {
        let _ = self.task.wakes();
        // After many reads it lets other tasks run once, and wakes itself.
        for _ in 0..2 {
            match self.task.poll(pin!(self.socket.recv())) {
                Poll::Ready(message) => {
                    return Some(message.expect("a healthy connection").expect("open"));
                }
                Poll::Pending if self.task.wakes() == 0 => break,
                Poll::Pending => {}
            }
        }
        None
    }
}

#[test]
fn a_pong_that_came_meanwhile_counts() {
    for reads in 0..70 {
        let mut world = World::after(reads, usize::MAX);
        // Half an interval to notice what came, and half of one to ask.
        for _ in 0..2 {
            world.clock.advance(Duration::from_secs(10));
            assert!(world.receive().is_none());
        }
        assert!(world.far.take(100).starts_with(b"\x89\0"), "a ping after {reads} reads");
        world.far.put(b"\x8a\x80\0\0\0\0");
        world.clock.advance(Duration::from_secs(50));
        assert!(world.receive().is_none());
        assert_eq!(world.socket.close_status(), None, "after {reads} reads");
    }
}

#[test]
fn a_transport_that_takes_bytes_again_is_not_blocked() {
    for reads in 0..70 {
        let mut world = World::after(reads, 3);
        assert!(world.task.poll(pin!(world.socket.send("hello"))).is_pending());
        world.clock.advance(Duration::from_secs(31));
        assert_eq!(world.far.take(3), b"\x81\x05h");
        world.far.put(b"\x81\x81\0\0\0\0a");
        assert_eq!(world.receive(), Some(Message::from("a")), "after {reads} reads");
    }
}
