//! What a client and a server agree on, as both report it and as it is in the header fields
//! (RFC 6455 section 9.1, RFC 7692 section 7.1).

use hybi::{
    Client, Connection, Deflate, Error, Extensions, HandshakeError, Negotiated, Server, Version,
    extension::{
        Agreed, DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress,
        PermessageDeflateDraft,
    },
};
use hybi_handshake::{HeadLimits, ServerHandshake, write_response};

use crate::world::{Opened, open};

/// That a client understands the parameter; without a choice of the window it does not.
const HINT: &str = if Deflate::HAS_WINDOW_BITS { "; client_max_window_bits" } else { "" };

fn deflate() -> Deflate {
    Deflate::default()
}

/// What was offered and answered, which is also what both ends report.
fn outcome(version: Version, client: Extensions, server: Extensions) -> (String, String) {
    let client = Client::builder().version(version).extensions(client).build().expect("a client");
    let server = Server::builder().versions([version]).extensions(server).build();
    judged(open(&client, &server).expect("an answer that fits"))
}

fn judged(opened: Opened) -> (String, String) {
    let Opened { client, server, offer, answer } = opened;
    let answer = answer.unwrap_or_default();
    for connection in [client, server] {
        assert_eq!(in_use(&connection).join(", "), answer, "{:?}", connection.role());
    }
    (offer.unwrap_or_default(), answer)
}

fn in_use(connection: &Connection) -> Vec<String> {
    let agreed = &connection.negotiated().extensions;
    agreed.iter().map(Agreed::answer).map(ToString::to_string).collect()
}

fn check(client: impl Into<Extensions>, server: impl Into<Extensions>, offer: &str, answer: &str) {
    let (offered, answered) = outcome(Version::RFC6455, client.into(), server.into());
    assert_eq!((offered.as_str(), answered.as_str()), (offer, answer));
}

#[test]
fn permessage_deflate_is_the_default_of_those_that_compress() {
    let (client, server) = (Client::compressing(), Server::compressing());
    let (offer, answer) = judged(open(&client, &server).expect("agreement"));
    assert_eq!(offer, format!("permessage-deflate{HINT}"));
    assert_eq!(answer, "permessage-deflate");
}

/// In this build it could be done: what is compiled in is offered and accepted by those alone that ask for it.
#[test]
fn nothing_is_offered_or_accepted_unasked() {
    let built = (Client::builder().build().expect("a client"), Server::builder().build());
    for (client, server) in [(Client::default(), Server::default()), built] {
        for (client, server) in [
            (&client, &Server::compressing()),
            (&Client::compressing(), &server),
            (&client, &server),
        ] {
            let (_, answer) = judged(open(client, server).expect("agreement"));
            assert_eq!(answer, "");
        }
        assert_eq!(judged(open(&client, &server).expect("agreement")).0, "");
    }
}

#[test]
fn either_may_do_without() {
    check(Extensions::none(), deflate(), "", "");
    check(deflate(), Extensions::none(), &format!("permessage-deflate{HINT}"), "");
}

#[test]
fn both_say_what_they_want() {
    let offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let modest = deflate().own_context_takeover(false).peer_context_takeover(false);
    check(
        modest,
        deflate(),
        &format!("{offer}{HINT}"),
        "permessage-deflate; server_no_context_takeover",
    );
    check(deflate(), modest, &format!("permessage-deflate{HINT}"), offer);
}

/// A library without a choice asks all the same, and goes without the extension when it is asked.
#[test]
fn both_say_how_large_a_window_may_be() {
    let server = deflate().own_window_bits(10).peer_window_bits(11);
    let client = deflate().own_window_bits(8).peer_window_bits(9);
    let narrow = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8";
    let [offer, answers @ ..] = if Deflate::HAS_WINDOW_BITS {
        [
            narrow,
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
            "permessage-deflate; server_max_window_bits=9",
            narrow,
        ]
    } else {
        ["permessage-deflate; server_max_window_bits=9", "permessage-deflate", "", ""]
    };
    check(deflate(), server, &format!("permessage-deflate{HINT}"), answers[0]);
    check(client, deflate(), offer, answers[1]);
    check(client, server, offer, answers[2]);
}

#[test]
fn the_clients_order_decides_and_one_extension_has_the_bit() {
    let client = Extensions::from(DeflateFrame::new(deflate())).with(deflate());
    let server = Extensions::from(deflate()).with(DeflateFrame::new(deflate()));
    let offer = format!("deflate-frame, permessage-deflate{HINT}");
    check(client.clone(), server.clone(), &offer, "deflate-frame");
    let offer = format!("permessage-deflate{HINT}, deflate-frame");
    check(server, client, &offer, "permessage-deflate");
}

/// What a server cannot do is declined, and the next alternative is tried.
#[test]
fn alternatives_are_tried_in_order() {
    let strict = PermessageDeflateDraft::new(deflate().peer_context_takeover(false));
    let client = Extensions::from(strict).with(deflate());
    let (offer, answer) = outcome(Version::RFC6455, client, deflate().into());
    let (first, second) = offer.split_once(", ").expect("two alternatives");
    assert!(first.starts_with("permessage-deflate; s2c_no_context_takeover"), "{first}");
    assert_eq!(second, format!("permessage-deflate{HINT}"));
    assert_eq!(answer, "permessage-deflate");
}

