//! The framings before hybi-07 beside that of version 13: parsing and serialising, text and binary.
//!
//! All figures of a line come from one run with interleaved rounds; `x` is the time as a multiple of version
//! 13's. Every answer is checked before it is timed. hybi-01 stands for 01 to 03 and hybi-05 for 05 and 06, which
//! share their layouts; what a server of hybi-04 to 06 sends is laid out alike. hixie-76 has no binary
//! messages.

#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

use bytes::BufMut;
use hybi_benches::memory::Memory;
use hybi_benches::{Contender, compare, print_row};
use hybi_frame::{
    Event, FrameDecoder, FrameHeader, FramePart, FrameRules, Limits, MaskingKey, MessageAssembler,
    Opcode, Role, Rsv, encode_frame,
};
use hybi_legacy::{FrameCodec, Terms, Version};

/// Payload sizes in bytes.
const SIZES: [(&str, usize); 4] =
    [("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("64 KiB", 64 << 10), ("1 MiB", 1 << 20)];

/// The columns, version 13 first.
const VERSIONS: [(&str, Version); 5] = [
    ("13", Version::RFC6455),
    ("hixie-76", Version::HIXIE_76),
    ("hybi-01", Version::HYBI_01),
    ("hybi-04", Version::HYBI_04),
    ("hybi-05", Version::HYBI_05),
];

/// Output gathered before it goes to the transport.
const BATCH: usize = 16 << 10;
/// Half a page.
const ASIDE: usize = 2 << 10;

fn main() {
    // `cargo test --benches` only wants to know that the answers are right.
    let timed = !std::env::args().any(|argument| argument == "--test");
    for opcode in [Opcode::Binary, Opcode::Text] {
        for role in [Role::Server, Role::Client] {
            println!("parse one {opcode} frame as {role:?}; read whole, decoder and assembler");
            for (label, size) in SIZES {
                row(label, timed, opcode, |version| parse(version, role, opcode, size, usize::MAX));
            }
            // What does not fit is gathered; version 13 reads past its chunk then.
            println!("the same, read in pieces of 64 KiB");
            row("1 MiB", timed, opcode, |version| parse(version, role, opcode, 1 << 20, 64 << 10));
        }
    }
    for role in [Role::Server, Role::Client] {
        println!("serialise one frame as {role:?}, payload copied; keys given");
        for (label, size) in SIZES {
            row(label, timed, Opcode::Text, |version| serialise(version, role, size));
        }
    }
}

/// Measures all versions that have messages of this kind, and prints them.
fn row<'a>(
    label: &str,
    timed: bool,
    opcode: Opcode,
    contender: impl Fn(Version) -> Box<dyn FnMut(usize) + 'a>,
) {
    let fits = |version| opcode == Opcode::Text || version != Version::HIXIE_76;
    let versions = VERSIONS.into_iter().filter(|&(_, version)| fits(version));
    let mut contenders: Vec<_> =
        versions.map(|(name, version)| Contender::new(name, contender(version))).collect();
    if timed {
        print_row(label, &compare(&mut contenders));
    }
}

/// Receives messages of `size` bytes in reads of at most `read`.
fn parse<'a>(
    version: Version,
    role: Role,
    opcode: Opcode,
    size: usize,
    read: usize,
) -> Box<dyn FnMut(usize) + 'a> {
    let plain = payload(opcode, size);
    let mut wire = Vec::new();
    Framing::new(version, role.peer()).encode(&mut wire, opcode, &plain);
    let mut receiver = Receiver::new(version, role, wire, read);
    for _ in 0..2 {
        receiver.message(|bytes| assert!(bytes == plain, "{version}"));
    }
    Box::new(move |count| {
        for _ in 0..count {
            receiver.message(|bytes| assert_eq!(bytes.len(), size));
        }
    })
}

/// Appends messages of `size` bytes to a batch.
fn serialise<'a>(version: Version, role: Role, size: usize) -> Box<dyn FnMut(usize) + 'a> {
    // Not at the same place of a page as what is written, which costs some processors half their speed.
    let room = payload(Opcode::Text, ASIDE + size);
    let mut framing = Framing::new(version, role);
    let mut out = Vec::with_capacity(BATCH);
    framing.encode(&mut out, Opcode::Text, &room[ASIDE..]);
    let mut receiver = Receiver::new(version, role.peer(), out.clone(), usize::MAX);
    receiver.message(|bytes| assert!(*bytes == room[ASIDE..], "{version}"));
    Box::new(move |count| {
        for _ in 0..count {
            if out.len() >= BATCH {
                out.clear();
            }
            framing.encode(&mut out, Opcode::Text, &room[ASIDE..]);
        }
    })
}

