//! Parameters as extensions that compress with DEFLATE have them: strictly read, each at most once
//! (RFC 7692 §7.1).

use crate::extension::AnswerError;

/// Why a parameter is not lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamError {
    Unknown,
    Twice,
    /// It has a value and may not have one, has none and needs one, or the value is no window.
    Value,
}

impl ParamError {
    /// What a client that finds it in an answer says.
    pub(crate) const fn in_answer(self, document: &'static str) -> AnswerError {
        let rule = match self {
            Self::Unknown => "the answer has a parameter that the extension does not know",
            Self::Twice => "the answer has a parameter twice",
            Self::Value => "the answer has a parameter with a value that it may not have",
        };
        AnswerError::new(rule, document)
    }
}

/// Notes a parameter that is a bare name.
pub(crate) fn flag(slot: &mut bool, value: Option<&str>) -> Result<(), ParamError> {
    match value {
        _ if *slot => Err(ParamError::Twice),
        Some(_) => Err(ParamError::Value),
        None => {
            *slot = true;
            Ok(())
        }
    }
}

/// Notes a parameter whose value is the window of one direction.
pub(crate) fn window(slot: &mut Option<u8>, value: Option<&str>) -> Result<(), ParamError> {
    if slot.is_some() {
        return Err(ParamError::Twice);
    }
    let bits = value.and_then(window_bits).ok_or(ParamError::Value)?;
    *slot = Some(bits);
    Ok(())
}

/// Notes a parameter that may name a window, or say by its presence that it is understood.
pub(crate) fn window_hint(
    slot: &mut Option<Option<u8>>,
    value: Option<&str>,
) -> Result<(), ParamError> {
    if slot.is_some() {
        return Err(ParamError::Twice);
    }
    let bits = value.map(|value| window_bits(value).ok_or(ParamError::Value)).transpose()?;
    *slot = Some(bits);
    Ok(())
}

/// A window: 8 to 15 in decimal, without sign or leading zero.
fn window_bits(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_eight_to_fifteen_in_plain_decimal_are_windows() {
        for bits in 8..=15 {
            assert_eq!(window_bits(&bits.to_string()), Some(bits));
        }
        for value in ["", "0", "7", "16", "08", "015", "+9", "-9", "9.0", "0x9", "1", "1 0", "٩"] {
            assert_eq!(window_bits(value), None, "{value:?}");
        }
    }

    #[test]
    fn nothing_is_taken_twice() {
        let (mut on, mut bits, mut hint) = (false, None, None);
        assert_eq!(flag(&mut on, Some("1")), Err(ParamError::Value));
        assert_eq!(flag(&mut on, None), Ok(()));
        assert_eq!(flag(&mut on, None), Err(ParamError::Twice));
        assert_eq!(window(&mut bits, None), Err(ParamError::Value));
        assert_eq!(window(&mut bits, Some("9")), Ok(()));
        assert_eq!(window(&mut bits, Some("9")), Err(ParamError::Twice));
        assert_eq!(window_hint(&mut hint, Some("7")), Err(ParamError::Value));
        assert_eq!(window_hint(&mut hint, None), Ok(()));
        assert_eq!(window_hint(&mut hint, Some("9")), Err(ParamError::Twice));
        assert_eq!((on, bits, hint), (true, Some(9), Some(None)));
    }
}
