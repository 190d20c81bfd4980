//! deflate-stream: the captured and computed streams, cut everywhere, and what other compressors and
//! our own make (draft-ietf-hybi-thewebsocketprotocol-04 to -10).

use flate2::{Compress as Deflater, Compression, FlushCompress};
use hybi_compression::{
    Agreed, Chain, Deflate, DeflateFrame, DeflateStream, Extensions, StreamCodec,
};
use hybi_frame::{ExtensionViolation, Limits, Role};
use hybi_handshake::Version;
use hybi_suite::vectors::{hex, payload, records};

use crate::support::shared::text::noise;
use crate::support::{Endpoint, Told, agree, sample, send};

/// What both ends agree on, the client's side first.
fn agreement() -> [Vec<Agreed>; 2] {
    let extensions = Extensions::from(DeflateStream::new(Deflate::default()));
    agree(&extensions, &extensions, Version::HYBI_08)
}

fn chain() -> Chain {
    Chain::new(&agreement()[0])
}

/// Decodes until nothing more comes, with room for `room` bytes at a time.
fn decode(
    codec: &mut dyn StreamCodec,
    mut input: &[u8],
    room: usize,
    plain: &mut Vec<u8>,
) -> Result<(), &'static ExtensionViolation> {
    let mut out = vec![0; room];
    loop {
        let (taken, given) = codec.decode(input, &mut out)?;
        input = &input[taken..];
        plain.extend_from_slice(&out[..given]);
        if taken + given == 0 {
            assert!(input.is_empty(), "all bytes are taken");
            return Ok(());
        }
    }
}

/// What a new receiver makes of a stream in these chunks.
fn decoded<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, room: usize) -> Vec<u8> {
    let (mut chain, mut plain) = (chain(), Vec::new());
    for chunk in chunks {
        let codec = chain.stream().expect("it is over the stream");
        decode(codec, chunk, room, &mut plain).expect("a stream of DEFLATE data");
    }
    plain
}

#[test]
fn vectors_at_every_cut() {
    let vectors = records("compression-deflate-stream");
    assert_eq!(vectors.len(), 6);
    for record in vectors {
        let id = &record["id"];
        let field = |name: &str| hex(record[name].as_str().expect("hex"));
        let (wire, plain) = (field("wire_hex"), field("plain_hex"));
        for room in [1, 2, 7, 4096] {
            for cut in 0..=wire.len() {
                let (first, second) = wire.split_at(cut);
                assert_eq!(decoded([first, second], room), plain, "{id} cut at {cut}, {room}");
            }
            assert_eq!(decoded(wire.chunks(1), room), plain, "{id} byte by byte, {room}");
        }

        // The frames in it are those of the record.
        let role = if record["receiver"] == "server" { Role::Server } else { Role::Client };
        let mut receiver = Endpoint::new(role, &[], Limits::default());
        receiver.receive(&plain).unwrap_or_else(|error| panic!("{id}: {error}"));
        let expected = record["events"].as_array().expect("events");
        assert_eq!(receiver.events.len(), expected.len(), "{id}");
        for (event, expected) in receiver.events.iter().zip(expected) {
            let same = match event {
                Told::Text(text) => text.as_bytes() == payload(expected),
                Told::Close(Some(close), _) => u64::from(close.code().as_u16()) == expected["code"],
                _ => false,
            };
            assert!(same, "{id}: {event:?}");
        }

        // What was flushed is there at once.
        let mut frames = plain.as_slice();
        for flush in record["flush_points"].as_array().into_iter().flatten() {
            let len = 2 + usize::from(frames[1]);
            frames = &frames[len..];
            let so_far = &wire[..flush.as_u64().expect("an offset") as usize];
            assert_eq!(decoded([so_far], 4096), plain[..plain.len() - frames.len()], "{id}");
        }
    }
}

/// Appends what a compressor of `level` makes of some bytes, flushed in this way.
fn deflate(deflater: &mut Deflater, bytes: &[u8], flush: FlushCompress, wire: &mut Vec<u8>) {
    wire.reserve(bytes.len() + 1024);
    let before = deflater.total_in();
    deflater.compress_vec(bytes, wire, flush).expect("room");
    assert_eq!(deflater.total_in() - before, bytes.len() as u64);
}

