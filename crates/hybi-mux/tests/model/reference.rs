//! What two ends must come to, in numbers and enums: told what is asked of them and what is on the wires, and nothing of
//! how they do it.

use std::collections::VecDeque;

use hybi_frame::Opcode;
use hybi_mux::{ChannelId, ControlBlock, Ended, LogicalFrame, MuxMessage, Revision};

/// What may leave of what somebody wrote, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Begin(u8, u8),
    Octet(u8),
    End,
}

/// Appends what a frame says, whichever way it was cut.
pub(crate) fn tokens(frame: &LogicalFrame<'_>, tokens: &mut Vec<Token>) {
    if frame.opcode != Opcode::Continuation {
        tokens.push(Token::Begin(frame.opcode.bits(), frame.rsv.bits()));
    }
    tokens.extend(frame.payload.iter().map(|&octet| Token::Octet(octet)));
    if frame.fin {
        tokens.push(Token::End);
    }
}

/// [`Ended`] without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    InOrder,
    Refused,
    DroppedByPeer,
    Dropped,
    FailedByPeer,
    Failed,
    PhysicalEnded,
}

impl How {
    pub(crate) fn of(ended: &Ended) -> Self {
        match ended {
            Ended::InOrder => Self::InOrder,
            Ended::Refused => Self::Refused,
            Ended::DroppedByPeer { .. } => Self::DroppedByPeer,
            Ended::Dropped { .. } => Self::Dropped,
            Ended::PhysicalFailedByPeer { .. } => Self::FailedByPeer,
            Ended::PhysicalFailed { .. } => Self::Failed,
            Ended::PhysicalEnded => Self::PhysicalEnded,
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// This end knows nothing of the channel yet.
    Nothing,
    Opening,
    Open,
    Closed,
    /// Nobody listens any more.
    Deaf,
    Ended(How),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    Nothing,
    Head,
    Asked,
    Open,
    Closed,
    Ended(How),
}

/// One end of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    /// The peer knows the channel.
    pub(crate) known: bool,
    /// The application has it, or will be given it.
    pub(crate) held: bool,
    /// The peer knew it when the application let it go.
    is_let_go: bool,
    /// What may be sent.
    pub(crate) send_left: u64,
    /// What the peer was told that it may send, and has not.
    pub(crate) receive_left: u64,
    /// What came and was not read.
    pub(crate) unread: u64,
    pub(crate) written: Vec<Token>,
    /// How many of them were on the wire.
    pub(crate) wired: usize,
    /// How many of the peer's can be read, and how many were.
    pub(crate) visible: usize,
    pub(crate) read: usize,
    /// Of a control frame whose last fragment did not come.
    gathered: usize,
    /// The control frame that is on the wire in part.
    cut: Option<Opcode>,
    /// How many of what was written leaves, as this end said.
    pub(crate) flushed: usize,
    /// Something other than the application's word ended it.
    pub(crate) cut_off: bool,
    /// A head is to be read first.
    pub(crate) head: bool,
    /// DropChannels that are to be said.
    drops: usize,
}

impl Side {
    fn new() -> Self {
        Self {
            receiving: Receiving::Nothing,
            sending: Sending::Nothing,
            known: false,
            held: false,
            is_let_go: false,
            send_left: 0,
            receive_left: 0,
            unread: 0,
            written: Vec::new(),
            wired: 0,
            visible: 0,
            read: 0,
            gathered: 0,
            cut: None,
            flushed: 0,
            cut_off: false,
            head: false,
            drops: 0,
        }
    }

    /// Whether the end has it still.
    pub(crate) fn is_there(&self) -> bool {
        self.held || self.known
    }

    /// Something may come: a frame, or the end that is behind both Close frames.
    pub(crate) fn may_come(&self) -> bool {
        match self.receiving {
            Receiving::Open | Receiving::Opening => true,
            Receiving::Closed => !matches!(self.sending, Sending::Ended(_)),
            _ => false,
        }
    }

    pub(crate) fn end(&mut self, how: How) {
        if self.receiving != Receiving::Nothing {
            if !matches!(self.receiving, Receiving::Ended(_)) {
                self.receiving = Receiving::Ended(how);
            }
            if !matches!(self.sending, Sending::Ended(_)) {
                self.sending = Sending::Ended(how);
                self.cut_off = true;
            }
        }
        self.known = false;
    }

    /// Close frames went both ways, perhaps.
    fn settle(&mut self) {
        if self.receiving == Receiving::Closed && self.sending == Sending::Closed {
            self.sending = Sending::Ended(How::InOrder);
            self.known = false;
        }
    }

    /// Follows a frame that is cut in pieces; the control frame that is whole with this one.
    fn follow(cut: &mut Option<Opcode>, frame: &LogicalFrame<'_>) -> Option<Opcode> {
        let control = if frame.opcode.is_control() { Some(frame.opcode) } else { *cut };
        *cut = control.filter(|_| !frame.fin);
        control.filter(|_| frame.fin)
    }
}

/// A channel at both ends: the client's first.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) sides: [Side; 2],
    arriving: [Option<Opcode>; 2],
}

