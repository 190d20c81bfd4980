//! A chunk: what is read, lent, kept and given back, and what of it is copied (RFC 6455 §5.2, §5.6).

mod common;

use bytes::Bytes;
use common::Told;
use hybi_frame::{
    Chunk, Event, FrameDecoder, FrameError, FrameRules, Limits, Located, MaskingKey,
    MessageAssembler, Opcode, Payload, Role, Rsv, TextPayload, encode_frame,
};
use hybi_suite::allocator::{Counting, Meter};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Reads as much of `bytes` as there is room for.
fn read(chunk: &mut Chunk, bytes: &[u8]) -> usize {
    let room = chunk.room(bytes.len());
    let len = bytes.len().min(room.len());
    room[..len].copy_from_slice(&bytes[..len]);
    chunk.filled(len);
    len
}

/// Takes `len` bytes for a binary message.
fn binary(chunk: &mut Chunk, len: usize) -> Option<Located> {
    chunk.decode(usize::MAX, |bytes| (len, Some(Event::Binary(Payload::Borrowed(&bytes[..len])))))
}

#[test]
fn a_chunk_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Chunk>();
    is_send::<Located>();
}

#[test]
fn messages_of_64_kib_are_kept_where_they_were_unmasked() {
    let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    let mut decoder = FrameDecoder::new(Role::Server, rules, limits);
    let mut assembler = MessageAssembler::new(rules, limits);
    let mut chunk = Chunk::new();
    let text = "ä".repeat(32 * 1024);
    for round in 0..3 {
        let mut frame = Vec::new();
        let key = Some(MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]));
        encode_frame(&mut frame, true, Rsv::NONE, Opcode::Text, text.as_bytes(), key);
        assert_eq!(read(&mut chunk, &frame), frame.len(), "{round}");

        let located = chunk.decode(usize::MAX, |bytes| {
            let (taken, part) = decoder.decode(bytes).expect("a lawful frame");
            (taken, assembler.push(part.expect("a whole one")).expect("a lawful message"))
        });
        assert!(matches!(located, Some(Located::Text)));
        assert_eq!(chunk.lent_text(), text);
        let place = chunk.lent_bytes().as_ptr();
        let kept = chunk.take_text();
        assert_eq!((kept.as_ptr(), &*kept), (place, &*text), "where it was");
        drop(kept);
        assert!(chunk.reclaim());
    }
}

#[test]
fn large_messages_are_kept_without_a_copy_and_all_but_the_first_without_an_allocation() {
    let mut chunk = Chunk::new();
    let mut kept = Vec::with_capacity(5);
    chunk.filled(Chunk::LEN);
    for round in 0..5 {
        let meter = Meter::start();
        binary(&mut chunk, Chunk::SPLIT_MIN);
        let place = chunk.lent_bytes().as_ptr();
        kept.push(chunk.take_bytes());
        assert_eq!(kept[round].as_ptr(), place, "{round}");
        // The count of those who hold a part of the block is allocated once.
        let most = if round == 0 { 64 } else { 0 };
        assert!(meter.peak() <= most, "{round}: {} bytes", meter.peak());
    }
    assert_eq!(chunk.unread_len(), Chunk::LEN - 5 * Chunk::SPLIT_MIN);

    chunk.consume(usize::MAX);
    let meter = Meter::start();
    assert!(!chunk.reclaim(), "five parts are held");
    let last = kept.pop();
    kept.clear();
    assert!(!chunk.reclaim(), "one is");
    drop(last);
    assert!(chunk.reclaim());
    assert_eq!(chunk.room(1).len(), Chunk::LEN);
    assert_eq!(meter.peak(), 0, "giving it back allocates nothing");
}

#[test]
fn small_messages_hold_their_own_bytes_only() {
    let mut chunk = Chunk::new();
    chunk.filled(Chunk::LEN);
    binary(&mut chunk, Chunk::SPLIT_MIN - 1);
    let meter = Meter::start();
    let kept = chunk.take_bytes();
    assert_eq!(meter.held(), Chunk::SPLIT_MIN - 1);
    chunk.consume(usize::MAX);
    assert!(chunk.reclaim(), "nobody holds a part of it");
    assert_eq!(kept.len(), Chunk::SPLIT_MIN - 1);
}

#[test]
fn a_block_is_zeroed_only_when_it_is_made() {
    let mut chunk = Chunk::new();
    assert!(chunk.room(1).iter().all(|&byte| byte == 0));
    read(&mut chunk, &[7; Chunk::LEN]);
    binary(&mut chunk, 10_000);
    drop(chunk.take_bytes());
    chunk.consume(usize::MAX);
    assert!(chunk.reclaim());
    assert!(chunk.room(1).iter().all(|&byte| byte == 7));
}

