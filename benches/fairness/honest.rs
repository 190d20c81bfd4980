//! The honest peer: one echo after the other, each checked and timed.

use std::{
    io::{Read, Write},
    time::Instant,
};

use hybi_benches::{by_hand, second_process::obey};
use hybi_testkit::wire::{self, BINARY, PING, PONG, Side};

const PAYLOAD: [u8; 20] = *b"an honest message of";

pub(crate) fn run(address: &str, echoes: usize) {
    let message = wire::frame(Side::Client, BINARY, &PAYLOAD);
    let wanted = wire::frame(Side::Server, BINARY, &PAYLOAD);
    obey(|_| {
        // A new one each time: it may have been silent for too long.
        let (mut stream, _) = by_hand::open(address, "");
        stream.set_nodelay(true).expect("a socket");
        let mut times: Vec<u128> = Vec::with_capacity(echoes);
        let began = Instant::now();
        // A thousand are enough where one takes as long as many elsewhere.
        while times.len() < echoes && (times.len() < echoes / 4 || began.elapsed().as_secs() < 3) {
            let sent = Instant::now();
            stream.write_all(&message).expect("the server");
            let mut echo = [0; 22];
            stream.read_exact(&mut echo[..2]).expect("the server");
            if echo[..2] == [PING, 0] {
                // It was silent for long enough to be asked.
                stream.write_all(&wire::frame(Side::Client, PONG, b"")).expect("the server");
                stream.read_exact(&mut echo[..2]).expect("the server");
            }
            stream.read_exact(&mut echo[2..]).expect("the server");
            times.push(sent.elapsed().as_micros());
            assert_eq!(echo[..], wanted[..], "an echo that differs");
        }
        times.sort_unstable();
        format!("{} {}", times[times.len() / 2], times[times.len() * 99 / 100])
    });
}
