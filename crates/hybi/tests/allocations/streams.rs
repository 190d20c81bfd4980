//! What a message costs that is written and read as it comes: nothing that grows with it but what leaves and comes.

use std::time::Instant;

use hybi::{MessageKind, Role, Version, WebSocket};
use hybi_suite::allocator::Meter;

use crate::{
    Still, Wire, now,
    support::versions::{BOTH, connection, quiet},
};

const FRAME: usize = 65_536;

/// How often a message of so many frames allocates on its way out; each is written in so many parts.
fn written(role: Role, frames: usize, parts: usize) -> usize {
    let wire = Wire { bytes: Vec::new(), at: 0 };
    let mut ws =
        WebSocket::new(connection(role, Version::RFC6455, quiet()), wire, Still(Instant::now()));
    let part = vec![b'a'; FRAME / parts];
    let mut write = |frames: usize| {
        let mut writer = ws.send_writer(MessageKind::Text).expect("open");
        (0..frames * parts).for_each(|_| now(writer.write_all(&part)).expect("open"));
        now(writer.finish()).expect("open");
    };
    // Buffers grow to what they need.
    write(4);
    let meter = Meter::start();
    write(frames);
    meter.allocations()
}

/// That one is being written, and for each two frames that leave together, a list of what is to be written.
#[test]
fn a_message_that_is_written_costs_next_to_nothing_however_long_it_is() {
    for role in BOTH {
        for frames in [2, 200] {
            assert_eq!(written(role, frames, 1), 1 + frames / 2, "{role:?}");
            // What is gathered grows to a frame once.
            assert_eq!(written(role, frames, 16), 1 + frames / 2 + 5, "{role:?}");
        }
    }
}

#[test]
fn each_piece_that_is_read_is_its_own() {
    for role in BOTH {
        let mut peer = connection(role.peer(), Version::RFC6455, quiet());
        let mut bytes = Vec::new();
        for frames in [4, 100] {
            peer.begin_message(MessageKind::Binary, hybi::Compress::Auto).expect("open");
            let frame = [7; FRAME];
            for at in 1..=frames {
                peer.queue_piece(&frame, at == frames).expect("open");
            }
            bytes.extend(peer.transmit_to_vec());
        }
        let own = connection(role, Version::RFC6455, quiet());
        let mut ws = WebSocket::new(own, Wire { bytes, at: 0 }, Still(Instant::now()));
        let mut read = || {
            let mut reader = now(ws.recv_reader()).expect("lawful").expect("a message");
            let (mut pieces, mut len) = (0, 0);
            while let Some(piece) = now(reader.next_piece()).expect("lawful") {
                pieces += 1;
                len += piece.len();
            }
            (pieces, len)
        };
        assert_eq!(read().1, 4 * FRAME);
        let meter = Meter::start();
        let (pieces, len) = read();
        assert_eq!(len, 100 * FRAME);
        let (allocations, allocated) = (meter.allocations(), meter.allocated());
        // A block for each, and what counts who holds it.
        assert!(allocations <= 3 * pieces, "{role:?}: {allocations} for {pieces} pieces");
        assert!(allocated <= 3 * len, "{role:?}: {allocated} bytes for {len}");
    }
}
