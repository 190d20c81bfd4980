//! Extensions as the crate of a user would have them, over messages, frames and the stream.

use hybi_compression::{
    AcceptOnly, Agreed, AnswerError, Chain, Compress, Extension, Extensions, PayloadCodec,
    StreamCodec,
};
use hybi_frame::{CloseCode, ExtensionViolation, Limits, Role, Rsv, Violation};
use hybi_handshake::{ExtensionOffer, HandshakeError, Version};
use hybi_suite::vectors::hex;

use crate::support::{Told, agree, answer, confirm, field, receive, sample, send};

/// Where a [`Sum`] works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Message,
    Frame,
    Stream,
    /// Nowhere.
    Mark,
}

/// Appends the sum of its bytes to each payload, or adds a number to each byte of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub(crate) name: &'static str,
    pub(crate) rsv: Rsv,
    pub(crate) place: Place,
    /// What it begins with, agreed on in the parameter `start`.
    pub(crate) start: u8,
}

impl Sum {
    pub(crate) fn agreed(self, answer: ExtensionOffer) -> Agreed {
        let (codec, start) =
            (SumCodec { start: self.start, sum: self.start, last: None }, self.start);
        match self.place {
            Place::Message => Agreed::message(answer, self.rsv, move || codec),
            Place::Frame => Agreed::frame(answer, self.rsv, move || codec),
            Place::Stream => Agreed::stream(answer, move || Shift(start)),
            Place::Mark => Agreed::mark(answer),
        }
    }
}

impl Extension for Sum {
    fn name(&self) -> &str {
        self.name
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        let offer = ExtensionOffer::new(self.name).unwrap();
        vec![offer.with_param("start", Some(&self.start.to_string())).unwrap()]
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        let [start] = offer.params() else { return None };
        let value = start.value().filter(|_| start.name() == "start")?;
        let start = value.parse().ok()?;
        Some(Self { start, ..*self }.agreed(offer.clone()))
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        if *answer != self.offers()[0] {
            return Err(AnswerError::new("the start is another", "the manual of sums"));
        }
        Ok(self.agreed(answer.clone()))
    }
}

#[derive(Clone, Copy)]
struct SumCodec {
    start: u8,
    sum: u8,
    /// The last byte that came: it may be the sum.
    last: Option<u8>,
}

const WRONG: Violation = Violation::Extension(&ExtensionViolation {
    rule: "the sum is wrong",
    document: "the manual of sums",
    close_code: CloseCode::from_u16(4001),
});

impl PayloadCodec for SumCodec {
    fn encode(&mut self, payload: &[u8], _compress: Compress, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(payload);
        out.push(payload.iter().fold(self.start, |sum, byte| sum.wrapping_add(*byte)));
        true
    }

    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        for byte in piece {
            if let Some(last) = self.last.replace(*byte) {
                self.sum = self.sum.wrapping_add(last);
                out(&[last])?;
            }
        }
        if end {
            let sum = core::mem::replace(&mut self.sum, self.start);
            if self.last.take() != Some(sum) {
                return Err(WRONG);
            }
        }
        Ok(())
    }
}

struct Shift(u8);

impl StreamCodec for Shift {
    fn encode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend(bytes.iter().map(|byte| byte.wrapping_add(self.0)));
    }

    fn decode(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), &'static ExtensionViolation> {
        let len = input.len().min(out.len());
        for (from, to) in input.iter().zip(out) {
            *to = from.wrapping_sub(self.0);
        }
        Ok((len, len))
    }
}

pub(crate) fn sum(place: Place) -> Sum {
    Sum { name: "x-sum", rsv: Rsv::RSV2, place, start: 7 }
}