#[test]
fn lending_and_reading_on_allocate_nothing() {
    let mut chunk = Chunk::new();
    let meter = Meter::start();
    for _ in 0..100 {
        read(&mut chunk, &[b'a'; 50_000]);
        while !chunk.is_empty() {
            chunk.decode(1000, |bytes| {
                let text = str::from_utf8(bytes).expect("it is ASCII");
                (text.len(), Some(Event::Text(TextPayload::Borrowed(text))))
            });
            assert_eq!(chunk.lent_text().len(), 1000);
        }
    }
    assert_eq!(meter.peak(), 0);
}

#[test]
fn what_does_not_lie_in_the_bytes_consumed_is_owned() {
    let mut chunk = Chunk::holding(b"abcdef");
    let elsewhere = chunk.decode(6, |_| (1, Some(Event::Text(TextPayload::Borrowed("elsewhere")))));
    assert!(matches!(
        elsewhere,
        Some(Located::Owned(Event::Text(text))) if &*text == "elsewhere"
    ));
    // It could be overwritten, or be read a second time.
    let unread = chunk.decode(6, |bytes| (2, Some(Event::Ping(Payload::Borrowed(&bytes[..3])))));
    assert!(matches!(
        unread,
        Some(Located::Owned(Event::Ping(payload))) if &*payload == b"bcd"
    ));
    assert_eq!(chunk.unread(), b"def");
    let close = chunk.decode(6, |_| (3, Some(Event::Close(None))));
    assert!(matches!(close, Some(Located::Owned(Event::Close(None)))));
}

#[test]
fn an_empty_payload_lies_anywhere() {
    let mut chunk = Chunk::holding(b"ab");
    let located = chunk.decode(2, |bytes| (2, Some(Event::Pong(Payload::Borrowed(&bytes[2..])))));
    assert!(matches!(located, Some(Located::Pong)));
    assert_eq!(chunk.lent_bytes(), b"");
    assert_eq!(chunk.take_bytes(), Bytes::new());
}

#[test]
fn the_decoder_sees_no_more_than_it_may_and_consumes_no_more_than_it_sees() {
    let mut chunk = Chunk::holding(b"abcdef");
    let mut seen = 0;
    chunk.decode(4, |bytes| {
        seen = bytes.len();
        (100, None)
    });
    assert_eq!(seen, 4);
    assert_eq!(chunk.unread(), b"ef");
}

#[test]
fn a_frame_without_its_end_gets_room_behind_it() {
    let mut chunk = Chunk::new();
    chunk.filled(Chunk::LEN);
    binary(&mut chunk, 60_000);
    let kept = chunk.take_bytes();
    let rest = Chunk::LEN - 60_000;
    chunk.consume(rest - 100);
    assert_eq!(chunk.room(1000).len(), rest - 100, "somebody holds what was in front");
    drop(kept);
    assert_eq!(chunk.room(rest).len(), Chunk::LEN - 100, "and now nobody does");
    assert_eq!(chunk.unread_len(), 100);
}

#[test]
fn a_small_rest_leaves_the_block_to_others() {
    let mut chunk = Chunk::new();
    read(&mut chunk, &[b'a'; 5000]);
    binary(&mut chunk, 4990);
    let kept = chunk.take_bytes();
    let meter = Meter::start();
    let mut block = chunk.shrink_to_rest().expect("a small rest");
    assert_eq!((chunk.unread(), meter.held()), (&mut [b'a'; 10][..], 10));
    assert!(chunk.room(1).is_empty());
    chunk.consume(5);
    assert!(chunk.shrink_to_rest().is_none(), "it is not for others");
    chunk.consume(5);
    assert!(!chunk.reclaim(), "too small for a thread");
    assert!(!block.reclaim(), "a message is held");
    drop(kept);
    assert!(block.reclaim());

    block.filled(Chunk::LEN / 2 + 1);
    assert!(block.shrink_to_rest().is_none(), "not worth a copy");
    assert_eq!(block.unread_len(), Chunk::LEN / 2 + 1);
}

#[test]
fn a_block_of_more_than_a_chunk_is_not_for_a_thread() {
    let mut chunk = Chunk::holding(&[1; Chunk::LEN + 1]);
    chunk.consume(usize::MAX);
    assert!(!chunk.reclaim());
}

/// What an endpoint made of a stream: events, and the rule that was broken.
type Seen = (Vec<Told>, Result<(), FrameError>, u64);

