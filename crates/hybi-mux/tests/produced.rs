//! Each error, as a peer's octets or a caller's call produces it.

use std::time::Instant;

use hybi_mux::{
    CannotEncode, CannotOpen, ChannelId, ChannelKey, Config, ControlBlock, DropCode, DropReason,
    Ended, Endpoint, FrameSequence, MuxMessage, MuxViolation, Read, ReceiveQuota, Revision,
    SendQuota, Slots,
};
use hybi_suite::produced;

/// What is wrong with a message.
fn violation(revision: Revision, message: &[u8]) -> MuxViolation {
    let found = MuxMessage::parse(message, revision).and_then(|message| match message {
        MuxMessage::Frame(frame) => panic!("{frame:?}"),
        MuxMessage::Control(mut blocks) => blocks.try_for_each(|block| block.map(drop)),
    });
    found.expect_err("against the rules").violation()
}

#[test]
fn by_peers() {
    use Revision::{Ietf03, Ietf07};
    produced! {
        MuxViolation::ChannelIdTruncated => violation(Ietf07, b""),
        MuxViolation::ChannelIdTruncated => violation(Ietf07, b"\xe0\x20\x00"),
        MuxViolation::ChannelIdNotShortest => violation(Ietf07, b"\x80\x7f"),
        MuxViolation::FrameTruncated => violation(Ietf07, b"\x05"),
        MuxViolation::ReservedOpcode(3) => violation(Ietf07, b"\x05\x83"),
        MuxViolation::UnknownBlock(7) => violation(Ietf07, b"\0\xe0"),
        MuxViolation::UnknownBlock(5) => violation(Ietf03, b"\0\xa0"),
        MuxViolation::ReservedBits(0x01) => violation(Ietf07, b"\0\x41\x01\x05"),
        MuxViolation::ReservedBits(0x10) => violation(Ietf03, b"\0\x10\x02\x00"),
        MuxViolation::BlockChannelId => violation(Ietf07, b"\0\x40\x80\x01\x05"),
        MuxViolation::NumberTruncated => violation(Ietf07, b"\0\x40\x01\x7e\x01"),
        MuxViolation::NumberTruncated => violation(Ietf03, b"\0\x41\x01\x20"),
        MuxViolation::NumberNotShortest => violation(Ietf07, b"\0\x40\x01\x7e\x00\x7d"),
        MuxViolation::NumberTooLarge => violation(Ietf07, b"\0\x40\x01\x80"),
        MuxViolation::NumberTooLarge => violation(Ietf07, b"\0\x40\x01\x7f\xff\0\0\0\0\0\0\0"),
        MuxViolation::BlockTruncated => violation(Ietf07, b"\0\x00\x02\x05abc"),
        MuxViolation::BlockTruncated => violation(Ietf07, b"\0\x00\x02\x7f\x7f\0\0\0\0\0\0\0"),
        MuxViolation::ReasonTooShort => violation(Ietf07, b"\0\x60\x01\x01\x03"),
        MuxViolation::ReasonNotUtf8 => violation(Ietf07, b"\0\x60\x01\x03\x03\xe8\xff"),
        MuxViolation::ReasonNotUtf8 => violation(Ietf03, b"\0\x70\x01\x01\xff"),
        MuxViolation::ReasonWithoutError => violation(Ietf03, b"\0\x60\x01\x03bye"),
        MuxViolation::FallbackWithSlots => violation(Ietf07, b"\0\x81\x01\x00"),
        MuxViolation::RequestEncoding(2) => violation(Ietf07, b"\0\x02\x02\x00"),
        MuxViolation::RequestEncoding(3) => violation(Ietf03, b"\0\x0c\x02\x00"),
        MuxViolation::ResponseEncoding(3) => violation(Ietf07, b"\0\x23\x02\x00"),
    }
}

/// What is wrong with the last of these frames.
fn out_of_order(frames: &[&[u8]]) -> MuxViolation {
    let mut sequence = FrameSequence::default();
    let (last, before) = frames.split_last().expect("one");
    let frame = |message| match MuxMessage::parse(message, Revision::Ietf07) {
        Ok(MuxMessage::Frame(frame)) => frame,
        other => panic!("{other:?}"),
    };
    for message in before {
        sequence.push(frame(message)).expect("lawful");
    }
    sequence.push(frame(last)).expect_err("against the rules")
}