#[test]
fn old_extensions_have_parameters_too() {
    let modest = deflate().peer_context_takeover(false);
    check(
        PermessageDeflateDraft::new(modest),
        PermessageDeflateDraft::new(deflate()),
        &format!(
            "permessage-deflate; s2c_no_context_takeover{}",
            if Deflate::HAS_WINDOW_BITS { "; c2s_max_window_bits" } else { "" }
        ),
        "permessage-deflate; s2c_no_context_takeover",
    );
    let method = "permessage-compress; method=\"deflate; s2c_no_context_takeover\"";
    check(PermessageCompress::new(modest), PermessageCompress::new(deflate()), method, method);
    check(
        PerframeCompress::new(modest),
        PerframeCompress::new(deflate()),
        "perframe-compress; method=\"deflate; no_context_takeover\"",
        "perframe-compress; method=deflate",
    );
    check(
        DeflateFrame::webkit(deflate()),
        DeflateFrame::webkit(modest),
        "x-webkit-deflate-frame",
        "x-webkit-deflate-frame; no_context_takeover",
    );
}

/// Nothing that is deprecated is accepted unless a server asks for it.
#[test]
fn old_extensions_are_off() {
    let old: [Extensions; 4] = [
        PermessageCompress::new(deflate()).into(),
        PerframeCompress::new(deflate()).into(),
        DeflateFrame::new(deflate()).into(),
        DeflateFrame::webkit(deflate()).into(),
    ];
    for client in old {
        let (offer, answer) = outcome(Version::RFC6455, client, Extensions::default());
        assert!(!offer.is_empty());
        assert_eq!(answer, "");
    }
}

#[test]
fn a_stream_is_for_the_versions_that_had_it() {
    let both =
        || Extensions::from(DeflateStream::new(deflate())).with(DeflateFrame::new(deflate()));
    for version in [Version::HYBI_07, Version::HYBI_08] {
        let (_, answer) = outcome(version, both(), both());
        assert_eq!(answer, "deflate-stream, deflate-frame", "{version:?}");
    }
    check(both(), both(), "deflate-frame", "deflate-frame");
}

/// What a client makes of a server that answers so.
fn answered(extensions: impl Into<Extensions>, answer: &str) -> Result<Negotiated, HandshakeError> {
    let client = Client::builder().extensions(extensions).build().expect("a client");
    let mut asking = client.handshake(&"ws://example.org/".parse().expect("a URI"));
    let mut reading = ServerHandshake::new(HeadLimits::default());
    let (_, request) = reading.handle_input(asking.request_bytes()).expect("a lawful request");
    let server = Server::builder().extensions(Extensions::none()).build();
    let (mut response, _) = server.upgrade(&request.expect("all of it")).expect("accepted");
    let value = answer.parse().expect("a field value");
    response.headers_mut().insert("Sec-WebSocket-Extensions", value);
    let mut bytes = Vec::new();
    write_response(&response, &[], &mut bytes);
    match asking.handle_input(&bytes) {
        Ok((_, accepted)) => Ok(accepted.expect("a whole response").negotiated),
        Err(Error::Handshake(error)) => Err(HandshakeError::clone(&error)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn an_answer_that_fits_is_taken() {
    let mut answers = vec![
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover",
    ];
    if Deflate::HAS_WINDOW_BITS {
        answers.push("permessage-deflate; server_max_window_bits=9; client_max_window_bits=10");
    }
    for answer in answers {
        let negotiated = answered(deflate(), answer).expect(answer);
        let [agreed] = &negotiated.extensions[..] else { panic!("{negotiated:?}") };
        assert_eq!(agreed.answer().to_string(), answer);
    }
}

#[test]
fn an_answer_that_does_not_fit_fails_the_connection() {
    let both = || Extensions::from(deflate()).with(DeflateFrame::new(deflate()));
    for (answer, rule) in [
        ("x-unheard-of", None),
        ("deflate-stream", None),
        ("permessage-compress; method=deflate", None),
        ("permessage-deflate; foo", Some("a parameter that the extension does not know")),
        ("permessage-deflate; server_max_window_bits", Some("a value")),
        ("permessage-deflate; server_max_window_bits=16", Some("a value")),
        ("permessage-deflate; server_max_window_bits=08", Some("a value")),
        ("permessage-deflate; client_max_window_bits", Some("")),
        ("permessage-deflate; server_no_context_takeover=1", Some("a value")),
        (
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            Some("twice"),
        ),
        ("permessage-deflate, permessage-deflate", Some("twice")),
        ("permessage-deflate, deflate-frame", Some("claims the same bits")),
        ("deflate-frame; max_window_bits=7", Some("a value")),
    ] {
        let error = answered(both(), answer).expect_err(answer);
        match (&error, rule) {
            (HandshakeError::ExtensionNotOffered, None) => {}
            (HandshakeError::ExtensionAnswer(_), Some(rule)) => {
                assert!(error.to_string().contains(rule), "{answer}: {error}");
            }
            _ => panic!("{answer}: {error}"),
        }
    }
    // What was demanded has to be confirmed.
    let demanding = deflate().peer_context_takeover(false);
    let error = answered(demanding, "permessage-deflate").expect_err("not confirmed");
    assert!(matches!(error, HandshakeError::ExtensionAnswer(_)), "{error}");
    let error = answered(deflate(), "permessage-deflate; a b").expect_err("malformed");
    assert!(matches!(error, HandshakeError::MalformedExtensions), "{error}");
}
