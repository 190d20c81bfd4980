//! Codecs of others, and several of them, with a message that goes through them in slices.

use core::ops::Range;
use std::sync::{Arc, Mutex};

use hybi_compression::{
    Agreed, Chain, Compress, Deflate, DeflateFrame, Encoded, Extensions, PayloadCodec, Progress,
    Step,
};
use hybi_frame::{Rsv, Violation};
use hybi_handshake::{ExtensionOffer, Version};

use crate::support::{agree, sample};
use crate::user_extension::{Place, sum};

/// Where the slices began and ended.
type Notes = Arc<Mutex<Vec<(usize, usize)>>>;

/// Notes which slices it gets, and doubles each byte.
struct Noting(Notes);

impl PayloadCodec for Noting {
    fn encode(&mut self, payload: &[u8], compress: Compress, out: &mut Vec<u8>) -> bool {
        self.encode_slice(payload, 0..payload.len(), compress, out) == Progress::Encoded
    }

    fn encode_slice(
        &mut self,
        payload: &[u8],
        slice: Range<usize>,
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Progress {
        assert_eq!(out.len(), 2 * slice.start, "what came of it so far");
        self.0.lock().unwrap().push((slice.start, slice.end));
        // One that it does not want is given up in the middle.
        if compress == Compress::Never && slice.end > 500 {
            return Progress::AsIs;
        }
        out.extend(payload[slice.clone()].iter().flat_map(|&byte| [byte, byte]));
        if slice.end < payload.len() { Progress::More(slice.end) } else { Progress::Encoded }
    }

    fn begin_pieces(&mut self, _first: &[u8], compress: Compress) -> bool {
        compress != Compress::Never
    }

    fn encode_piece(
        &mut self,
        piece: &[u8],
        slice: Range<usize>,
        _last: bool,
        out: &mut Vec<u8>,
    ) -> usize {
        let end = slice.end;
        self.encode_slice(piece, slice, Compress::Auto, out);
        end
    }

    fn decode(
        &mut self,
        _piece: &[u8],
        _end: bool,
        _out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        unreachable!("nothing is received")
    }
}

/// A chain of so many of them, and what they noted.
fn noting(codecs: u8) -> (Chain, Vec<Notes>) {
    let bits = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3];
    let notes: Vec<Notes> = (0..codecs).map(|_| Arc::default()).collect();
    let agreed: Vec<_> = notes
        .iter()
        .zip(bits)
        .map(|(notes, rsv)| {
            let notes = Arc::clone(notes);
            let answer = ExtensionOffer::new("x-noting").unwrap();
            Agreed::message(answer, rsv, move || Noting(Arc::clone(&notes)))
        })
        .collect();
    (Chain::new(&agreed), notes)
}

fn finish<P: AsRef<[u8]>>(
    chain: &mut Chain,
    payload: P,
    compress: Compress,
    slice: usize,
) -> (Encoded<P>, usize) {
    let mut encoding = chain.start_message(payload, compress);
    for steps in 1..10_000 {
        match chain.advance(encoding, slice) {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => return (encoded, steps),
        }
    }
    panic!("there is no end to it")
}

#[test]
fn slices_follow_each_other_through_each_codec() {
    let (mut chain, notes) = noting(1);
    let (encoded, steps) = finish(&mut chain, sample(1000), Compress::Auto, 300);
    assert_eq!((encoded.as_ref().len(), encoded.rsv(), steps), (2000, Rsv::RSV1, 4));
    assert_eq!(*notes[0].lock().unwrap(), [(0, 300), (300, 600), (600, 900), (900, 1000)]);

    // The second begins with what is left of the step in which the first is done.
    let (mut chain, notes) = noting(2);
    let (encoded, steps) = finish(&mut chain, sample(500), Compress::Auto, 300);
    assert_eq!((encoded.as_ref().len(), steps), (2000, 5));
    assert_eq!(encoded.rsv(), Rsv::RSV1 | Rsv::RSV2);
    assert_eq!(*notes[0].lock().unwrap(), [(0, 300), (300, 500)]);
    assert_eq!(*notes[1].lock().unwrap(), [(0, 100), (100, 400), (400, 700), (700, 1000)]);

    // An empty message is one slice for each.
    let (mut chain, notes) = noting(3);
    let (encoded, steps) = finish(&mut chain, [], Compress::Auto, 300);
    assert_eq!((encoded.as_ref().len(), steps), (0, 1));
    assert!(notes.iter().all(|notes| *notes.lock().unwrap() == [(0, 0)]));
}

/// As whole messages do, and at once they become the same.
#[test]
fn pieces_pass_through_each_codec_in_slices() {
    let (mut chain, notes) = noting(2);
    let piece = sample(500);
    assert_eq!(chain.begin_pieces(&piece, Compress::Auto), Some(Rsv::RSV1 | Rsv::RSV2));
    let mut encoding = chain.start_piece(&piece, false);
    let encoded = loop {
        match chain.advance(encoding, 300) {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => break encoded,
        }
    };
    assert_eq!(*notes[0].lock().unwrap(), [(0, 300), (300, 500)]);
    assert_eq!(*notes[1].lock().unwrap(), [(0, 100), (100, 400), (400, 700), (700, 1000)]);
    for before in [&b""[..], b"before"] {
        let mut at_once = before.to_vec();
        chain.encode_piece(&piece, true, &mut at_once);
        assert!(at_once == [before, encoded.as_ref()].concat());
    }
}