#[test]
fn in_what_peers_do() {
    let long = |first: u8, len: usize| [&[2, first][..], &vec![b'.'; len]].concat();
    let slots = |grants: u64| {
        let mut slots = Slots::default();
        (0..grants).try_for_each(|quota| slots.grant(1, quota)).expect("so many may wait");
        slots
    };
    produced! {
        MuxViolation::QuotaViolation => ReceiveQuota::new(5).take(6).expect_err("too much"),
        MuxViolation::QuotaOverflow => {
            SendQuota::new(Revision::Ietf07, 1).grant((1 << 63) - 1).expect_err("too much")
        },
        MuxViolation::SlotOverflow => slots(1).grant((1 << 63) - 1, 0).expect_err("too many"),
        MuxViolation::SlotOverflow => slots(1024).grant(1, 1024).expect_err("too many"),
        MuxViolation::Fragmentation(_) => out_of_order(&[b"\x02\x80"]),
        MuxViolation::Fragmentation(_) => out_of_order(&[b"\x02\x01", b"\x02\x82"]),
        MuxViolation::Fragmentation(_) => out_of_order(&[b"\x02\x09", b"\x02\x81"]),
        MuxViolation::Fragmentation(_) => out_of_order(&[b"\x02\x09", b"\x02\x8a"]),
        MuxViolation::Fragmentation(_) => out_of_order(&[b"\x02\x81", b"\x02\x80"]),
        MuxViolation::ControlTooLong => out_of_order(&[&long(0x89, 126)]),
        MuxViolation::ControlTooLong => out_of_order(&[&long(0x09, 100), &long(0x80, 26)]),
    }
    // With one grant more of the same quota it is no more than a counter.
    assert_eq!(slots(1024).grant(1, 1023), Ok(()));
}

/// What an endpoint says to the last of these messages.
fn told(mut endpoint: Endpoint, messages: &[&[u8]]) -> MuxViolation {
    let (last, before) = messages.split_last().expect("one");
    for message in before {
        endpoint.handle_message(message).expect("lawful");
    }
    endpoint.handle_message(last).expect_err("against the rules").violation()
}

#[test]
fn on_channels() {
    let server = || {
        let (mut endpoint, _) = Endpoint::server(Config::default(), b"Host: localhost\r\n", 0);
        // It grants slots.
        assert!(endpoint.poll_message(Instant::now(), &mut Vec::new()));
        endpoint
    };
    let client = || Endpoint::client(Config::default(), b"Host: localhost\r\n").0;
    let free = || {
        let config = Config::default().revision(Revision::Ietf05).window(256);
        Endpoint::server(config, b"", 0).0
    };
    // What it costs nothing to send.
    let empty = [&b"\x01\x81"[..]; 600];
    let asked =
        |encoding: u8, head: &[u8]| [&[0, encoding, 2, head.len() as u8][..], head].concat();
    let response = |head: &[u8]| [&[0, 0x20, 1, head.len() as u8][..], head].concat();
    produced! {
        MuxViolation::EmptyMessages => {
            let mut endpoint = free();
            empty.iter().find_map(|message| endpoint.handle_message(message).err())
                .expect("too many").violation()
        },
        MuxViolation::WrongSender(0) => told(client(), &[&asked(0, b"")]),
        MuxViolation::WrongSender(1) => told(server(), &[&response(b"")]),
        MuxViolation::WrongSender(4) => told(server(), &[b"\0\x80\x01\x01"]),
        MuxViolation::ChannelExists(_) => told(server(), &[b"\0\x00\x01\x00"]),
        MuxViolation::ChannelExists(_) => told(server(), &[b"\0\x00\x00\x00"]),
        MuxViolation::NoSlot => {
            told(Endpoint::server(Config::default(), b"", 0).0, &[&asked(0, b"GET / HTTP/1.1\r\n\r\n")])
        },
        MuxViolation::BadRequest => told(server(), &[&asked(1, b"GET\r\n\r\n")]),
        MuxViolation::BadResponse => told(client(), &[&response(b"HTTP/1.1 101 Yes\r\n\r\n")]),
    }
}

/// Why a channel cannot be opened on this endpoint.
fn cannot_open((mut endpoint, _): (Endpoint, ChannelKey), id: Option<u32>) -> CannotOpen {
    let id = id.map(|id| ChannelId::new(id).expect("it fits"));
    endpoint.open(id).expect_err("it cannot be opened")
}

