//! Two connections joined by what the bytes say: version, extension, what each end sends, how it is cut and held
//! up, where the transport ends, and time. Messages arrive whole, once and in order; queues keep to their limit;
//! both ends come to an end, for a reason that they can name, and nothing goes on for ever.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use hybi::frame::MaskingKey;
use hybi::legacy::Terms;
use hybi::{
    CloseCode, CloseFrame, Compress, Config, Connection, Deflate, Extensions, Message, MessageKind,
    Negotiated, Role, State, Version,
};

use super::input::Input;

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut pair = Pair::new(&mut input);
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        pair.step(&mut input);
        pair.drive();
        pair.check();
    }
    pair.finish();
}

const MOST_STEPS: usize = 200;

/// Most bytes that a queue may hold before a message is refused by whoever asks for room first.
const OUTBOX_LIMIT: usize = 2_000;

struct Pair {
    now: Instant,
    /// The client and the server.
    ends: [End; 2],
    /// What each of them has on the way to the other.
    wires: [Wire; 2],
}

struct End {
    connection: Connection,
    /// Data messages that were queued, as long as they may arrive.
    sent: Vec<Message>,
    received: Vec<Message>,
    /// What was queued of a message that is sent as it comes, if one is.
    written: Option<(MessageKind, Vec<u8>)>,
    /// The end of the input was told.
    ended: bool,
}

#[derive(Default)]
struct Wire {
    bytes: VecDeque<u8>,
    /// Bytes that may enter before it takes no more.
    room: usize,
    /// The most bytes of a chunk that leaves it.
    chunk: usize,
    /// Nothing enters any more.
    shut: bool,
    /// Something was lost or made up on it: what arrives is not what was sent.
    faulty: bool,
}

/// One beginning for all runs, so that each is the same again.
fn beginning() -> Instant {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    *BEGINNING.get_or_init(Instant::now)
}

impl Pair {
    fn new(input: &mut Input<'_>) -> Self {
        let version = *input.choose(&Version::ALL[..]);
        let choices = input.byte();
        let config = Config::default()
            .outbox_limit(OUTBOX_LIMIT)
            .max_message(MOST)
            .show_control_frames(choices & 1 == 1)
            .fragment_size((choices & 2 == 2).then_some(7))
            .idle_timeout((choices & 4 == 4).then_some(Duration::from_secs(60)))
            .ping_interval((choices & 8 == 0).then_some(Duration::from_secs(20)));
        let config = Arc::new(config);
        let deflate = Deflate::default().min_size(0);
        let extensions = match choices >> 4 & 3 {
            0 => Extensions::none(),
            1 => deflate.into(),
            2 => deflate.own_context_takeover(false).into(),
            _ => Extensions::all(deflate),
        };
        let agreed = extensions.accept(&extensions.offers(version), version);
        let end = |role| {
            let negotiated = if version < Version::HYBI_07 {
                let terms = Terms::new(version);
                let terms = terms.unwrap_or_else(|| Terms::hybi_04("a key", "a nonce"));
                Negotiated::new(version, None, agreed.clone()).with_terms(terms)
            } else {
                Negotiated::new(version, None, agreed.clone())
            };
            let mut key = 0x9e37_79b9_u32;
            let connection = Connection::new(role, negotiated, Arc::clone(&config))
                .with_masking_keys(move || {
                    key = key.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
                    MaskingKey::from_bytes(key.to_be_bytes())
                });
            End { connection, sent: Vec::new(), received: Vec::new(), written: None, ended: false }
        };
        let mut wire = || Wire {
            room: if input.byte() & 1 == 0 { usize::MAX } else { 0 },
            chunk: 1 + usize::from(input.byte()),
            ..Wire::default()
        };
        let wires = [wire(), wire()];
        Self { now: beginning(), ends: [end(Role::Client), end(Role::Server)], wires }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let (what, who) = (input.byte(), usize::from(input.byte() & 1));
        let (end, wire) = (&mut self.ends[who], &mut self.wires[who]);
        match what % 14 {
            12 => {
                let kind = *input.choose(&[MessageKind::Text, MessageKind::Binary]);
                let compress = *input.choose(&[Compress::Auto, Compress::Always, Compress::Never]);
                end.begin(kind, compress);
            }
            13 => {
                let (what, payload) = (input.byte(), payload(input));
                match what % 8 {
                    0 => end.abandon(),
                    what => end.write(&payload, what < 3),
                }
            }
            0..3 => {
                let payload = payload(input);
                end.queue(Message::text(String::from_utf8_lossy(&payload).into_owned()));
            }
            3 | 4 => end.queue(Message::from(payload(input))),
            5 => {
                let len = usize::from(input.byte()) % 126;
                end.queue(Message::Ping(input.bytes(len).to_vec().into()));
            }
            6 => end.queue(Message::Pong(Vec::new().into())),
            7 => {
                let code = 1000 + u16::from(input.byte());
                let close = CloseFrame::new(CloseCode::from(code), "done").ok();
                end.queue(Message::Close(close));
            }
            8 => wire.room = wire.room.saturating_add(usize::from(input.byte()) << 3),
            9 => {
                let seconds = Duration::from_millis(u64::from(input.byte()) << 7);
                self.advance(seconds);
            }
            10 => match input.byte() % 4 {
                0 => wire.shut = true,
                1 => {
                    wire.faulty |= !wire.bytes.is_empty();
                    wire.bytes.clear();
                }
                2 if !wire.shut => {
                    wire.faulty = true;
                    let len = usize::from(input.byte());
                    wire.bytes.extend(input.bytes(len));
                }
                _ => {}
            },
            _ => wire.chunk = 1 + usize::from(input.byte()),
        }
    }

