//! Bombs: however much a few bytes stand for, a connection holds no more than its limit and a little
//! (RFC 6455 section 10.4, RFC 7692 section 8).

use std::sync::LazyLock;

use hybi::{Connection, Error, Message, Role, State};
use hybi_suite::allocator::Meter;

use crate::{
    wire::{
        BINARY, CLOSE, CONTINUATION, Deflater, FIN, Inflater, RSV1, TEXT, frame, frames, header,
    },
    world::{BOTH, Kind, config, endpoint, too_large},
};

const MIB: usize = 1024 * 1024;
/// What the bomb stands for.
const INFLATED: usize = 256 * MIB;
/// What is accepted, which is the default.
const LIMIT: usize = 16 * MIB;
/// How the transport brings it.
const CHUNK: usize = 64 * 1024;

/// A mebibyte of zeros, flushed: at the start of a stream, and at any place behind zeros.
static ZEROS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let mut deflater = Deflater::new();
    [deflater.flushed(&vec![0; MIB]), deflater.flushed(&vec![0; MIB])]
});

fn zeros() -> impl Iterator<Item = &'static [u8]> {
    let [first, next] = &*ZEROS;
    core::iter::once(&first[..]).chain(core::iter::repeat_n(&next[..], INFLATED / MIB - 1))
}

fn without_tail(flushed: &[u8]) -> &[u8] {
    flushed.strip_suffix(&[0x00, 0x00, 0xff, 0xff]).expect("a tail")
}

/// A message of zeros, in one frame or in fragments.
fn bomb(kind: Kind, sender: Role, fragments: bool) -> Vec<u8> {
    let whole = zeros().collect::<Vec<_>>().concat();
    if kind == Kind::DeflateStream {
        return stream_bomb(sender, fragments);
    }
    let pieces: Vec<&[u8]> = match fragments {
        false => vec![without_tail(&whole)],
        true if Kind::PER_FRAME.contains(&kind) => zeros().map(without_tail).collect(),
        true => without_tail(&whole).chunks(1_000).collect(),
    };
    let bit_on_all = if Kind::PER_FRAME.contains(&kind) { RSV1 } else { 0 };
    let last = pieces.len() - 1;
    let mut wire = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        let opcode = if at == 0 { TEXT | RSV1 } else { CONTINUATION | bit_on_all };
        wire.extend(frame(sender, if at == last { opcode } else { opcode ^ FIN }, piece));
    }
    wire
}

/// The same with headers in the stream.
fn stream_bomb(sender: Role, fragments: bool) -> Vec<u8> {
    let mut deflater = Deflater::new();
    let mut next = |first: u8, len: usize| {
        let header = if first == 0 { Vec::new() } else { header(sender, first ^ FIN, len) };
        [deflater.flushed(&header), deflater.flushed(&vec![0; MIB])].concat()
    };
    let (first, again) = match fragments {
        true => (next(BINARY, MIB), CONTINUATION),
        false => (next(BINARY, INFLATED), 0),
    };
    // Behind a mebibyte of zeros, the same bytes stand for the same, whatever was before.
    let second = next(again, MIB);
    let third = next(again, MIB);
    let mut wire = [first, second].concat();
    wire.extend(third.repeat(INFLATED / MIB - 2));
    wire
}

/// Hands bytes over as a transport does; says how many events came of them.
fn take_in(own: &mut Connection, wire: &mut [u8]) -> usize {
    let mut events = 0;
    for chunk in wire.chunks_mut(CHUNK) {
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, event) = own.handle_input(&mut chunk[at..]);
            assert!(consumed > 0 || event.is_some());
            events += usize::from(event.is_some());
            at += consumed;
        }
    }
    events
}

/// What a connection that failed says last.
fn told(kind: Kind, own: &mut Connection) -> u16 {
    let mut wire = own.transmit_to_vec();
    if kind == Kind::DeflateStream {
        wire = Inflater::new().stream(&wire);
    }
    let sent = frames(own.role(), &wire);
    let [close] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(close.first, CLOSE);
    u16::from_be_bytes(*close.payload.first_chunk().expect("a code"))
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    for kind in Kind::ALL {
        for role in BOTH {
            for fragments in [false, true] {
                let mut wire = bomb(kind, role.peer(), fragments);
                assert!(wire.len() < 300 * 1024, "{} bytes", wire.len());
                let what = format!("{kind:?} {role:?} in fragments: {fragments}");
                let mut own = endpoint(kind, role, &config());
                let meter = Meter::start();
                assert_eq!(take_in(&mut own, &mut wire), 0, "{what}");
                assert!(meter.peak() < 17 * MIB, "{what}: {} bytes", meter.peak());
                let error = own.error().expect("an error");
                let code = error.close_code().map(u16::from);
                assert_eq!(code, Some(too_large(kind)), "{what}: {error}");
                assert_eq!(own.state(), State::Closing);
                assert!(meter.held() < MIB, "{what}: {} bytes are kept", meter.held());
                assert_eq!(told(kind, &mut own), too_large(kind), "{what}");
            }
        }
    }
}

/// As much as is allowed passes, and costs no more than itself.
#[test]
fn a_message_as_long_as_the_limit_passes() {
    for kind in Kind::ALL {
        for role in BOTH {
            let sender = role.peer();
            let mut pieces = zeros();
            let mut wire = Vec::new();
            let mut deflater = Deflater::new();
            for at in 0..LIMIT / MIB {
                let fin = if at == LIMIT / MIB - 1 { 0 } else { FIN };
                let first = if at == 0 { BINARY } else { CONTINUATION } ^ fin;
                match kind {
                    Kind::DeflateStream => {
                        wire.extend(deflater.flushed(&header(sender, first, MIB)));
                        wire.extend(deflater.flushed(&vec![0; MIB]));
                    }
                    _ => {
                        let piece = pieces.next().expect("more of them");
                        let stripped = fin == 0 || Kind::PER_FRAME.contains(&kind);
                        let piece = if stripped { without_tail(piece) } else { piece };
                        let bit = at == 0 || Kind::PER_FRAME.contains(&kind);
                        wire.extend(frame(sender, first | if bit { RSV1 } else { 0 }, piece));
                    }
                }
            }
            let mut own = endpoint(kind, role, &config());
            let meter = Meter::start();
            let mut events = Vec::new();
            for chunk in wire.chunks_mut(CHUNK) {
                let mut at = 0;
                while at < chunk.len() {
                    let (consumed, event) = own.handle_input(&mut chunk[at..]);
                    events.extend(event.map(Message::from));
                    at += consumed;
                }
            }
            assert!(
                own.error().is_none(),
                "{kind:?} {role:?}: {:?}",
                own.error().map(Error::to_string)
            );
            let [Message::Binary(payload)] = &events[..] else { panic!("{} events", events.len()) };
            assert!(payload.len() == LIMIT && payload.iter().all(|byte| *byte == 0));
            assert!(meter.peak() < 17 * MIB, "{kind:?} {role:?}: {} bytes", meter.peak());
        }
    }
}

/// What a header declares allocates nothing, compressed or not.
#[test]
fn a_declared_length_allocates_nothing() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let mut own = endpoint(kind, Role::Server, &config());
        let mut wire = header(Role::Client, BINARY | RSV1, LIMIT);
        wire.push(0x00);
        let meter = Meter::start();
        assert_eq!(take_in(&mut own, &mut wire), 0);
        assert!(own.error().is_none());
        // A decompressor and its window.
        assert!(meter.peak() < 200 * 1024, "{kind:?}: {} bytes", meter.peak());
    }
}