#[test]
fn by_opening() {
    let end = |messages: &[&[u8]]| {
        let (mut endpoint, first) = Endpoint::client(Config::default(), b"");
        for message in messages {
            endpoint.handle_message(message).expect("lawful");
        }
        (endpoint, first)
    };
    produced! {
        CannotOpen::NoSlot => cannot_open(end(&[]), None),
        CannotOpen::NoMoreSlots => cannot_open(end(&[b"\0\x81\0\0"]), None),
        CannotOpen::IdUsed => cannot_open(end(&[b"\0\x80\x01\x01"]), Some(1)),
        CannotOpen::IdUsed => cannot_open(
            {
                let (mut endpoint, first) = end(&[b"\0\x80\x02\x01"]);
                let last = ChannelId::new((1 << 29) - 1).expect("the last");
                endpoint.open(Some(last)).expect("there is a slot");
                (endpoint, first)
            },
            None,
        ),
        CannotOpen::NotAClient => cannot_open(Endpoint::server(Config::default(), b"", 0), None),
        CannotOpen::Over(Ended::PhysicalFailedByPeer { .. }) => {
            cannot_open(end(&[b"\0\x60\x00\x00"]), None)
        },
    }
}

/// How the first channel ended for whoever reads it.
fn ended((mut endpoint, first): (Endpoint, ChannelKey)) -> Ended {
    loop {
        match endpoint.read(first, &mut [0; 100]) {
            Read::Octets(_) => {}
            Read::End(ended) => return ended,
            Read::Wait => panic!("it goes on"),
        }
    }
}

#[test]
fn by_ends() {
    let end = |act: fn(&mut Endpoint, ChannelKey)| {
        let (mut endpoint, first) = Endpoint::server(Config::default(), b"", 100);
        act(&mut endpoint, first);
        ended((endpoint, first))
    };
    let refused = || {
        let (mut endpoint, _) = Endpoint::client(Config::default(), b"");
        endpoint.handle_message(b"\0\x80\x01\x01").expect("lawful");
        let key = endpoint.open(None).expect("there is a slot");
        endpoint.write(key, b"GET / HTTP/1.1\r\n\r\n").expect("it is written");
        endpoint.handle_message(b"\0\x30\x02\x13HTTP/1.1 404 No\r\n\r\n").expect("lawful");
        ended((endpoint, key))
    };
    produced! {
        Ended::InOrder => end(|endpoint, first| {
            endpoint.write(first, b"\x88\x00").expect("it is open");
            while endpoint.poll_message(Instant::now(), &mut Vec::new()) {}
            endpoint.handle_message(b"\x01\x88").expect("lawful");
        }),
        Ended::Refused => refused(),
        Ended::DroppedByPeer { code: None, .. } => end(|endpoint, _| {
            endpoint.handle_message(b"\0\x60\x01\x00").expect("lawful");
        }),
        Ended::DroppedByPeer { code: Some(DropCode::NORMAL), .. } => end(|endpoint, _| {
            endpoint.handle_message(b"\0\x60\x01\x05\x03\xe8bye").expect("lawful");
        }),
        Ended::Dropped { code: DropCode::BUSY, .. } => end(|endpoint, first| {
            endpoint.drop_channel(first, DropCode::BUSY, "tomorrow");
        }),
        Ended::PhysicalFailedByPeer { code: Some(DropCode::BAD_REQUEST), .. } => {
            end(|endpoint, _| {
                endpoint.handle_message(b"\0\x60\x00\x02\x07\xd9").expect("lawful");
            })
        },
        Ended::PhysicalFailed { code: DropCode::INVALID_ENCAPSULATING_MESSAGE, .. } => {
            end(|endpoint, _| endpoint.handle_text())
        },
        Ended::PhysicalEnded => end(|endpoint, _| endpoint.end()),
    }
}

#[test]
fn by_callers() {
    let encoded = |block: ControlBlock<'_>, revision| {
        let mut out = vec![7];
        let error = block.encode(revision, &mut out).expect_err("no form for it");
        assert_eq!(out, [7], "nothing is appended");
        error
    };
    let slots = |slots, is_fallback| ControlBlock::NewChannelSlot { slots, quota: 0, is_fallback };
    let drop = |reason| ControlBlock::DropChannel { channel: ChannelId::FIRST, reason };
    let coded = DropReason::Code(DropCode::NORMAL, "");
    produced! {
        CannotEncode::Number(_) => encoded(slots(1 << 63, false), Revision::Ietf07),
        CannotEncode::Number(_) => encoded(slots(1 << 32, false), Revision::Ietf03),
        CannotEncode::Reason => encoded(drop(coded), Revision::Ietf03),
        CannotEncode::Reason => encoded(drop(DropReason::MuxError("")), Revision::Ietf07),
        CannotEncode::Fallback => encoded(slots(1, true), Revision::Ietf07),
        CannotEncode::Fallback => encoded(slots(0, true), Revision::Ietf03),
    }
}
