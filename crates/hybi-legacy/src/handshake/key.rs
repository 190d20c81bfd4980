//! The keys of hixie-76 to hybi-03: numbers hidden in text, and the answer that proves them found.

use hybi_handshake::HandshakeError;
use md5::{Digest as _, Md5};

use super::rules;

/// The number that the value of `Sec-WebSocket-Key1` or `-Key2` stands for: its digits, read as one
/// number, divided by the count of its spaces.
///
/// The value is taken as it is, so it has to come without the white space that surrounds it in a
/// field.
///
/// # Errors
///
/// [`HandshakeError::Draft`] when the value holds no digit or no space, when the division leaves a
/// remainder, and when its result has more than 32 bits. A server rejects the handshake with 400.
///
/// ```
/// use hybi_legacy::key_number;
///
/// // The example of hixie-76: 4146546015 and five spaces.
/// assert_eq!(key_number("4 @1  46546xW%0l 1 5")?, 829_309_203);
/// assert_eq!(key_number("12345!").unwrap_err().to_string(), "a key holds no space");
/// # Ok::<(), hybi_handshake::HandshakeError>(())
/// ```
pub fn key_number(key: impl AsRef<[u8]>) -> Result<u32, HandshakeError> {
    let key = key.as_ref();
    let mut digits = key.iter().filter(|byte| byte.is_ascii_digit()).peekable();
    if digits.peek().is_none() {
        return Err(HandshakeError::Draft(&rules::NO_DIGIT));
    }
    let spaces = key.iter().filter(|&&byte| byte == b' ').count() as u64;
    if spaces == 0 {
        return Err(HandshakeError::Draft(&rules::NO_SPACE));
    }
    // A number that overflows 64 bits is over 32 when divided by as many spaces as memory holds.
    let number = digits.try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    let number = number.ok_or(HandshakeError::Draft(&rules::NUMBER_TOO_LARGE))?;
    if !number.is_multiple_of(spaces) {
        return Err(HandshakeError::Draft(&rules::NOT_A_MULTIPLE));
    }
    (number / spaces).try_into().map_err(|_| HandshakeError::Draft(&rules::NUMBER_TOO_LARGE))
}

/// What a server answers to the challenge of hixie-76 to hybi-03: the MD5 hash of both numbers, as
/// [`key_number`] finds them, and of the eight bytes behind the head of the request.
///
/// ```
/// use hybi_legacy::challenge_answer;
///
/// assert_eq!(&challenge_answer(829_309_203, 259_970_620, *b"^n:ds[4U"), b"8jKS'y:G*Co,Wxa-");
/// ```
#[must_use]
pub fn challenge_answer(first: u32, second: u32, key3: [u8; 8]) -> [u8; 16] {
    let numbers = Md5::new().chain_update(first.to_be_bytes()).chain_update(second.to_be_bytes());
    numbers.chain_update(key3).finalize().into()
}

/// Makes a key, and gives the number that it stands for.
pub(super) fn make_key(random: &mut dyn FnMut(&mut [u8])) -> (Vec<u8>, u32) {
    let spaces = 1 + below(random, 12);
    let number = below(random, u64::from(u32::MAX) / spaces + 1);
    let mut key = (number * spaces).to_string().into_bytes();
    for _ in 0..=below(random, 12) {
        let at = index(random, 0, key.len());
        key.insert(at, CHARACTERS[index(random, 0, CHARACTERS.len() - 1)]);
    }
    for _ in 0..spaces {
        let at = index(random, 1, key.len() - 1);
        key.insert(at, b' ');
    }
    // Not more than 2^32-1, divided by `spaces`.
    (key, u32::try_from(number).unwrap_or(u32::MAX))
}

/// What a key holds besides digits and spaces: 21 to 2F and 3A to 7E.
const CHARACTERS: [u8; 84] = {
    let mut characters = [0; 84];
    let (mut byte, mut at) = (b'!', 0);
    while byte <= b'~' {
        if !byte.is_ascii_digit() {
            characters[at] = byte;
            at += 1;
        }
        byte += 1;
    }
    characters
};

/// A random position of `first` to `last`.
fn index(random: &mut dyn FnMut(&mut [u8]), first: usize, last: usize) -> usize {
    // Keys and lists of fields are short.
    first + usize::try_from(below(random, (last - first + 1) as u64)).unwrap_or(0)
}

/// A random number below `bound`, which is not more than 2^32: the upper half of the product with
/// 64 random bits. No number is likelier than another by more than one part in 2^32, and no
/// generator, not even one that always gives the same, can keep it from ending.
pub(super) fn below(random: &mut dyn FnMut(&mut [u8]), bound: u64) -> u64 {
    let mut bytes = [0; 8];
    random(&mut bytes);
    let product = u128::from(u64::from_le_bytes(bytes)) * u128::from(bound);
    (product >> 64) as u64
}

/// Puts the elements into a random order, each as likely as the others (Fisher and Yates).
pub(super) fn shuffle<T>(elements: &mut [T], random: &mut dyn FnMut(&mut [u8])) {
    for last in (1..elements.len()).rev() {
        elements.swap(last, index(random, 0, last));
    }
}