    /// Does all that can be done at the present time.
    fn drive(&mut self) {
        for _ in 0..100_000 {
            let [client, server] = &mut self.ends;
            let [up, down] = &mut self.wires;
            let now = self.now;
            let busy = [client.timeout(now), server.timeout(now)];
            let sent = [client.transmit(up), server.transmit(down)];
            let came = [client.receive(down), server.receive(up)];
            if ![busy, sent, came].concat().contains(&true) {
                return;
            }
        }
        panic!("they go on for ever: {:?} {:?}", self.ends[0].connection, self.ends[1].connection);
    }

    /// Lets time pass, and stops wherever something is due.
    fn advance(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..10_000 {
            self.drive();
            let now = self.now;
            let due = self.ends.iter_mut().filter_map(|end| end.connection.poll_timeout(|| now));
            match due.min() {
                Some(due) if due < until => {
                    assert!(due > now, "what was due is due still");
                    self.now = due;
                }
                _ => {
                    self.now = until;
                    return self.drive();
                }
            }
        }
        panic!("something is due for ever");
    }

    fn check(&self) {
        for (index, end) in self.ends.iter().enumerate() {
            let peer = &self.ends[1 - index];
            // A Pong and a Close frame are owed in any case.
            let most = OUTBOX_LIMIT + LONGEST + 64 * 1024;
            let queued = end.connection.queued_bytes();
            assert!(queued <= most, "{queued} bytes are queued");
            if !self.wires[index].faulty {
                let came = peer.received.len();
                assert!(came <= end.sent.len(), "{came} of {} messages", end.sent.len());
                assert!(peer.received == end.sent[..came], "whole, once and in order");
            }
        }
    }

    /// Opens the wires, closes both ends and waits.
    fn finish(&mut self) {
        if self.ends.iter().any(|end| end.connection.queued_bytes() > 0) {
            // What makes no progress for so long is given up.
            self.advance(Duration::from_secs(300));
            for end in &self.ends {
                let connection = &end.connection;
                assert_eq!(connection.queued_bytes(), 0, "held up for ever: {connection:?}");
            }
        }
        let faulty = self.wires.iter().any(|wire| wire.faulty || wire.shut);
        let open = self.ends.iter().all(|end| end.connection.state() == State::Open);
        self.wires.iter_mut().for_each(|wire| wire.room = usize::MAX);
        self.drive();
        self.check();
        if !faulty && open {
            for index in 0..2 {
                // A deadline may have passed while the wire took nothing.
                let (end, peer) = (&self.ends[index], &self.ends[1 - index]);
                if [end, peer].iter().all(|end| end.connection.error().is_none()) {
                    assert_eq!(peer.received.len(), end.sent.len(), "all that was sent arrived");
                }
            }
        }
        self.ends[0].queue(Message::Close(None));
        self.advance(Duration::from_secs(300));
        for _ in 0..4 {
            self.ends.iter_mut().for_each(|end| end.queue(Message::Close(None)));
            self.advance(Duration::from_secs(300));
        }
        for end in &self.ends {
            let connection = &end.connection;
            assert_eq!(connection.state(), State::Closed, "{connection:?}");
            let status = connection.close_status();
            assert!(status.is_some(), "an end without a reason: {connection:?}");
            assert_eq!(connection.queued_bytes(), 0, "{connection:?}");
        }
    }
}

