//! Every inflate path: payloads of each extension that compresses, and the stream of deflate-stream. What comes
//! out does not depend on how the bytes are cut nor on where the connection is parked, keeps to the limit, and
//! is what flate2 makes of them; and what a chain encoded, its peer decodes.

use flate2::{Compress as Flate, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use hybi_compression::{
    Agreed, Chain, Compress, Deflate, DeflateFrame, DeflateStream, Extensions, PerframeCompress,
    PermessageCompress, PermessageDeflateDraft,
};
use hybi_frame::{FrameHeader, Opcode, PayloadDecoder as _, Rsv, Violation};
use hybi_handshake::Version;

use super::input::{Cuts, Input};

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let setting = Setting::choose(&mut input);
    match input.byte() % 3 {
        _ if setting.is_stream() => stream(&mut input, &setting),
        0 => round_trips(&mut input, &setting),
        _ => payloads(&mut input, &setting),
    }
}

/// What a client and a server agreed on: one extension.
pub(super) struct Setting {
    client: Vec<Agreed>,
    server: Vec<Agreed>,
    /// The server keeps what it received for the next message.
    pub(super) takeover: bool,
}

impl Setting {
    pub(super) fn choose(input: &mut Input<'_>) -> Self {
        let (kind, parameters) = (input.byte(), input.byte());
        let takeover = parameters & 1 == 0;
        let deflate = Deflate::default()
            .min_size(0)
            .level(parameters >> 1 & 1)
            .own_context_takeover(parameters & 4 == 0)
            .peer_context_takeover(takeover);
        let server: Extensions = match kind % 8 {
            0 => deflate.peer_window_bits(9 + (parameters >> 4) % 7).into(),
            1 => PermessageDeflateDraft::new(deflate).into(),
            2 => PermessageCompress::new(deflate).into(),
            3 => PermessageCompress::webkit(deflate).into(),
            4 => PerframeCompress::new(deflate).into(),
            5 => DeflateFrame::new(deflate).into(),
            6 => DeflateFrame::webkit(deflate).into(),
            // It has nothing to choose but the level.
            _ => DeflateStream::new(Deflate::default().level(parameters >> 1 & 1)).into(),
        };
        let client = Extensions::all(Deflate::default().min_size(0));
        let client = client.with(PermessageDeflateDraft::new(Deflate::default().min_size(0)));
        // Version 13 has no deflate-stream.
        let version = if kind % 8 == 7 { Version::HYBI_08 } else { Version::RFC6455 };
        let agreed = server.accept(&client.offers(version), version);
        let answers: Vec<_> = agreed.iter().map(|one| one.answer().clone()).collect();
        let confirmed = client.confirm(&answers, version).expect("what was offered");
        assert_eq!((agreed.len(), confirmed.len()), (1, 1), "extension {}", kind % 8);
        Self { client: confirmed, server: agreed, takeover }
    }

    /// Whether it is over the stream of all frames.
    pub(super) fn is_stream(&self) -> bool {
        self.client[0].is_stream()
    }

    /// What the server decodes with.
    pub(super) fn receiver(&self) -> Chain {
        Chain::new(&self.server)
    }

    /// What the server reads from a whole stream.
    pub(super) fn read_stream(&self, bytes: &[u8], cuts: &Cuts, mut parking: Parking) -> Stream {
        let mut chain = self.receiver();
        let mut read: Stream = (Vec::new(), Ok(()));
        for chunk in cuts.of(bytes) {
            let mut rest = chunk;
            loop {
                let mut room = [0; 700];
                let codec = chain.stream().expect("it is one");
                match codec.decode(rest, &mut room) {
                    Ok((0, 0)) => break,
                    Ok((taken, made)) => {
                        rest = &rest[taken..];
                        read.0.extend_from_slice(&room[..made]);
                    }
                    Err(violation) => return (read.0, Err(violation.rule)),
                }
            }
            assert!(rest.is_empty(), "all bytes are taken");
            parking.step(&mut chain);
        }
        read
    }
}

