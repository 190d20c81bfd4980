//! Random dialogues: whatever is said, in whatever form, arrives, and it makes no difference whether
//! the connections park after each message (RFC 7692 section 7).

use core::time::Duration;
use std::time::Instant;

use hybi::{Compress, Config, Connection, Deflate, Message, Outgoing, Prepared, Secret};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::world::{Kind, Opened, agreed, config, feed, json, tick};

/// How a message is sent.
#[derive(Clone, Copy, Debug)]
enum Form {
    As(Compress),
    Secret,
    Prepared,
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        // Much that can be referred back to.
        4 => (0_usize..6).prop_map(|number| Message::text(json(number))),
        2 => "\\PC{0,90}".prop_map(Message::text),
        2 => vec(0_u8..4, 0..600).prop_map(Message::from),
        1 => vec(any::<u8>(), 0..600).prop_map(Message::from),
        1 => (0_usize..60_000, any::<u8>()).prop_map(|(len, byte)| Message::from(vec![byte; len])),
    ]
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        4 => select(vec![Compress::Auto, Compress::Always, Compress::Never]).prop_map(Form::As),
        1 => Just(Form::Secret),
        1 => Just(Form::Prepared),
    ]
}

fn deflate() -> impl Strategy<Value = Deflate> {
    let windows = if Deflate::HAS_WINDOW_BITS { vec![8_u8, 9, 11, 15] } else { vec![15] };
    let parts = (0_u8..=9, select(vec![0_usize, 64]), any::<[bool; 2]>(), select(windows));
    parts.prop_map(|(level, min_size, [own, peer], window)| {
        let deflate = Deflate::default().level(level).min_size(min_size);
        deflate.own_context_takeover(own).peer_context_takeover(peer).own_window_bits(window)
    })
}

fn outgoing(message: &Message, form: Form) -> Outgoing<'static> {
    match form {
        Form::As(compress) => Outgoing::from(message.clone()).compress(compress),
        Form::Secret => Secret::new(message.clone()).into(),
        Form::Prepared => Prepared::new(message.clone()).into(),
    }
}

/// Two endpoints that wait after every message, or never.
struct Talk {
    both: [Connection; 2],
    now: Instant,
}

impl Talk {
    fn new(kind: Kind, deflate: [Deflate; 2], config: Config, parks: bool) -> Self {
        let config = config.park_after(parks.then_some(Duration::ZERO));
        let [client, server] = deflate;
        let Opened { client, server, .. } = agreed(kind, client, server, &config);
        Self { both: [client, server], now: Instant::now() }
    }

    /// Says something, in chunks; returns what is heard.
    fn say(&mut self, server: bool, outgoing: Outgoing<'static>, chunk: usize) -> Vec<Message> {
        let [client, other] = &mut self.both;
        let (own, peer) = if server { (other, client) } else { (client, other) };
        own.queue(outgoing).expect("open");
        let wire = own.transmit_to_vec();
        tick(own, self.now);
        let mut heard = Vec::new();
        for piece in wire.chunks(chunk) {
            heard.extend(feed(peer, piece));
            tick(peer, self.now);
        }
        assert!(peer.error().is_none(), "{:?}", peer.error());
        heard
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn parking_is_invisible(
        kind in select(Kind::ALL.to_vec()),
        deflate in [deflate(), deflate()],
        fragment in option::of(1_usize..300),
        chunk in prop_oneof![50_usize..400, Just(usize::MAX)],
        script in vec((any::<bool>(), message(), form()), 1..24),
    ) {
        let config = config().fragment_size(fragment);
        let mut parking = Talk::new(kind, deflate, config.clone(), true);
        let mut waking = Talk::new(kind, deflate, config, false);
        for (server, message, form) in script {
            for talk in [&mut parking, &mut waking] {
                let heard = talk.say(server, outgoing(&message, form), chunk);
                prop_assert!(heard == [message.clone()], "{kind:?}: {} messages", heard.len());
            }
        }
    }
}
