//! Negotiation: the recorded answers as client, and every combination of parameters against a model
//! made of RFC 7692 §7.1's rules.

use hybi_handshake::{ExtensionOffer, Version};
use hybi_suite::vectors;
use serde_json::Value;

use super::*;

#[test]
fn recorded_answers_are_judged() {
    let mut run = 0;
    for record in vectors::records("compression-permessage-deflate-negotiation") {
        let (Some("negotiate-client"), Some(response)) =
            (record["kind"].as_str(), record["response"].as_str())
        else {
            continue;
        };
        let id = &record["id"];
        let offer = parse(record["offer"].as_str().expect("an offer")).remove(0);
        let offer = Params::read(&offer, &NAMES).expect("a lawful offer");
        let judged = match &parse(response)[..] {
            [one] if one.name() == NAME => {
                Params::read(one, &NAMES).ok().and_then(|answer| offer.confirm(answer).ok())
            }
            // `Extensions::confirm` has these.
            _ => None,
        };
        assert_eq!(judged.is_some(), record["accept"] == true, "{id}");
        if let Some(params) = judged {
            assert_eq!(agreed_on(&params), expected(&record["agreed"]), "{id}");
        }
        run += 1;
    }
    // All but the one without an answer.
    assert_eq!(run, 20);
}

/// What both directions are left with.
fn agreed_on(params: &Params) -> [Direction; 2] {
    [params.server(true), params.client(true)]
}

fn expected(agreed: &Value) -> [Direction; 2] {
    ["server", "client"].map(|side| Direction {
        takeover: agreed[format!("{side}_no_context_takeover")] == false,
        window_bits: agreed[format!("{side}_max_window_bits")].as_u64().expect("bits") as u8,
    })
}

const FLAGS: [Option<Option<&str>>; 3] = [None, Some(None), Some(Some("1"))];
const WINDOWS: [Option<Option<&str>>; 15] = [
    None,
    Some(None),
    Some(Some("8")),
    Some(Some("9")),
    Some(Some("10")),
    Some(Some("11")),
    Some(Some("12")),
    Some(Some("13")),
    Some(Some("14")),
    Some(Some("15")),
    Some(Some("7")),
    Some(Some("16")),
    Some(Some("08")),
    Some(Some("1")),
    Some(Some("many")),
];

/// Every combination of the four parameters: absent, bare, or with a value, lawful or not.
fn elements() -> impl Iterator<Item = Element> {
    FLAGS.into_iter().flat_map(|server_flag| {
        FLAGS.into_iter().flat_map(move |client_flag| {
            WINDOWS.into_iter().flat_map(move |server_window| {
                WINDOWS.into_iter().map(move |client_window| Element {
                    server_flag,
                    client_flag,
                    server_window,
                    client_window,
                })
            })
        })
    })
}

fn configurations() -> impl Iterator<Item = Deflate> {
    (0..36).map(|n| {
        Deflate::default()
            .own_context_takeover(n % 2 == 0)
            .peer_context_takeover(n / 2 % 2 == 0)
            .own_window_bits([8, 11, 15][n / 4 % 3])
            .peer_window_bits([8, 11, 15][n / 12])
    })
}

#[derive(Clone, Copy, Debug)]
struct Element {
    server_flag: Option<Option<&'static str>>,
    client_flag: Option<Option<&'static str>>,
    server_window: Option<Option<&'static str>>,
    client_window: Option<Option<&'static str>>,
}

