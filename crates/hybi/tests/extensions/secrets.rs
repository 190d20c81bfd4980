//! Secrets: sent as they are, and forgotten by the compressor (the attacks CRIME and BREACH; RFC 7692
//! section 8).

use hybi::{Deflate, Message, Outgoing, Prepared, Role, Secret, WebSocket};

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::run,
    },
    wire::{TEXT, frames},
    world::{Kind, Opened, agreed, config, endpoint, feed, json, noise},
};

/// A token that no compressor finds anything in, but its own copy.
fn token() -> String {
    noise(150, 7).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long a message with the token in it is on the wire, behind these.
fn length_of_a_hint(kind: Kind, before: &[Outgoing<'static>]) -> usize {
    let mut own = endpoint(kind, Role::Server, &config());
    own.queue(json(1)).expect("open");
    for message in before {
        own.queue(message.clone()).expect("open");
    }
    let _ = own.transmit_to_vec();
    own.queue(format!("is it {}?", token())).expect("open");
    own.queued_bytes()
}

#[test]
fn a_secret_is_sent_plain_and_arrives() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let secret = "x".repeat(1_000);
        let Opened { mut client, mut server, .. } =
            agreed(kind, Deflate::default(), Deflate::default(), &config());
        client.queue(Secret::new(secret.as_str())).expect("open");
        let wire = client.transmit_to_vec();
        let sent = frames(client.role(), &wire);
        assert_eq!((sent.len(), sent[0].first), (1, TEXT), "{kind:?}");
        assert_eq!(sent[0].payload, secret.as_bytes());
        assert_eq!(feed(&mut server, &wire), [Message::text(secret)]);
    }
}

/// A later message that repeats the secret is as long as if the secret had never been sent.
#[test]
fn a_secret_tells_nothing_by_the_length_of_others() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let never = length_of_a_hint(kind, &[]);
        let prepared = Prepared::new(Secret::new(token()));
        for secret in [Secret::new(token()).into(), prepared.into()] {
            assert_eq!(length_of_a_hint(kind, &[secret]), never, "{kind:?}");
        }
        // The measurement sees what is in the history.
        let known = length_of_a_hint(kind, &[token().into()]);
        assert!(known < never - 100, "{kind:?}: {known} of {never}");
    }
}

#[test]
fn nobody_prints_a_secret() {
    let secret = Secret::new("hunter2");
    let (outgoing, prepared) = (Outgoing::from(secret.clone()), Prepared::new(secret.clone()));
    let shown = format!("{secret:?} {outgoing:?} {prepared:?} {:?}", Outgoing::from(&prepared));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(format!("{:?}", Outgoing::from("hello")).contains("hello"));
}

/// What could not be sent now is a secret still when it is sent later.
#[test]
fn a_secret_that_comes_back_is_one_still() {
    let Opened { client, mut server, .. } = agreed(
        Kind::PermessageDeflate,
        Deflate::default(),
        Deflate::default(),
        &config().outbox_limit(100),
    );
    let (end, far) = link(Manners::PLAIN);
    let mut socket = WebSocket::new(client, end, Clock::new().timer());
    let secret = "x".repeat(1_000);
    socket.try_send("in the way").expect("nothing else waits");
    let refused = socket.try_send(Secret::new(secret.as_str())).expect_err("no room");
    assert!(!format!("{refused:?}").contains("xxx"), "{refused:?}");
    let again = refused.into_outgoing().expect("nothing was queued");
    run(socket.flush(), || {}).expect("open");
    far.take(usize::MAX);

    socket.try_send(again).expect("room");
    run(socket.flush(), || {}).expect("open");
    let wire = far.take(usize::MAX);
    assert_eq!(frames(Role::Client, &wire)[0].payload, secret.as_bytes());
    assert_eq!(feed(&mut server, &wire), [Message::text(secret)]);
}
