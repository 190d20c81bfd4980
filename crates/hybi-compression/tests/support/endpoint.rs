//! Endpoints: what comes of a stream under an extension, and streams to receive.

use hybi_compression::{
    Agreed, Chain, Compress, Deflate, DeflateFrame, Extensions, PerframeCompress,
    PermessageCompress, PermessageDeflateDraft,
};
use hybi_frame::{
    FrameDecoder, FrameError, FrameRules, Limits, MaskingKey, MessageAssembler, Opcode, Role, Rsv,
    encode_frame,
};
use hybi_handshake::{ExtensionOffer, Version};
pub(crate) use hybi_suite::told::Told;

/// One end of a connection whose handshake is done.
pub(crate) struct Endpoint {
    role: Role,
    pub(crate) chain: Chain,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    pub(crate) events: Vec<Told>,
}

impl Endpoint {
    pub(crate) fn new(role: Role, agreed: &[Agreed], limits: Limits) -> Self {
        let rules = FrameRules::RFC6455;
        let chain = Chain::new(agreed);
        let mut decoder = FrameDecoder::new(role, rules, limits);
        chain.allow_rsv(&mut decoder);
        let assembler = MessageAssembler::new(rules, limits);
        Self { role, chain, decoder, assembler, events: Vec::new() }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Receives one chunk, to its last byte unless a rule is broken.
    pub(crate) fn receive(&mut self, chunk: &[u8]) -> Result<(), FrameError> {
        let mut chunk = chunk.to_vec();
        let mut at = 0;
        loop {
            let (taken, part) = self.decoder.decode(&mut chunk[at..])?;
            at += taken;
            let Some(part) = part else {
                assert_eq!(at, chunk.len(), "all bytes are taken");
                return Ok(());
            };
            let assembled = self.assembler.push_decoded(part, &mut self.chain)?;
            self.events.extend(assembled.map(Told::from));
        }
    }

    /// The message that this chunk makes whole.
    pub(crate) fn receive_one(&mut self, chunk: &[u8]) -> Vec<u8> {
        self.receive(chunk).expect("no broken rule");
        match self.events.pop() {
            Some(Told::Binary(payload)) if self.events.is_empty() => payload,
            other => panic!("one binary message, not {other:?} after {:?}", self.events),
        }
    }

    /// Sends a binary message in frames of at most this many bytes of what it was encoded to.
    pub(crate) fn send(&mut self, payload: &[u8], compress: Compress, frame: usize) -> Vec<u8> {
        let mut encoded = Vec::new();
        let rsv = self.chain.encode_message(payload, compress, &mut encoded);
        self.frames(rsv, if rsv.is_some() { &encoded } else { payload }, frame)
    }

    /// A binary message of this payload in frames.
    pub(crate) fn frames(&self, rsv: Option<Rsv>, payload: &[u8], frame: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pieces = payload.chunks(frame).peekable();
        let (mut opcode, mut rsv) = (Opcode::Binary, rsv.unwrap_or(Rsv::NONE));
        loop {
            let piece = pieces.next().unwrap_or(&[]);
            let fin = pieces.peek().is_none();
            encode_frame(&mut out, fin, rsv, opcode, piece, key(self.role));
            (opcode, rsv) = (Opcode::Continuation, Rsv::NONE);
            if fin {
                return out;
            }
        }
    }
}

/// What an endpoint of this role masks with, if it does.
pub(crate) fn key(role: Role) -> Option<MaskingKey> {
    (role == Role::Client).then(|| MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]))
}

/// A client and a server that agreed on the first of these that both have.
pub(crate) fn pair(
    client: impl Into<Extensions>,
    server: impl Into<Extensions>,
) -> (Endpoint, Endpoint) {
    let (client, server) = (client.into(), server.into());
    let agreed = server.accept(&client.offers(Version::RFC6455), Version::RFC6455);
    let answer: Vec<_> = agreed.iter().map(|one| one.answer().clone()).collect();
    let confirmed = client.confirm(&answer, Version::RFC6455).expect("a lawful answer");
    let limits = Limits::default();
    (Endpoint::new(Role::Client, &confirmed, limits), Endpoint::new(Role::Server, &agreed, limits))
}

/// What a server and its client agree on with each extension over messages or frames.
pub(crate) fn every_payload_extension(deflate: Deflate) -> Vec<Vec<Agreed>> {
    let extensions: [Extensions; 7] = [
        deflate.into(),
        PermessageDeflateDraft::new(deflate).into(),
        PermessageCompress::new(deflate).into(),
        PermessageCompress::webkit(deflate).into(),
        PerframeCompress::new(deflate).into(),
        DeflateFrame::new(deflate).into(),
        DeflateFrame::webkit(deflate).into(),
    ];
    let agreed = extensions.map(|extensions| {
        extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455)
    });
    agreed.into()
}

/// The elements of a header.
pub(crate) fn elements(header: &str) -> Vec<ExtensionOffer> {
    ExtensionOffer::parse_list([header], Version::RFC6455).expect("a list")
}

/// The same frames as the other side would send them: unmasked, or masked.
pub(crate) fn turned(wire: &[u8], sender: Role) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = wire;
    while !rest.is_empty() {
        let (first, masked, short) = (rest[0], rest[1] & 0x80 != 0, rest[1] & 0x7f);
        let (bytes, mut at) = match short {
            126 => (2, 4),
            127 => (8, 10),
            _ => (0, 2),
        };
        let long = rest[2..2 + bytes].iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
        let len = if bytes == 0 { usize::from(short) } else { long };
        let mut mask = [0; 4];
        if masked {
            mask.copy_from_slice(&rest[at..at + 4]);
            at += 4;
        }
        let payload: Vec<u8> =
            rest[at..at + len].iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
        let start = out.len();
        encode_frame(&mut out, true, Rsv::NONE, Opcode::Binary, &payload, key(sender));
        out[start] = first;
        rest = &rest[at + len..];
    }
    out
}
