//! DeflateCodec: payloads compressed and decompressed, with the tail bytes taken off and put back
//! (RFC 7692 §7.2).

mod history;
mod lease;
mod library;
mod pays;
mod pool;
mod receiver;
mod ring;
mod sender;
mod store;

use core::ops::Range;

use hybi_frame::Violation;

use receiver::Receiver;
use sender::Sender;

pub(crate) use pays::is_noise;
pub(crate) use pool::share;
pub(crate) use pool::{Deflater, Inflater, Kind};
pub(crate) use store::Ticket;
pub(super) use store::{budget, set_budget};

use super::Deflate;
use crate::codec::{Compress, EncodingKey, PayloadCodec, Progress};

/// What ends every flushed piece of DEFLATE data, and is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What was agreed on for one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    /// Messages may refer to earlier ones.
    pub(crate) takeover: bool,
    /// 8 to 15: how far back, as a power of two.
    pub(crate) window_bits: u8,
}

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct DeflateCodec {
    min_size: usize,
    sender: Sender,
    receiver: Receiver,
}

impl DeflateCodec {
    pub(crate) fn new(deflate: Deflate, send: Direction, receive: Direction) -> Self {
        Self {
            min_size: deflate.min_size,
            sender: Sender::new(deflate.level, send),
            receiver: Receiver::new(receive.takeover),
        }
    }

    fn wants(&self, payload: &[u8], compress: Compress) -> bool {
        let wanted = match compress {
            Compress::Auto => payload.len() >= self.min_size,
            Compress::Always => true,
            Compress::Never => false,
        };
        wanted && !payload.is_empty()
    }
}

impl PayloadCodec for DeflateCodec {
    fn encode(&mut self, payload: &[u8], compress: Compress, out: &mut Vec<u8>) -> bool {
        let whole = 0..payload.len();
        let asked = compress == Compress::Auto;
        let start = out.len();
        self.wants(payload, compress)
            && self.sender.encode(payload, whole, asked, start, out) == Progress::Encoded
    }

    fn encode_slice(
        &mut self,
        payload: &[u8],
        slice: Range<usize>,
        compress: Compress,
        out: &mut Vec<u8>,
    ) -> Progress {
        if !self.wants(payload, compress) {
            return Progress::AsIs;
        }
        self.sender.encode(payload, slice, compress == Compress::Auto, 0, out)
    }

    fn slice_len(&self) -> usize {
        self.sender.kind().slice_len()
    }

    fn begin_pieces(&mut self, first: &[u8], compress: Compress) -> bool {
        match compress {
            Compress::Auto => self.sender.expects(first),
            Compress::Always => true,
            Compress::Never => false,
        }
    }

    fn encode_piece(
        &mut self,
        piece: &[u8],
        slice: Range<usize>,
        last: bool,
        out: &mut Vec<u8>,
    ) -> usize {
        let end = slice.end;
        self.sender.encode_piece(piece, slice, last, out);
        end
    }

    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        self.receiver.decode(piece, end, out)
    }

    fn shared_encoding(&self, payload: &[u8], compress: Compress) -> Option<EncodingKey> {
        if !self.wants(payload, compress) {
            return None;
        }
        let Kind { level, window_bits } = self.sender.kind();
        let parameters = u64::from(level) << 8 | u64::from(window_bits);
        Some(EncodingKey { codec: "deflate", parameters })
    }

    /// One that has no history, and learns nothing from what this connection sent: that says nothing
    /// of what is for many.
    fn shared_codec(&self) -> Option<Box<dyn PayloadCodec>> {
        let Kind { level, window_bits } = self.sender.kind();
        let direction = Direction { takeover: false, window_bits };
        let sender = Sender::new(level, direction);
        Some(Box::new(Self { min_size: 0, sender, receiver: Receiver::new(false) }))
    }

    fn sent_shared(&mut self, payload: &[u8]) {
        self.sender.sent_alone(payload);
    }

    fn is_active(&self) -> bool {
        self.sender.is_active() || self.receiver.is_active()
    }

    fn park(&mut self) {
        self.sender.park();
        self.receiver.park();
    }
}
