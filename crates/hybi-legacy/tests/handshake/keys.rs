//! The keys of hixie-76 to hybi-03: arithmetic, form, and the way from client to server and back.

use hybi_handshake::{ClientRequest, HandshakeError, HeadLimits, Version};
use hybi_legacy::{ClientHandshake, challenge_answer, key_number};
use hybi_suite::vectors::{hex, records};
use proptest::prelude::*;

use crate::support::{Seen, WITH_TWO_KEYS, generator, policy, receive, serve};

#[test]
fn every_key_of_the_vectors_gives_its_number_or_its_rule() {
    let records = records("hixie76_keys");
    assert_eq!(records.len(), 19);
    for record in records {
        let key = record["key"].as_str().expect("a key");
        match key_number(key) {
            Ok(part) => assert_eq!(Some(u64::from(part)), record["part"].as_u64(), "{key:?}"),
            Err(HandshakeError::Draft(rule)) => {
                assert!(record["part"].is_null(), "{key:?}: {}", rule.rule);
                let expected = match (&record["number"], record["spaces"].as_u64()) {
                    (number, _) if number.is_null() => "no digit",
                    (_, Some(0)) => "no space",
                    (number, _) if number == "7" => "not a multiple",
                    _ => "more than 32 bits",
                };
                assert!(rule.rule.contains(expected), "{key:?}: {}", rule.rule);
                assert!(rule.by_client);
            }
            Err(error) => panic!("{key:?}: {error}"),
        }
    }
}

#[test]
fn every_answer_of_the_vectors_follows_from_the_keys() {
    let mut seen = 0;
    for record in records("handshake") {
        let derived = &record["derived"];
        let Some(answer) = derived["response_hex"].as_str() else { continue };
        seen += 1;
        let number = |name: &str| derived[name].as_u64().expect("a number") as u32;
        let key3 = hex(record["inputs"]["key3_hex"].as_str().expect("key3"));
        let key3 = key3.try_into().expect("eight bytes");
        let made = challenge_answer(number("part1"), number("part2"), key3);
        assert_eq!(made.as_slice(), hex(answer), "{}", record["id"]);
    }
    assert_eq!(seen, 15);
}

#[test]
fn numbers_of_any_length_are_judged_without_overflow() {
    let long =
        |digit: &str, spaces: usize| format!("x{}{}y", digit.repeat(5000), " ".repeat(spaces));
    for (key, expected) in [
        (long("9", 1), None),
        (long("1", 12), None),
        (long("0", 3), Some(0)),
        // The largest number there is, 2^64-1, and one more.
        (format!("18446744073709551615{}", " ".repeat(65537)), None),
        ("18446744073709551616 ".to_owned(), None),
        // (2^32-1) times 65535, and the same with one space less and more.
        (format!("281470681677825{}", " ".repeat(65535)), Some(u32::MAX)),
        (format!("281470681677825{}", " ".repeat(65534)), None),
        (format!("281470681677825{}", " ".repeat(65536)), None),
    ] {
        assert_eq!(key_number(&key).ok(), expected, "{} bytes", key.len());
    }
}

/// A client of this version and what it sends.
fn client(version: Version, random: &mut dyn FnMut(&mut [u8])) -> (ClientHandshake, Seen) {
    let request = ClientRequest::new("ws://example.com/demo?x=1".parse().unwrap()).version(version);
    let client = ClientHandshake::new(&request, random, HeadLimits::default()).expect("hixie-76");
    let sent = Seen::new(client.request_bytes());
    (client, sent)
}

/// The form that the draft gives to keys.
fn assert_form(key: &str) {
    let count = |wanted: fn(char) -> bool| key.chars().filter(|&c| wanted(c)).count();
    assert!((1..=12).contains(&count(|c| c == ' ')), "{key:?}");
    let others = count(|c| matches!(c, '\x21'..='\x2f' | '\x3a'..='\x7e'));
    assert!((1..=12).contains(&others), "{key:?}");
    assert_eq!(key.len(), count(|c| c == ' ' || c.is_ascii_digit()) + others, "{key:?}");
    assert!(!key.starts_with(' ') && !key.ends_with(' '), "{key:?}");
    let digits: String = key.chars().filter(char::is_ascii_digit).collect();
    assert!(digits.parse::<u32>().is_ok_and(|number| number.to_string() == digits), "{key:?}");
    assert!(key_number(key).is_ok(), "{key:?}");
}

