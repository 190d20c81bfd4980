//! One connection and a stranger, who keeps to no order: frames behind its Close frame, more than one of
//! those, one that breaks a rule, and ends of all kinds, whenever it likes.

use core::hash::{Hash, Hasher};
use std::{hash::DefaultHasher, time::Instant};

use hybi_frame::{Closing, FrameHeader, Limits, MaskingKey, Opcode, Role, Rsv};

use super::{
    end::{Act, End, Manners},
    explore::{Cell, World},
    family::Family,
    promises::{self, Seen},
    wire::{Wire, WireEnd},
};
use crate::connection::{Message, framing::Framing};

#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Own(Act),
    /// The stranger sends a frame.
    Put(Frame),
    /// It ends its half.
    Ends(WireEnd),
    /// It reads no more, and writing to it fails.
    TurnsAway,
    /// It resets the transport.
    Resets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Text,
    Ping,
    Close,
    /// A Close frame that says something: where answers repeat what they answer, it answers nothing.
    CloseWithPayload,
    /// A frame with an opcode that is none.
    Bad,
}

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) own: Manners,
    /// How many frames the stranger sends at most.
    pub(super) frames: usize,
    /// How often it turns away, resets the transport or leaves without a goodbye.
    pub(super) faults: usize,
    /// Whether bytes leave and arrive by halves as well.
    pub(super) halves: bool,
}

pub(super) struct Stranger {
    family: Family,
    own: End,
    out: Wire,
    input: Wire,
    framing: Framing,
    /// How many more frames it may send.
    frames: usize,
    /// How many more faults it may make.
    faults: usize,
    /// Its messages before its Close frame.
    said: Vec<Message>,
    /// Nothing that it sends counts any more.
    has_closed: bool,
}

impl Stranger {
    /// Before an endpoint in `role`.
    pub(super) fn new(family: Family, role: Role, bounds: Bounds, now: Instant) -> Self {
        Self {
            family,
            own: End::new(family, role, bounds.own, now),
            out: Wire::new(bounds.halves),
            input: Wire::new(bounds.halves),
            framing: Framing::new(&family.negotiated(), role.peer(), Limits::default()),
            frames: bounds.frames,
            faults: bounds.faults,
            said: Vec::new(),
            has_closed: false,
        }
    }

    fn put(&mut self, frame: Frame) {
        self.frames -= 1;
        let peer = self.own.role.peer();
        let text = format!("stranger {}", self.frames);
        let (opcode, payload) = match frame {
            Frame::Text => (Opcode::Text, text.as_bytes()),
            Frame::Close => (Opcode::Close, self.family.closing().opening(peer)),
            Frame::CloseWithPayload => (Opcode::Close, &b"\x03\xe9away"[..]),
            Frame::Ping | Frame::Bad => (Opcode::Ping, &b"?"[..]),
        };
        let is_masked = self.framing.masks(peer);
        let header = FrameHeader {
            fin: true,
            rsv: Rsv::NONE,
            opcode,
            masking_key: is_masked.then(|| MaskingKey::from_bytes([0; 4])),
            payload_len: payload.len() as u64,
        };
        let mut bytes = Vec::new();
        self.framing.encode(&mut bytes, &header, payload);
        match frame {
            Frame::Text if !self.has_closed => self.said.push(Message::text(text)),
            Frame::Text | Frame::Ping => {}
            Frame::Close | Frame::CloseWithPayload => self.has_closed = true,
            Frame::Bad => {
                self.has_closed = true;
                // Up to hybi-06 the masking key stands before the header.
                let is_legacy = matches!(self.framing, Framing::Legacy(_));
                bytes[if is_legacy && is_masked { 4 } else { 0 }] |= 0x0f;
            }
        }
        self.input.put(&bytes);
    }
}

impl World for Stranger {
    type Action = Action;

    fn name(action: Action) -> String {
        match action {
            Action::Own(act) => format!("{act:?}"),
            action => format!("{action:?}"),
        }
    }

    fn actions(&self) -> Vec<Action> {
        let acts = self.own.acts(&self.out, &self.input);
        let mut actions: Vec<_> = acts.into_iter().map(Action::Own).collect();
        if self.own.gone {
            return actions;
        }
        let is_open = self.input.end == WireEnd::Open && !self.input.is_broken;
        if is_open && self.frames > 0 {
            let frames: &[Frame] = match self.family.closing() {
                Closing::Transport => &[Frame::Text],
                Closing::Marker => &[Frame::Text, Frame::Close],
                _ => &[Frame::Text, Frame::Ping, Frame::Close, Frame::CloseWithPayload, Frame::Bad],
            };
            actions.extend(frames.iter().copied().map(Action::Put));
        }
        if is_open {
            actions.push(Action::Ends(WireEnd::Shut));
        }
        if is_open && self.faults > 0 {
            actions.extend([Action::Ends(WireEnd::Rude), Action::Resets]);
        }
        if !self.out.is_deaf && !self.out.is_broken && self.faults > 0 {
            actions.push(Action::TurnsAway);
        }
        actions
    }

    fn take(&mut self, action: Action) {
        if matches!(action, Action::Ends(WireEnd::Rude) | Action::TurnsAway | Action::Resets) {
            self.faults -= 1;
        }
        match action {
            Action::Own(act) => self.own.act(act, &mut self.out, &mut self.input),
            Action::Put(frame) => self.put(frame),
            Action::Ends(end) => self.input.end(end),
            Action::TurnsAway => self.out.is_deaf = true,
            Action::Resets => (self.out.is_broken, self.input.is_broken) = (true, true),
        }
    }

    fn look(&mut self) {
        self.own.look();
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.own.digest(&mut hasher);
        if !self.own.gone {
            self.out.digest(&mut hasher);
            self.input.digest(&mut hasher);
            (self.frames, self.faults, self.has_closed).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn broken(&self) -> Option<String> {
        promises::broken(&Seen {
            family: self.family,
            own: &self.own,
            out: &self.out,
            input: &self.input,
            said: &self.said,
            is_orderly: false,
        })
    }

    fn is_over(&self) -> bool {
        self.own.gone
    }

    fn cells(&self) -> Vec<Cell> {
        vec![self.own.now.cell]
    }
}
