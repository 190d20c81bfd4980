//! One direction of a link: what is on its way, and all that ever was, frame by frame.

use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

use hybi_frame::{Limits, Opcode, Role};

use super::family::Family;
use crate::connection::framing::Framing;

#[derive(Debug, Default)]
pub(super) struct Wire {
    /// On their way.
    pub(super) bytes: Vec<u8>,
    /// All that the writer gave.
    pub(super) carried: Vec<u8>,
    /// How many were read.
    pub(super) arrived: usize,
    pub(super) end: WireEnd,
    /// Neither can be written to nor read from without an error, but what is on its way may arrive first.
    pub(super) is_broken: bool,
    /// Its reader is gone.
    pub(super) is_deaf: bool,
    /// Half of what waited left once already.
    pub(super) split_at_writing: bool,
    /// Half of what was on its way arrived once already.
    pub(super) split_at_reading: bool,
    /// Bytes were given behind the end.
    pub(super) was_written_behind: bool,
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum WireEnd {
    #[default]
    Open,
    /// The writer ended it.
    Shut,
    /// It was cut, and the reader takes that for the end. The writer does not know.
    Cut,
    /// The same under TLS, which tells that nobody said goodbye.
    Rude,
}

impl Wire {
    /// A direction in which bytes leave and arrive by halves as well, or not.
    pub(super) fn new(halves: bool) -> Self {
        Self { split_at_writing: !halves, split_at_reading: !halves, ..Self::default() }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        match self.end {
            WireEnd::Open => self.bytes.extend_from_slice(bytes),
            WireEnd::Shut => self.was_written_behind = true,
            WireEnd::Cut | WireEnd::Rude => {}
        }
        self.carried.extend_from_slice(bytes);
    }

    pub(super) fn end(&mut self, end: WireEnd) {
        if self.end == WireEnd::Open {
            self.end = end;
        }
    }

    /// The opcodes of the frames that left whole, from an endpoint in `writer`.
    pub(super) fn frames(&self, family: Family, writer: Role) -> Vec<Opcode> {
        let mut framing = Framing::new(&family.negotiated(), writer.peer(), Limits::default());
        let mut bytes = self.carried.clone();
        let mut opcodes = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let decoded = match &mut framing {
                Framing::Rfc6455(decoder) => decoder.decode(&mut bytes[at..]),
                Framing::Legacy(codec) => codec.decode(&mut bytes[at..]),
            };
            let (consumed, part) = decoded.expect("what our own connections send");
            opcodes.extend(part.filter(|part| part.end).map(|part| part.header.opcode));
            if consumed == 0 {
                break;
            }
            at += consumed;
        }
        opcodes
    }

    pub(super) fn digest(&self, hasher: &mut DefaultHasher) {
        let flags = [
            self.is_broken,
            self.is_deaf,
            self.split_at_writing,
            self.split_at_reading,
            self.was_written_behind,
        ];
        (&self.carried, &self.bytes, self.arrived, self.end, flags).hash(hasher);
        hasher.write_u8(0);
    }
}