fn assert_round_trip(version: Version, random: &mut dyn FnMut(&mut [u8])) {
    let (mut client, sent) = client(version, random);
    for name in ["sec-websocket-key1", "sec-websocket-key2"] {
        assert_form(sent.field(name).expect("a key"));
    }
    assert_eq!(sent.body.len(), 8);
    let request = client.request_bytes().to_vec();
    let (out, terms) = serve(&policy([version]), [&*request]).expect("a complete request");
    assert_eq!(terms.expect("accepted").version(), version);
    let (accepted, terms, rest) = receive(&mut client, [&*out]).expect("accepted");
    assert_eq!((accepted.version, terms.version(), rest.len()), (version, version, 0));
}

#[test]
fn a_generator_that_repeats_itself_makes_keys_all_the_same() {
    for byte in [0, 1, 0x7f, 0x80, 0xff] {
        assert_round_trip(Version::HIXIE_76, &mut |out: &mut [u8]| out.fill(byte));
    }
}

/// Over many seeds each choice is made in every way, none much rarer than others.
#[test]
fn keys_and_orders_of_fields_are_spread_evenly() {
    const SEEDS: u64 = 6000;
    let (mut spaces, mut others, mut first) = ([0_u64; 13], [0_u64; 13], [0_u64; 6]);
    let mut characters = [0_u64; 128];
    let mut high = 0;
    for seed in 0..SEEDS {
        let mut random = generator(seed);
        let request =
            ClientRequest::new("ws://example.com/".parse().unwrap()).version(Version::HIXIE_76);
        let client =
            ClientHandshake::new(&request, &mut random, HeadLimits::default()).expect("hixie-76");
        let sent = Seen::new(client.request_bytes());
        let key = sent.field("sec-websocket-key1").expect("a key");
        let count = key.bytes().filter(|&byte| byte == b' ').count();
        spaces[count] += 1;
        let other = |byte: &u8| *byte != b' ' && !byte.is_ascii_digit();
        others[key.bytes().filter(other).count()] += 1;
        key.bytes().filter(other).for_each(|byte| characters[usize::from(byte)] += 1);
        let largest = u32::MAX / u32::try_from(count).unwrap();
        high += u64::from(key_number(key).unwrap() > largest / 2);
        let line = client.request_bytes().split(|&byte| byte == b'\n').nth(1).unwrap();
        let names: [&[u8]; 6] = [
            b"Upgrade:",
            b"Connection:",
            b"Host:",
            b"Origin:",
            b"Sec-WebSocket-Key1:",
            b"Sec-WebSocket-Key2:",
        ];
        first[names.iter().position(|name| line.starts_with(name)).expect("a field")] += 1;
    }
    let even = |counts: &[u64], expected: u64| {
        let near = |count: &u64| count.abs_diff(expected) < expected / 2;
        assert!(counts.iter().all(near), "{counts:?}, each about {expected}");
    };
    even(&spaces[1..], SEEDS / 12);
    even(&others[1..], SEEDS / 12);
    even(&first, SEEDS / 6);
    even(&[high], SEEDS / 2);
    // 6.5 characters in a key, of 84.
    let used = [&characters[0x21..0x30], &characters[0x3a..0x7f]].concat();
    even(&used, SEEDS * 13 / 168);
}

proptest! {
    #[test]
    fn our_server_accepts_the_keys_of_our_client(seed: u64, version in 0..WITH_TWO_KEYS.len()) {
        assert_round_trip(WITH_TWO_KEYS[version], &mut generator(seed));
    }

    /// What a key stands for is the quotient, however it is written.
    #[test]
    fn a_key_stands_for_its_digits_over_its_spaces(
        key in "[ -~]{0,40}",
    ) {
        let digits: String = key.chars().filter(char::is_ascii_digit).collect();
        let spaces = key.matches(' ').count() as u128;
        let expected = match digits.parse::<u128>() {
            Ok(number) if spaces > 0 && number % spaces == 0 => (number / spaces).try_into().ok(),
            _ => None::<u32>,
        };
        prop_assert_eq!(key_number(&key).ok(), expected);
    }
}
