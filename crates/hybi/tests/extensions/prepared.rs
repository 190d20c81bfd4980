//! Prepared: compressed once for all peers of equal parameters, and at home among other messages
//! (RFC 7692 section 7.1.1).

use std::io::IoSlice;

use hybi::{Compress, Connection, Deflate, Message, Outgoing, Prepared, Role};

use crate::{
    wire::{Inflater, TEXT, frames},
    world::{BOTH, Kind, agreed, carry, config, endpoint, feed, json, noise, pair},
};

/// Text that compresses to about a half from level 2 on, and long enough to be shared rather than copied.
fn long() -> String {
    noise(20_000, 3).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the longest piece of what is queued lies.
fn address(connection: &mut Connection) -> (*const u8, usize) {
    // At high levels it takes several steps.
    for _ in 0..100 {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = connection.poll_transmit(&mut slices);
        let longest = slices[..count].iter().map(|slice| (slice.len(), slice.as_ptr())).max();
        if let Some((len, place)) = longest {
            return (place, len);
        }
    }
    panic!("nothing is to be sent")
}

fn server(kind: Kind, deflate: Deflate) -> Connection {
    agreed(kind, Deflate::default(), deflate, &config()).server
}

#[test]
fn peers_with_equal_parameters_get_the_same_bytes() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let prepared = Prepared::new(long());
        let mut addresses = Vec::new();
        for number in 0..5 {
            let mut server = server(kind, Deflate::default().level(2));
            // What was said before on one connection is no matter.
            for earlier in 0..number {
                server.queue(json(earlier)).expect("open");
            }
            let _ = server.transmit_to_vec();
            server.queue(&prepared).expect("open");
            addresses.push(address(&mut server));
        }
        assert!(addresses.iter().all(|one| *one == addresses[0]), "{kind:?}: {addresses:?}");
        assert!(addresses[0].1 < long().len() * 2 / 3);
    }
}

#[test]
fn peers_with_other_parameters_get_their_own() {
    let prepared = Prepared::new(long());
    let mut first = server(Kind::PermessageDeflate, Deflate::default());
    first.queue(&prepared).expect("open");
    let first = address(&mut first);

    let mut small = server(Kind::PermessageDeflate, Deflate::default().level(9));
    small.queue(&prepared).expect("open");
    assert_ne!(address(&mut small).0, first.0);

    // Without a history or with one, the message stands for itself.
    let alone = Deflate::default().own_context_takeover(false);
    let mut alone = server(Kind::PermessageDeflate, alone);
    alone.queue(&prepared).expect("open");
    assert_eq!(address(&mut alone), first);

    let mut plain = Connection::new(Role::Server, hybi::Negotiated::default(), config().into());
    plain.queue(&prepared).expect("open");
    assert_eq!(address(&mut plain).1, long().len());
    if Deflate::HAS_WINDOW_BITS {
        let mut narrow = server(Kind::PermessageDeflate, Deflate::default().own_window_bits(10));
        narrow.queue(&prepared).expect("open");
        assert_ne!(address(&mut narrow).0, first.0);
    }
}

/// It refers to nothing before it, so a peer that lost its history reads it as well.
#[test]
fn it_stands_for_itself() {
    let prepared = Prepared::new(json(1));
    for role in BOTH {
        let mut own = endpoint(Kind::PermessageDeflate, role, &config());
        own.queue(json(1)).expect("open");
        own.queue(&prepared).expect("open");
        let sent = frames(role, &own.transmit_to_vec());
        assert_eq!(Inflater::new().message(&sent[1].payload), json(1).as_bytes(), "{role:?}");
    }
}

