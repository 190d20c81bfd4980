//! Bytes written as hexadecimal digits.

/// Writes two digits a byte.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads two digits a byte; white space between bytes is skipped.
pub(crate) fn decode_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for group in text.split_ascii_whitespace() {
        if group.len() % 2 != 0 {
            return Err("hexadecimal needs two digits for each byte".into());
        }
        for pair in group.as_bytes().chunks_exact(2) {
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => return Err("hexadecimal digits are 0-9 and a-f".into()),
            }
        }
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode_hex(&encode_hex(&bytes)), Ok(bytes));
        assert_eq!(decode_hex("00 FF\ta5"), Ok(vec![0, 255, 0xa5]));
    }

    #[test]
    fn refused() {
        for text in ["0", "0g", "0 0", "+1", "é"] {
            assert!(decode_hex(text).is_err(), "{text}");
        }
    }
}