/// A payload that stands in the input, or one that a few bytes stand for.
pub(super) fn plain(input: &mut Input<'_>) -> Vec<u8> {
    let (how, len) = (input.byte(), usize::from(input.byte()));
    let piece = input.bytes(usize::from(how & 0x7f));
    let len = if how & 0x80 == 0 { piece.len() } else { len << 6 };
    piece.iter().copied().cycle().take(len).collect()
}

/// Parks a chain, or not, by the next bit.
pub(super) struct Parking(pub(super) u8);

impl Parking {
    fn step(&mut self, chain: &mut Chain) {
        self.0 = self.0.rotate_left(1);
        if self.0 & 1 == 1 {
            chain.park();
            assert!(!chain.is_active(), "parked");
        }
    }
}

fn header(rsv: Rsv, len: usize) -> FrameHeader {
    let payload_len = len as u64;
    FrameHeader { fin: true, rsv, opcode: Opcode::Binary, masking_key: None, payload_len }
}

/// Decodes the payload of a message of one frame, cut and parked so.
pub(super) fn decode(
    chain: &mut Chain,
    payload: &[u8],
    rsv: Rsv,
    limit: usize,
    cuts: &Cuts,
    parking: &mut Parking,
) -> Result<Vec<u8>, Violation> {
    if !chain.begin_frame(&header(rsv, payload.len())) {
        return Ok(payload.to_vec());
    }
    let mut decoded = Vec::new();
    let mut rest = payload;
    let mut chunks = cuts.of(payload);
    loop {
        let piece = chunks.next().unwrap_or_default();
        rest = &rest[piece.len()..];
        chain.decode(piece, rest.is_empty(), &mut |bytes| {
            if decoded.len() + bytes.len() > limit {
                return Err(Violation::MessageTooLarge { size: limit as u64 + 1, limit });
            }
            decoded.extend_from_slice(bytes);
            Ok(())
        })?;
        parking.step(chain);
        if rest.is_empty() {
            return Ok(decoded);
        }
    }
}

/// Messages that a client sends, of which most are none.
fn payloads(input: &mut Input<'_>, setting: &Setting) {
    let limit = *input.choose(&[64 << 10, 1 << 20, 100]);
    let (cuts, mut parking) = (input.cuts(), Parking(input.byte()));
    let mut never = Parking(0);
    let mut deflater = Flate::new(Compression::fast(), false);
    let (mut one, mut other) = (setting.receiver(), setting.receiver());
    let mut reference = Some(Decompress::new(false));
    for _ in 0..MOST_MESSAGES {
        if input.is_empty() {
            break;
        }
        let mut payload = if input.byte() & 1 == 0 {
            let len = usize::from(input.byte());
            input.bytes(len).to_vec()
        } else {
            deflated(&mut deflater, &plain(input))
        };
        // One byte may be another on the way.
        let at = usize::from(input.byte());
        if let Some(byte) = payload.get_mut(at) {
            *byte ^= input.byte();
        }
        let rsv = Rsv::RSV1;
        let whole = decode(&mut one, &payload, rsv, limit, &Cuts::none(), &mut never);
        let pieces = decode(&mut other, &payload, rsv, limit, &cuts, &mut parking);
        assert_eq!(pieces, whole, "cut and parked");
        let Ok(whole) = whole else { return };
        // Not even the block that goes without saying: some peers send an empty message so.
        if payload.is_empty() {
            assert!(whole.is_empty());
            continue;
        }
        if !setting.takeover {
            reference = Some(Decompress::new(false));
        }
        reference = reference.and_then(|mut reference| {
            let expected = inflated(&mut reference, &payload, whole.len())?;
            assert!(expected == whole, "{} bytes, not {}", whole.len(), expected.len());
            Some(reference)
        });
    }
}

pub(super) const MOST_MESSAGES: usize = 16;

/// What flate2 makes of a payload with its tail (RFC 7692, section 7.2.2); `None` behind a final block, where it
/// stops and a message may go on.
fn inflated(reference: &mut Decompress, payload: &[u8], len: usize) -> Option<Vec<u8>> {
    let input = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::with_capacity(len + 1024);
    let before = reference.total_in();
    loop {
        let taken = (reference.total_in() - before) as usize;
        let status = reference.decompress_vec(&input[taken..], &mut out, FlushDecompress::Sync);
        let status = status.unwrap_or_else(|error| panic!("taken here, and not there: {error}"));
        let done = (reference.total_in() - before) as usize == input.len();
        match status {
            Status::StreamEnd => return None,
            Status::Ok if !done => {}
            Status::Ok | Status::BufError if done => return Some(out),
            _ => panic!("no end after {} bytes", out.len()),
        }
    }
}

