//! How a close is written everywhere: `CODE`, `CODE REASON`, `CODE:REASON` or `none` (RFC 6455 §5.5.1,
//! §7.4).

use hybi::{CloseCode, CloseFrame, frame::CloseFrameError};

/// The Close frame to send; `None` sends one with an empty payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloseSpec(pub(crate) Option<CloseFrame>);

impl Default for CloseSpec {
    fn default() -> Self {
        // 1000 without a reason may always be sent.
        Self(CloseFrame::new(CloseCode::NORMAL, "").ok())
    }
}

const FORM: &str = "a close is CODE, CODE REASON, CODE:REASON or none, for example 1000:done";

/// Reads a close in any of its spellings.
pub(crate) fn close_spec(text: &str) -> Result<CloseSpec, String> {
    if text == "none" {
        return Ok(CloseSpec(None));
    }
    let (code, reason) = text.split_once([' ', ':']).unwrap_or((text, ""));
    close_parts(code, reason)
}

/// Checks a code and a reason that were told apart already.
pub(crate) fn close_parts(code: &str, reason: &str) -> Result<CloseSpec, String> {
    // `parse` would accept a leading plus sign.
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    let code: u16 = code.parse().ok().filter(|_| digits).ok_or(FORM)?;
    match CloseFrame::new(CloseCode::from(code), reason) {
        Ok(frame) => Ok(CloseSpec(Some(frame))),
        Err(error @ CloseFrameError::Code(_)) => {
            Err(format!("{error}; use 1000-1003, 1007-1014 or 3000-4999"))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted() {
        for (text, code, reason) in [
            ("none", None, ""),
            ("1000", Some(1000), ""),
            ("1001:going away", Some(1001), "going away"),
            ("1001 going away", Some(1001), "going away"),
            ("4999:a:b", Some(4999), "a:b"),
            ("4999:a b", Some(4999), "a b"),
            ("4999 a:b", Some(4999), "a:b"),
            ("3000 ", Some(3000), ""),
            ("3000:", Some(3000), ""),
        ] {
            let frame = code.map(|code: u16| CloseFrame::new(code.into(), reason).unwrap());
            assert_eq!(close_spec(text), Ok(CloseSpec(frame)), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "x",
            "999",
            "1004",
            "1005",
            "1006",
            "1015",
            "1016",
            "2999",
            "5000",
            "65536",
            "-1",
            "+1000",
            "1000,done",
            "none:x",
            " 1000",
            ":x",
        ] {
            assert!(close_spec(text).is_err(), "{text}");
        }
        assert!(close_spec("done").unwrap_err().contains("CODE REASON, CODE:REASON or none"));
        assert!(close_spec(&format!("1000:{}", "x".repeat(123))).is_ok());
        assert!(close_spec(&format!("1000:{}", "x".repeat(124))).is_err());
    }
}
