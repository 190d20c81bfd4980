//! Agreements and streams of several extensions, on top of what all tests of this crate share.

use hybi_compression::{Agreed, Chain, Compress, Extensions};
use hybi_frame::{FrameError, Limits, Opcode, Role, Rsv, encode_frame};
use hybi_handshake::{ExtensionOffer, HandshakeError, Version};

#[path = "../support/mod.rs"]
pub(crate) mod shared;

pub(crate) use shared::endpoint::{Endpoint, Told};
use shared::endpoint::{elements, key};
use shared::text::record;

/// What an endpoint sees of a stream that arrives in these chunks.
pub(crate) fn receive<'a>(
    role: Role,
    agreed: &[Agreed],
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Told>, Result<(), FrameError>) {
    let mut receiver = Endpoint::new(role, agreed, limits);
    let result = chunks.into_iter().try_for_each(|chunk| receiver.receive(chunk));
    (receiver.events, result)
}

/// Appends a message as an endpoint in `role` sends it, cut into frames of at most `size` bytes
/// where the extensions allow a choice; `mixed` leaves every other frame uncompressed if each
/// stands for itself.
pub(crate) fn send(
    chain: &mut Chain,
    role: Role,
    payload: &[u8],
    size: usize,
    mixed: bool,
    out: &mut Vec<u8>,
) {
    let mut encoded = Vec::new();
    let bits = chain.encode_message(payload, Compress::Always, &mut encoded);
    let payload = if bits.is_some() { &encoded } else { payload };
    let frames = payload.len().div_ceil(size).max(1);
    for frame in 0..frames {
        let piece = &payload[frame * size..payload.len().min((frame + 1) * size)];
        let mut of_frame = Vec::new();
        let compress = if mixed && frame % 2 == 1 { Compress::Never } else { Compress::Always };
        let frame_bits = chain.encode_frame(piece, compress, &mut of_frame);
        let piece = if frame_bits.is_some() { &of_frame } else { piece };
        let mut rsv = frame_bits.unwrap_or(Rsv::NONE);
        let opcode = if frame == 0 {
            rsv = rsv | bits.unwrap_or(Rsv::NONE);
            Opcode::Binary
        } else {
            Opcode::Continuation
        };
        encode_frame(out, frame + 1 == frames, rsv, opcode, piece, key(role));
    }
}

/// The field that these elements make.
pub(crate) fn field<'a>(list: impl IntoIterator<Item = &'a ExtensionOffer>) -> String {
    list.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a server that uses `extensions` agrees on.
pub(crate) fn accept(extensions: &Extensions, offer: &str, version: Version) -> Vec<Agreed> {
    extensions.accept(&elements(offer), version)
}

/// What it answers.
pub(crate) fn answer(extensions: &Extensions, offer: &str, version: Version) -> String {
    field(accept(extensions, offer, version).iter().map(Agreed::answer))
}

/// What a client that uses `extensions` and a server that sends this answer agree on.
pub(crate) fn confirm(
    extensions: &Extensions,
    answer: &str,
    version: Version,
) -> Result<Vec<Agreed>, HandshakeError> {
    extensions.confirm(&elements(answer), version)
}

/// What both ends agree on: the client's side of it and the server's.
pub(crate) fn agree(
    client: &Extensions,
    server: &Extensions,
    version: Version,
) -> [Vec<Agreed>; 2] {
    let at_server = server.accept(&client.offers(version), version);
    assert!(!at_server.is_empty(), "{client:?} and {server:?} agree on nothing");
    let answers: Vec<_> = at_server.iter().map(|agreed| agreed.answer().clone()).collect();
    [client.confirm(&answers, version).expect("an answer to what was offered"), at_server]
}

/// Bytes that compress.
pub(crate) fn sample(len: usize) -> Vec<u8> {
    record(len, 1)
}
