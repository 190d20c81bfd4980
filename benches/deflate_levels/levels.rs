//! One level: messages queued on a connection and taken as frames, as server.

use core::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use hybi_benches::{
    bare::Inflater,
    sans_io::{self, send},
};
use hybi_frame::{FrameHeader, Rsv};
use hybi_tokio::{Config, Connection, Deflate};

const ROUNDS: usize = 5;

/// How many messages of this length make a round.
pub(crate) fn count(len: usize) -> usize {
    ((512 << 10) / len).clamp(2, 300)
}

/// Nanoseconds a message, and bytes of its payload.
pub(crate) fn measure(messages: &[Vec<u8>], level: u8, takeover: bool, test: bool) -> (f64, f64) {
    let messages: Vec<_> = messages.iter().cloned().map(Bytes::from).collect();
    let bytes = check(&messages, level, takeover);
    if test {
        return (f64::NAN, bytes);
    }
    let times = (0..ROUNDS).map(|_| {
        let mut connection = open(level, takeover);
        let start = Instant::now();
        for message in &messages {
            send(&mut connection, message.clone(), |bytes| {
                black_box(bytes);
            });
        }
        start.elapsed().as_nanos() as f64 / messages.len() as f64
    });
    // Whatever else the machine does makes a round slower, and none faster.
    (times.fold(f64::INFINITY, f64::min), bytes)
}

/// Bytes of payload a message, which must be what it was made of.
fn check(messages: &[Bytes], level: u8, takeover: bool) -> f64 {
    let (mut connection, mut inflater) = (open(level, takeover), Inflater::new(takeover));
    let (mut plain, mut sum) = (Vec::new(), 0);
    for message in messages {
        let mut frame = Vec::new();
        send(&mut connection, message.clone(), |bytes| frame.extend_from_slice(bytes));
        let (header, len) = FrameHeader::parse(&frame).expect("valid").expect("whole");
        let payload = &frame[len..];
        sum += payload.len();
        if header.rsv == Rsv::RSV1 {
            inflater.inflate(payload, &mut plain);
            assert!(plain == *message, "sent another message");
        } else {
            assert!(payload == message, "sent another message");
        }
    }
    sum as f64 / messages.len() as f64
}

fn open(level: u8, takeover: bool) -> Connection {
    let deflate = Deflate::default().level(level).own_context_takeover(takeover);
    sans_io::open(deflate, Config::default())
}
