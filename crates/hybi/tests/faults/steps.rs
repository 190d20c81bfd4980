//! How much is compressed at once, where that takes long, counted in steps: the same for whole messages and
//! for those that are written a piece at a time (RFC 7692 section 7, RFC 6455 section 5.4).

use std::time::Instant;

use hybi::{
    Compress, Config, Connection, Deflate, Error, Message, MessageKind, Negotiated, Role, Version,
    extension::{DeflateFrame, DeflateStream, Extension, PerframeCompress, PermessageCompress},
};

use crate::{
    slices::turns_beside,
    support::versions::{input, terms},
    world::{BOTH, World, quiet},
};

/// How many bytes are compressed at once at each level, as documented.
const LEVELS: [(u8, usize); 4] = [(5, 65_536), (6, 16_384), (8, 4096), (9, 4096)];

/// A message that is compressed, no longer than a frame of a writer.
fn text(len: usize) -> String {
    let records = (0_u32..).map(|at| format!("{{\"id\":{}}}\n", at.wrapping_mul(0x9e37_79b9)));
    let mut text = String::new();
    for record in records {
        text.push_str(&record);
        if text.len() >= len {
            break;
        }
    }
    text.truncate(len);
    text
}

/// Every extension that compresses, in a version that has it.
fn extensions(level: u8) -> Vec<(Version, Box<dyn Extension>)> {
    let deflate = Deflate::default().level(level);
    vec![
        (Version::RFC6455, Box::new(deflate)),
        (Version::RFC6455, Box::new(deflate.own_context_takeover(false))),
        (Version::RFC6455, Box::new(PermessageCompress::new(deflate))),
        (Version::RFC6455, Box::new(PerframeCompress::new(deflate))),
        (Version::HYBI_07, Box::new(DeflateFrame::new(deflate))),
        (Version::HYBI_08, Box::new(DeflateStream::new(deflate))),
        (Version::HYBI_04, Box::new(DeflateStream::new(deflate))),
    ]
}

/// Both ends of a connection.
fn pair(version: Version, extension: &dyn Extension, role: Role) -> [Connection; 2] {
    pair_with(version, extension, role, &quiet())
}

fn pair_with(
    version: Version,
    extension: &dyn Extension,
    role: Role,
    config: &Config,
) -> [Connection; 2] {
    let agreed = extension.accept(&extension.offers()[0]).expect("acceptable");
    let mut negotiated = Negotiated::new(version, None, vec![agreed]);
    if version < Version::HYBI_07 {
        negotiated = negotiated.with_terms(terms(version));
    }
    let make = |role| Connection::new(role, negotiated.clone(), config.clone().into());
    [make(role), make(role.peer())]
}

/// All that is to be sent, and in how many steps it is made.
fn transmit(own: &mut Connection) -> (Vec<u8>, usize) {
    let now = Instant::now();
    let (mut wire, mut steps) = (Vec::new(), 0);
    for _ in 0..10_000 {
        let is_due = own.poll_timeout(|| now) == Some(now);
        steps += usize::from(is_due);
        let mut slices = [std::io::IoSlice::new(&[])];
        let filled = own.poll_transmit(&mut slices);
        let len = if filled > 0 { slices[0].len() } else { 0 };
        wire.extend_from_slice(&slices[0][..len]);
        own.transmitted(len);
        if !is_due && len == 0 {
            return (wire, steps);
        }
    }
    panic!("there is no end to it")
}

/// What comes to nothing but the header of a frame is done beside: a step more for each of them at most.
fn assert_steps(steps: usize, len: usize, slice: usize, frames: usize, what: &str) {
    let least = if len > slice { len.div_ceil(slice) } else { 0 };
    assert!(steps >= least, "{what}: {len} bytes in {steps} steps");
    assert!(steps <= least + 3 * frames, "{what}: {len} bytes in {steps} steps");
}

