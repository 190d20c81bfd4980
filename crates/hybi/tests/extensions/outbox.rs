//! What waits to be sent: it is counted as it will be on the wire, and a message that is given back
//! has left no trace in the compressor (RFC 7692 section 7.2.1).

use core::{pin::pin, task::Poll};

use hybi::{Compress, Error, Message, Outgoing, Prepared, Role, Secret, WebSocket};

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::{Task, run},
    },
    world::{BOTH, Kind, carry, config, endpoint, feed, json, pair},
};

#[test]
fn what_waits_is_counted_as_it_is_sent() {
    for kind in Kind::ALL {
        for role in BOTH {
            let mut own = endpoint(kind, role, &config());
            let text = json(1).repeat(50);
            own.queue(text.as_str()).expect("open");
            let waiting = own.queued_bytes();
            assert!(waiting < text.len() / 20, "{kind:?}: {waiting} of {}", text.len());
            assert_eq!(own.transmit_to_vec().len(), waiting);
            assert_eq!(own.queued_bytes(), 0);
        }
    }
}

/// There is room for a message if there is room for all of it, however small it might become.
#[test]
fn room_is_for_the_message_as_it_is() {
    let mut server = endpoint(Kind::PermessageDeflate, Role::Server, &config().outbox_limit(2_000));
    assert!(server.has_room_for(usize::MAX), "alone");
    server.queue(json(1)).expect("open");
    let waiting = server.queued_bytes();
    assert!(server.has_room_for(2_000 - waiting) && !server.has_room_for(2_001 - waiting));
}

#[test]
fn a_message_that_there_is_no_room_for_comes_back_and_is_forgotten() {
    let turns: [fn(usize) -> Outgoing<'static>; 4] = [
        |number| json(number).into(),
        |number| Secret::new(json(number)).into(),
        |number| Prepared::new(json(number)).into(),
        |number| Outgoing::from(json(number)).compress(Compress::Always),
    ];
    for kind in Kind::ALL {
        for role in BOTH {
            let mut both = pair(kind, &config().outbox_limit(100));
            if role == Role::Server {
                both.reverse();
            }
            let [own, mut peer] = both;
            let (end, far) = link(Manners::PLAIN);
            let mut socket = WebSocket::new(own, end, Clock::new().timer());
            for number in 0..8 {
                socket.try_send(json(number)).expect("nothing else waits");
                for turn in turns {
                    let refused = socket.try_send(turn(number + 100)).expect_err("no room");
                    assert!(matches!(refused.error(), Error::Full), "{refused}");
                    let message = turn(number + 100).into_message();
                    assert_eq!(refused.into_message(), Some(message));
                }
                run(socket.flush(), || {}).expect("open");
                let sent = far.take(usize::MAX);
                assert_eq!(feed(&mut peer, &sent), [Message::text(json(number))], "{kind:?}");
            }
        }
    }
}

/// The same with a future that waits for room and is dropped.
#[test]
fn a_message_whose_future_was_dropped_is_forgotten() {
    for kind in Kind::ALL {
        let [client, mut server] = pair(kind, &config().outbox_limit(100));
        let (end, far) = link(Manners { capacity: 64, ..Manners::PLAIN });
        let mut socket = WebSocket::new(client, end, Clock::new().timer());
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for number in 0..8 {
            let message = Message::text(json(number));
            let task = Task::new();
            let fed = task.poll(pin!(socket.feed(message.clone())));
            if let Poll::Ready(fed) = fed {
                fed.expect("open");
                sent.push(message);
                continue;
            }
            for _ in 0..100 {
                received.extend(feed(&mut server, &far.take(64)));
                let _ = task.poll(pin!(socket.flush()));
            }
        }
        run(socket.flush(), || received.extend(feed(&mut server, &far.take(64)))).expect("open");
        received.extend(feed(&mut server, &far.take(64)));
        assert!(sent.len() > 2 && sent.len() < 8, "{kind:?}: {} were sent", sent.len());
        assert_eq!(received, sent, "{kind:?}");
    }
}

#[test]
fn a_message_comes_back_when_nothing_can_be_sent_any_more() {
    for kind in Kind::ALL {
        let [mut client, mut server] = pair(kind, &config());
        server.queue(json(1)).expect("open");
        server.queue(Message::Close(None)).expect("open");
        for outgoing in [json(2).into(), Secret::new(json(2)).into(), Prepared::new(json(2)).into()]
        {
            let outgoing: Outgoing<'static> = outgoing;
            let refused = server.queue(outgoing).expect_err("behind a Close frame");
            assert!(matches!(refused.error(), Error::Closed), "{refused}");
            assert_eq!(refused.into_message(), Some(Message::text(json(2))));
        }
        let events = carry(&mut server, &mut client);
        assert_eq!(events, [Message::text(json(1)), Message::Close(None)], "{kind:?}");
        assert_eq!(carry(&mut client, &mut server), [Message::Close(None)]);
        assert!(server.close_status().is_some_and(|status| status.is_clean()));
    }
}