/// The longest message.
const MOST: usize = 20_000;

/// The longest payload.
const LONGEST: usize = 8 * 1024;

fn payload(input: &mut Input<'_>) -> Vec<u8> {
    let len = usize::from(input.byte());
    if len < 200 {
        return input.bytes(len).to_vec();
    }
    let byte = input.byte();
    vec![byte; (len - 199) * LONGEST / 56]
}

impl End {
    /// Queues what there is room for.
    fn queue(&mut self, message: Message) {
        if message.is_data() && !self.connection.has_room_for(message.as_bytes().len()) {
            return;
        }
        let kept = message.is_data().then(|| message.clone());
        if self.connection.queue(message).is_ok() {
            self.sent.extend(kept);
        }
    }

    /// Begins a message that is sent as it comes, if it can.
    fn begin(&mut self, kind: MessageKind, compress: Compress) {
        let was_writing = self.connection.is_writing();
        let begun = self.connection.begin_message(kind, compress);
        assert!(begun.is_err() || !was_writing, "two at a time");
        if begun.is_ok() {
            self.written = Some((kind, Vec::new()));
        }
    }

    /// Queues a piece of it, as much as is text if it is to be.
    fn write(&mut self, payload: &[u8], last: bool) {
        let Some((kind, so_far)) = &mut self.written else { return };
        let text = String::from_utf8_lossy(payload);
        let piece = if *kind == MessageKind::Text { text.as_bytes() } else { payload };
        // What takes none of it takes the rest neither.
        if so_far.len() + piece.len() > MOST || self.connection.queued_bytes() > OUTBOX_LIMIT {
            return;
        }
        if self.connection.queue_piece(piece, last).is_err() {
            assert!(!self.connection.is_writing(), "it is over");
            self.written = None;
            return;
        }
        so_far.extend_from_slice(piece);
        if last && let Some((kind, all)) = self.written.take() {
            self.sent.push(match kind {
                MessageKind::Text => Message::text(String::from_utf8(all).expect("it was text")),
                MessageKind::Binary => Message::binary(all),
            });
        }
    }

    fn abandon(&mut self) {
        self.connection.abandon_message();
        self.written = None;
        assert!(!self.connection.is_writing(), "it is over");
    }

    fn timeout(&mut self, now: Instant) -> bool {
        let due = self.connection.poll_timeout(|| now).is_some_and(|due| due <= now);
        if due {
            self.connection.handle_timeout(now);
        }
        due
    }

    fn transmit(&mut self, wire: &mut Wire) -> bool {
        let mut slices = [std::io::IoSlice::new(&[]); 4];
        let count = self.connection.poll_transmit(&mut slices);
        let mut len = 0;
        for slice in &slices[..count] {
            let more = slice.len().min(wire.room);
            if !wire.shut {
                wire.bytes.extend(&slice[..more]);
            }
            wire.room -= if wire.room == usize::MAX { 0 } else { more };
            len += more;
        }
        match (count, len) {
            (0, _) => {}
            (_, 0) => self.connection.transmit_blocked(),
            _ => self.connection.transmitted(len),
        }
        let shuts = self.connection.wants_shutdown();
        if shuts {
            wire.shut = true;
            self.connection.shutdown_done();
        }
        len > 0 || shuts
    }

    fn receive(&mut self, wire: &mut Wire) -> bool {
        let len = wire.chunk.min(wire.bytes.len());
        if len == 0 {
            let ends = wire.shut && !self.ended;
            if ends {
                self.ended = true;
                self.connection.handle_eof();
            }
            return ends;
        }
        let mut chunk: Vec<u8> = wire.bytes.drain(..len).collect();
        let mut at = 0;
        while at < len {
            let (taken, event) = self.connection.handle_input(&mut chunk[at..]);
            assert!(taken > 0 || event.is_some(), "bytes are left and none is taken");
            self.received.extend(event.map(Message::from).filter(Message::is_data));
            at += taken;
        }
        true
    }
}