#[test]
fn it_is_negotiated_by_its_own_rules() {
    let extensions = Extensions::from(sum(Place::Message));
    assert_eq!(field(&extensions.offers(Version::RFC6455)), "x-sum; start=7");
    assert_eq!(answer(&extensions, "x-sum; start=9", Version::RFC6455), "x-sum; start=9");
    assert_eq!(answer(&extensions, "x-sum, x-sum; start=300", Version::RFC6455), "");

    assert!(confirm(&extensions, "x-sum; start=7", Version::RFC6455).is_ok());
    let error = confirm(&extensions, "x-sum; start=9", Version::RFC6455).unwrap_err();
    let HandshakeError::ExtensionAnswer(broken) = &error else { panic!("{error}") };
    assert_eq!(broken.name, "x-sum");
    assert_eq!((broken.rule, broken.document), ("the start is another", "the manual of sums"));
    for word in [&broken.name, broken.rule] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn what_was_agreed_on_shows_itself() {
    for (place, word) in [
        (Place::Message, "message"),
        (Place::Frame, "frame"),
        (Place::Stream, "stream"),
        (Place::Mark, "mark"),
    ] {
        let extensions = Extensions::from(sum(place));
        let agreed = confirm(&extensions, "x-sum; start=7", Version::HYBI_08).unwrap();
        let shown = format!("{agreed:?}");
        assert!(shown.contains("x-sum") && shown.contains(&format!("\"{word}\"")), "{shown}");
        let [agreed] = &agreed[..] else { panic!("{agreed:?}") };
        assert_eq!(
            [agreed.is_message(), agreed.is_stream(), agreed.is_mark()],
            [Place::Message, Place::Stream, Place::Mark].map(|one| one == place),
            "{word}"
        );
    }
}

/// What servers alone accept keeps its rules; no client of ours asks for it.
#[test]
fn what_is_accepted_only_is_judged_by_the_one_within() {
    let (own, only) = (sum(Place::Message), AcceptOnly(sum(Place::Message)));
    assert_eq!(only.name(), own.name());
    for start in ["7", "9"] {
        let offer = ExtensionOffer::new("x-sum").unwrap().with_param("start", Some(start)).unwrap();
        assert_eq!(only.accept(&offer).is_some(), own.accept(&offer).is_some(), "{start}");
        assert_eq!(only.confirm(&offer).is_ok(), own.confirm(&offer).is_ok(), "{start}");
    }
    let error = confirm(&only.into(), "x-sum; start=7", Version::RFC6455).unwrap_err();
    assert!(matches!(error, HandshakeError::ExtensionNotOffered), "{error}");
}

/// A codec without an encoding that many may share; of several extensions there is none either.
#[test]
fn only_one_extension_has_encodings_that_are_shared() {
    let agreed = |extensions: &Extensions| {
        let [client, _] = agree(extensions, extensions, Version::RFC6455);
        Chain::new(&client)
    };
    let one = Extensions::from(sum(Place::Message));
    let three = Sum { name: "x-three", rsv: Rsv::RSV3, ..sum(Place::Message) };
    for (mut chain, bits) in
        [(agreed(&one), Rsv::RSV2), (agreed(&one.clone().with(three)), Rsv::NONE)]
    {
        assert!(chain.shared_encoding(b"payload", Compress::Always).is_none());
        assert_eq!(chain.sent_shared(b"payload"), bits);
        assert!(!chain.encode_shared(b"payload", &mut Vec::new()), "nobody could read it");
    }
}

#[test]
fn it_works_over_messages_or_frames() {
    for place in [Place::Message, Place::Frame] {
        let extensions = Extensions::from(sum(place));
        let [at_client, at_server] = agree(&extensions, &extensions, Version::RFC6455);
        for (role, sender, receiver) in
            [(Role::Client, &at_client, &at_server), (Role::Server, &at_server, &at_client)]
        {
            let (mut chain, mut wire) = (Chain::new(sender), Vec::new());
            let message = sample(100);
            for size in [1, 7, 200] {
                send(&mut chain, role, &message, size, false, &mut wire);
                send(&mut chain, role, &[], size, false, &mut wire);
            }
            for size in [1, wire.len()] {
                let chunks = wire.chunks(size);
                let (events, result) = receive(role.peer(), receiver, Limits::default(), chunks);
                assert_eq!(result, Ok(()), "{place:?}");
                let expected = [message.clone(), vec![]].map(Told::Binary);
                assert!(events.chunks(2).all(|both| both == expected) && events.len() == 6);
            }
        }
    }
}

#[test]
fn the_bits_stand_where_they_belong() {
    // "abc" in frames of two bytes, the sum behind it or behind each of them.
    for (place, expected) in
        [(Place::Message, "220261628002632d"), (Place::Frame, "22036162caa002636a")]
    {
        let extensions = Extensions::from(sum(place));
        let [_, at_server] = agree(&extensions, &extensions, Version::RFC6455);
        let mut wire = Vec::new();
        send(&mut Chain::new(&at_server), Role::Server, b"abc", 2, false, &mut wire);
        assert_eq!(wire, hex(expected), "{place:?}");
    }
}

#[test]
fn a_broken_rule_of_its_own_closes_with_a_code_of_its_own() {
    let extensions = Extensions::from(sum(Place::Message));
    let [at_client, _] = agree(&extensions, &extensions, Version::RFC6455);
    let good = hex("a203616ad2");
    let mut bad = good.clone();
    bad[4] ^= 1;
    let chunks = [&good[..], &bad[..], &good[..]];
    let (events, result) = receive(Role::Client, &at_client, Limits::default(), chunks);
    assert_eq!(events, [Told::Binary(b"aj".to_vec())]);
    let error = result.unwrap_err();
    assert_eq!(error.close_code().as_u16(), 4001);
    assert_eq!(error.violation(), WRONG);
    assert_eq!(error.offset(), 5, "the frame that it is about");
    assert_eq!(error.to_string(), "the sum is wrong (the manual of sums), at byte 5");
    // Where it was not agreed on, its bit breaks the rules of frames.
    let (_, result) = receive(Role::Client, &[], Limits::default(), [&good[..]]);
    assert_eq!(result.unwrap_err().close_code(), CloseCode::PROTOCOL_ERROR);
}

#[test]
fn without_a_bit_of_its_own_every_message_is_its() {
    let extensions = Extensions::from(Sum { rsv: Rsv::NONE, ..sum(Place::Message) });
    let [at_client, at_server] = agree(&extensions, &extensions, Version::RFC6455);
    let mut wire = Vec::new();
    send(&mut Chain::new(&at_server), Role::Server, b"aj", 9, false, &mut wire);
    assert_eq!(wire, hex("8203616ad2"));
    let (events, result) = receive(Role::Client, &at_client, Limits::default(), [&wire[..]]);
    assert_eq!((events, result), (vec![Told::Binary(b"aj".to_vec())], Ok(())));
}

#[test]
fn it_works_over_the_stream() {
    let extensions = Extensions::from(sum(Place::Stream));
    let [at_client, at_server] = agree(&extensions, &extensions, Version::RFC6455);
    let (mut sender, mut receiver) = (Chain::new(&at_client), Chain::new(&at_server));
    let unchanged = sender.encode_message(b"Hello", Compress::Always, &mut Vec::new());
    assert_eq!(unchanged, None, "messages and frames are as they were");
    let (mut wire, mut plain) = (Vec::new(), [0; 5]);
    sender.stream().unwrap().encode(b"Hello", &mut wire);
    assert_eq!(wire, b"Olssv");
    assert_eq!(receiver.stream().unwrap().decode(&wire, &mut plain), Ok((5, 5)));
    assert_eq!(&plain, b"Hello");
}

#[test]
fn it_needs_to_know_nothing_of_parking_and_sharing() {
    for place in [Place::Message, Place::Frame] {
        let extensions = Extensions::from(sum(place));
        let [at_client, at_server] = agree(&extensions, &extensions, Version::RFC6455);
        let mut chain = Chain::new(&at_client);
        assert!(format!("{chain:?}").starts_with("Chain { links: 1, stream: false"), "{chain:?}");
        let mut wire = Vec::new();
        for _ in 0..2 {
            send(&mut chain, Role::Client, b"ab", 9, false, &mut wire);
            assert!(!chain.is_active(), "nothing would be released");
            chain.park();
        }
        assert_eq!(chain.shared_encoding(b"ab", Compress::Auto), None);
        assert!(chain.shared_chain().is_none());
        let (events, result) = receive(Role::Server, &at_server, Limits::default(), [&wire[..]]);
        assert_eq!(result, Ok(()));
        assert_eq!(events, [b"ab", b"ab"].map(|payload| Told::Binary(payload.to_vec())));
        assert_eq!(at_client, at_server, "agreed on in the same words");
    }
}

#[test]
fn a_stream_of_its_own_needs_to_know_nothing_of_parking() {
    let extensions = Extensions::from(sum(Place::Stream));
    let [at_client, at_server] = agree(&extensions, &extensions, Version::RFC6455);
    let (mut sender, mut receiver) = (Chain::new(&at_client), Chain::new(&at_server));
    assert!(format!("{sender:?}").starts_with("Chain { links: 0, stream: true"), "{sender:?}");
    for _ in 0..2 {
        let (mut wire, mut plain) = (Vec::new(), [0; 4]);
        sender.stream().expect("agreed on").encode(b"ab", &mut wire);
        assert_eq!(wire, [b'a' + 7, b'b' + 7]);
        let decoded = receiver.stream().expect("agreed on").decode(&wire, &mut plain);
        assert_eq!(decoded.expect("no rule is broken"), (2, 2));
        assert_eq!(plain, *b"ab\0\0");
        assert!(!sender.is_active() && !receiver.is_active());
        sender.park();
        receiver.park();
    }
}