#[test]
fn a_step_compresses_no_more_of_a_piece_than_of_a_message() {
    for (level, slice) in LEVELS {
        for (version, extension) in extensions(level) {
            for role in BOTH {
                let what = format!("{version:?} {} {level} {role:?}", extension.offers()[0]);
                let [mut own, mut peer] = pair(version, &*extension, role);
                for len in [65_536, 10_000, 100_000] {
                    let text = text(len);
                    own.queue(text.as_str()).expect("open");
                    let (wire, steps) = transmit(&mut own);
                    assert_steps(steps, len, slice, 1, &format!("{what}, whole"));
                    assert!(input(&mut peer, &wire) == [Message::from(text.as_str())], "{what}");

                    own.begin_message(MessageKind::Text, Compress::Always).expect("open");
                    let mut wire = Vec::new();
                    for last in [false, true] {
                        own.queue_piece(text.as_bytes(), last).expect("open");
                        let (frame, steps) = transmit(&mut own);
                        assert_steps(steps, len, slice, 1, &format!("{what}, a piece"));
                        wire.extend(frame);
                    }
                    let whole = Message::from(text.repeat(2));
                    assert!(input(&mut peer, &wire) == [whole], "{what}");
                }
                let traffic = peer.stats().received;
                assert_eq!(traffic.frames, 9, "{what}: a frame for each message and piece");
            }
        }
    }
}

/// They need not be asked for between: pieces leave in order, and what was queued among them behind.
#[test]
fn pieces_that_wait_leave_in_front_of_messages() {
    for (version, extension) in extensions(9) {
        for role in BOTH {
            let what = format!("{version:?} {} {role:?}", extension.offers()[0]);
            let [mut own, mut peer] = pair(version, &*extension, role);
            let text = text(20_000);
            own.begin_message(MessageKind::Text, Compress::Auto).expect("open");
            own.queue_piece(text.as_bytes(), false).expect("open");
            own.queue("behind").expect("open");
            own.queue_piece(b"short", false).expect("open");
            own.queue(&b"behind, too"[..]).expect("open");
            assert!(own.is_writing(), "{what}");
            own.queue_piece(text.as_bytes(), true).expect("open");
            assert!(!own.is_writing(), "{what}");
            assert!(matches!(own.queue_piece(b"", true), Err(Error::Closed)), "{what}");
            assert!(own.queued_bytes() >= 2 * text.len() + 5 + 6 + 11, "{what}: all of it counts");
            let again = own.begin_message(MessageKind::Text, Compress::Auto);
            assert!(matches!(again, Err(Error::Full)), "{what}");
            own.queue("last").expect("open");
            let (wire, _) = transmit(&mut own);
            let expected = [
                Message::from(format!("{text}short{text}")),
                "behind".into(),
                b"behind, too"[..].into(),
                "last".into(),
            ];
            assert!(input(&mut peer, &wire) == expected, "{what}");
            assert_eq!((own.queued_bytes(), peer.stats().received.frames), (0, 6), "{what}");
            own.begin_message(MessageKind::Text, Compress::Auto).expect("all has left");
        }
    }
}

/// Whether none, some or all of a piece is compressed: it was queued, and leaves in front of the Close frame.
#[test]
fn what_was_queued_of_a_message_leaves_before_it_is_cut_off() {
    for (version, extension) in extensions(9) {
        for (role, steps) in BOTH.into_iter().flat_map(|role| [(role, 0), (role, 2), (role, 5)]) {
            let what = format!("{version:?} {} {role:?} {steps}", extension.offers()[0]);
            let [mut own, mut peer] = pair(version, &*extension, role);
            let text = text(20_000);
            own.begin_message(MessageKind::Text, Compress::Auto).expect("open");
            own.queue_piece(text.as_bytes(), false).expect("open");
            own.queue_piece(text.as_bytes(), false).expect("open");
            own.queue("never").expect("open");
            let mut wire = Vec::new();
            for _ in 0..steps {
                let mut slices = [std::io::IoSlice::new(&[])];
                let filled = own.poll_transmit(&mut slices);
                let bytes = if filled > 0 { slices[0].to_vec() } else { Vec::new() };
                own.transmitted(bytes.len());
                wire.extend(bytes);
            }
            own.queue(Message::Close(None)).expect("open");
            assert!(own.queue_piece(text.as_bytes(), true).is_err(), "{what}");
            wire.extend(transmit(&mut own).0);
            assert_eq!(input(&mut peer, &wire), [Message::Close(None)], "{what}");
            assert_eq!(peer.stats().received.payload_bytes, 40_000, "{what}");
            assert!(own.discarded_bytes() >= 5, "{what}: what waited behind it");
        }
    }
}

