//! The vectors of the extension, in both directions, and cut at every octet.

use hybi_frame::{FrameDecoder, FrameRules, Limits, MessageAssembler, Opcode, Role, Rsv};
use hybi_mux::{
    ChannelId, ControlBlock, ControlBlocks, DropCode, DropReason, HandshakeEncoding, LogicalFrame,
    MuxError, MuxMessage, Revision,
    fragments::{google, ietf_01},
};
use hybi_suite::vectors::{hex, records};
use serde_json::Value;

/// The records of this kind; there are so many.
fn of_kind(file: &str, kind: &str, count: usize) -> Vec<Value> {
    let mut records = records(file);
    records.retain(|record| record["kind"] == kind);
    assert_eq!(records.len(), count, "{file}: {kind}");
    records
}

fn channel(value: &Value) -> ChannelId {
    ChannelId::new(value.as_u64().expect("a number") as u32).expect("29 bits")
}

/// A message of channel 0 with this block.
fn control(block: &[u8]) -> Vec<u8> {
    [&[0], block].concat()
}

fn blocks(message: &[u8], revision: Revision) -> ControlBlocks<'_> {
    match MuxMessage::parse(message, revision).expect("a channel id") {
        MuxMessage::Control(blocks) => blocks,
        MuxMessage::Frame(frame) => panic!("{frame:?}"),
    }
}

#[test]
fn channel_ids() {
    for record in of_kind("mux-encodings", "channel-id", 27) {
        let bytes = hex(record["hex"].as_str().expect("hex"));
        let decoded = ChannelId::decode(&bytes);
        if record["valid"] == true {
            let id = channel(&record["value"]);
            assert_eq!(decoded, Ok((id, bytes.len())), "{record}");
            let mut out = Vec::new();
            id.encode(&mut out);
            assert_eq!(out, bytes, "{record}");
        } else {
            let error = decoded.expect_err("refused");
            assert_eq!(error.drop_code(), DropCode::CHANNEL_ID_TRUNCATED, "{record}");
        }
    }
}

/// Numbers have no life of their own: each as the quota of a FlowControl.
#[test]
fn numbers() {
    for record in of_kind("mux-encodings", "number-1-3-9", 16) {
        let number = hex(record["hex"].as_str().expect("hex"));
        let message = control(&[&[0x40, 0x01], &number[..]].concat());
        let decoded = blocks(&message, Revision::Ietf07).next().expect("a block");
        if record["valid"] == true {
            let quota = record["value"].as_u64().expect("a number");
            let block = ControlBlock::FlowControl { channel: ChannelId::FIRST, quota };
            assert_eq!(decoded, Ok(block), "{record}");
            let mut out = vec![0];
            block.encode(Revision::Ietf07, &mut out).expect("there is a form for it");
            assert_eq!(out, message, "{record}");
        } else {
            let error = decoded.expect_err("refused");
            assert_eq!(error.drop_code(), DropCode::INVALID_CONTROL_BLOCK, "{record}");
            assert_eq!(error.offset(), 3, "{record}");
        }
    }
}

#[test]
fn old_numbers() {
    for record in of_kind("mux-encodings", "number-size-of-size", 6) {
        let number = hex(record["hex"].as_str().expect("hex"));
        let size = record["size_bits"].as_u64().expect("a number") as u8;
        let message = control(&[&[0x40 | size, 0x01], &number[..]].concat());
        let quota = record["value"].as_u64().expect("a number");
        let block = ControlBlock::FlowControl { channel: ChannelId::FIRST, quota };
        assert_eq!(blocks(&message, Revision::Ietf03).next(), Some(Ok(block)), "{record}");
        let mut out = vec![0];
        block.encode(Revision::Ietf03, &mut out).expect("there is a form for it");
        assert_eq!(out, message, "{record}");
    }
}

fn encoding(fields: &Value) -> HandshakeEncoding {
    if fields["encoding"] == 0 { HandshakeEncoding::Identity } else { HandshakeEncoding::Delta }
}