#[test]
fn it_takes_turns_with_others() {
    for kind in Kind::ALL {
        let prepared: Vec<_> = (0..3).map(|number| Prepared::new(json(number))).collect();
        let [mut client, mut server] = pair(kind, &config());
        for turn in 0..12 {
            let messages: [Outgoing<'static>; 3] = [
                json(turn).into(),
                (&prepared[turn % 3]).into(),
                Outgoing::from(&prepared[(turn + 1) % 3]).compress(Compress::Never),
            ];
            let expected: Vec<_> = messages.iter().map(|one| one.clone().into_message()).collect();
            for message in messages {
                client.queue(message.clone()).expect("open");
                server.queue(message).expect("open");
            }
            assert_eq!(carry(&mut client, &mut server), expected, "{kind:?}");
            assert_eq!(carry(&mut server, &mut client), expected, "{kind:?}");
        }
    }
}

/// The history that a prepared message leaves at the peer's end is, as far as it is kept, the same
/// at ours.
/// One that is longer than a slice is encoded once, whatever the codec is over.
#[test]
fn a_long_one_is_whole_with_every_extension() {
    for kind in Kind::ALL {
        for fragments in [None, Some(30_000)] {
            let [mut client, mut server] = pair(kind, &config().fragment_size(fragments));
            let news = Prepared::new(json(7).repeat(2000));
            for _ in 0..2 {
                server.queue(&news).expect("open");
                server.queue("between").expect("open");
                let came = carry(&mut server, &mut client);
                assert!(came == [news.message().clone(), Message::from("between")], "{kind:?}");
            }
        }
    }
}

#[test]
fn what_comes_behind_it_may_refer_to_it() {
    let prepared = Prepared::new(long());
    let [mut client, mut server] = pair(Kind::PermessageDeflate, &config());
    server.queue(&prepared).expect("open");
    let first = server.queued_bytes();
    assert_eq!(carry(&mut server, &mut client).len(), 1);
    let long = long();
    let again = &long[long.len() - 3000..];
    server.queue(again).expect("open");
    assert!(server.queued_bytes() < first / 10, "{} bytes", server.queued_bytes());
    assert_eq!(carry(&mut server, &mut client), [Message::text(again)]);
}

#[test]
fn what_is_not_to_be_compressed_is_not() {
    let text = json(1);
    for (prepared, compressed) in [
        (Prepared::new(Outgoing::from(text.as_str()).compress(Compress::Never)), false),
        (Prepared::new(hybi::Secret::new(text.as_str())), false),
        (Prepared::new("short"), false),
        (Prepared::new(Outgoing::from("s".repeat(40)).compress(Compress::Always)), true),
        (Prepared::new(text.as_str()), true),
    ] {
        let [mut client, mut server] = pair(Kind::PermessageDeflate, &config());
        for _ in 0..2 {
            server.queue(&prepared).expect("open");
            let wire = server.transmit_to_vec();
            let sent = frames(Role::Server, &wire);
            assert_eq!(sent[0].is_compressed(), compressed, "{prepared:?}");
            assert!(compressed || sent[0].first == TEXT);
            assert_eq!(feed(&mut client, &wire), [prepared.message().clone()]);
        }
    }
}

/// Fragments are cut of what each connection sends, so there is nothing to share.
#[test]
fn it_is_cut_into_fragments() {
    for kind in Kind::ALL {
        let prepared = Prepared::new(json(1));
        let [mut client, mut server] = pair(kind, &config().fragment_size(Some(100)));
        let mut inflater = Inflater::new();
        for turn in 0..3 {
            server.queue(&prepared).expect("open");
            client.queue(&prepared).expect("open");
            let mut wire = server.transmit_to_vec();
            assert_eq!(feed(&mut client, &wire), [prepared.message().clone()]);
            if kind == Kind::DeflateStream {
                wire = inflater.stream(&wire);
            }
            let sent = frames(Role::Server, &wire);
            // What was said before is short, where payloads refer to it.
            assert!(sent.len() > 1 || turn > 0 && kind != Kind::DeflateStream, "{kind:?}");
            assert!(sent.iter().all(|frame| frame.payload.len() <= 100), "{kind:?}");
            assert_eq!(carry(&mut client, &mut server), [prepared.message().clone()]);
        }
    }
}
