//! Control: what is to be said about channels, until a message of channel 0 says it.

use std::collections::VecDeque;

use crate::block::ControlBlock;
use crate::channel_id::ChannelId;
use crate::revision::Revision;

/// So many octets of blocks are put in one message, unless one has more by itself.
const MESSAGE_LEN: usize = 8 * 1024;

/// Blocks that wait to leave.
#[derive(Debug)]
pub(super) struct Control {
    revision: Revision,
    /// Each is one block, or several that have to be in one message.
    blocks: VecDeque<Vec<u8>>,
}

impl Control {
    pub(super) const fn new(revision: Revision) -> Self {
        Self { revision, blocks: VecDeque::new() }
    }

    /// Says these in one message. Numbers here are such as the revision has: quotas and sizes of ours.
    pub(super) fn say(&mut self, blocks: &[ControlBlock<'_>]) {
        let mut bytes = Vec::new();
        for block in blocks {
            // A handshake of 4 GiB, which nobody's memory holds twice.
            let outcome = block.encode(self.revision, &mut bytes);
            debug_assert_eq!(outcome, Ok(()), "{block:?}");
        }
        self.blocks.push_back(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Leaves out what was not said: only the end matters.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
    }

    /// Appends a message with as much as is to be said.
    pub(super) fn pop(&mut self, out: &mut Vec<u8>) {
        let begin = out.len();
        ChannelId::CONTROL.encode(out);
        while let Some(next) = self.blocks.front()
            && (out.len() == begin + 1 || out.len() - begin + next.len() <= MESSAGE_LEN)
        {
            out.extend_from_slice(next);
            self.blocks.pop_front();
        }
    }
}
