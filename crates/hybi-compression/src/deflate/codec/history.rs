//! History: what the peer's next message may refer back to (RFC 7692 §7.1.1).

use super::TAIL;
use super::library::Payload;
use super::pool::{Deflater, Inflater, Kind, Scratch};
use super::ring::Ring;

/// The last 32 KiB that were received, in one of two forms.
///
/// The peer compressed what it sent, so a short history is kept as it came: it is small, and costs
/// nothing to keep. To make a state of it, it is decompressed again. In the long run that would take
/// too much of both, so then the plain bytes are kept, and packed when the connection goes quiet.
///
/// Whatever window was agreed on, these are 32 KiB. Every library lets a message refer as far back as
/// that within itself, and a state that was kept since the last message does as well; so a peer that
/// breaks its window is understood, and always, however the state was come by.
#[derive(Debug)]
pub(super) struct History {
    form: Form,
    /// Bytes that came since this form was taken.
    fresh: usize,
}

#[derive(Debug)]
enum Form {
    /// The DEFLATE data that it is made by, from nothing, in blocks: a vector that grows leaves a hole
    /// behind, and of these there are as many as there are connections.
    Stream(Vec<Vec<u8>>),
    Plain(Ring),
}

impl History {
    pub(super) const fn new() -> Self {
        Self { form: Form::Stream(Vec::new()), fresh: 0 }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Adds what came, as it came and as it is.
    pub(super) fn push(&mut self, payload: &[u8], plain: &[u8]) {
        self.fresh = self.fresh.saturating_add(payload.len().max(plain.len()));
        if let Form::Stream(stream) = &mut self.form {
            if self.fresh <= STREAM_MAX {
                append(stream, payload);
                return;
            }
            let mut ring = Ring::new(WINDOW);
            if plain.len() < WINDOW {
                inflate(stream, &mut Inflater::take(), |bytes| ring.push(bytes));
            }
            self.form = Form::Plain(ring);
        }
        if let Form::Plain(ring) = &mut self.form {
            ring.push(plain);
        }
    }

    /// Adds the tail that was taken off a payload, if it was.
    pub(super) fn end_payload(&mut self, payload: Payload) {
        if !payload.has_tail() {
            self.push(&TAIL, &[]);
        }
    }

    /// A decompressor that has this history in it.
    pub(super) fn inflater(&mut self) -> Option<Inflater> {
        let mut inflater = Inflater::take();
        let done = match &mut self.form {
            Form::Stream(stream) => {
                self.fresh = self.fresh.saturating_add(REPEATED);
                inflate(stream, &mut inflater, |_| {})
            }
            Form::Plain(ring) => {
                let (older, newer) = ring.parts();
                inflater.remember(older) && inflater.remember(newer)
            }
        };
        done.then_some(inflater)
    }

    /// Whether [`pack`](Self::pack) is worth its time, which all that there is takes: part of that
    /// has to be new.
    pub(super) fn is_packable(&self) -> bool {
        matches!(&self.form, Form::Plain(ring) if self.fresh >= ring.len() / 8)
    }

    /// Gives back all memory that can be done without.
    pub(super) fn pack(&mut self) {
        if self.is_packable() {
            self.fresh = 0;
            if let Form::Plain(ring) = &mut self.form
                && let Some(stream) = pack(ring.bytes())
            {
                self.form = Form::Stream(vec![stream]);
            }
        }
        if let Form::Plain(ring) = &mut self.form {
            ring.shrink_to_fit();
        }
    }
}

fn append(blocks: &mut Vec<Vec<u8>>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match blocks.last_mut() {
            Some(last) if last.len() < last.capacity() => {
                let (front, rest) = bytes.split_at(bytes.len().min(last.capacity() - last.len()));
                last.extend_from_slice(front);
                bytes = rest;
            }
            _ => blocks.push(Vec::with_capacity(BLOCK)),
        }
    }
}

/// Decompresses what was decompressed before; `false` if that cannot be.
fn inflate(blocks: &[Vec<u8>], inflater: &mut Inflater, mut out: impl FnMut(&[u8])) -> bool {
    let mut scratch = Scratch::take();
    let room = scratch.room();
    blocks.iter().all(|block| {
        let mut rest = &block[..];
        loop {
            let Some(inflated) = inflater.inflate(rest, room) else { return false };
            rest = &rest[inflated.taken..];
            out(&room[..inflated.made]);
            if inflated.made == 0 {
                return rest.is_empty();
            }
        }
    })
}

/// The bytes compressed, as the front of a stream that can go on, if they become much smaller.
fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::new();
    let smaller = Deflater::take(PACKING).flush(bytes, &mut packed, usize::MAX)
        && packed.len() < bytes.len() / 4 * 3;
    smaller.then(|| {
        packed.shrink_to_fit();
        packed
    })
}

/// As far back as DEFLATE data can refer.
const WINDOW: usize = 32 << 10;

