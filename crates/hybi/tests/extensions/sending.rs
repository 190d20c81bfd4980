//! What leaves: which frames are compressed, where the bit is, and how small they are
//! (RFC 7692 section 7.2.1; perframe-deflate drafts).

use bytes::Bytes;
use hybi::{Compress, Connection, Deflate, Message, Outgoing, Role};

use crate::{
    wire::{BINARY, CONTINUATION, FIN, Frame, Inflater, PING, RSV1, TEXT, frames},
    world::{BOTH, Kind, Opened, agreed, carry, config, endpoint, feed, json, noise, pair},
};

fn sent<'a>(connection: &mut Connection, message: impl Into<Outgoing<'a>>) -> Vec<Frame> {
    connection.queue(message).expect("open");
    frames(connection.role(), &connection.transmit_to_vec())
}

fn firsts(frames: &[Frame]) -> Vec<u8> {
    frames.iter().map(|frame| frame.first).collect()
}

#[test]
fn a_message_is_compressed_and_becomes_smaller_with_each_of_its_kind() {
    for kind in [Kind::PermessageDeflate, Kind::DeflateFrame, Kind::PerframeCompress] {
        for role in BOTH {
            let mut own = endpoint(kind, role, &config());
            let mut inflater = Inflater::new();
            let mut lengths = Vec::new();
            for number in 0..4 {
                let text = json(number);
                let frames = sent(&mut own, text.as_str());
                assert_eq!(firsts(&frames), [TEXT | RSV1], "{kind:?} {role:?}");
                assert!(frames[0].payload.len() < text.len() / 4);
                assert_eq!(inflater.message(&frames[0].payload), text.as_bytes());
                lengths.push(frames[0].payload.len());
            }
            assert!(lengths[1..].iter().all(|len| *len < lengths[0] * 3 / 4), "{lengths:?}");
        }
    }
}

#[test]
fn without_takeover_each_message_stands_for_itself() {
    let alone = Deflate::default().own_context_takeover(false);
    for kind in [Kind::PermessageDeflate, Kind::PermessageCompress, Kind::DeflateFrame] {
        let Opened { mut server, .. } = agreed(kind, Deflate::default(), alone, &config());
        let first = sent(&mut server, json(1));
        assert_eq!(Inflater::new().message(&first[0].payload), json(1).as_bytes());
        let second = sent(&mut server, json(2));
        assert_eq!(Inflater::new().message(&second[0].payload), json(2).as_bytes());
        assert_eq!(sent(&mut server, json(1)), first, "{kind:?}: as if nothing had been sent");
    }
}

#[test]
fn what_the_peer_forbids_is_not_done() {
    let forbidding = Deflate::default().peer_context_takeover(false);
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let mut opened = agreed(kind, forbidding, Deflate::default(), &config());
        for _ in 0..2 {
            let frames = sent(&mut opened.server, json(1));
            assert_eq!(Inflater::new().message(&frames[0].payload), json(1).as_bytes());
        }
        let mut opened = agreed(kind, Deflate::default(), forbidding, &config());
        for _ in 0..2 {
            let frames = sent(&mut opened.client, json(1));
            assert_eq!(Inflater::new().message(&frames[0].payload), json(1).as_bytes());
        }
    }
}

#[cfg(feature = "compression")] // The library of the other feature has one window.
#[test]
fn the_window_is_no_larger_than_the_peer_wants() {
    // Short enough for the whole to be tried, though it looks like noise.
    let far = [noise(500, 1), noise(3_000, 2), noise(500, 1)].concat();
    for kind in [Kind::PermessageDeflate, Kind::DeflateFrame] {
        for role in BOTH {
            let mut lengths = Vec::new();
            for bits in [8, 9, 10, 12, 15] {
                let narrow = Deflate::default().peer_window_bits(bits);
                let mut own = match role {
                    Role::Server => agreed(kind, narrow, Deflate::default(), &config()).server,
                    Role::Client => agreed(kind, Deflate::default(), narrow, &config()).client,
                };
                let frames = sent(&mut own, far.clone());
                lengths.push(frames[0].payload.len());
            }
            // What was there 3,500 bytes before is found with 12 bits and more alone.
            assert!(lengths[..3].iter().all(|len| *len >= far.len()), "{lengths:?}");
            assert!(lengths[3..].iter().all(|len| *len < lengths[0] - 400), "{lengths:?}");
        }
    }
}

#[test]
fn the_bit_is_on_the_first_frame_of_a_message() {
    let text = json(1);
    for kind in Kind::PER_MESSAGE {
        for role in BOTH {
            let mut own = endpoint(kind, role, &config().fragment_size(Some(20)));
            let frames = sent(&mut own, text.as_str());
            let (first, rest) = frames.split_first().expect("frames");
            let (last, middle) = rest.split_last().expect("several");
            assert_eq!(first.first, TEXT ^ FIN | RSV1);
            assert!(middle.len() > 2 && middle.iter().all(|one| one.first == CONTINUATION ^ FIN));
            assert_eq!(last.first, CONTINUATION);
            assert!(frames[..frames.len() - 1].iter().all(|frame| frame.payload.len() == 20));
            assert!(last.payload.len() <= 20);
            let payloads: Vec<_> = frames.into_iter().map(|frame| frame.payload).collect();
            assert_eq!(Inflater::new().message(&payloads.concat()), text.as_bytes());
        }
    }
}

