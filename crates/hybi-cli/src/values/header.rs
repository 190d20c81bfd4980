//! Header lines, header values, cookies, credentials, origins and subprotocol names.
//!
//! The library checks them (RFC 9110 §5.5, §5.6.2); asking it here turns a mistake into a usage
//! error before anything is connected.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use hybi::Client;

/// Reads `Name: value`.
pub(crate) fn header_line(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as 'Name: value'")?;
    let value = value.trim_matches([' ', '\t']);
    header_text(value)?;
    Client::builder().header(name, value).build().map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads one header value: visible characters, spaces and tabs, in any script.
pub(crate) fn header_text(text: &str) -> Result<String, String> {
    HeaderValue::from_str(text)
        .map(|_| text.to_owned())
        .map_err(|_| "a header value has no line breaks, NUL or other control characters".into())
}

/// Reads `name=value` pairs as a browser would send them in one Cookie field (RFC 6265 §4.2).
pub(crate) fn cookie(text: &str) -> Result<String, String> {
    if !text.contains('=') {
        return Err("a cookie is written as name=value".into());
    }
    header_text(text)
}

/// Reads `USER:PASS` and makes the Authorization value of it (RFC 7617).
pub(crate) fn basic_credentials(text: &str) -> Result<String, String> {
    if !text.contains(':') {
        return Err("credentials are written as USER:PASS".into());
    }
    Ok(format!("Basic {}", BASE64_STANDARD.encode(text)))
}

/// Reads the Origin to send (RFC 6454 §7): `null` or `scheme://host[:port]`.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let serialised = match text.split_once("://") {
        Some((scheme, host)) => {
            !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', ' ', ','])
        }
        None => text == "null",
    };
    if !serialised {
        return Err("an origin is scheme://host[:port] without a path, or null".into());
    }
    header_text(text)
}

/// Reads a subprotocol name, which is a token (RFC 6455 §4.1).
pub(crate) fn token(text: &str) -> Result<String, String> {
    match Client::builder().subprotocol(text).build() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err("a subprotocol name is one or more letters, digits and !#$%&'*+-.^_`|~".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines() {
        assert_eq!(header_line("X-Token:  abc "), Ok(("X-Token".into(), "abc".into())));
        assert!(header_line("X-Empty:").is_ok());
        for text in [
            "novalue",
            ": x",
            "a b: c",
            "X: a\r\nY: b",
            "X: \0",
            "X: \x7f",
            "Host: x",
            "Sec-WebSocket-Key: x",
        ] {
            assert!(header_line(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn origins() {
        for text in
            ["null", "https://example.org", "http://localhost:8080", "chrome-extension://abc"]
        {
            assert!(origin(text).is_ok(), "{text}");
        }
        for text in ["", "example.org", "https://", "https://a/", "https://a b", "https://a\r\n"] {
            assert!(origin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn tokens() {
        assert_eq!(token("chat.v2"), Ok("chat.v2".into()));
        for text in ["", "a b", "a,b", "a\n", "\"a\"", "é"] {
            assert!(token(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn credentials_and_cookies() {
        assert_eq!(
            basic_credentials("Aladdin:open sesame"),
            Ok("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".into())
        );
        assert!(basic_credentials("Aladdin").is_err());
        assert!(cookie("a=b; c=d").is_ok());
        assert!(cookie("a").is_err());
        assert!(cookie("a=b\nc").is_err());
    }
}
