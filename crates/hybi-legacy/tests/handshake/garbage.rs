//! What no client or server would send: an error or a wait, the same however it is cut, and no
//! panic.

use hybi_handshake::{ClientRequest, HandshakeError, HeadLimits, Version};
use hybi_legacy::{ClientHandshake, challenge_answer, key_number};
use proptest::prelude::*;

use crate::support::{
    REQUEST_75, REQUEST_76, RESPONSE_75, RESPONSE_76, Seen, client, policy, receive, serve,
};

/// What a server that accepts everything before hybi-07 has said in the end.
fn served(bytes: &[u8], step: usize) -> Option<(Vec<u8>, Option<Version>)> {
    let all = Version::ALL.into_iter().filter(|version| *version < Version::HYBI_07);
    let (out, terms) = serve(&policy(all), bytes.chunks(step))?;
    Some((out, terms.ok().map(|terms| terms.version())))
}

/// What a client has made of a response.
fn received(mut client: ClientHandshake, bytes: &[u8], step: usize) -> Result<Vec<u8>, String> {
    let result = receive(&mut client, bytes.chunks(step));
    if let Err(error) = &result {
        let again = client.handle_input(b"HTTP/1.1 101 x\r\n").unwrap_err();
        assert_eq!(again.to_string(), error.to_string(), "errors are sticky");
    }
    match result {
        Ok((_, _, rest)) => Ok(rest),
        // How much had come is not the same for each cut where a chunk is refused as a whole.
        Err(HandshakeError::UnexpectedEof { .. }) => Err("end".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn clients() -> [(ClientHandshake, &'static str); 3] {
    let example = |request: &str, version| client(&Seen::new(request.as_bytes()), version, false);
    let keyed = ClientRequest::new("ws://example.com/demo".parse().unwrap());
    let keyed = keyed.version(Version::HYBI_04);
    let limits = HeadLimits::default();
    let nonce = &mut |out: &mut [u8]| out.copy_from_slice(b"the sample nonce");
    [
        (example(REQUEST_75, Version::HIXIE_75), RESPONSE_75),
        (example(REQUEST_76, Version::HIXIE_76), RESPONSE_76),
        (ClientHandshake::new(&keyed, nonce, limits).expect("an old version"), RESPONSE_76),
    ]
}

/// A part of an example replaced by other bytes.
fn spoiled(example: &str, at: usize, len: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = example.as_bytes().to_vec();
    let at = at % bytes.len();
    let end = (at + len).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
    bytes
}

proptest! {
    #[test]
    fn spoiled_requests_are_judged_the_same_in_pieces(
        old: bool,
        at: usize,
        len in 0..4_usize,
        with in prop::collection::vec(any::<u8>(), 0..4),
        step in 1..40_usize,
    ) {
        let request = spoiled(if old { REQUEST_75 } else { REQUEST_76 }, at, len, &with);
        let whole = served(&request, request.len().max(1));
        prop_assert_eq!(served(&request, step), whole.clone());
        if let Some((out, version)) = whole {
            prop_assert_eq!(Seen::new(&out).status() == 101, version.is_some());
        }
    }

    #[test]
    fn spoiled_responses_are_judged_the_same_in_pieces(
        which in 0..3_usize,
        at: usize,
        len in 0..4_usize,
        with in prop::collection::vec(any::<u8>(), 0..4),
        step in 1..40_usize,
    ) {
        let [first, second] = [(), ()].map(|()| clients().into_iter().nth(which).unwrap());
        let response = spoiled(first.1, at, len, &with);
        let whole = received(first.0, &response, response.len().max(1));
        prop_assert_eq!(received(second.0, &response, step), whole);
    }

    #[test]
    fn any_key_is_a_number_or_an_error_of_the_client(key: Vec<u8>, key3: [u8; 8]) {
        match key_number(&key) {
            Ok(number) => {
                let other = challenge_answer(number, number ^ 1, key3);
                prop_assert_ne!(challenge_answer(number, number, key3), other);
            }
            Err(error) => prop_assert_eq!(error.status().map(|s| s.as_u16()), Some(400)),
        }
    }

    #[test]
    fn any_values_in_the_fields_of_hixie_are_accepted_or_refused(
        key1 in "[ -~]{0,20}",
        draft in "[ -~]{0,3}",
        host in "[ -~]{0,12}",
        origin in "[ -~]{0,12}",
        name in "[ -~]{0,12}",
    ) {
        let request = format!(
            "GET /demo HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
             Host: {host}\r\nOrigin: {origin}\r\nSec-WebSocket-Key1: {key1}\r\n\
             Sec-WebSocket-Key2: 1 a\r\nSec-WebSocket-Draft: {draft}\r\n\
             Sec-WebSocket-Protocol: {name}\r\n\r\n12345678"
        );
        let Some((out, version)) = served(request.as_bytes(), request.len()) else {
            panic!("a complete request");
        };
        let acceptable = key_number(key1.trim()).is_ok()
            && ["0", "1", "2", "3"].contains(&draft.trim())
            && !origin.trim().is_empty()
            && !name.trim().is_empty();
        let seen = Seen::new(&out);
        if version.is_some() {
            prop_assert!(acceptable);
            prop_assert_eq!(seen.field("sec-websocket-origin"), Some(origin.trim()));
        } else if acceptable {
            prop_assert!(String::from_utf8_lossy(&seen.body).starts_with("Host is"), "{seen:?}");
        }
    }
}
