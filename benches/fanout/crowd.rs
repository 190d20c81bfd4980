//! The server's side: members of a room, or tasks with a channel, and what it takes to reach them all.

use std::time::Instant;

use hybi_benches::{ThreadClock, records::Records, second_process::SecondProcess};
use hybi_tokio::{Broadcast, Config, Error, Prepared, Server, Slow, WebSocket};
use tokio::{
    net::TcpSocket,
    sync::broadcast::{self, error::RecvError},
};

/// How messages reach their connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// A channel of the runtime's, of which each task sends what it gets.
    Channel,
    /// A room, and so many members beside the others that never read.
    Room { stuck: usize, compressed: bool },
}

/// Connections and their clients.
pub(crate) struct Crowd {
    clients: SecondProcess,
    members: usize,
    speaker: Speaker,
    records: Records,
}

enum Speaker {
    Channel(broadcast::Sender<Prepared>),
    Room(Broadcast),
}

/// What it took to send some messages.
pub(crate) struct Spent {
    /// Microseconds of the server's thread, for each delivery.
    pub(crate) work: f64,
    /// Milliseconds until all have all of them.
    pub(crate) time: f64,
}

impl Crowd {
    /// Opens so many connections that read.
    pub(crate) async fn open(way: Way, members: usize) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Who never reads is stuck soon.
        socket.set_send_buffer_size(64 * 1024).expect("an option of sockets");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let listener = socket.listen(1024).expect("a port");
        let address = listener.local_addr().expect("its address");
        let mut clients = SecondProcess::start(&address.to_string());
        let (stuck, server) = match way {
            Way::Channel => (0, Server::builder()),
            Way::Room { stuck, compressed: false } => (stuck, Server::builder()),
            Way::Room { stuck, compressed: true } => {
                (stuck, Server::builder().extensions(hybi_tokio::Deflate::default()))
            }
        };
        // Clients answer no pings while nobody asks them to read.
        let config = Config::default().ping_interval(None).write_timeout(None);
        let server = server.config(config).build();
        let speaker = match way {
            Way::Channel => Speaker::Channel(broadcast::channel(64).0),
            Way::Room { .. } => Speaker::Room(Broadcast::builder().slow(Slow::DropOldest).build()),
        };
        let accepting = async {
            for _ in 0..members + stuck {
                let (stream, _) = listener.accept().await.expect("a client");
                let ws = hybi_tokio::accept_with(&server, stream).await.expect("a request");
                speaker.take(ws);
            }
        };
        let command = format!("open {members} {stuck}");
        tokio::join!(accepting, clients.ask(&command));
        let mut crowd = Self { clients, members, speaker, records: Records::new(1) };
        if stuck > 0 {
            // More than the system keeps for a connection.
            for _ in 0..64 {
                crowd.send(64 * 1024, 1).await;
            }
        }
        crowd
    }

    /// Sends so many messages of this length to all, at once, and waits until all have read them.
    pub(crate) async fn send(&mut self, len: usize, messages: usize) -> Spent {
        let messages: Vec<_> = (0..messages).map(|_| self.records.message(len)).collect();
        let (clock, began) = (ThreadClock::of_this_thread(), Instant::now());
        let before = clock.nanoseconds();
        for message in &messages {
            match &self.speaker {
                Speaker::Channel(channel) => drop(channel.send(Prepared::new(message))),
                Speaker::Room(room) => drop(room.send(message).await),
            }
        }
        self.clients.ask(&format!("listen {len} {}", messages.len())).await;
        let work = (clock.nanoseconds() - before) / 1000.0;
        Spent {
            work: work / (messages.len() * self.members) as f64,
            time: began.elapsed().as_secs_f64() * 1000.0,
        }
    }
}

impl Speaker {
    /// Takes a connection to those that get what is said.
    fn take(&self, mut ws: WebSocket) {
        match self {
            Self::Channel(channel) => {
                let mut heard = channel.subscribe();
                tokio::spawn(async move {
                    loop {
                        tokio::select! {
                            message = ws.recv() => if message?.is_none() { return Ok(()) },
                            said = heard.recv() => match said {
                                Ok(message) => ws.send(message).await?,
                                Err(RecvError::Lagged(_)) => {}
                                Err(RecvError::Closed) => return Ok::<_, Error>(()),
                            },
                        }
                    }
                });
            }
            Self::Room(room) => {
                let mut member = room.join(ws);
                tokio::spawn(async move { while let Ok(Some(_)) = member.recv().await {} });
            }
        }
    }
}
