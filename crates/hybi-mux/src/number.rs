//! Numbers of control blocks: like the lengths of frames from ietf-05 on, before as many octets as two bits say.

use crate::error::{MuxError, MuxViolation};
use crate::reader::Reader;

/// The largest number that ietf-05 can write.
pub(crate) const MAX: u64 = (1 << 63) - 1;

/// Reads one in one, three or nine octets, the shortest form alone.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<u64, MuxError> {
    let begin = reader.at();
    let error = |violation| MuxError::new(violation, begin);
    let truncated = || error(MuxViolation::NumberTruncated);
    let (number, least) = match reader.byte().ok_or_else(truncated)? {
        short @ 0..=0x7d => return Ok(short.into()),
        0x7e => (reader.number(2).ok_or_else(truncated)?, 0x7e),
        0x7f => (reader.number(8).ok_or_else(truncated)?, 0x1_0000),
        0x80.. => return Err(error(MuxViolation::NumberTooLarge)),
    };
    match number {
        _ if number < least => Err(error(MuxViolation::NumberNotShortest)),
        _ if number > MAX => Err(error(MuxViolation::NumberTooLarge)),
        _ => Ok(number),
    }
}

/// Appends one, which is at most [`MAX`].
pub(crate) fn write(number: u64, out: &mut Vec<u8>) {
    match number {
        0..=0x7d => out.push(number as u8),
        0x7e..=0xffff => {
            out.push(0x7e);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        _ => {
            out.push(0x7f);
            out.extend_from_slice(&number.min(MAX).to_be_bytes());
        }
    }
}

/// Reads one in `size` + 1 octets, as ietf-01 to ietf-04 have them.
pub(crate) fn read_sized(reader: &mut Reader<'_>, size: u8) -> Result<u64, MuxError> {
    let begin = reader.at();
    let number = reader.number(usize::from(size & 3) + 1);
    number.ok_or_else(|| MuxError::new(MuxViolation::NumberTruncated, begin))
}

/// The two bits that say how many octets such a number needs; the largest needs four.
pub(crate) const fn size_of(number: u32) -> u8 {
    match number {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xff_ffff => 2,
        0x100_0000.. => 3,
    }
}

/// Appends one in as many octets as [`size_of`] says.
pub(crate) fn write_sized(number: u32, out: &mut Vec<u8>) {
    let len = usize::from(size_of(number)) + 1;
    out.extend_from_slice(&number.to_be_bytes()[4 - len..]);
}