impl Element {
    fn header(self) -> ExtensionOffer {
        [
            ("client_max_window_bits", self.client_window),
            ("server_no_context_takeover", self.server_flag),
            ("server_max_window_bits", self.server_window),
            ("client_no_context_takeover", self.client_flag),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .try_fold(ExtensionOffer::new(NAME).expect("a token"), |element, (name, value)| {
            element.with_param(name, value)
        })
        .expect("tokens")
    }

    /// Whether each parameter has a value that it may have; a bare `client_max_window_bits` is for
    /// offers.
    fn is_lawful(self, in_offer: bool) -> bool {
        let flags = [self.server_flag, self.client_flag];
        flags.into_iter().all(|flag| !matches!(flag, Some(Some(_))))
            && (self.server_window.is_none() || self.server_bits().is_some())
            && (self.client_window.is_none()
                || self.client_bits().is_some()
                || in_offer && self.client_window == Some(None))
    }

    fn server_bits(self) -> Option<u8> {
        bits(self.server_window)
    }

    fn client_bits(self) -> Option<u8> {
        bits(self.client_window)
    }
}

fn bits(window: Option<Option<&str>>) -> Option<u8> {
    let lawful = ["8", "9", "10", "11", "12", "13", "14", "15"];
    let at = lawful.iter().position(|value| window == Some(Some(value)))?;
    Some(at as u8 + 8)
}

#[test]
fn servers_answer_every_offer_by_the_rules() {
    let (mut accepted, mut declined) = (0, 0);
    for element in elements() {
        for deflate in configurations() {
            let offer = element.header();
            let answer = deflate.accept(&offer).map(|agreed| agreed.answer().clone());
            let answer = answer.map(|answer| Params::read(&answer, &NAMES).expect("lawful"));
            let context = || format!("{deflate:?} to {offer}: {answer:?}");
            let asked = element.server_bits().unwrap_or(15);
            let can = Deflate::HAS_WINDOW_BITS || asked == 15;
            assert_eq!(answer.is_some(), element.is_lawful(true) && can, "{}", context());
            let Some(answer) = answer else {
                declined += 1;
                continue;
            };
            accepted += 1;
            let asks_reset = element.server_flag.is_some();
            assert_eq!(
                answer.server_no_takeover,
                asks_reset || !deflate.own_takeover,
                "{}",
                context()
            );
            assert_eq!(answer.client_no_takeover, !deflate.peer_takeover, "{}", context());
            let own = if Deflate::HAS_WINDOW_BITS { deflate.own_window_bits } else { 15 };
            let server = answer.server_window;
            assert!(server.unwrap_or(15) == own.min(asked), "{}", context());
            assert!(server.is_some() || element.server_window.is_none(), "{}", context());
            // Never without permission, never more than the client can do, and what is wanted.
            let wanted = deflate.peer_window_bits;
            let client = match element.client_window {
                None => None,
                Some(_) if wanted == 15 => None,
                Some(_) => Some(Some(wanted.min(element.client_bits().unwrap_or(15)))),
            };
            assert_eq!(answer.client_window, client, "{}", context());
        }
    }
    assert!(accepted > 2000 && declined > 30_000, "{accepted} {declined}");
}

#[test]
fn clients_judge_every_answer_by_the_rules() {
    let (mut accepted, mut refused) = (0, 0);
    for element in elements() {
        for deflate in configurations() {
            let answer = element.header();
            let confirmed = deflate.confirm(&answer);
            let own = if Deflate::HAS_WINDOW_BITS { Some(deflate.own_window_bits) } else { None };
            let server = element.server_bits();
            let lawful = element.is_lawful(false)
                && (deflate.peer_takeover || element.server_flag.is_some())
                && (deflate.peer_window_bits == 15 || server.is_some())
                && server.is_none_or(|bits| bits <= deflate.peer_window_bits)
                && element.client_bits().is_none_or(|bits| own.is_some_and(|own| bits <= own));
            assert_eq!(confirmed.is_ok(), lawful, "{deflate:?} by {answer}: {confirmed:?}");
            if !lawful {
                refused += 1;
                continue;
            }
            accepted += 1;
            let params = Params::read(&answer, &NAMES).expect("lawful");
            let params = Params::offer(&deflate).confirm(params).expect("confirmed");
            let [from_server, from_client] =
                [params.server(true), params.client(deflate.own_takeover)];
            assert_eq!(from_server.takeover, element.server_flag.is_none());
            assert_eq!(from_server.window_bits, server.unwrap_or(15));
            assert_eq!(from_client.takeover, element.client_flag.is_none() && deflate.own_takeover);
            let bits = element.client_bits().or(own).unwrap_or(15);
            assert_eq!(from_client.window_bits, bits, "{deflate:?} by {answer}");
        }
    }
    assert!(accepted > 500 && refused > 30_000, "{accepted} {refused}");
}

/// The two ends never believe different things: what one sends, the other can follow.
#[test]
fn any_client_and_any_server_understand_each_other() {
    for client in configurations() {
        let offers = client.offers();
        let [offer] = &offers[..] else { panic!("one offer") };
        for server in configurations() {
            let Some(agreed) = server.accept(offer) else {
                assert!(!Deflate::HAS_WINDOW_BITS && client.peer_window_bits < 15);
                continue;
            };
            let confirmed = client.confirm(agreed.answer());
            assert!(confirmed.is_ok(), "{client:?} {server:?}: {confirmed:?}");
            let sent = Params::read(agreed.answer(), &NAMES).expect("lawful");
            let got = Params::offer(&client).confirm(sent).expect("confirmed");
            for (sender, receiver) in [
                (sent.server(server.own_takeover), got.server(true)),
                (got.client(client.own_takeover), sent.client(true)),
            ] {
                assert!(sender.takeover <= receiver.takeover, "{client:?} {server:?}");
                assert!(sender.window_bits <= receiver.window_bits, "{client:?} {server:?}");
            }
            assert!(server.peer_takeover || !got.client(client.own_takeover).takeover);
        }
    }
}

#[test]
fn elements_with_anything_else_are_declined() {
    for element in [
        "foo",
        "foo=1",
        "server_no_context_takeover; server_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits=10",
        "s2c_max_window_bits=10",
        "Server_no_context_takeover",
    ] {
        let element = parse(&format!("{NAME}; {element}")).remove(0);
        assert!(Deflate::default().accept(&element).is_none(), "{element}");
        assert!(Deflate::default().confirm(&element).is_err(), "{element}");
    }
}

fn parse(header: &str) -> Vec<ExtensionOffer> {
    ExtensionOffer::parse_list([header], Version::RFC6455).expect("a list")
}