#[test]
fn every_flush_is_understood_and_each_stream_may_end_anywhere() {
    let message = sample(700);
    for level in [0, 1, 6, 9] {
        let new = || Deflater::new(Compression::new(level), false);
        let (mut deflater, mut wire, mut plain) = (new(), Vec::new(), Vec::new());
        let flushes = [
            FlushCompress::None,
            FlushCompress::Partial,
            FlushCompress::Sync,
            FlushCompress::Full,
            FlushCompress::Finish,
        ];
        for flush in flushes.into_iter().cycle().take(12) {
            deflate(&mut deflater, &message, flush, &mut wire);
            plain.extend_from_slice(&message);
            if flush == FlushCompress::Finish {
                deflater = new();
            }
        }
        deflate(&mut deflater, &[], FlushCompress::Sync, &mut wire);
        for (size, room) in [(1, 4096), (3, 1), (64, 17), (usize::MAX, 3), (usize::MAX, 1 << 20)] {
            assert!(decoded(wire.chunks(size), room) == plain, "{level}: {size}, {room}");
        }
    }
}

#[test]
fn streams_that_end_at_once_are_left_behind_at_once() {
    // Empty final blocks, in thousands, and then something.
    let mut wire = hex("0300").repeat(5000);
    wire.extend(hex("010000ffff").repeat(100));
    wire.extend(hex("000500faff48656c6c6f"));
    for size in [1, 2, 3, usize::MAX] {
        assert_eq!(decoded(wire.chunks(size), 16), b"Hello");
    }
}

#[test]
fn what_is_written_can_be_read_at_once() {
    for park in [false, true] {
        let (mut sender, mut receiver) = (chain(), chain());
        let (mut wire, mut plain) = (Vec::new(), Vec::new());
        let message = sample(3000);
        for len in [1, 2, 0, 100, 3000, 3000, 7] {
            wire.clear();
            plain.clear();
            sender.stream().unwrap().encode(&message[..len], &mut wire);
            assert_eq!(wire.is_empty(), len == 0, "nothing is made of nothing");
            decode(receiver.stream().unwrap(), &wire, 512, &mut plain).unwrap();
            assert_eq!(plain, message[..len]);
            if park {
                assert_eq!(sender.is_active(), len != 0);
                sender.park();
                receiver.park();
                assert!(!sender.is_active());
            }
        }
    }
}

/// Bytes of every texture, each write in full behind its flush, whatever room the codec gave itself.
#[test]
fn nothing_is_held_back() {
    let (mut sender, mut receiver) = (chain(), chain());
    let mut seed = 1_u64;
    let mut below = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    for round in 0..200 {
        let (len, symbols) = (1 + below(30_000), 2 + below(160));
        let bytes: Vec<u8> = (0..len).map(|_| below(symbols) as u8).collect();
        let (mut wire, mut plain) = (Vec::new(), Vec::new());
        sender.stream().unwrap().encode(&bytes, &mut wire);
        decode(receiver.stream().unwrap(), &wire, 512, &mut plain).unwrap();
        assert!(plain == bytes, "{round}: {} of {len} bytes, {symbols} symbols", plain.len());
    }
}

#[test]
fn what_was_sent_before_makes_the_next_smaller_until_it_is_parked() {
    let message = sample(3000);
    let mut chain = chain();
    let mut encoded = || {
        let mut wire = Vec::new();
        chain.stream().unwrap().encode(&message, &mut wire);
        wire.len()
    };
    let (first, second) = (encoded(), encoded());
    assert!(first < 1500 && second < first / 4, "{first}, {second}");
    // It goes on after that, from nothing.
    chain.park();
    let mut wire = Vec::new();
    chain.stream().unwrap().encode(&message, &mut wire);
    assert!(wire.len().abs_diff(first) < 16, "{} as the first, which was {first}", wire.len());
}

#[test]
fn bytes_that_do_not_compress_grow_by_little() {
    let (text, noise) = (sample(3000), noise(1 << 20, 1));
    for write in [1000, 10_000, 1 << 20] {
        let (mut chain, mut wire) = (chain(), Vec::new());
        let stream = chain.stream().unwrap();
        let mut sent = Vec::new();
        let mut send = |bytes: &[u8]| {
            let before = wire.len();
            stream.encode(bytes, &mut wire);
            sent.extend_from_slice(bytes);
            wire.len() - before
        };
        let first = send(&text);
        let grown: usize = noise.chunks(write).map(&mut send).sum();
        assert!(grown < noise.len() + noise.len() / 100, "{grown} in writes of {write}");
        // What comes behind it is compressed, if from nothing.
        let (again, once_more) = (send(&text), send(&text));
        assert!(again.abs_diff(first) < 16 && once_more < first / 4, "{first} {again} {once_more}");
        assert!(decoded([&wire[..]], 1 << 16) == sent);
    }
}