/// Receives a stream in a chunk that holds `size` bytes of it at a time; asks for whole messages
/// first, or not.
fn receive_in_chunks(
    (role, rules): (Role, FrameRules),
    limits: (Limits, Limits),
    wire: &[u8],
    size: usize,
    asks_for_whole: bool,
) -> Seen {
    let mut decoder = FrameDecoder::new(role, rules, limits.0);
    let mut assembler = MessageAssembler::new(rules, limits.1);
    let mut events = Vec::new();
    for bytes in wire.chunks(size) {
        let mut chunk = Chunk::holding(bytes);
        while !chunk.is_empty() {
            let whole = asks_for_whole.then(|| chunk.decode_whole(&mut decoder, &assembler));
            let mut broken = Ok(());
            let located = whole.flatten().map(lying).or_else(|| {
                chunk.decode(usize::MAX, |bytes| {
                    let decoded = decoder.decode(bytes).and_then(|(taken, part)| {
                        let event = part.map_or(Ok(None), |part| assembler.push(part))?;
                        Ok((taken, event))
                    });
                    decoded.unwrap_or_else(|error| {
                        broken = Err(error);
                        (0, None)
                    })
                })
            });
            if broken.is_err() {
                return (events, broken, decoder.offset());
            }
            events.extend(located.map(|located| match located {
                Located::Text => Told::Text(chunk.lent_text().to_owned()),
                Located::Binary => Told::Binary(chunk.lent_bytes().to_vec()),
                Located::Ping => Told::Ping(chunk.lent_bytes().to_vec()),
                Located::Pong => Told::Pong(chunk.lent_bytes().to_vec()),
                Located::Owned(event) => event.into(),
            }));
        }
    }
    (events, Ok(()), decoder.offset())
}

/// Frames, most of them whole messages, and some that are not lawful.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => "[ -~]{0,40}".prop_map(String::into_bytes),
        2 => "\\PC{0,60}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..400),
        1 => (0x1_0000 - 2..0x1_0000_usize + 2).prop_map(|len| vec![b'a'; len]),
    ];
    let first = prop_oneof![6 => 0x81_u8..0x83, 2 => 0_u8..3, 1 => 0x88_u8..0x8b, 1 => any::<u8>()];
    let key = any::<[u8; 4]>();
    // Nearly all are masked if their sender is to mask, and have their length in the shortest form.
    let frame = (first, payload, key, 0..20_u8);
    (vec(frame, 0..12), any::<bool>()).prop_map(|(frames, masked)| {
        let mut wire = vec![u8::from(masked)];
        for (first, payload, key, wrong) in frames {
            let mut frame = Vec::new();
            let masked = masked != (wrong == 0);
            let key = masked.then_some(MaskingKey::from_bytes(key));
            encode_frame(&mut frame, true, Rsv::NONE, Opcode::Text, &payload, key);
            frame[0] = first;
            let long_form = match (wrong, frame[1] & 0x7f) {
                (1, len @ 0..=125) => Some((126, vec![0, len], 2)),
                (2, len @ 0..=125) => Some((127, vec![0, 0, 0, 0, 0, 0, 0, len], 2)),
                (1 | 2, 126) => Some((127, [&[0; 6], &frame[2..4]].concat(), 4)),
                (3, 127) => Some((127, vec![0xff; 8], 10)),
                _ => None,
            };
            if let Some((short, length, front)) = long_form {
                let second = frame[1] & 0x80 | short;
                frame.splice(1..front, [&[second], &length[..]].concat());
            }
            wire.extend_from_slice(&frame);
        }
        wire
    })
}

proptest! {
    #[test]
    fn whole_messages_are_the_same_either_way(
        wire in frames(),
        size in prop_oneof![1_usize..300, 300..200_000_usize],
        limit in prop_oneof![Just(100_000_usize), 0_usize..300],
        of_frames in any::<bool>(),
        limited in 0..4_usize,
        rules in select([FrameRules::RFC6455, FrameRules::HYBI_08, FrameRules::HYBI_07].to_vec()),
    ) {
        let (role, wire) = (if wire[0] == 1 { Role::Server } else { Role::Client }, &wire[1..]);
        let small = if of_frames {
            Limits::default().with_max_frame(limit as u64)
        } else {
            Limits::default().with_max_message(limit)
        };
        // The decoder may know another limit than the assembler.
        let default = Limits::default();
        let limits = [(small, small), (default, small), (small, default), (default, default)];
        let receive = |size, asks| {
            receive_in_chunks((role, rules), limits[limited], wire, size, asks)
        };
        let seen = receive(size, true);
        prop_assert_eq!(&seen, &receive(size, false));
        // No frame is whole in a byte.
        let (events, broken, _) = receive(1, false);
        prop_assert_eq!((&seen.0, seen.1), (&events, broken));
    }
}

