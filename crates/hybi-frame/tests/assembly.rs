//! Messages from parts: what is lent, what is gathered, how much memory that takes, and reading
//! around the chunk (RFC 6455 §5.4).

mod common;

use bytes::BufMut;
use common::{Receiver, Told};
use hybi_frame::{
    Event, FrameDecoder, FrameRules, Limits, MaskingKey, MessageAssembler, Opcode, Payload, Role,
    Rsv, TextPayload, encode_frame,
};

const KEY: MaskingKey = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
const RULES: FrameRules = FrameRules::RFC6455;

fn client_frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_frame(&mut out, fin, Rsv::NONE, opcode, payload, Some(KEY));
    out
}

#[test]
fn a_message_whole_in_a_chunk_is_lent() {
    let mut decoder = FrameDecoder::new(Role::Server, RULES, Limits::default());
    let mut assembler = MessageAssembler::new(RULES, Limits::default());
    for (opcode, payload) in [
        (Opcode::Text, "caf\u{e9} and more".as_bytes()),
        (Opcode::Text, &[b'a'; 500]),
        (Opcode::Binary, b"\xff\xfe"),
        (Opcode::Ping, b"p"),
    ] {
        let mut chunk = client_frame(true, opcode, payload);
        let place = chunk.as_ptr_range();
        let (taken, part) = decoder.decode(&mut chunk).expect("valid");
        assert_eq!(taken as u64, place.end.addr() as u64 - place.start.addr() as u64);
        let lent = match assembler.push(part.expect("whole")).expect("valid") {
            Some(Event::Text(TextPayload::Borrowed(text))) => text.as_bytes(),
            Some(Event::Binary(Payload::Borrowed(bytes))) => bytes,
            Some(Event::Ping(Payload::Borrowed(bytes))) => bytes,
            other => panic!("not lent: {other:?}"),
        };
        assert_eq!(lent, payload);
        assert!(place.contains(&lent.as_ptr()), "in the chunk itself");
        assert!(!assembler.in_message());
    }
}

#[test]
fn what_a_chunk_lacks_of_its_first_frame() {
    let mut decoder = FrameDecoder::new(Role::Server, RULES, Limits::default());
    let frame = client_frame(true, Opcode::Binary, &[7; 300]);
    for len in 0..frame.len() {
        let missing = (len >= 8).then(|| (frame.len() - len) as u64);
        assert_eq!(decoder.missing(&frame[..len]), missing, "{len}");
    }
    assert_eq!(decoder.missing(&frame), None, "whole");
    assert_eq!(decoder.missing(&[&frame[..], b"\x82"].concat()), None, "whole, and more");
    assert_eq!(decoder.missing(&client_frame(true, Opcode::Binary, b"short")[..8]), None);
    assert_eq!(decoder.missing(b"\x82\x7e\x01\x00"), None, "not lawful");

    let mut front = frame[..100].to_vec();
    let (_, part) = decoder.decode(&mut front).expect("valid");
    assert!(part.is_some_and(|part| !part.end));
    assert_eq!(decoder.missing(&frame), None, "inside a frame");
}

#[test]
fn a_gathered_message_is_handed_over_and_its_memory_with_it() {
    let mut receiver = Receiver::new(Role::Server, RULES, Limits::default());
    receiver.chunk(&client_frame(false, Opcode::Text, b"Hel")).expect("valid");
    assert!(receiver.assembler.in_message());
    assert_eq!(receiver.assembler.buffered(), 3);
    receiver.chunk(&client_frame(true, Opcode::Ping, b"between")).expect("valid");
    receiver.chunk(&client_frame(true, Opcode::Continuation, b"lo")).expect("valid");
    let expected = [Told::Ping(b"between".to_vec()), Told::Text("Hello".into())];
    assert_eq!(receiver.events, expected);
    assert!(!receiver.assembler.in_message());
    assert_eq!(receiver.assembler.buffered(), 0);
}