/// A long write in slices costs some bytes for each, and no more than that: a flush, and with
/// miniz_oxide the tables of a block.
#[test]
fn a_write_may_be_cut_into_slices() {
    let bytes = [sample(300_000), noise(300_000, 1), sample(300_000)].concat();
    let (mut whole, mut sliced) = (Vec::new(), Vec::new());
    let first = 4 * Chain::ENCODE_SLICE;
    chain().stream().unwrap().encode(&bytes[..first], &mut whole);
    let mut sender = chain();
    let mut slices = bytes.chunks(Chain::ENCODE_SLICE);
    for slice in slices.by_ref().take(4) {
        sender.stream().unwrap().encode(slice, &mut sliced);
    }
    assert!(decoded([&sliced[..]], 1 << 14) == bytes[..first]);
    assert!(sliced.len() <= whole.len() + 4 * 50, "{} {}", sliced.len(), whole.len());
    for slice in slices {
        sender.stream().unwrap().encode(slice, &mut sliced);
    }
    assert!(decoded([&sliced[..]], 1 << 14) == bytes);
    assert!(sliced.len() < 300_000 + 3 * whole.len(), "{} {}", sliced.len(), whole.len());
}

#[test]
fn what_is_no_stream_of_deflate_data_is_a_violation() {
    for wire in ["06", "07", "000500fbff", "6a64f548cdc9c907000000ffff06"] {
        let mut plain = Vec::new();
        let error = decode(chain().stream().unwrap(), &hex(wire), 512, &mut plain)
            .expect_err("reserved block type, or lengths that do not match");
        assert!(error.document.contains("thewebsocketprotocol-10"), "{error:?}");
    }
}

#[test]
fn what_stands_before_a_broken_byte_is_read_however_it_is_cut() {
    let mut wire = Vec::new();
    let mut deflater = Deflater::new(Compression::default(), false);
    deflate(&mut deflater, b"in front of it", FlushCompress::Finish, &mut wire);
    // Another stream begins here, with a block of the reserved type.
    wire.extend([0x07, 0x07]);
    for chunk in 1..=wire.len() {
        let (mut chain, mut plain) = (chain(), Vec::new());
        let codec = chain.stream().expect("it is over the stream");
        let mut chunks = wire.chunks(chunk);
        let result = chunks.try_for_each(|chunk| decode(codec, chunk, 100, &mut plain));
        assert!(result.is_err(), "{chunk} bytes at a time");
        assert_eq!(plain, b"in front of it", "{chunk} bytes at a time");
    }
}

/// The end of the first stream comes without a byte of input, as all of them were taken when there was no room.
#[test]
fn the_end_of_a_stream_is_read_in_front_of_a_broken_byte_whatever_the_room() {
    // 259 bytes 90 in a final block, and a block of the reserved type.
    let wire = hex("9b300a0006");
    for room in 1..=260 {
        let (mut receiver, mut plain) = (chain(), Vec::new());
        let result = decode(receiver.stream().unwrap(), &wire, room, &mut plain);
        assert!(result.is_err(), "{room}");
        assert_eq!(plain, [0x90; 259], "{room}");
    }
}

#[test]
fn it_is_outermost_whatever_else_was_agreed_on() {
    // As the server of the record `old-ds-20` took both.
    let extensions = Extensions::from(DeflateStream::new(Deflate::default()))
        .with(DeflateFrame::new(Deflate::default()));
    for extensions in [
        extensions,
        Extensions::from(DeflateFrame::new(Deflate::default()))
            .with(DeflateStream::new(Deflate::default())),
    ] {
        let [at_client, at_server] = agree(&extensions, &extensions, Version::HYBI_08);
        assert_eq!(at_client.len(), 2);
        let mut sender = Chain::new(&at_client);
        let (mut frames, mut wire, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let message = sample(1000);
        send(&mut sender, Role::Client, &message, 300, false, &mut frames);
        sender.stream().expect("over the stream").encode(&frames, &mut wire);

        let mut receiver = Endpoint::new(Role::Server, &at_server, Limits::default());
        decode(receiver.chain.stream().unwrap(), &wire, 512, &mut plain).unwrap();
        assert_eq!(plain, frames);
        receiver.receive(&plain).unwrap();
        assert_eq!(receiver.events, [Told::Binary(message)]);
    }
}
