//! A peer made of a `Connection`, moved by the test: it reads and answers when it is told to.

use std::sync::Arc;

use hybi::{Config, Connection, Message, Negotiated, Role, State};

use super::link::Far;

pub(crate) struct Peer {
    pub(crate) connection: Connection,
    pub(crate) far: Far,
    pub(crate) events: Vec<Message>,
    ended: bool,
}

impl Peer {
    pub(crate) fn new(role: Role, far: Far) -> Self {
        Self::over(connection(role), far)
    }

    pub(crate) fn over(connection: Connection, far: Far) -> Self {
        Self { connection, far, events: Vec::new(), ended: false }
    }

    pub(crate) fn queue(&mut self, message: impl Into<Message>) {
        self.connection.queue(message.into()).expect("open");
    }

    /// Sends everything, receives at most `len` bytes, and ends the transport when it is time.
    pub(crate) fn step(&mut self, len: usize) {
        self.send();
        let mut chunk = self.far.take(len);
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, event) = self.connection.handle_input(&mut chunk[at..]);
            self.events.extend(event.map(Message::from));
            at += consumed;
        }
        if self.far.sees_end() && !self.ended && self.connection.state() != State::Closed {
            self.connection.handle_eof();
        }
        self.send();
    }

    fn send(&mut self) {
        let wire = self.connection.transmit_to_vec();
        if !wire.is_empty() {
            self.far.put(&wire);
        }
        if self.connection.wants_shutdown() {
            self.connection.shutdown_done();
            self.far.end();
        }
        if self.connection.state() == State::Closed && !self.ended {
            self.ended = true;
            self.far.end();
        }
    }
}

pub(crate) fn connection(role: Role) -> Connection {
    connection_with(role, Config::default())
}

pub(crate) fn connection_with(role: Role, config: Config) -> Connection {
    Connection::new(role, Negotiated::default(), Arc::new(config))
}
