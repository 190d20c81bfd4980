//! Whose turn it is: channels that always have something to send get the same share, whatever came before.

use std::collections::HashMap;
use std::time::Instant;

use hybi_mux::{
    ChannelId, ChannelKey, Config, ControlBlock, DropCode, Endpoint, HandshakeEncoding, MuxMessage,
    Revision,
};

const MUCH: u64 = 1 << 40;

/// A client that may open channels and send much on each.
fn client() -> Endpoint {
    let config = Config::default().queue_limit(20_000);
    let (mut client, first) = Endpoint::client(config, b"Host: a\r\n");
    say(&mut client, ControlBlock::NewChannelSlot { slots: 2000, quota: MUCH, is_fallback: false });
    client.release(first);
    sent(&mut client, 10);
    client
}

/// A server says this.
fn say(client: &mut Endpoint, block: ControlBlock<'_>) {
    let mut message = vec![0];
    block.encode(Revision::default(), &mut message).expect("it can be said");
    client.handle_message(&message).expect("lawful");
}

fn open(client: &mut Endpoint) -> ChannelKey {
    let key = ask(client);
    sent(client, 1);
    accept(client, key);
    key
}

fn ask(client: &mut Endpoint) -> ChannelKey {
    let key = client.open(None).expect("there are slots");
    client.write(key, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is open");
    key
}

fn accept(client: &mut Endpoint, key: ChannelKey) {
    let channel = client.id(key);
    say(
        client,
        ControlBlock::AddChannelResponse {
            channel,
            is_rejected: false,
            encoding: HandshakeEncoding::Identity,
            handshake: b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        },
    );
}

/// What leaves in so many messages: octets of frames, by channel.
fn sent(client: &mut Endpoint, messages: usize) -> HashMap<ChannelId, usize> {
    let mut octets = HashMap::new();
    for _ in 0..messages {
        let mut message = Vec::new();
        if !client.poll_message(Instant::now(), &mut message) {
            break;
        }
        if let MuxMessage::Frame(frame) =
            MuxMessage::parse(&message, Revision::default()).expect("lawful")
        {
            *octets.entry(frame.channel).or_default() += message.len();
        }
    }
    octets
}

/// What writes messages of a length to a channel, without end.
struct Writer {
    key: ChannelKey,
    message: Vec<u8>,
    /// What was taken of the last.
    taken: usize,
}

impl Writer {
    fn new(key: ChannelKey, len: u16) -> Self {
        let mut message = vec![0x82, 126];
        message.extend(len.to_be_bytes());
        message.resize(4 + usize::from(len), b'm');
        Self { key, message, taken: 0 }
    }

    /// Writes as much as is taken.
    fn fill(&mut self, client: &mut Endpoint) {
        loop {
            let rest = &self.message[self.taken..];
            let taken = client.write(self.key, rest).expect("it is open");
            self.taken = (self.taken + taken) % self.message.len();
            if taken < rest.len() {
                return;
            }
        }
    }
}

/// What two channels get that have something to send all the time.
fn shares(client: &mut Endpoint, mut writers: [Writer; 2]) -> [usize; 2] {
    let mut shares = [0; 2];
    for _ in 0..400 {
        writers.iter_mut().for_each(|writer| writer.fill(client));
        let octets = sent(client, 8);
        for (share, writer) in shares.iter_mut().zip(&writers) {
            *share += octets.get(&client.id(writer.key)).copied().unwrap_or_default();
        }
    }
    shares
}

fn assert_fair(shares: [usize; 2]) {
    let [one, other] = shares;
    assert!(one.abs_diff(other) * 20 < one + other, "{shares:?}");
}

#[test]
fn short_messages_and_long_ones_get_the_same() {
    let mut client = client();
    let keys = [open(&mut client), open(&mut client)];
    assert_fair(shares(&mut client, [Writer::new(keys[0], 126), Writer::new(keys[1], 60_000)]));
}

#[test]
fn a_channel_in_the_place_of_one_that_waited_has_one_turn() {
    let mut client = client();
    let other = open(&mut client);
    let gone = open(&mut client);
    // It waits for its turn, and has none any more.
    Writer::new(gone, 60_000).fill(&mut client);
    client.drop_channel(gone, DropCode::BUSY, "");
    client.release(gone);
    // No message is polled meanwhile, or the row would be put right.
    let key = ask(&mut client);
    assert_eq!(key, gone, "its place is used again");
    accept(&mut client, key);
    assert_fair(shares(&mut client, [Writer::new(key, 60_000), Writer::new(other, 60_000)]));
}

#[test]
fn what_a_channel_sent_alone_is_not_held_against_it() {
    let mut client = client();
    let keys = [open(&mut client), open(&mut client)];
    // A message of 256 MiB, with nobody beside it, and always more of it there.
    const LEN: u64 = 256 << 20;
    let header = [&[0x82, 127][..], &LEN.to_be_bytes()].concat();
    assert_eq!(client.write(keys[0], &header), Ok(10));
    let (octets, mut left) = (vec![b'm'; 64 * 1024], LEN as usize);
    while left > 0 {
        let most = left.min(octets.len());
        left -= client.write(keys[0], &octets[..most]).expect("it is open");
        sent(&mut client, 1);
    }
    let writers = [Writer::new(keys[0], 126), Writer::new(keys[1], 60_000)];
    assert_fair(shares(&mut client, writers));
}

#[test]
fn a_thousand_get_the_same_whatever_they_say() {
    let mut client = client();
    let mut writers: Vec<_> = (0..1000)
        .map(|at| Writer::new(open(&mut client), [600, 3000, 9000, 60_000][at % 4]))
        .collect();
    let mut got: HashMap<ChannelId, usize> = HashMap::new();
    writers.iter_mut().for_each(|writer| writer.fill(&mut client));
    // Twenty turns of 16 KiB each, of which some have had one more.
    while got.values().sum::<usize>() < 1000 * 20 * 16 * 1024 {
        for (channel, octets) in sent(&mut client, 1) {
            *got.entry(channel).or_default() += octets;
            // The second was opened first, and is in the first place.
            writers[channel.get() as usize - 2].fill(&mut client);
        }
    }
    let fair = got.values().sum::<usize>() / 1000;
    assert_eq!(got.len(), 1000);
    for (channel, octets) in &got {
        assert!(octets.abs_diff(fair) * 10 <= fair, "{channel}: {octets} and not {fair}");
    }
}