/// What is added to a stream lies in blocks of so many bytes.
const BLOCK: usize = 1 << 10;

/// The most bytes that are added to a stream: so many are decompressed in some ten microseconds.
const STREAM_MAX: usize = 16 << 10;

/// As how many bytes it counts that a stream is decompressed again, so that small messages cannot ask
/// for it without end.
const REPEATED: usize = 256;

/// Fast: what a connection exchanges is like itself, so that the rest gives little more.
const PACKING: Kind = Kind { level: 1, window_bits: 15 };

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that sends, and what it sent.
    struct Peer {
        deflater: Deflater,
        history: History,
        sent: Vec<u8>,
    }

    impl Peer {
        fn new() -> Self {
            let deflater = Deflater::take(Kind { level: 6, window_bits: 15 });
            Self { deflater, history: History::new(), sent: Vec::new() }
        }

        fn send(&mut self, message: &[u8]) {
            let mut payload = Vec::new();
            assert!(self.deflater.flush(message, &mut payload, usize::MAX));
            // Some peers leave the tail on.
            if !message.len().is_multiple_of(3) {
                payload.truncate(payload.len() - TAIL.len());
            }
            self.history.push(&payload, message);
            let last = payload[payload.len() - 1];
            self.history.end_payload(Payload { last, made: true, takeover: true });
            self.sent.extend_from_slice(message);
        }

        /// What is made of the history understands the next message.
        fn check(&mut self) {
            let message = &self.sent[self.sent.len().saturating_sub(1000)..].to_vec();
            let mut payload = Vec::new();
            assert!(self.deflater.flush(message, &mut payload, usize::MAX));
            assert!(payload.len() < 100, "it refers back");
            let mut inflater = self.history.inflater().expect("it goes on");
            let mut plain = Vec::new();
            assert!(
                inflate(&[payload.clone()], &mut inflater, |bytes| plain.extend_from_slice(bytes))
            );
            assert!(plain == *message);
            self.sent.extend_from_slice(message);
            self.history.push(&payload, message);
        }
    }

    fn text(number: usize, len: usize) -> Vec<u8> {
        let record =
            |at| format!("{{\"id\":{},\"price\":{}}},", at * 7919 % 100_003, at * 31 % 997);
        (number * 100..).flat_map(|at| record(at).into_bytes()).take(len).collect()
    }

    #[test]
    fn whatever_its_form_the_next_message_is_understood() {
        for len in [40, 999, 5000, 21_000, 40_000, 100_000] {
            for pack_every in [1, 2, 7, usize::MAX] {
                let mut peer = Peer::new();
                for number in 0..25 {
                    peer.send(&text(number, len));
                    if number % pack_every == 0 {
                        peer.history.pack();
                        assert!(!peer.history.is_packable());
                    }
                    peer.check();
                }
            }
        }
    }

    #[test]
    fn a_short_one_is_as_small_as_it_came() {
        let mut peer = Peer::new();
        for number in 0..10 {
            peer.send(&text(number, 1000));
        }
        let Form::Stream(stream) = &peer.history.form else { panic!("it is short") };
        assert!(stream.len() < 4 && !peer.history.is_packable(), "{}", stream.len());
    }

    #[test]
    fn a_long_one_is_packed() {
        let mut peer = Peer::new();
        for number in 0..50 {
            peer.send(&text(number, 1000));
        }
        assert!(matches!(&peer.history.form, Form::Plain(ring) if ring.len() == WINDOW));
        assert!(peer.history.is_packable());
        peer.history.pack();
        let Form::Stream(stream) = &peer.history.form else { panic!("it is packed") };
        assert!(stream.len() == 1 && stream[0].capacity() < WINDOW / 2, "{}", stream[0].len());
        peer.check();
    }

    /// Each message finds no state, and is small beside what it takes to make one.
    #[test]
    fn one_that_is_needed_often_is_not_decompressed_for_ever() {
        let mut peer = Peer::new();
        peer.send(&text(0, 10_000));
        let mut decompressed = 0;
        for _ in 0..1000 {
            peer.send(b"!");
            decompressed += usize::from(matches!(&peer.history.form, Form::Stream(_)));
            assert!(peer.history.inflater().is_some());
        }
        assert!((10..30).contains(&decompressed), "{decompressed}");
    }

    /// Neither a message without end nor one without content makes it grow.
    #[test]
    fn it_never_has_more_than_its_window() {
        let mut history = History::new();
        for _ in 0..10_000 {
            history.push(&[0, 0, 0, 0xff, 0xff], &[]);
        }
        assert!(matches!(&history.form, Form::Plain(ring) if ring.len() == 0));
        history.push(&[0; 100], &[7; 1 << 20]);
        assert!(matches!(&history.form, Form::Plain(ring) if ring.len() == WINDOW));
        history.clear();
        assert!(matches!(&history.form, Form::Stream(stream) if stream.capacity() == 0));
    }
}