/// The block that a record is.
fn block(fields: &Value) -> ControlBlock<'_> {
    let text = |name: &str| fields[name].as_str().expect("a text");
    let channel = || channel(&fields["channel_id"]);
    let number = |name: &str| fields[name].as_u64().expect("a number");
    match number("opcode") {
        0 => ControlBlock::AddChannelRequest {
            channel: channel(),
            encoding: encoding(fields),
            handshake: text("encoded_handshake").as_bytes(),
        },
        1 => ControlBlock::AddChannelResponse {
            channel: channel(),
            is_rejected: fields["rejected"] == 1,
            encoding: encoding(fields),
            handshake: text("encoded_handshake").as_bytes(),
        },
        2 => ControlBlock::FlowControl { channel: channel(), quota: number("send_quota") },
        3 => {
            let reason = match (fields["drop_code"].as_u64(), fields["mux_error"].as_u64()) {
                (Some(code), _) => {
                    DropReason::Code(DropCode::new(code as u16), text("drop_message"))
                }
                (None, Some(1)) => DropReason::MuxError(text("reason")),
                _ => DropReason::None,
            };
            ControlBlock::DropChannel { channel: channel(), reason }
        }
        _ => ControlBlock::NewChannelSlot {
            slots: number("slots"),
            quota: number("send_quota"),
            is_fallback: fields["fallback"] == 1,
        },
    }
}

#[test]
fn control_blocks() {
    let mut seen = 0;
    for record in of_kind("mux-control-blocks", "control-block", 25) {
        let revisions: &[_] = match record["revision"].as_str() {
            Some("ietf-05+") => &[Revision::Ietf05, Revision::Ietf07],
            Some("ietf-03") => &[Revision::Ietf03],
            _ => continue,
        };
        let bytes = hex(record["hex"].as_str().expect("hex"));
        let expected = block(&record["fields"]);
        for &revision in revisions {
            let message = control(&bytes);
            let mut found = blocks(&message, revision);
            assert_eq!(found.next(), Some(Ok(expected)), "{record}");
            assert_eq!(found.next(), None, "{record}");
            let mut out = vec![0];
            expected.encode(revision, &mut out).expect("there is a form for it");
            assert_eq!(out, message, "{record}");
            for end in 2..message.len() {
                let error =
                    blocks(&message[..end], revision).next().expect("one").expect_err("cut");
                assert_eq!(error.drop_code(), DropCode::INVALID_CONTROL_BLOCK, "{record} {end}");
            }
            // Twice in one message.
            let twice = [&message[..], &bytes].concat();
            let found: Vec<_> = blocks(&twice, revision).collect();
            assert_eq!(found, [Ok(expected); 2], "{record}");
        }
        seen += 1;
    }
    assert_eq!(seen, 20);
}