/// A step is a turn of the thread, however short the frames are.
#[test]
fn other_tasks_have_their_turn_between_the_steps_of_a_writer() {
    const LEN: usize = 200_000;
    for (level, slice) in LEVELS {
        for frame_size in [1000, 4096, 10_000, 65_536] {
            for role in BOTH {
                let what = format!("{level} {frame_size} {role:?}");
                let deflate = Deflate::default().level(level);
                let [own, peer] = pair(Version::RFC6455, &deflate, role);
                let mut world = World::between(own, peer, usize::MAX);
                let World { socket, peer, .. } = &mut world;
                let text = text(LEN);
                let (turns, outcome) = turns_beside(
                    async {
                        let writer = socket.send_writer(MessageKind::Text)?;
                        let mut writer = writer.frame_size(frame_size);
                        writer.write_all(text.as_bytes()).await?;
                        writer.finish().await
                    },
                    || {},
                );
                outcome.expect("open");
                // A frame takes as many steps as it has slices; of short ones, several are a step.
                let least = match frame_size >= slice {
                    true => LEN / frame_size * frame_size.div_ceil(slice),
                    false => LEN / (slice + frame_size),
                };
                assert!(turns >= least, "{what}: {turns} turns of {least}");
                peer.step(usize::MAX);
                assert!(peer.events == [Message::from(text.as_str())], "{what}");
                let frames = peer.connection.stats().received.frames;
                assert_eq!(frames as usize, LEN / frame_size + 1, "{what}");
            }
        }
    }
}

/// A peer that says something in each turn gets no second step of it, whatever is sent.
#[test]
fn other_tasks_have_their_turn_however_much_comes() {
    const LEN: usize = 200_000;
    for (role, whole) in BOTH.into_iter().flat_map(|role| [(role, true), (role, false)]) {
        let [own, peer] = pair(Version::RFC6455, &Deflate::default().level(9), role);
        let mut world = World::between(own, peer, usize::MAX);
        let World { socket, peer, .. } = &mut world;
        let text = text(LEN);
        let sending = async {
            if whole {
                return Ok(socket.send(text.as_str()).await?);
            }
            let mut writer = socket.send_writer(MessageKind::Text)?;
            writer.write_all(text.as_bytes()).await?;
            writer.finish().await
        };
        let (turns, outcome) = turns_beside(sending, || peer.say([Message::Ping("?".into())]));
        outcome.expect("open");
        assert!(turns >= LEN / 4096, "{role:?} {whole}: {turns} turns");
        peer.step(usize::MAX);
        assert!(peer.events.contains(&Message::from(text.as_str())), "{role:?} {whole}");
    }
}

/// What a writer has queued is a frame, and what became of those before: it does not run ahead of the steps.
#[test]
fn a_writer_waits_for_the_steps_of_its_frames() {
    let [own, peer] = pair(Version::RFC6455, &Deflate::default().level(9), Role::Server);
    let world = World::between(own, peer, usize::MAX);
    let (mut sender, _receiver) = world.socket.split();
    let looks_on = sender.clone();
    let (text, mut most) = (text(500_000), 0);
    let (_, outcome) = turns_beside(
        async {
            let mut writer = sender.send_writer(MessageKind::Text)?;
            writer.write_all(text.as_bytes()).await?;
            writer.finish().await
        },
        || most = most.max(looks_on.queued_bytes()),
    );
    outcome.expect("open");
    assert!((60_000..2 * 65_536).contains(&most), "{most} bytes were queued");
}

