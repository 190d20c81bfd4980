//! WebSocket URLs (RFC 6455 §3): `ws://`, `wss://`, and `ws+unix:PATH:/target`.

use std::path::PathBuf;

use hybi::WsUri;

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) uri: WsUri,
    /// The unix socket to connect to, if it is not TCP.
    pub(crate) unix: Option<PathBuf>,
}

/// Reads a WebSocket URL.
pub(crate) fn target(text: &str) -> Result<Target, String> {
    let uri = |text: &str| text.parse::<WsUri>().map_err(|error| error.to_string());
    let Some(rest) = text.strip_prefix("ws+unix:") else {
        return Ok(Target { uri: uri(text)?, unix: None });
    };
    let (path, resource) = rest.split_once(':').unwrap_or((rest, "/"));
    if path.is_empty() || path.contains('\0') || !resource.starts_with('/') {
        return Err("a unix URL is ws+unix:PATH:/TARGET".into());
    }
    Ok(Target { uri: uri(&format!("ws://localhost{resource}"))?, unix: Some(path.into()) })
}

/// Decodes `%XX`; `None` when a sequence is cut or the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = core::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.extend(super::decode_hex(digits).ok().filter(|byte| byte.len() == 1)?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_sockets() {
        let target = target("ws+unix:/run/ws.sock:/chat?room=1").unwrap();
        assert_eq!(target.unix, Some("/run/ws.sock".into()));
        assert_eq!(target.uri.resource(), "/chat?room=1");
        assert!(super::target("ws+unix:/x:y").is_err());
        assert!(super::target("ws+unix::/").is_err());
    }

    #[test]
    fn refusals_name_the_accepted_form() {
        for (text, part) in [
            ("http://h/", "ws://"),
            ("https://h/", "wss://"),
            ("h:80", "ws://"),
            ("ws://h/#x", "fragment"),
        ] {
            let message = target(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn percent_encoding() {
        assert_eq!(percent_decode("caf%C3%A9%20x"), Some("café x".into()));
        for text in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(percent_decode(text), None, "{text}");
        }
    }
}