#[test]
fn control_blocks_of_ietf_01() {
    use ietf_01::Block;
    let mut seen = 0;
    for record in of_kind("mux-control-blocks", "control-block", 25) {
        if record["revision"] != "ietf-01" {
            continue;
        }
        let fields = &record["fields"];
        let expected = if fields["opcode"] == 4 {
            let frame = &fields["frame"];
            let payload: Vec<u8> = frame["payload"]
                .as_str()
                .expect("octets")
                .chars()
                .map(|octet| octet as u8)
                .collect();
            let opcode = Opcode::from_bits(frame["opcode"].as_u64().expect("a number") as u8);
            Block::EncapsulatedControlFrame {
                channel: channel(&fields["channel_id"]),
                opcode: opcode.expect("an opcode"),
                payload: payload.leak(),
            }
        } else {
            match block(fields) {
                ControlBlock::AddChannelRequest { channel, encoding, handshake } => {
                    Block::AddChannelRequest { channel, encoding, handshake }
                }
                ControlBlock::AddChannelResponse { channel, is_rejected, encoding, handshake } => {
                    Block::AddChannelResponse { channel, is_rejected, encoding, handshake }
                }
                ControlBlock::DropChannel { channel, .. } => Block::DropChannel {
                    channel,
                    is_mux_error: fields["mux_error"] == 1,
                    reason: fields["reason"].as_str().expect("a text").as_bytes(),
                },
                other => panic!("{other:?}"),
            }
        };
        let bytes = hex(record["hex"].as_str().expect("hex"));
        assert_eq!(Block::decode(&bytes), Ok((expected, bytes.len())), "{record}");
        let mut out = Vec::new();
        assert!(expected.encode(&mut out), "{record}");
        assert_eq!(out, bytes, "{record}");
        for end in 0..bytes.len() {
            Block::decode(&bytes[..end]).expect_err("cut");
        }
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// The messages of the physical connection in `wire`, each with its opcode.
fn messages(wire: &[u8], role: Role) -> Vec<(Opcode, Vec<u8>)> {
    let mut decoder = FrameDecoder::new(role, FrameRules::RFC6455, Limits::default());
    let mut assembler = MessageAssembler::new(FrameRules::RFC6455, Limits::default());
    let (mut wire, mut at, mut messages) = (wire.to_vec(), 0, Vec::new());
    while at < wire.len() {
        let (taken, part) = decoder.decode(&mut wire[at..]).expect("lawful");
        at += taken;
        let event = part.and_then(|part| assembler.push(part).expect("lawful"));
        match event {
            Some(hybi_frame::Event::Binary(payload)) => {
                messages.push((Opcode::Binary, payload.to_vec()));
            }
            Some(hybi_frame::Event::Text(text)) => {
                messages.push((Opcode::Text, text.as_bytes().to_vec()));
            }
            Some(event) => panic!("{event:?}"),
            None => {}
        }
    }
    messages
}

/// What a record says that the payload of a logical frame is.
fn payload(logical: &Value) -> Vec<u8> {
    match logical["payload_utf8"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => hex(logical["payload_hex"].as_str().expect("hex")),
    }
}

#[test]
fn frames() {
    for record in of_kind("mux-frames", "mux-frames", 6) {
        let wire = hex(record["wire_hex"].as_str().expect("hex"));
        let messages = messages(&wire, Role::Client);
        let logical = record["logical"].as_array().expect("a list");
        assert_eq!(messages.len(), logical.len(), "{record}");
        for ((outer, message), logical) in messages.iter().zip(logical) {
            let (id, payload) = (channel(&logical["channel"]), payload(logical));
            let opcode = Opcode::from_bits(logical["opcode"].as_u64().expect("a number") as u8);
            let opcode = opcode.expect("an opcode");
            if record["revision"] == "ietf-01" {
                assert_eq!(*outer, opcode, "{record}");
                assert_eq!(ietf_01::data(message), Ok((id, &payload[..])), "{record}");
                continue;
            }
            let rsv = logical["rsv"].as_u64().unwrap_or(0) as u8;
            let frame = LogicalFrame {
                channel: id,
                fin: logical["fin"] == 1,
                rsv: Rsv::from_bits(rsv << 4),
                opcode,
                payload: &payload,
            };
            assert_eq!(*outer, Opcode::Binary, "{record}");
            for revision in [Revision::Ietf03, Revision::Ietf07] {
                let MuxMessage::Frame(found) =
                    MuxMessage::parse(message, revision).expect("lawful")
                else {
                    panic!("{record}")
                };
                assert_eq!(found, frame, "{record}");
            }
            let mut out = Vec::new();
            frame.encode(&mut out);
            assert_eq!(out, *message, "{record}");
        }
    }
}

#[test]
fn blocks_of_google_mux() {
    use google::Block;
    for record in of_kind("mux-frames", "google-mux-block", 6) {
        let fields = &record["fields"];
        let channel = fields["channel"].as_u64().expect("a number") as u16;
        let written = record["hex"].as_str().expect("hex");
        // One of them is cut behind its length.
        let mut bytes = hex(written.trim_end_matches('.'));
        bytes.extend(core::iter::repeat_n(b'h', fields["length"].as_u64().unwrap_or(0) as usize));
        let inner = fields["inner_frame"].as_str().map(hex).unwrap_or_default();
        let headers = match fields["headers"].as_str() {
            Some(headers) => headers.as_bytes().to_vec(),
            None => vec![b'h'; fields["length"].as_u64().unwrap_or(0) as usize],
        };
        let expected = match fields["opcode"].as_str() {
            Some("DATA") => Block::Data { channel, rest: &inner },
            Some("ADDCHANNEL") => Block::AddChannel { channel, headers: &headers },
            Some("DROPCHANNEL") => Block::DropChannel { channel },
            _ => Block::FlowControl {
                channel,
                quota: fields["quota"].as_u64().expect("a number") as u32,
            },
        };
        assert_eq!(Block::decode(&bytes), Ok((expected, bytes.len() - inner.len())), "{record}");
        let mut out = Vec::new();
        assert!(expected.encode(&mut out), "{record}");
        assert_eq!(out, bytes, "{record}");
        for end in 0..bytes.len() - inner.len() {
            Block::decode(&bytes[..end]).expect_err("cut");
        }
    }
}

/// What octets alone can do wrong; the rest is for whoever knows which channels there are.
#[test]
fn errors() {
    let mut seen = Vec::new();
    for record in of_kind("mux-errors", "mux-error", 15) {
        let Some(message) = record["message_hex"].as_str().map(hex) else { continue };
        let outcome =
            MuxMessage::parse(&message, Revision::Ietf07).and_then(|message| match message {
                MuxMessage::Frame(_) => Ok(()),
                MuxMessage::Control(mut blocks) => blocks.try_for_each(|block| block.map(drop)),
            });
        if let Err(error) = outcome {
            // pywebsocket takes a channel id that is too long.
            let expected = match record["drop_code"].as_u64() {
                Some(code) => DropCode::new(code as u16),
                None => DropCode::CHANNEL_ID_TRUNCATED,
            };
            assert_eq!(error.drop_code(), expected, "{record}");
            seen.push(record["id"].as_str().expect("an id").to_owned());
        }
    }
    let octets = ["00", "01", "02", "05", "06", "07", "08", "10", "12"];
    assert_eq!(seen, octets.map(|number| format!("err-{number}")));
}

#[test]
fn captured_sessions_are_read_and_written_again() {
    let (mut read, mut refused) = (0, 0);
    for record in of_kind("mux-sessions", "mux-session", 2) {
        let revision = match record["id"].as_str() {
            Some("session-ietf-07") => Revision::Ietf07,
            _ => Revision::Ietf03,
        };
        for step in record["steps"].as_array().expect("a list") {
            let Some(payload) = step["payload_hex"].as_str().map(hex) else { continue };
            if step["opcode"] != 2 {
                continue;
            }
            if let Some(wire) = step["wire_hex"].as_str().map(hex) {
                assert_eq!(messages(&wire, Role::Server), [(Opcode::Binary, payload.clone())]);
            }
            let again = written_again(&payload, revision);
            if step["what"].as_str().is_some_and(|what| what.contains("unknown encoding")) {
                let error = again.expect_err("refused");
                assert_eq!(error.drop_code(), DropCode::UNKNOWN_REQUEST_ENCODING, "{step}");
                refused += 1;
                continue;
            }
            assert_eq!(again, Ok(payload), "{step}");
            read += 1;
        }
    }
    assert_eq!((read, refused), (42, 1));
}

fn written_again(message: &[u8], revision: Revision) -> Result<Vec<u8>, MuxError> {
    let mut out = Vec::new();
    match MuxMessage::parse(message, revision)? {
        MuxMessage::Frame(frame) => frame.encode(&mut out),
        MuxMessage::Control(blocks) => {
            ChannelId::CONTROL.encode(&mut out);
            for block in blocks {
                block?.encode(revision, &mut out).expect("it was read");
            }
        }
    }
    Ok(out)
}
