//! Messages of the multiplexing extension: read as a slow reader does that was written from the notes alone, and
//! written again as they were.

use hybi_mux::{
    ControlBlock, DropReason, HandshakeEncoding, MuxError, MuxMessage, Revision,
    fragments::{google, ietf_01},
};

use super::slow;

pub(super) fn run(message: &[u8]) {
    for revision in [Revision::Ietf03, Revision::Ietf05, Revision::Ietf07] {
        let is_ietf_03 = revision == Revision::Ietf03;
        let (mut lines, mut again) = (Vec::new(), Vec::new());
        let broken = read(message, revision, &mut lines, &mut again).err();
        if let Some(error) = broken {
            assert!(error.offset() <= message.len(), "{error}");
        }
        let code = broken.map(|error| error.drop_code().get());
        assert_eq!((lines, code), slow::mux(message, is_ietf_03), "{revision:?} {message:02x?}");
        // Numbers of ietf-03 may be longer than they need to be.
        let is_whole = broken.is_none();
        if !is_ietf_03 {
            assert!(message.starts_with(&again) && (!is_whole || again == message));
        }
    }
    fragments(message);
}

/// What a message says, line by line as the slow reader says it, and the octets of all that was understood.
fn read(
    message: &[u8],
    revision: Revision,
    lines: &mut Vec<String>,
    again: &mut Vec<u8>,
) -> Result<(), MuxError> {
    let blocks = match MuxMessage::parse(message, revision)? {
        MuxMessage::Control(blocks) => blocks,
        MuxMessage::Frame(frame) => {
            let (fin, rsv) = (u8::from(frame.fin), frame.rsv.bits() >> 4);
            let (channel, opcode) = (frame.channel, frame.opcode.bits());
            lines.push(format!("{channel}: frame {fin} {rsv} {opcode} {:?}", Some(frame.payload)));
            frame.encode(again);
            return Ok(());
        }
    };
    again.push(0);
    for block in blocks {
        let block = block?;
        lines.push(line(&block));
        block.encode(revision, again).expect("it was read");
    }
    Ok(())
}

fn line(block: &ControlBlock<'_>) -> String {
    let bits = |encoding| match encoding {
        HandshakeEncoding::Identity => 0,
        HandshakeEncoding::Delta => 1,
    };
    match *block {
        ControlBlock::AddChannelRequest { channel, encoding, handshake } => {
            format!("{channel}: request {} {handshake:?}", bits(encoding))
        }
        ControlBlock::AddChannelResponse { channel, is_rejected, encoding, handshake } => {
            let (is_rejected, encoding) = (u8::from(is_rejected), bits(encoding));
            format!("{channel}: response {is_rejected} {encoding} {handshake:?}")
        }
        ControlBlock::FlowControl { channel, quota } => format!("{channel}: quota {quota}"),
        ControlBlock::DropChannel { channel, reason } => {
            let (code, is_error, text) = match reason {
                DropReason::None => (None, 0, ""),
                DropReason::Code(code, text) => (Some(code.get()), 0, text),
                DropReason::MuxError(text) => (None, 1, text),
            };
            format!("{channel}: drop {code:?} {is_error} {text:?}")
        }
        ControlBlock::NewChannelSlot { slots, quota, is_fallback } => {
            format!("slots {slots} of {quota} {is_fallback}")
        }
    }
}

/// What is known of in part is read as it was written.
fn fragments(message: &[u8]) {
    if let Ok((block, len)) = ietf_01::Block::decode(message) {
        let mut again = Vec::new();
        assert!(len <= message.len() && block.encode(&mut again));
        assert_eq!(ietf_01::Block::decode(&again), Ok((block, again.len())));
    }
    if let Ok((block, len)) = google::Block::decode(message) {
        let mut again = Vec::new();
        assert!(len <= message.len() && block.encode(&mut again));
        assert_eq!(google::Block::decode(&again).map(|(block, _)| block), Ok(block));
    }
}
