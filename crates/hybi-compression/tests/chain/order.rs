//! The order in which two extensions apply: that of the answer for what is sent, the reverse for what
//! is received (RFC 6455 §9.1).

use hybi_compression::{Agreed, Chain, Compress, Deflate, DeflateFrame, Extensions};
use hybi_frame::{Limits, Role, Rsv};
use hybi_handshake::Version;

use crate::support::{Told, agree, receive, sample, send};
use crate::user_extension::{Place, sum};

const BOTH: Rsv = Rsv::from_bits(0x60);

/// What both ends agree on with these two, the first of them first; the client's side first.
fn both(first: impl Into<Extensions>, second: impl Into<Extensions>) -> [Vec<Agreed>; 2] {
    let extensions = first.into().with(second);
    let agreed = agree(&extensions, &extensions, Version::RFC6455);
    assert_eq!(agreed[0].len(), 2);
    agreed
}

/// Sends messages through both ends' chains and checks that they arrive, at every kind of cut.
fn round_trip([at_client, at_server]: &[Vec<Agreed>; 2], mixed: bool) {
    for (role, sender, receiver) in
        [(Role::Client, at_client, at_server), (Role::Server, at_server, at_client)]
    {
        let (mut chain, mut wire, mut sent) = (Chain::new(sender), Vec::new(), Vec::new());
        for (len, size) in [(0, 5), (1, 5), (300, 1), (300, 77), (4000, 9999), (300, 300)] {
            let message = sample(len);
            send(&mut chain, role, &message, size, mixed, &mut wire);
            sent.push(Told::Binary(message));
        }
        for size in [1, 64, wire.len()] {
            let chunks = wire.chunks(size);
            let (events, result) = receive(role.peer(), receiver, Limits::default(), chunks);
            assert_eq!(result, Ok(()), "{sender:?}");
            assert!(events == sent, "{sender:?}");
        }
    }
}

#[test]
fn either_order_arrives() {
    for place in [Place::Message, Place::Frame] {
        let deflate = Deflate::default;
        round_trip(&both(deflate(), sum(place)), false);
        round_trip(&both(sum(place), deflate()), false);
        for mixed in [false, true] {
            round_trip(&both(DeflateFrame::new(deflate()), sum(place)), mixed);
            round_trip(&both(sum(place), DeflateFrame::new(deflate())), mixed);
        }
    }
}

/// The payload that a chain makes of a message, and its bits.
fn encoded(agreed: &[Agreed], payload: &[u8], compress: Compress) -> (Vec<u8>, Option<Rsv>) {
    let mut out = b"before".to_vec();
    let bits = Chain::new(agreed).encode_message(payload, compress, &mut out);
    assert_eq!(out[..6], *b"before", "what was there stays");
    (out.split_off(6), bits)
}

#[test]
fn the_first_listed_is_applied_first() {
    let message = sample(300);
    let alone = |extensions: Extensions, payload: &[u8]| {
        let [at_client, _] = agree(&extensions, &extensions, Version::RFC6455);
        encoded(&at_client, payload, Compress::Always).0
    };
    let deflated = alone(Deflate::default().into(), &message);
    let summed = alone(sum(Place::Message).into(), &message);

    let [at_client, _] = both(Deflate::default(), sum(Place::Message));
    let sum_of_deflated = alone(sum(Place::Message).into(), &deflated);
    assert_eq!(encoded(&at_client, &message, Compress::Always), (sum_of_deflated, Some(BOTH)));

    let [at_client, _] = both(sum(Place::Message), Deflate::default());
    let deflated_sum = alone(Deflate::default().into(), &summed);
    assert_eq!(encoded(&at_client, &message, Compress::Always), (deflated_sum, Some(BOTH)));

    // What one of them leaves alone, the other still gets.
    for [at_client, _] in [
        both(sum(Place::Message), Deflate::default()),
        both(Deflate::default(), sum(Place::Message)),
    ] {
        let expected = (summed.clone(), Some(Rsv::RSV2));
        assert_eq!(encoded(&at_client, &message, Compress::Never), expected);
    }
}

#[test]
fn messages_come_before_the_frames_they_are_cut_into() {
    // Whichever is listed first.
    for [at_client, _] in [
        both(sum(Place::Message), DeflateFrame::new(Deflate::default())),
        both(DeflateFrame::new(Deflate::default()), sum(Place::Message)),
    ] {
        let mut chain = Chain::new(&at_client);
        assert!(chain.is_per_frame());
        let (mut summed, mut frame) = (Vec::new(), Vec::new());
        let bits = chain.encode_message(&sample(300), Compress::Always, &mut summed);
        assert_eq!((summed.len(), bits), (301, Some(Rsv::RSV2)));
        let bits = chain.encode_frame(&summed, Compress::Always, &mut frame);
        assert_eq!(bits, Some(Rsv::RSV1));
        assert!(frame.len() < 200);
    }
}