/// Something that a driver does with a chunk.
#[derive(Clone, Debug)]
enum Step {
    Read(Vec<u8>),
    /// Consumes `taken` bytes, of which those from `at` on are an event, and keeps it or not.
    Decode {
        max: usize,
        taken: usize,
        at: usize,
        text: bool,
        keep: bool,
    },
    Consume(usize),
    Drop(usize),
    Reclaim,
    Shrink,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![0..100_usize, 0..20_000_usize, Just(Chunk::SPLIT_MIN)];
    let read = (0..=Chunk::LEN, any::<u8>()).prop_map(|(len, seed)| {
        // ASCII, and different at each place, so that what is moved wrongly is seen.
        let bytes = (0..len).map(|at| (at * 31 + at / 97 + usize::from(seed)) as u8 & 0x7f);
        Step::Read(bytes.collect())
    });
    let decode = (prop_oneof![len(), Just(usize::MAX)], len(), len(), any::<(bool, bool)>());
    let decode = decode.prop_map(|(max, taken, at, (text, keep))| Step::Decode {
        max,
        taken,
        at,
        text,
        keep,
    });
    let step = prop_oneof![
        3 => read,
        8 => decode,
        1 => len().prop_map(Step::Consume),
        3 => any::<usize>().prop_map(Step::Drop),
        1 => Just(Step::Reclaim),
        1 => Just(Step::Shrink),
    ];
    vec(step, 0..40)
}

proptest! {
    /// Against a plain vector with the unread bytes, and copies of what is kept.
    #[test]
    fn a_chunk_is_a_queue_of_bytes_and_what_is_kept_stays(steps in steps()) {
        let mut chunk = Chunk::new();
        let mut unread = Vec::new();
        let mut kept: Vec<(Bytes, Vec<u8>)> = Vec::new();
        for step in steps {
            match step {
                Step::Read(bytes) => {
                    let was_empty = chunk.is_empty();
                    let len = read(&mut chunk, &bytes);
                    prop_assert!(!was_empty || bytes.is_empty() || len > 0 || chunk.room(1).is_empty());
                    unread.extend_from_slice(&bytes[..len]);
                }
                Step::Decode { max, taken, at, text, keep } => {
                    let max = max.min(unread.len());
                    let taken = taken.min(max);
                    let at = at.min(taken);
                    let event: Vec<u8> = unread.drain(..taken).skip(at).collect();
                    let located = chunk.decode(max, |bytes| {
                        assert_eq!(bytes.len(), max);
                        let payload = &bytes[at..taken];
                        let event = if text {
                            let text = str::from_utf8(payload).expect("it is ASCII");
                            Event::Text(TextPayload::Borrowed(text))
                        } else {
                            Event::Binary(Payload::Borrowed(payload))
                        };
                        (taken, Some(event))
                    });
                    match located {
                        Some(Located::Text) if text => prop_assert_eq!(chunk.lent_text().as_bytes(), &event),
                        Some(Located::Binary) if !text => {}
                        other => panic!("{other:?}"),
                    }
                    prop_assert_eq!(chunk.lent_bytes(), &event);
                    if keep {
                        let bytes = if text { chunk.take_text().into() } else { chunk.take_bytes() };
                        kept.push((bytes, event));
                    }
                }
                Step::Consume(len) => {
                    chunk.consume(len);
                    unread.drain(..len.min(unread.len()));
                }
                Step::Drop(index) => {
                    if !kept.is_empty() {
                        kept.swap_remove(index % kept.len());
                    }
                }
                Step::Reclaim => {
                    let whole = chunk.reclaim();
                    prop_assert!(!whole || unread.is_empty() && chunk.room(1).len() == Chunk::LEN);
                }
                Step::Shrink => {
                    if let Some(mut block) = chunk.shrink_to_rest() {
                        prop_assert!(block.is_empty());
                        prop_assert!(chunk.room(1).is_empty());
                        // As a driver does: what is left moves on in a block of the thread's.
                        if block.reclaim() {
                            read(&mut block, chunk.unread());
                            chunk = block;
                        }
                    }
                }
            }
            prop_assert_eq!(chunk.unread_len(), unread.len());
            prop_assert_eq!(chunk.is_empty(), unread.is_empty());
            prop_assert_eq!(chunk.unread(), &unread[..]);
            for (bytes, expected) in &kept {
                prop_assert_eq!(bytes, expected);
            }
        }
    }
}

/// The event that lies in a chunk, by its kind.
fn lying(kind: Opcode) -> Located {
    match kind {
        Opcode::Text => Located::Text,
        _ => Located::Binary,
    }
}
