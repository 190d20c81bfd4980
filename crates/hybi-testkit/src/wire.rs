//! Frames as bytes, lawful or not (RFC 6455 section 5.2), independent of the code under test.

/// Which endpoint sends: a client masks, a server does not (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: a connection has two ends")]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl Side {
    /// The other endpoint.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// First byte of a final text frame.
pub const TEXT: u8 = 0x81;
/// First byte of a final binary frame.
pub const BINARY: u8 = 0x82;
/// First byte of a final continuation frame.
pub const CONTINUATION: u8 = 0x80;
/// First byte of a Close frame.
pub const CLOSE: u8 = 0x88;
/// First byte of a Ping frame.
pub const PING: u8 = 0x89;
/// First byte of a Pong frame.
pub const PONG: u8 = 0x8a;
/// RSV1, to be added to the first byte of a frame that is compressed.
pub const RSV1: u8 = 0x40;
/// FIN, to be taken away from the first byte of a fragment: `TEXT ^ FIN`.
pub const FIN: u8 = 0x80;

/// The masking key of scripted clients: any will do for a test, as long as no byte of it is zero.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// How a payload length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: section 5.2 has three forms")]
pub enum Length {
    /// In the second byte.
    Short,
    /// In two bytes after 126.
    Two,
    /// In eight bytes after 127.
    Eight,
}

/// A frame in its shortest form, as `side` sends it.
#[must_use]
pub fn frame(side: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(side, first, payload.len() as u64);
    append(side, payload, &mut bytes);
    bytes
}

/// A frame whose length is written in the form given, which may not be the shortest.
#[must_use]
pub fn frame_with_length(side: Side, first: u8, length: Length, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header_with_length(side, first, length, payload.len() as u64);
    append(side, payload, &mut bytes);
    bytes
}

/// The header of a frame, masking key included, with a length that may be a lie.
#[must_use]
pub fn header(side: Side, first: u8, len: u64) -> Vec<u8> {
    let length = match len {
        0..126 => Length::Short,
        126..65_536 => Length::Two,
        _ => Length::Eight,
    };
    header_with_length(side, first, length, len)
}

/// The same with the form of the length given.
#[must_use]
pub fn header_with_length(side: Side, first: u8, length: Length, len: u64) -> Vec<u8> {
    let masked = if side == Side::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match length {
        Length::Short => bytes.push(masked | len as u8),
        Length::Two => {
            bytes.push(masked | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        Length::Eight => {
            bytes.push(masked | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    if side == Side::Client {
        bytes.extend(KEY);
    }
    bytes
}

fn append(side: Side, payload: &[u8], bytes: &mut Vec<u8>) {
    match side {
        Side::Client => bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(b, k)| b ^ k)),
        Side::Server => bytes.extend(payload),
    }
}

/// The payload of a Close frame.
#[must_use]
pub fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// A frame as it was received.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// FIN, RSV1 to RSV3 and the opcode.
    pub first: u8,
    /// The payload, without its mask.
    pub payload: Vec<u8>,
}

impl core::fmt::Debug for Frame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(32)];
        write!(f, "frame {:#04x} with {} bytes ", self.first, self.payload.len())?;
        write!(f, "{:?}", String::from_utf8_lossy(shown))
    }
}

/// Reads the frame at the front of `bytes`, and says how many bytes it takes; `None` until all of
/// it is there.
///
/// # Panics
///
/// When the frame is none that `side` may send without extensions: this is the judge.
#[must_use]
pub fn read_frame(side: Side, bytes: &[u8]) -> Option<(Frame, usize)> {
    read_frame_with(0, side, bytes)
}

/// The same where an extension uses `bits` of the first byte of a message.
///
/// # Panics
///
/// As [`read_frame`].
#[must_use]
pub fn read_frame_with(bits: u8, side: Side, bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let lawful = if matches!(first & 0x0f, 1 | 2) { bits } else { 0 };
    assert_eq!(first & 0x70 & !lawful, 0, "reserved bits in {first:#04x}");
    assert!(matches!(first & 0x0f, 0..=2 | 8..=10), "reserved opcode in {first:#04x}");
    let masked = second & 0x80 != 0;
    assert_eq!(masked, side == Side::Client, "a frame of the {side:?} with mask bit {masked}");
    let mut at = 2;
    let len = match second & 0x7f {
        126 => {
            let len = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            assert!(len > 125, "a length of {len} in two bytes");
            at = 4;
            u64::from(len)
        }
        127 => {
            let len = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            assert!(len > 65_535 && len >> 63 == 0, "a length of {len} in eight bytes");
            at = 10;
            len
        }
        len => u64::from(len),
    };
    if first & 0x08 != 0 {
        assert!(first & FIN != 0 && len < 126, "control frame {first:#04x} of {len} bytes");
    }
    let mut key = [0; 4];
    if masked {
        key.copy_from_slice(bytes.get(at..at + 4)?);
        at += 4;
    }
    let end = at + len as usize;
    let payload = bytes.get(at..end)?;
    let mut payload = payload.to_vec();
    if masked {
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    Some((Frame { first, payload }, end))
}