#[test]
fn the_bit_is_on_each_frame_that_is_compressed() {
    let text = json(1);
    for kind in Kind::PER_FRAME {
        for role in BOTH {
            let mut own = endpoint(kind, role, &config().fragment_size(Some(200)));
            let frames = sent(&mut own, text.as_str());
            assert_eq!(frames.len(), text.len().div_ceil(200));
            let mut inflater = Inflater::new();
            let mut plain = Vec::new();
            for (at, frame) in frames.iter().enumerate() {
                let opcode = if at == 0 { TEXT } else { CONTINUATION };
                let fin = if at + 1 == frames.len() { 0 } else { FIN };
                assert_eq!(frame.first & !RSV1, opcode ^ fin, "frame {at}");
                // The last is short.
                assert!(frame.is_compressed() || at + 1 == frames.len(), "frame {at}");
                plain.push(match frame.is_compressed() {
                    true => inflater.message(&frame.payload),
                    false => frame.payload.clone(),
                });
            }
            assert!(plain[..plain.len() - 1].iter().all(|piece| piece.len() == 200));
            assert_eq!(plain.concat(), text.as_bytes());
        }
    }
}

#[test]
fn control_frames_are_plain() {
    let config = config().fragment_size(Some(100));
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let mut own = endpoint(kind, role, &config);
            let ping = Message::Ping(vec![b'p'; 100].into());
            own.queue(json(1)).expect("open");
            let frames = sent(&mut own, ping);
            let last = frames.last().expect("frames");
            assert_eq!((last.first, &last.payload[..]), (PING, &[b'p'; 100][..]));
            let closed = sent(&mut own, Message::Close(None));
            assert_eq!(firsts(&closed), [0x88]);
        }
    }
}

#[test]
fn the_application_says_what_is_compressed() {
    let small = "x".repeat(63);
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for (min_size, compress, text, compressed) in [
            (64, Compress::Auto, &*small, false),
            (64, Compress::Always, &*small, true),
            (63, Compress::Auto, &*small, true),
            (0, Compress::Auto, "xxxxxxxx", true),
            (0, Compress::Never, &*json(1), false),
            (64, Compress::Never, &*json(1), false),
            (64, Compress::Auto, &*json(1), true),
            (10_000, Compress::Auto, &*json(1), false),
            (10_000, Compress::Always, &*json(1), true),
        ] {
            let deflate = Deflate::default().min_size(min_size);
            let what = format!("{kind:?}: {} bytes of {min_size}, {compress:?}", text.len());
            let Opened { client, server, .. } = agreed(kind, deflate, deflate, &config());
            let mut both = [client, server];
            for _ in 0..2 {
                let [own, peer] = &mut both;
                own.queue(Outgoing::from(text).compress(compress)).expect("open");
                let wire = own.transmit_to_vec();
                let sent = frames(own.role(), &wire);
                assert_eq!(sent[0].is_compressed(), compressed, "{what}");
                assert_eq!(feed(peer, &wire), [Message::text(text)], "{what}");
                both.reverse();
            }
        }
    }
}

#[test]
fn an_empty_message_travels_as_it_is() {
    for kind in Kind::ALL {
        let mut both = pair(kind, &config());
        for _ in 0..2 {
            let [own, peer] = &mut both;
            own.queue(Outgoing::from("").compress(Compress::Always)).expect("open");
            let wire = own.transmit_to_vec();
            if kind != Kind::DeflateStream {
                let sent = frames(own.role(), &wire);
                assert_eq!((firsts(&sent), sent[0].payload.len()), (vec![TEXT], 0));
            }
            assert_eq!(feed(peer, &wire), [Message::text("")], "{kind:?}");
            both.reverse();
        }
    }
}

/// Messages of every length, both ways, whole and in fragments, that compress well or not at all.
#[test]
fn everything_arrives() {
    let lengths = [1, 63, 64, 65, 125, 126, 1_000, 8_191, 8_192, 40_000, 70_000, 300_000];
    for kind in Kind::ALL {
        for fragment in [None, Some(1), Some(100), Some(65_536)] {
            let [mut client, mut server] = pair(kind, &config().fragment_size(fragment));
            for len in lengths.into_iter().filter(|len| fragment != Some(1) || *len < 2_000) {
                let text = json(len).repeat(len / 500 + 1)[..len].to_owned();
                for message in [Message::text(text), Message::binary(noise(len, len as u64))] {
                    client.queue(message.clone()).expect("open");
                    server.queue(message.clone()).expect("open");
                    let what = format!("{kind:?} {fragment:?} {len}");
                    assert!(carry(&mut client, &mut server) == [message.clone()], "{what}");
                    assert!(carry(&mut server, &mut client) == [message], "{what}");
                }
            }
        }
    }
}

/// A long payload of a server that is not compressed stands in the output as it is.
#[test]
fn what_is_not_compressed_is_not_copied() {
    let payload = Bytes::from(noise(20_000, 1));
    let mut server = endpoint(Kind::PermessageDeflate, Role::Server, &config());
    let message = Message::Binary(payload.clone());
    server.queue(Outgoing::from(message).compress(Compress::Never)).expect("open");
    let mut slices = [std::io::IoSlice::new(&[]); 4];
    let count = server.poll_transmit(&mut slices);
    assert!(slices[..count].iter().any(|slice| slice.as_ptr() == payload.as_ptr()));
    assert_eq!(slices[0][0], BINARY);
}
