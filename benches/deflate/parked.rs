//! What it costs that a quiet connection is parked: messages of 1 KiB, each of which has its state
//! made again and is parked behind it, after different lengths of history.

use core::{hint::black_box, time::Duration};
use std::time::Instant;

use hybi_benches::{
    bare::{Deflater, Inflater},
    median,
    sans_io::send,
};
use hybi_tokio::{Config, Connection, Utf8Bytes};

use crate::{
    LEVEL, Load,
    connection::{frames, open, receive, sent_payload},
};

/// Messages of 1 KiB exchanged before.
const HISTORIES: [usize; 3] = [1, 8, 32];

/// Messages measured together: what is kept is not compressed again for each.
const MEASURED: usize = 2;

pub(crate) fn run(timed: bool) {
    println!("a message of 1 KiB, its state made again for it and parked behind it; or kept");
    let load = Load::new(1 << 10, true);
    check(&load.messages[..100]);
    for history in HISTORIES.into_iter().filter(|_| timed) {
        print!("{history:>6} KiB of history");
        for (what, sends) in [("send", true), ("receive", false)] {
            let [parked, kept] = [true, false].map(|parked| {
                let samples = load.messages.windows(history + MEASURED).step_by(7).take(101);
                let times = samples.map(|messages| nanoseconds(messages, sends, parked));
                median(times.collect())
            });
            print!(" | {what}: {parked:>6.0} ns, kept {kept:>6.0} ns");
        }
        println!();
    }
}

/// The time of each of the last messages, on a connection that exchanged those before.
fn nanoseconds(messages: &[Utf8Bytes], sends: bool, parked: bool) -> f64 {
    let (mut connection, now) = (open(true, config()), Instant::now());
    let mut frames = frames(&deflated(messages)).into_iter();
    let mut chunk = Vec::new();
    let mut exchange = |connection: &mut Connection, message: &Utf8Bytes| {
        let frame = frames.next().expect("one for each message");
        if sends {
            send(connection, message.clone(), |bytes| {
                black_box(bytes);
            });
        } else {
            black_box(receive(connection, &frame, &mut chunk));
        }
    };
    let (before, measured) = messages.split_at(messages.len() - MEASURED);
    before.iter().for_each(|message| exchange(&mut connection, message));
    if parked {
        park(&mut connection, now);
    }
    let start = Instant::now();
    for message in measured {
        exchange(&mut connection, message);
        if parked {
            park(&mut connection, now);
        }
    }
    start.elapsed().as_nanos() as f64 / MEASURED as f64
}

fn deflated(messages: &[Utf8Bytes]) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(LEVEL, true);
    let deflate = |message: &Utf8Bytes| {
        let mut payload = Vec::new();
        deflater.deflate(message.as_bytes(), &mut payload);
        payload
    };
    messages.iter().map(deflate).collect()
}

/// Parking behind every message must not be seen in any.
fn check(messages: &[Utf8Bytes]) {
    let (mut connection, now) = (open(true, config()), Instant::now());
    let (mut inflater, mut plain) = (Inflater::new(true), Vec::new());
    let (mut chunk, frames) = (Vec::new(), frames(&deflated(messages)));
    for (message, frame) in messages.iter().zip(&frames) {
        inflater.inflate(&sent_payload(&mut connection, message), &mut plain);
        assert!(plain == message.as_bytes(), "sent another message");
        park(&mut connection, now);
        let received = receive(&mut connection, frame, &mut chunk);
        assert!(received.as_text() == Some(message), "received another message");
        park(&mut connection, now);
    }
}

/// Parks at the first look at the clock.
fn config() -> Config {
    Config::default().park_after(Some(Duration::ZERO))
}

fn park(connection: &mut Connection, now: Instant) {
    let deadline = connection.poll_timeout(|| now);
    assert_eq!(deadline, Some(now), "nothing to park");
    connection.handle_timeout(now);
}