/// A payload without repetition on the scale of a key or a vector; ASCII where it is text.
fn payload(opcode: Opcode, len: usize) -> Vec<u8> {
    let byte = |i: u32| (i.wrapping_mul(0x9e37_79b1) >> 13) as u8;
    let mask = if opcode == Opcode::Text { 0x7f } else { 0xff };
    (0..len as u32).map(|i| byte(i) & mask).collect()
}

enum Framing {
    Rfc6455(FrameDecoder, Role),
    Legacy(FrameCodec),
}

impl Framing {
    fn new(version: Version, role: Role) -> Self {
        let limits = Limits::default();
        if version == Version::RFC6455 {
            return Self::Rfc6455(FrameDecoder::new(role, FrameRules::RFC6455, limits), role);
        }
        let terms = Terms::new(version).unwrap_or_else(|| Terms::hybi_04("key", "nonce"));
        Self::Legacy(FrameCodec::new(&terms, role, limits))
    }

    fn rules(&self) -> FrameRules {
        match self {
            Self::Rfc6455(..) => FrameRules::RFC6455,
            Self::Legacy(codec) => codec.rules(),
        }
    }

    #[inline]
    fn decode<'a>(&mut self, chunk: &'a mut [u8]) -> (usize, Option<FramePart<'a>>) {
        match self {
            Self::Rfc6455(decoder, _) => decoder.decode(chunk),
            Self::Legacy(codec) => codec.decode(chunk),
        }
        .expect("valid")
    }

    #[inline]
    fn encode(&mut self, out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
        let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
        match self {
            Self::Rfc6455(_, role) => {
                let key = role.masks_outgoing().then_some(key);
                encode_frame(out, true, Rsv::NONE, opcode, payload, key);
            }
            Self::Legacy(codec) => {
                let masking_key = codec.masks().then_some(key);
                let payload_len = payload.len() as u64;
                let rsv = Rsv::NONE;
                let header = FrameHeader { fin: true, rsv, opcode, masking_key, payload_len };
                codec.encode(out, &header, payload);
            }
        }
    }
}

/// Decoder and assembler over reads into a chunk.
struct Receiver {
    framing: Framing,
    assembler: MessageAssembler,
    wire: Vec<u8>,
    at: usize,
    chunk: Vec<u8>,
}

impl Receiver {
    fn new(version: Version, role: Role, wire: Vec<u8>, read: usize) -> Self {
        let framing = Framing::new(version, role);
        let assembler = MessageAssembler::new(framing.rules(), Limits::default());
        let chunk = vec![0; read.min(wire.len())];
        Self { framing, assembler, wire, at: 0, chunk }
    }

    #[inline]
    fn message(&mut self, mut take: impl FnMut(&[u8])) {
        while !self.read(&mut take) {}
    }

    /// Takes in one read; says whether that completed a message.
    #[inline]
    fn read(&mut self, take: impl FnOnce(&[u8])) -> bool {
        let mut source = Memory::reading(&self.wire[self.at..]);
        let assembled = if let Framing::Rfc6455(decoder, _) = &mut self.framing
            && let Some(mut room) = self.assembler.direct_buffer(decoder)
        {
            let bytes = source.next_bytes(room.remaining_mut());
            self.at += bytes.len();
            room.put_slice(bytes);
            self.assembler.push_direct(decoder)
        } else {
            let bytes = source.next_bytes(self.chunk.len());
            self.at += bytes.len();
            let chunk = &mut self.chunk[..bytes.len()];
            chunk.copy_from_slice(bytes);
            let (taken, part) = self.framing.decode(chunk);
            assert_eq!(taken, bytes.len());
            let Some(part) = part else { return false };
            self.assembler.push(part)
        };
        self.at %= self.wire.len();
        match assembled.expect("valid") {
            Some(Event::Binary(bytes)) => take(&bytes),
            Some(Event::Text(text)) => take(text.as_bytes()),
            _ => return false,
        }
        true
    }
}