impl Channel {
    pub(crate) fn new(id: ChannelId) -> Self {
        Self { id, sides: [Side::new(), Side::new()], arriving: [None, None] }
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) revision: Revision,
    pub(crate) window: u64,
    pub(crate) max_channels: u64,
    pub(crate) channels: Vec<Channel>,
    pub(crate) over: [Option<How>; 2],
    /// Channels whose requests nobody at the server looked at.
    pub(crate) requests: VecDeque<usize>,
    /// What the client was granted and did not use, and how many are spoken for.
    pub(crate) slots: u64,
    pub(crate) reserved: u64,
    pub(crate) client_stopped: bool,
    /// What the server granted on the wire and was not used.
    pub(crate) granted: u64,
    pub(crate) server_stopped: bool,
}

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

impl Reference {
    pub(crate) fn new(revision: Revision, window: u64, max_channels: u64) -> Self {
        let mut first = Channel::new(ChannelId::FIRST);
        for side in &mut first.sides {
            side.receiving = Receiving::Open;
            side.sending = Sending::Open;
            side.known = true;
            side.held = true;
        }
        // As the offer said.
        first.sides[CLIENT].receive_left = window;
        first.sides[SERVER].send_left = window;
        Self {
            revision,
            window,
            max_channels,
            channels: vec![first],
            over: [None, None],
            requests: VecDeque::new(),
            slots: 0,
            reserved: 0,
            client_stopped: false,
            granted: 0,
            server_stopped: false,
        }
    }

    fn side(&mut self, id: ChannelId, end: usize) -> &mut Side {
        let channel = self.channels.iter_mut().find(|channel| channel.id == id);
        &mut channel.unwrap_or_else(|| panic!("{id} was never opened")).sides[end]
    }

    pub(crate) fn end_all(&mut self, end: usize, how: How) {
        if self.over[end].is_none() {
            self.over[end] = Some(how);
            self.channels.iter_mut().for_each(|channel| channel.sides[end].end(how));
        }
    }

    /// The application drops a channel.
    pub(crate) fn dropped(&mut self, at: usize, end: usize) {
        let side = &mut self.channels[at].sides[end];
        side.drops += usize::from(side.known);
        if side.sending == Sending::Head && end == CLIENT {
            self.reserved -= 1;
        }
        side.end(How::Dropped);
    }

    /// The application lets a channel go.
    pub(crate) fn released(&mut self, at: usize, end: usize) {
        let side = &mut self.channels[at].sides[end];
        side.held = false;
        side.is_let_go = side.known;
        match side.sending {
            Sending::Head => {
                if end == CLIENT {
                    self.reserved -= 1;
                }
                side.end(How::Refused);
            }
            _ if side.receiving == Receiving::Open => side.receiving = Receiving::Deaf,
            _ => {}
        }
    }

    /// An end put this on its wire.
    pub(crate) fn sent(&mut self, end: usize, message: &[u8]) {
        let revision = self.revision;
        match MuxMessage::parse(message, revision).expect("lawful") {
            MuxMessage::Frame(frame) => {
                let (id, window) = (frame.channel, self.window);
                let side = self.side(id, end);
                assert!(side.known, "{id}: {frame:?} on a channel that the peer does not know");
                assert_eq!(side.sending, Sending::Open, "{id}: {frame:?}");
                let cost = frame.cost(revision);
                assert!(cost <= side.send_left, "{id}: {cost} of {}", side.send_left);
                assert!(cost <= window);
                side.send_left -= cost;
                let mut said = Vec::new();
                tokens(&frame, &mut said);
                let wired = side.wired;
                let written = side.written.get(wired..wired + said.len());
                assert_eq!(written, Some(&said[..]), "{id}: not what was written");
                side.wired += said.len();
                if Side::follow(&mut side.cut, &frame) == Some(Opcode::Close) {
                    side.sending = Sending::Closed;
                    side.settle();
                }
            }
            MuxMessage::Control(blocks) => {
                for block in blocks {
                    self.said(end, block.expect("lawful"));
                }
            }
        }
    }

    fn said(&mut self, end: usize, block: ControlBlock<'_>) {
        match block {
            ControlBlock::FlowControl { channel, quota } => {
                let window = self.window;
                let side = self.side(channel, end);
                assert!(side.known || side.drops > 0, "{channel}: quota behind the end");
                side.receive_left += quota;
                assert!(side.receive_left + side.unread <= window, "{channel}: beyond the window");
            }
            ControlBlock::DropChannel { channel, .. } if channel == ChannelId::CONTROL => {
                assert_eq!(self.over[end], Some(How::Failed));
            }
            ControlBlock::DropChannel { channel, .. } => {
                let side = self.side(channel, end);
                if side.drops > 0 {
                    side.drops -= 1;
                } else {
                    // It may be said at once that nobody has it, and something else have come meanwhile.
                    let is_let_go = core::mem::take(&mut side.is_let_go);
                    assert!(is_let_go, "{channel}: nobody dropped it");
                    // Only what was not said to be flushed is lost.
                    assert!(side.wired >= side.flushed, "{channel}: what was flushed is lost");
                    side.end(How::Dropped);
                }
            }
            ControlBlock::NewChannelSlot { slots, quota, is_fallback } => {
                assert_eq!(end, SERVER);
                assert_eq!(is_fallback, slots == 0);
                assert!(slots == 0 || quota == self.window);
                assert!(slots == 0 || !self.server_stopped, "a slot behind the last");
                self.granted += slots;
                let live = self.live();
                assert!(self.granted + live <= self.max_channels, "{} and {live}", self.granted);
            }
            ControlBlock::AddChannelRequest { .. } => assert_eq!(end, CLIENT),
            ControlBlock::AddChannelResponse { .. } => assert_eq!(end, SERVER),
        }
    }

