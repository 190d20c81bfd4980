//! The attackers: sixteen of a kind, each on a thread and a connection of its own, over and over until they are told
//! to stop.

use core::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
};

use hybi_benches::{by_hand, second_process::obey};
use hybi_suite::hostile::{Block, REQUEST, bomb, empty_blocks, filled, flood, fragments};
use hybi_testkit::wire::{self, BINARY, CONTINUATION, PING, RSV1, Side};

use crate::ATTACKERS;

/// Peers that send and receive all the time, and do nothing wrong.
pub(crate) const BUSY: &str = "busy honest peers";

/// What they may be told to do.
pub(crate) const ALL: [&str; 17] = [
    "nobody",
    BUSY,
    "pings, the pongs read",
    "pings, nothing read",
    "empty messages",
    "empty fragments",
    "unread output",
    "messages of 16 MiB",
    "zeros, 1,000 for a byte",
    "bombs above the limit",
    "empty stored blocks",
    "empty fixed blocks",
    "empty dynamic blocks",
    "heads of 16 KB of names",
    "heads one byte at a time",
    "connections that come and go",
    "garbage for frames",
];

/// An attack that goes on, and what it did.
struct Attack {
    stop: AtomicBool,
    /// Bytes that the server took.
    sent: AtomicUsize,
    connections: AtomicUsize,
}

pub(crate) fn run(address: &str) {
    let mut at_work: Option<(Arc<Attack>, Vec<JoinHandle<()>>)> = None;
    obey(|command| {
        if command != "stop" {
            let attack = Arc::new(Attack {
                stop: AtomicBool::new(false),
                sent: AtomicUsize::new(0),
                connections: AtomicUsize::new(0),
            });
            let attackers = (0..ATTACKERS).filter(|_| command != "nobody").map(|_| {
                let attack = Arc::clone(&attack);
                let (address, name) = (address.to_owned(), command.to_owned());
                thread::spawn(move || {
                    while attack.goes_on() {
                        // An end of the server's making is what most of them are after.
                        let _ = attack.once(&address, &name);
                    }
                })
            });
            at_work = Some((Arc::clone(&attack), attackers.collect()));
            // Until all of them are at it.
            while command != "nobody" && attack.connections.load(Ordering::Relaxed) < ATTACKERS {
                thread::yield_now();
            }
            return "begun".into();
        }
        let (attack, attackers) = at_work.take().expect("an attack");
        attack.stop.store(true, Ordering::Relaxed);
        attackers.into_iter().for_each(|attacker| attacker.join().expect("no panic"));
        let [sent, connections] =
            [&attack.sent, &attack.connections].map(|count| count.load(Ordering::Relaxed));
        format!("{} KB by {connections} connections", sent / 1000)
    });
}

/// How long a write may be blocked before the attacker looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What lets the server receive and no more.
const DISCARD: &str = "X-Discard: yes\r\n";
const COMPRESSED: &str = "X-Discard: yes\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";

impl Attack {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn once(&self, address: &str, name: &str) -> io::Result<()> {
        match name {
            BUSY => {
                let mut stream = self.open(address, "");
                let message = wire::frame(Side::Client, BINARY, &[7; 1000]);
                let mut echo = wire::frame(Side::Server, BINARY, &[7; 1000]);
                while self.goes_on() {
                    self.write(&mut stream, &message)?;
                    stream.read_exact(&mut echo)?;
                }
                Ok(())
            }
            "pings, the pongs read" => self.flood(address, "", &flood(PING, b"", 60_000), true),
            "pings, nothing read" => self.flood(address, "", &flood(PING, b"", 60_000), false),
            "empty messages" => self.flood(address, "", &flood(BINARY, b"", 60_000), true),
            "empty fragments" => {
                let mut message = fragments(b"", 60_000);
                message.extend(wire::frame(Side::Client, CONTINUATION, b""));
                self.flood(address, DISCARD, &message, false)
            }
            "unread output" => self.flood(address, "", &flood(BINARY, &[7; 60_000], 1), false),
            "messages of 16 MiB" => {
                self.flood(address, DISCARD, &flood(BINARY, &vec![7; 16 << 20], 1), false)
            }
            "zeros, 1,000 for a byte" => {
                self.flood(address, COMPRESSED, &inflating(1 << 20), false)
            }
            "bombs above the limit" => {
                self.refused(self.open(address, COMPRESSED), &inflating(64 << 20))
            }
            "empty stored blocks" => self.blocks(address, Block::Stored),
            "empty fixed blocks" => self.blocks(address, Block::Fixed),
            "empty dynamic blocks" => self.blocks(address, Block::Dynamic),
            "heads of 16 KB of names" => {
                let head = filled(REQUEST, "Connection: a", ",a", 16_000);
                self.refused(self.connect(address)?, &head)
            }
            "heads one byte at a time" => {
                let mut stream = self.connect(address)?;
                for byte in filled(REQUEST, "Cookie: ", "x", 15_000) {
                    self.write(&mut stream, &[byte])?;
                }
                Ok(())
            }
            "connections that come and go" => {
                drop(self.open(address, ""));
                Ok(())
            }
            "garbage for frames" => {
                let mut state = self.connections.load(Ordering::Relaxed) as u64 | 1;
                let garbage: Vec<_> = (0..60_000)
                    .map(|_| {
                        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                        (state >> 56) as u8
                    })
                    .collect();
                let mut stream = self.open(address, "");
                self.write(&mut stream, &garbage)
            }
            other => panic!("{other} is no attack"),
        }
    }

    fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(LOOK))?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(stream)
    }

    fn open(&self, address: &str, fields: &str) -> TcpStream {
        let (stream, _) = by_hand::open(address, fields);
        stream.set_nodelay(true).expect("a socket");
        stream.set_write_timeout(Some(LOOK)).expect("a socket");
        self.connections.fetch_add(1, Ordering::Relaxed);
        stream
    }

    /// Writes until all is written, or it is time to stop.
    fn write(&self, stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && self.goes_on() {
            match stream.write(bytes) {
                Ok(len) => {
                    self.sent.fetch_add(len, Ordering::Relaxed);
                    bytes = &bytes[len..];
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The same bytes over and over on one connection; what comes back is read or not.
    fn flood(&self, address: &str, fields: &str, bytes: &[u8], reads: bool) -> io::Result<()> {
        let mut stream = self.open(address, fields);
        let reading = stream.try_clone()?;
        let reader = reads.then(|| thread::spawn(move || discard(&reading)));
        let mut written = Ok(());
        while self.goes_on() && written.is_ok() {
            written = self.write(&mut stream, bytes);
        }
        let _ = stream.shutdown(Shutdown::Both);
        if let Some(reader) = reader {
            reader.join().expect("no panic");
        }
        written
    }

    /// Bytes that the server refuses, after which it has the time to say so.
    fn refused(&self, mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
        self.write(&mut stream, bytes)?;
        discard(&stream);
        Ok(())
    }

    fn blocks(&self, address: &str, block: Block) -> io::Result<()> {
        let payload = empty_blocks(block, 1 << 20);
        let message = wire::frame(Side::Client, BINARY | RSV1, &payload);
        self.flood(address, COMPRESSED, &message, false)
    }
}

fn inflating(len: usize) -> Vec<u8> {
    wire::frame(Side::Client, BINARY | RSV1, &bomb(len))
}

fn discard(mut stream: &TcpStream) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(1..) = stream.read(&mut chunk) {}
}
