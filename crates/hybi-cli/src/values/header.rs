//! Header lines, header values, cookies, credentials, origins and subprotocol names.
//!
//! The library checks them (RFC 9110 §5.5, §5.6.2); asking it here turns a mistake into a usage
//! error before anything is connected.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use hybi::Client;

use super::idn::ascii_form;

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

/// Reads one header value that says something.
pub(crate) fn header_words(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("at least one visible character; without the option there is no field".into());
    }
    header_text(text)
}

/// Reads `name=value` pairs as a browser would send them in one Cookie field (RFC 6265 §4.2).
pub(crate) fn cookie(text: &str) -> Result<String, String> {
    let is_named =
        |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty());
    if !text.split(';').all(is_named) {
        return Err("a cookie is written as name=value".into());
    }
    header_text(text)
}

/// Reads `USER:PASS` and makes the Authorization value of it (RFC 7617).
pub(crate) fn basic_credentials(text: &str) -> Result<String, String> {
    if !text.contains(':') {
        return Err("credentials are written as USER:PASS".into());
    }
    // Section 2.
    if text.chars().any(char::is_control) {
        return Err("credentials are USER:PASS without control characters".into());
    }
    Ok(format!("Basic {}", BASE64_STANDARD.encode(text)))
}

/// Reads the Origin to send (RFC 6454 §7): `null` or `scheme://host[:port]`.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let host = text.split_once("://").and_then(|(_, host)| host.split(':').next());
    if let Some(ascii) = host.and_then(ascii_form) {
        return Err(format!("the host of an origin is written in ASCII, this one as {ascii}"));
    }
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
        assert!(
            origin("https://bücher.example:1").unwrap_err().ends_with(" xn--bcher-kva.example")
        );
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
        assert!(basic_credentials("a:b\n").is_err());
        for text in ["", "a", "=b", "a=b;", "a=b; c", "a=b; =d"] {
            assert!(cookie(text).is_err(), "{text:?}");
        }
        assert!(cookie("a=b\nc").is_err());
    }
}