    /// How many channels the server has that a slot was used for.
    pub(crate) fn live(&self) -> u64 {
        let is_live =
            |channel: &&Channel| channel.id != ChannelId::FIRST && channel.sides[SERVER].is_there();
        self.channels.iter().filter(is_live).count() as u64
    }

    /// This arrives at an end.
    pub(crate) fn arrived(&mut self, end: usize, message: &[u8]) {
        if self.over[end].is_some() {
            return;
        }
        let revision = self.revision;
        match MuxMessage::parse(message, revision).expect("lawful") {
            MuxMessage::Frame(frame) => self.frame_arrived(end, &frame),
            MuxMessage::Control(blocks) => {
                for block in blocks {
                    self.heard(end, block.expect("lawful"));
                }
            }
        }
    }

    fn frame_arrived(&mut self, end: usize, frame: &LogicalFrame<'_>) {
        let revision = self.revision;
        let channel = self.channels.iter_mut().find(|channel| channel.id == frame.channel);
        let Channel { sides, arriving, .. } = channel.expect("it was sent");
        let side = &mut sides[end];
        if !side.known || side.receiving != Receiving::Open {
            return;
        }
        let cost = frame.cost(revision);
        side.receive_left = side.receive_left.checked_sub(cost).expect("the sender was told");
        side.unread += cost;
        let mut said = Vec::new();
        tokens(frame, &mut said);
        side.gathered += said.len();
        let whole = Side::follow(&mut arriving[end], frame);
        if arriving[end].is_none() {
            side.visible += core::mem::take(&mut side.gathered);
        }
        if whole == Some(Opcode::Close) {
            side.receiving = Receiving::Closed;
            side.settle();
        }
    }

    fn heard(&mut self, end: usize, block: ControlBlock<'_>) {
        match block {
            ControlBlock::FlowControl { channel, quota } => {
                let window = self.window;
                let side = self.side(channel, end);
                if side.known {
                    side.send_left += quota;
                    assert!(side.send_left <= window);
                }
            }
            ControlBlock::DropChannel { channel, .. } if channel == ChannelId::CONTROL => {
                self.end_all(end, How::FailedByPeer);
            }
            ControlBlock::DropChannel { channel, .. } => {
                let side = self.side(channel, end);
                if side.known {
                    side.drops += 1;
                    side.end(How::DroppedByPeer);
                }
            }
            ControlBlock::NewChannelSlot { slots, is_fallback, .. } => {
                self.slots += slots;
                self.client_stopped |= is_fallback;
            }
            ControlBlock::AddChannelRequest { channel, .. } => {
                self.granted = self.granted.checked_sub(1).expect("there was a slot");
                let window = self.window;
                let side = self.side(channel, end);
                side.receiving = Receiving::Open;
                side.sending = Sending::Head;
                side.known = true;
                side.held = true;
                side.receive_left = window;
                let at = self.channels.iter().position(|it| it.id == channel).expect("found");
                self.requests.push_back(at);
            }
            ControlBlock::AddChannelResponse { channel, is_rejected, .. } => {
                let side = self.side(channel, end);
                if side.known {
                    side.head = true;
                    if is_rejected {
                        side.end(How::Refused);
                    } else {
                        if side.receiving == Receiving::Opening {
                            side.receiving = Receiving::Open;
                        }
                        side.sending = Sending::Open;
                    }
                }
            }
        }
    }

    /// Both ends are at rest and nothing is between them: they agree.
    pub(crate) fn agree(&self) {
        if self.over != [None, None] {
            return;
        }
        assert_eq!(self.granted, self.slots);
        for Channel { id, sides, .. } in &self.channels {
            assert_eq!(sides[0].known, sides[1].known, "{id}: {sides:?}");
            if !sides[0].known {
                continue;
            }
            for (one, other) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
                if other.receiving == Receiving::Deaf {
                    continue;
                }
                let is_open = one.sending == Sending::Open;
                match one.sending {
                    Sending::Open => assert_eq!(other.receiving, Receiving::Open, "{id}"),
                    Sending::Closed => assert_eq!(other.receiving, Receiving::Closed, "{id}"),
                    _ => {}
                }
                if is_open {
                    assert_eq!(one.send_left, other.receive_left, "{id}: {sides:?}");
                }
            }
        }
    }
}