/// A message as a careful sender deflates it.
pub(super) fn deflated(deflater: &mut Flate, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 1024);
    let before = deflater.total_in();
    while (deflater.total_in() - before) < plain.len() as u64 || !out.ends_with(&[0, 0, 0xff, 0xff])
    {
        let taken = (deflater.total_in() - before) as usize;
        out.reserve(1024);
        let status = deflater.compress_vec(&plain[taken..], &mut out, FlushCompress::Sync);
        if !matches!(status, Ok(Status::Ok)) {
            break;
        }
    }
    let len = out.len().saturating_sub(4);
    out.truncate(len);
    out
}

/// Messages that one end encodes and the other decodes.
fn round_trips(input: &mut Input<'_>, setting: &Setting) {
    let (cuts, mut parking, slice) = (input.cuts(), Parking(input.byte()), input.byte());
    let (mut client, mut server) = (Chain::new(&setting.client), Chain::new(&setting.server));
    for _ in 0..MOST_MESSAGES {
        if input.is_empty() {
            break;
        }
        let from_client = input.byte() & 1 == 0;
        let (sender, receiver) =
            if from_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let compress = *input.choose(&[Compress::Always, Compress::Auto, Compress::Never]);
        let message = plain(input);
        let mut encoding = sender.start_message(&message[..], compress);
        let encoded = loop {
            // Frame by frame is one frame here.
            match sender.advance(encoding, usize::from(slice) << 4) {
                hybi_compression::Step::More(more) => encoding = more,
                hybi_compression::Step::Done(encoded) => break encoded,
            }
            parking.step(sender);
        };
        let (rsv, payload) = match &encoded {
            hybi_compression::Encoded::AsIs(payload) => (Rsv::NONE, payload.to_vec()),
            hybi_compression::Encoded::Coded { rsv, payload } => (*rsv, payload.clone()),
        };
        let (rsv, payload) = if sender.is_per_frame() {
            let mut out = Vec::new();
            match sender.encode_frame(&message, compress, &mut out) {
                Some(rsv) => (rsv, out),
                None => (Rsv::NONE, message.clone()),
            }
        } else {
            (rsv, payload)
        };
        let limit = message.len();
        let decoded = decode(receiver, &payload, rsv, limit, &cuts, &mut parking);
        assert!(decoded.as_ref() == Ok(&message), "{decoded:02x?} of {}", message.len());
    }
}

/// What a stream came to: bytes, and whether it broke a rule.
pub(super) type Stream = (Vec<u8>, Result<(), &'static str>);

/// The whole stream as a client might send it.
fn stream(input: &mut Input<'_>, setting: &Setting) {
    let (cuts, parking) = (input.cuts(), input.byte());
    let mut sent = Vec::new();
    let mut bytes = Vec::new();
    let mut deflater = Flate::new(Compression::fast(), false);
    let own = input.byte() & 1 == 0;
    let mut client = Chain::new(&setting.client);
    for _ in 0..MOST_MESSAGES {
        if input.is_empty() {
            break;
        }
        let plain = plain(input);
        sent.extend_from_slice(&plain);
        if own {
            client.stream().expect("it is one").encode(&plain, &mut bytes);
        } else {
            bytes.extend(deflated(&mut deflater, &plain));
            bytes.extend([0, 0, 0xff, 0xff]);
            let at = usize::from(input.byte()) << 8 | usize::from(input.byte());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= input.byte();
            }
        }
    }
    let read = |cuts: &Cuts, parking| setting.read_stream(&bytes, cuts, parking);
    let whole = read(&Cuts::none(), Parking(0));
    assert!(read(&cuts, Parking(parking)) == whole, "cut and parked");
    if own {
        assert!(whole == (sent, Ok(())), "what was sent");
    }
}