/// A codec that leaves such messages as they are has no part in them, nor have its bits.
#[test]
fn pieces_pass_by_a_codec_that_takes_none() {
    let deflate = Deflate::default();
    let extensions = Extensions::from(sum(Place::Message)).with(deflate);
    let [agreed, _] = agree(&extensions, &extensions, Version::RFC6455);
    let (mut chain, mut receiver) = (Chain::new(&agreed), Chain::new(&agreed));
    let message = sample(1000);
    assert_eq!(chain.begin_pieces(&message, Compress::Always), Some(Rsv::RSV1));
    let mut encoding = chain.start_piece(&message, true);
    let encoded = loop {
        match chain.advance(encoding, 300) {
            Step::More(more) => encoding = more,
            Step::Done(encoded) => break encoded,
        }
    };
    assert_eq!(encoded.rsv(), Rsv::RSV1);
    let mut decoded = Vec::new();
    let result = receiver.decode_message(encoded.as_ref(), encoded.rsv(), 1000, &mut decoded);
    assert!(result == Ok(()) && decoded == message);
}

#[test]
fn what_a_codec_gives_up_the_next_gets_as_it_was() {
    let (mut chain, notes) = noting(2);
    let message = sample(1000);
    let (encoded, steps) = finish(&mut chain, &message, Compress::Never, 400);
    assert!(encoded == Encoded::AsIs(&message) && steps == 4);
    for notes in notes {
        assert_eq!(*notes.lock().unwrap(), [(0, 400), (400, 800)]);
    }
}

#[test]
fn no_codec_is_no_work() {
    let message = sample(1000);
    for mut chain in [Chain::new(&[]), noting(2).0] {
        let encoding = chain.start_frame(&message, Compress::Always);
        let Step::Done(encoded) = chain.advance(encoding, 1) else { panic!("nothing to do") };
        assert!(encoded == Encoded::AsIs(&message), "these are over messages, if any");
    }
}

/// A codec that knows whole payloads alone takes in the whole, whatever the slice.
#[test]
fn whole_payloads_are_enough_for_a_codec() {
    let extensions = Extensions::from(sum(Place::Message));
    let [agreed, _] = agree(&extensions, &extensions, Version::RFC6455);
    let message = sample(1000);
    let (encoded, steps) = finish(&mut Chain::new(&agreed), &message, Compress::Auto, 300);
    assert_eq!((encoded.as_ref().len(), encoded.rsv(), steps), (1001, Rsv::RSV2, 1));
}

/// Whatever is listed first, and over messages or frames: with slices it is the same bits, and bytes
/// as many.
#[test]
fn several_codecs_make_of_it_what_they_make_of_the_whole() {
    let deflate = Deflate::default;
    for extensions in [
        Extensions::from(deflate()).with(sum(Place::Message)),
        Extensions::from(sum(Place::Message)).with(deflate()),
        Extensions::from(sum(Place::Message)).with(DeflateFrame::new(deflate())),
        Extensions::from(DeflateFrame::new(deflate())).with(sum(Place::Frame)),
    ] {
        let [agreed, _] = agree(&extensions, &extensions, Version::RFC6455);
        for slice in [100, 2000, 20_000] {
            let [mut one, mut other, mut receiver] = [(); 3].map(|()| Chain::new(&agreed));
            for compress in [Compress::Auto, Compress::Always, Compress::Never] {
                for len in [0, 50, 1000, 10_000] {
                    let message = sample(len);
                    let (mut whole, mut of_frame) = (Vec::new(), Vec::new());
                    let bits = one.encode_message(&message, compress, &mut whole);
                    let whole = if bits.is_some() { &whole } else { &message };
                    let of_message = bits.unwrap_or(Rsv::NONE);
                    let bits = one.encode_frame(whole, compress, &mut of_frame);
                    let whole = if bits.is_some() { &of_frame } else { whole };

                    let (encoded, _) = finish(&mut other, &message, compress, slice);
                    assert_eq!(encoded.rsv(), of_message);
                    let mut encoding = other.start_frame(encoded.as_ref(), compress);
                    let frame = loop {
                        match other.advance(encoding, slice) {
                            Step::More(more) => encoding = more,
                            Step::Done(encoded) => break encoded,
                        }
                    };
                    assert_eq!(frame.rsv(), bits.unwrap_or(Rsv::NONE));
                    assert!(frame.as_ref() == whole || slice < len);
                    assert!(frame.as_ref().len() <= whole.len() + whole.len() / 10 + 20);

                    let mut decoded = Vec::new();
                    let rsv = of_message | frame.rsv();
                    let result = receiver.decode_message(frame.as_ref(), rsv, len, &mut decoded);
                    assert!(result == Ok(()) && decoded == message);
                }
            }
        }
    }
}