/// Of what waits as much is queued in one step as is compressed in one, or 64 KiB where nothing is; and a message that
/// is still being written holds back all others.
#[test]
fn what_waits_behind_leaves_in_steps_and_behind_the_end() {
    let level_9 = Deflate::default().level(9);
    for (extension, len, least) in [(Some(&level_9), 2_000, 10), (None, 20_000, 8)] {
        let config = quiet().outbox_limit(1 << 20);
        let [mut own, mut peer] = match extension {
            Some(deflate) => pair_with(Version::RFC6455, deflate, Role::Server, &config),
            None => [Role::Server, Role::Client]
                .map(|role| Connection::new(role, Negotiated::default(), config.clone().into())),
        };
        let text = text(len);
        own.begin_message(MessageKind::Text, Compress::Auto).expect("open");
        let long = text.repeat(10);
        own.queue_piece(long.as_bytes(), false).expect("open");
        for _ in 0..30 {
            own.queue(text.as_str()).expect("open");
        }
        own.queue_piece(b"short", false).expect("open");
        let before = own.queued_bytes();
        let (wire, _) = transmit(&mut own);
        assert!(own.queued_bytes() < before, "its pieces have left");
        assert!(input(&mut peer, &wire).is_empty(), "no message is whole yet");
        assert_eq!(peer.stats().received.frames, 2, "of that message alone");

        own.queue_piece(b"", true).expect("open");
        let (wire, steps) = transmit(&mut own);
        assert!((least..least + 4).contains(&steps), "{len}: 30 messages in {steps} steps");
        let messages = input(&mut peer, &wire);
        assert_eq!(messages[0], Message::from(format!("{long}short")));
        assert!(messages[1..] == vec![Message::from(text.as_str()); 30]);
    }
}

/// A piece is a frame, whatever size frames of whole messages have; and it counts as long as it is not encoded.
#[test]
fn a_piece_is_one_frame_and_counts_until_it_is_encoded() {
    for (version, extension) in extensions(9) {
        let what = format!("{version:?} {}", extension.offers()[0]);
        let config = quiet().fragment_size(Some(1_000));
        let [mut own, mut peer] = pair_with(version, &*extension, Role::Server, &config);
        let text = text(20_000);
        own.begin_message(MessageKind::Text, Compress::Always).expect("open");
        own.queue_piece(text.as_bytes(), true).expect("open");
        let mut wire = Vec::new();
        for _ in 0..2 {
            let mut slices = [std::io::IoSlice::new(&[])];
            let filled = own.poll_transmit(&mut slices);
            let bytes = if filled > 0 { slices[0].to_vec() } else { Vec::new() };
            own.transmitted(bytes.len());
            wire.extend(bytes);
            assert!(own.queued_bytes() >= text.len(), "{what}: {}", own.queued_bytes());
        }
        wire.extend(transmit(&mut own).0);
        assert_eq!(own.queued_bytes(), 0, "{what}");
        assert!(input(&mut peer, &wire) == [Message::from(text.as_str())], "{what}");
        assert_eq!(peer.stats().received.frames, 1, "{what}");
    }
}

/// Without an extension that takes long, a frame of a writer is no turn.
#[test]
fn what_is_not_compressed_is_not_held_up() {
    let mut world = World::new(Role::Server, Version::RFC6455, Config::default(), usize::MAX);
    let bytes = vec![7; 256 * 1024];
    let (turns, outcome) = turns_beside(
        async {
            let mut writer = world.socket.send_writer(MessageKind::Binary)?;
            writer.write_all(&bytes).await?;
            writer.finish().await
        },
        || {},
    );
    outcome.expect("open");
    assert!(turns <= 1, "{turns}");
}
