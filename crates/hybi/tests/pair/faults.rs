//! A link that breaks at every byte of a conversation: nothing torn is delivered, and both
//! endpoints come to an end (RFC 6455 section 7.1.5).

use hybi::{Config, Message, Role, State};

use crate::world::{BOTH, Cut, Pair};

/// Messages both ways, then the closing handshake, over a link whose direction from `role`
/// breaks after `at` bytes; returns how many bytes it was asked to carry.
fn talk(role: Role, cut: Option<(usize, Cut)>, chunk: usize) -> usize {
    let config = Config::default().fragment_size(Some(5));
    let mut pair = Pair::with(config);
    (pair.up.chunk, pair.down.chunk) = (chunk, chunk);
    pair.wire_from(role).cut = cut;
    let sent = [Message::text("fragmenté"), Message::from(vec![1; 20]), Message::Ping("?".into())];
    for one in BOTH {
        let (own, _) = pair.seen_by(one);
        sent.iter().for_each(|message| own.queue(message.clone()));
    }
    pair.drive();
    if pair.client.state() == State::Open {
        pair.client.close(1000, "over");
    }
    pair.run_to_the_end();

    let what = format!("{cut:?} from the {role:?} in chunks of {chunk}");
    for one in BOTH {
        let (own, _) = pair.seen_by(one);
        let is_answer = |message: &&Message| {
            matches!(message, Message::Close(_)) || **message == Message::Pong("?".into())
        };
        let messages: Vec<_> = own.events.iter().filter(|event| !is_answer(event)).collect();
        assert!(sent.iter().collect::<Vec<_>>().starts_with(&messages), "{what}: {messages:?}");
        assert!(own.events.len() <= sent.len() + 2, "{what}: {:?}", own.events);

        let closed = own.events.iter().any(|event| matches!(event, Message::Close(_)));
        let status = own.status();
        assert_eq!(status.is_clean(), closed && own.error().is_none(), "{what}: {status:?}");
        assert_eq!(closed, status.code().as_u16() != 1006, "{what}: {status:?}");
        if cut.is_none() {
            assert!(status.is_clean(), "{what}: {status:?}");
        }
    }
    pair.wire_from(role).sent.len()
}

#[test]
fn a_link_may_break_after_any_byte() {
    for role in BOTH {
        for chunk in [1, usize::MAX] {
            let len = talk(role, None, chunk);
            assert_eq!(len, if role == Role::Client { 92 } else { 56 });
            for at in 0..len {
                for cut in [Cut::End, Cut::Reset, Cut::Silence] {
                    talk(role, Some((at, cut)), chunk);
                }
            }
        }
    }
}

#[test]
fn an_endpoint_that_hears_nothing_any_more_ends_by_itself() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.wire_from(role).cut = Some((0, Cut::Silence));
        pair.run_to_the_end();
        let (own, peer) = pair.seen_by(role);
        let late = Some("the peer did not answer a ping in time");
        assert_eq!(peer.error().as_deref(), late, "{role:?}");
        // The other direction works: the Close frame of the one that gave up came through.
        assert_eq!(own.status().code().as_u16(), 1011);
    }
}
