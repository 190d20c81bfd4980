//! Bombs: what little data inflates to is limited while it is inflated, in every deprecated extension
//! (RFC 6455 §10.4).

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "support/mod.rs"]
mod support;

use flate2::{Compress as Deflater, Compression, FlushCompress};
use hybi_compression::{
    Agreed, Deflate, DeflateFrame, DeflateStream, Extensions, PerframeCompress, PermessageCompress,
    PermessageDeflateDraft,
};
use hybi_frame::{Limits, Opcode, Role, Rsv, encode_frame};
use hybi_handshake::Version;
use hybi_suite::allocator::{Counting, Meter};
use support::endpoint::{Endpoint, key};

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: usize = 1 << 20;
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// One MiB of zeros that needs nothing of what was before it, flushed: 256 of these make a bomb.
fn piece() -> Vec<u8> {
    let mut piece = Vec::with_capacity(8 << 10);
    let mut deflater = Deflater::new(Compression::best(), false);
    deflater.compress_vec(&vec![0; MIB], &mut piece, FlushCompress::Sync).expect("room");
    assert!((1000..1100).contains(&piece.len()), "{}", piece.len());
    piece
}

/// What both ends of an extension that is alone agree on.
fn agreed(extension: impl Into<Extensions>, version: Version) -> Vec<Agreed> {
    let extensions = extension.into();
    extensions.accept(&extensions.offers(version), version)
}

/// A message in these frames, as the peer of `receiver` sends it.
fn frames<'a>(
    receiver: Role,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    every_frame: bool,
) -> Vec<u8> {
    let (mut wire, mut rsv, mut opcode) = (Vec::new(), Rsv::RSV1, Opcode::Binary);
    for piece in pieces {
        encode_frame(&mut wire, false, rsv, opcode, piece, key(receiver.peer()));
        opcode = Opcode::Continuation;
        rsv = if every_frame { Rsv::RSV1 } else { Rsv::NONE };
    }
    wire
}

/// Checks that these bytes are refused as too much, and what the memory grew by meanwhile.
fn refused(what: &str, receiver: &mut Endpoint, meter: &Meter, chunk: &[u8]) -> bool {
    let Err(error) = receiver.receive(chunk) else { return false };
    assert_eq!(error.close_code().as_u16(), 1009, "{what}: {error}");
    assert!(meter.peak() < 17 * MIB, "{what}: grew by {} bytes", meter.peak());
    assert!(receiver.events.is_empty(), "{what}");
    true
}

/// The same for a stream, in which there must be something to inflate.
fn stream_refused(role: Role, agreed: &[Agreed], wire: &[u8], what: &str) {
    let what = format!("{}, {role:?}, {what}", agreed[0].answer());
    let mut receiver = Endpoint::new(role, agreed, Limits::default());
    let meter = Meter::start();
    let mut chunks = wire.chunks(4096);
    assert!(chunks.any(|chunk| refused(&what, &mut receiver, &meter, chunk)), "{what}");
    assert!(meter.peak() > 8 * MIB, "{what}: nothing was inflated");
}

#[test]
fn of_frames() {
    let piece = piece();
    let whole = piece.repeat(256);
    let deflate = Deflate::default();
    for extensions in [
        Extensions::from(DeflateFrame::new(deflate)),
        DeflateFrame::webkit(deflate).into(),
        PerframeCompress::new(deflate).into(),
    ] {
        let agreed = agreed(extensions, Version::RFC6455);
        for role in ROLES {
            let one = frames(role, [&whole[..]], true);
            stream_refused(role, &agreed, &one, "one frame");
            // Each on its own, without what a flush ends with.
            let many = frames(role, [&piece[..piece.len() - 4]; 256], true);
            stream_refused(role, &agreed, &many, "many frames");
        }
    }
}

#[test]
fn of_messages() {
    let whole = piece().repeat(256);
    let deflate = Deflate::default();
    for extensions in [
        Extensions::from(PermessageCompress::new(deflate)),
        PermessageCompress::webkit(deflate).into(),
        PermessageDeflateDraft::new(deflate).into(),
    ] {
        let agreed = agreed(extensions, Version::RFC6455);
        for role in ROLES {
            for (size, what) in [(whole.len(), "one frame"), (100, "many frames")] {
                let wire = frames(role, whole.chunks(size), false);
                stream_refused(role, &agreed, &wire, what);
            }
        }
    }
}

/// What comes of a stream is frames, and the limits are those of frames and messages.
#[test]
fn of_streams() {
    let agreed = agreed(DeflateStream::new(Deflate::default()), Version::HYBI_08);
    for role in ROLES {
        let mut many = frames(role, [&vec![0; MIB][..]; 256], false);
        // The bit is none of this extension's.
        many[0] &= 0x8f;
        // Only the beginning of the frame: nobody would read the rest.
        let masked = if role == Role::Server { 0x80 } else { 0 };
        let one = [&[0x82, 127 | masked, 0, 0, 0, 0, 0x10, 0, 0, 0][..], &vec![0; MIB]].concat();
        for (plain, what, grows) in [(one, "one frame", false), (many, "many frames", true)] {
            let mut wire = Vec::with_capacity(2 * MIB);
            let mut deflater = Deflater::new(Compression::best(), false);
            deflater.compress_vec(&plain, &mut wire, FlushCompress::Sync).expect("room");
            drop((plain, deflater));

            let what = format!("deflate-stream, {role:?}, {what}");
            let mut receiver = Endpoint::new(role, &agreed, Limits::default());
            let (mut rest, mut room) = (&wire[..], vec![0; 16 << 10]);
            let meter = Meter::start();
            loop {
                let stream = receiver.chain.stream().expect("it is over the stream");
                let (taken, given) = stream.decode(rest, &mut room).expect("DEFLATE data");
                assert!(taken + given > 0, "{what}: all of it went through");
                rest = &rest[taken..];
                if refused(&what, &mut receiver, &meter, &room[..given]) {
                    break;
                }
            }
            assert_eq!(meter.peak() > 8 * MIB, grows, "{what}: {} bytes", meter.peak());
        }
    }
}