#[test]
fn a_declared_length_alone_gives_no_memory() {
    let limits = Limits::default().with_max_message(1 << 30);
    let mut decoder = FrameDecoder::new(Role::Client, RULES, limits);
    let mut assembler = MessageAssembler::new(RULES, limits);
    let mut wire = b"\x82\x7f\0\0\0\0\x40\0\0\0a".to_vec();
    let (taken, part) = decoder.decode(&mut wire).expect("within the limit");
    assert_eq!(taken, 11);
    assert_eq!(decoder.remaining(), (1 << 30) - 1);
    assert!(assembler.push(part.expect("one byte")).expect("valid").is_none());
    assert!(assembler.direct_buffer(&decoder).is_none(), "one byte earns no room");
    assert_eq!(assembler.buffered(), 1);
    assert!(assembler.memory() <= 64, "{} bytes", assembler.memory());
}

#[test]
fn memory_follows_the_bytes_received() {
    let limits = Limits::default();
    let mut decoder = FrameDecoder::new(Role::Client, RULES, limits);
    let mut assembler = MessageAssembler::new(RULES, limits);
    let len: usize = 1 << 20;
    let mut wire = b"\x82\x7f\0\0\0\0\0\x10\0\0".to_vec();
    wire.resize(10 + len, b'x');
    let mut received = 0;
    for chunk in wire.chunks_mut(1000) {
        received += chunk.len();
        let (_, part) = decoder.decode(chunk).expect("valid");
        match assembler.push(part.expect("a part")).expect("valid") {
            None => assert!(assembler.memory() <= (16 * received).min(len)),
            Some(Event::Binary(payload)) => assert_eq!(payload.len(), len),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(assembler.memory(), 0);
}

/// Room for more fragments goes back with the last one: an application that counts the bytes of
/// the messages it keeps counts the memory.
#[test]
fn a_message_pins_little_more_than_its_bytes() {
    for len in [20, 1024, 4096, 60_000, 1_000_000] {
        let limits = Limits::default();
        let mut decoder = FrameDecoder::new(Role::Client, RULES, limits);
        let mut assembler = MessageAssembler::new(RULES, limits);
        let mut push = |opcode, fin, payload: &[u8]| {
            let mut wire = Vec::new();
            encode_frame(&mut wire, fin, Rsv::NONE, opcode, payload, None);
            let (_, part) = decoder.decode(&mut wire).expect("valid");
            let assembled = assembler.push(part.expect("whole")).expect("valid");
            assembled.map(|assembled| match assembled {
                Event::Binary(payload) => payload.into_owned(),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(push(Opcode::Binary, false, &vec![7; len]), None);
        let message = push(Opcode::Continuation, true, b"").expect("complete");
        assert_eq!(message, vec![7; len]);
        let held = message.try_into_mut().expect("the only owner").capacity();
        assert!(held <= len + len / 4, "{held} for {len}");
    }
}

/// Receives `wire` from reads of `size` bytes, by the direct way whenever it is open.
fn read_directly(wire: &[u8], limits: Limits, size: usize) -> (Vec<Told>, usize) {
    let mut receiver = Receiver::new(Role::Server, RULES, limits);
    let mut wire = wire;
    let mut direct_bytes = 0;
    while !wire.is_empty() {
        let Receiver { decoder, assembler, events } = &mut receiver;
        let remaining = decoder.remaining() as usize;
        let held = assembler.buffered();
        if let Some(mut room) = assembler.direct_buffer(decoder) {
            assert!(room.remaining_mut() > 0 && room.remaining_mut() <= remaining);
            let earned = 16 * (held + MessageAssembler::DIRECT_READ_MIN);
            assert!(room.remaining_mut() <= earned);
            let taken = size.min(room.remaining_mut()).min(wire.len());
            room.put_slice(&wire[..taken]);
            direct_bytes += taken;
            wire = &wire[taken..];
            events.extend(assembler.push_direct(decoder).expect("valid").map(Told::from));
        } else {
            let taken = size.min(wire.len());
            receiver.chunk(&wire[..taken]).expect("valid");
            wire = &wire[taken..];
        }
    }
    assert!(receiver.decoder.at_frame_boundary());
    (receiver.events, direct_bytes)
}

#[test]
fn direct_reads_give_what_chunks_give() {
    let long = "κόσμε漢字𝄞 and ASCII ".repeat(20_000);
    let long = long.as_bytes();
    let mut wire = client_frame(true, Opcode::Binary, &long[..100_001]);
    wire.extend(client_frame(true, Opcode::Text, long));
    // Cut inside a character, with a Ping between.
    wire.extend(client_frame(false, Opcode::Text, &long[..70_001]));
    wire.extend(client_frame(true, Opcode::Ping, b"p"));
    wire.extend(client_frame(false, Opcode::Continuation, &long[70_001..150_000]));
    wire.extend(client_frame(true, Opcode::Continuation, &long[150_000..]));
    wire.extend(client_frame(true, Opcode::Binary, b"small"));

    let text = || Told::Text(String::from_utf8(long.to_vec()).expect("text"));
    let expected = [
        Told::Binary(long[..100_001].to_vec()),
        text(),
        Told::Ping(b"p".to_vec()),
        text(),
        Told::Binary(b"small".to_vec()),
    ];
    for size in [999, 16 * 1024, 65_536, usize::MAX] {
        let (events, direct_bytes) = read_directly(&wire, Limits::default(), size);
        assert!(events == expected, "reads of {size}");
        // A read without end leaves nothing to read directly.
        assert_eq!(direct_bytes > long.len(), size <= 65_536, "{direct_bytes} of reads of {size}");
    }
}

#[test]
fn direct_reads_find_bad_text_at_its_byte() {
    let mut text = vec![b'a'; 100_000];
    text[70_000] = 0xff;
    let wire = client_frame(true, Opcode::Text, &text);
    let header = (wire.len() - text.len()) as u64;
    let mut receiver = Receiver::new(Role::Server, RULES, Limits::default());
    receiver.chunk(&wire[..50_000]).expect("valid so far");
    let Receiver { decoder, assembler, .. } = &mut receiver;
    let mut at = 50_000;
    let error = loop {
        let mut room = assembler.direct_buffer(decoder).expect("room");
        let taken = room.remaining_mut().min(wire.len() - at).min(10_000);
        room.put_slice(&wire[at..at + taken]);
        at += taken;
        if let Err(error) = assembler.push_direct(decoder) {
            break error;
        }
    };
    assert_eq!((error.offset(), error.close_code().as_u16()), (header + 70_000, 1007));
    assert_eq!(assembler.push_direct(decoder).expect_err("sticky"), error);
    assert!(assembler.direct_buffer(decoder).is_none());
    assert_eq!(assembler.memory(), 0, "what was gathered is let go");
}

#[test]
fn what_is_read_directly_and_not_taken_in_is_no_part_of_the_message() {
    let text = vec![b'a'; 100_000];
    let wire = client_frame(true, Opcode::Text, &text);
    let mut receiver = Receiver::new(Role::Server, RULES, Limits::default());
    receiver.chunk(&wire[..50_000]).expect("valid so far");
    let mut room = receiver.assembler.direct_buffer(&receiver.decoder).expect("room");
    room.put_slice(&[0xff; 1000]);
    receiver.chunk(&wire[50_000..]).expect("valid");
    assert_eq!(receiver.events, [Told::Text(String::from_utf8(text).expect("text"))]);
}

#[test]
fn hybi_07_replaces_what_is_not_text() {
    let mut wire = client_frame(true, Opcode::Text, b"a\xffb");
    wire.extend(client_frame(false, Opcode::Text, b"a\xe6\xbc"));
    wire.extend(client_frame(true, Opcode::Continuation, b"\xa2\xc3"));
    wire.extend(client_frame(true, Opcode::Close, &[&b"\x03\xe8"[..], &[0xff; 123]].concat()));
    for size in [1, 7, usize::MAX] {
        let mut receiver = Receiver::new(Role::Server, FrameRules::HYBI_07, Limits::default());
        for chunk in wire.chunks(size.min(wire.len())) {
            receiver.chunk(chunk).expect("nothing fails");
        }
        let [first, second, Told::Close(Some(close), _)] = &receiver.events[..] else {
            panic!("{:?}", receiver.events)
        };
        assert_eq!(*first, Told::Text("a\u{fffd}b".into()));
        assert_eq!(*second, Told::Text("a漢\u{fffd}".into()));
        assert_eq!(close.reason(), "\u{fffd}".repeat(41).as_str(), "cut to 123 bytes");
    }
}
