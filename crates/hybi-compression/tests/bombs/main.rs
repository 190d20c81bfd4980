//! Bombs: little on the wire, much when it is inflated, RFC 7692 §8. The limit on messages counts
//! what comes out and holds while it does.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "../support/mod.rs"]
mod support;

use flate2::{Compression, FlushCompress};
use hybi_compression::{Deflate, Extensions};
use hybi_frame::{CloseCode, Limits, Role, Rsv};
use hybi_handshake::Version;
use hybi_suite::allocator::{Counting, Meter};
use support::endpoint::{Endpoint, pair};

#[global_allocator]
static COUNTING: Counting = Counting;

const LIMIT: usize = 16 << 20;

/// 256 KiB that inflate to 256 MiB: the same MiB of zeros over and over, as each needs nothing of
/// what was before it.
fn bomb() -> Vec<u8> {
    let mut zeros = Vec::with_capacity(8 << 10);
    let mut deflater = flate2::Compress::new(Compression::best(), false);
    deflater
        .compress_vec(&vec![0; 1 << 20], &mut zeros, FlushCompress::Sync)
        .expect("a stream that was not ended takes more");
    let bomb = zeros.repeat(256);
    assert!((250 << 10..300 << 10).contains(&bomb.len()), "{}", bomb.len());
    bomb
}

/// The receiver of one end, and one of the other end to make its frames.
fn ends(receiver: Role, deflate: Deflate) -> (Endpoint, Endpoint) {
    let agreed = Extensions::from(deflate)
        .accept(&Extensions::from(deflate).offers(Version::RFC6455), Version::RFC6455);
    let limits = Limits::default().with_max_message(LIMIT);
    let (client, server) = pair(deflate, deflate);
    let sender = if receiver == Role::Client { server } else { client };
    (Endpoint::new(receiver, &agreed, limits), sender)
}

#[test]
fn bombs_do_no_more_than_reach_the_limit() {
    let bomb = bomb();
    let takeover = Deflate::default();
    let without = takeover.own_context_takeover(false).peer_context_takeover(false);
    for receiver in [Role::Client, Role::Server] {
        for deflate in [takeover, without] {
            for frame in [usize::MAX, 1000] {
                let (mut receiver, sender) = ends(receiver, deflate);
                let wire = sender.frames(Some(Rsv::RSV1), &bomb, frame);
                let meter = Meter::start();
                let result = wire.chunks(4096).try_for_each(|chunk| receiver.receive(chunk));
                let error = result.expect_err("too large");
                assert_eq!(error.close_code(), CloseCode::MESSAGE_TOO_BIG, "{error}");
                assert!(meter.peak() < 17 << 20, "{} bytes", meter.peak());
                assert!(meter.held() < 1 << 20, "{} bytes kept", meter.held());
                assert!(receiver.events.is_empty());
            }
        }
    }
}

/// The last bytes that a message inflates to may come with its very last byte: they count as well.
#[test]
fn the_limit_holds_to_the_byte() {
    for (len, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let (mut receiver, mut sender) = ends(Role::Server, Deflate::default());
        let mut payload = Vec::new();
        let zeros = vec![0; len];
        let always = hybi_compression::Compress::Always;
        let rsv = sender.chain.encode_message(&zeros, always, &mut payload);
        // The last frame has the last byte alone.
        let wire = sender.frames(rsv, &payload, payload.len() - 1);
        let result = receiver.receive(&wire);
        assert_eq!(result.is_ok(), fits, "{len}: {result:?}");
        if let Err(error) = result {
            assert_eq!(error.close_code(), CloseCode::MESSAGE_TOO_BIG);
        }
    }
}
