//! WebSocket URLs (RFC 6455 §3): `ws://`, `wss://`, and `ws+unix:PATH:/target`.

use hybi::WsUri;

use super::address::{ip_literal, zoned};
use super::idn::ascii_form;

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) uri: WsUri,
    /// The zone of an IPv6 address: where it is looked for, and nothing that the server is told
    /// (RFC 6874 section 4).
    pub(crate) zone: Option<String>,
}

impl Target {
    /// The host as name lookup takes it.
    pub(crate) fn host(&self) -> String {
        zoned(self.uri.host(), self.zone.as_deref())
    }
}

/// Reads a WebSocket URL.
pub(crate) fn target(text: &str) -> Result<Target, String> {
    let uri = |text: &str| text.parse::<WsUri>().map_err(|error| error.to_string());
    if text.starts_with("ws+unix:") {
        return Ok(Target { uri: uri(text)?, zone: None });
    }
    let (before, host, behind) = around_host(text);
    if let Some(ascii) = ascii_form(host) {
        return Err(format!("a host is written in ASCII, this one as {ascii}"));
    }
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    Ok(match literal.and_then(ip_literal) {
        Some((address, Some(zone))) => Target {
            uri: uri(&format!("{before}[{address}]{behind}"))?,
            zone: Some(zone.to_owned()),
        },
        _ => Target { uri: uri(text)?, zone: None },
    })
}

/// A URL in three parts: the host, with its brackets, in the middle.
fn around_host(url: &str) -> (&str, &str, &str) {
    let begin = url.find("://").map_or(url.len(), |at| at + 3);
    let authority = url[begin..].split(['/', '?', '#']).next().unwrap_or_default();
    let begin = begin + authority.rfind('@').map_or(0, |at| at + 1);
    let rest = &url[begin..];
    let end = match rest.find(']') {
        Some(at) if rest.starts_with('[') => at + 1,
        _ => rest.find([':', '/', '?', '#']).unwrap_or(rest.len()),
    };
    (&url[..begin], &rest[..end], &rest[end..])
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
        assert_eq!(target.uri.unix_socket(), Some("/run/ws.sock"));
        assert_eq!(target.uri.resource(), "/chat?room=1");
        assert!(super::target("ws+unix:/x:y").is_err());
        assert!(super::target("ws+unix::/").is_err());
    }

    #[test]
    fn a_zone_is_for_the_lookup_alone() {
        for (text, host, told) in [
            ("ws://[fe80::1%25eth0]:8080/x", "fe80::1%eth0", "[fe80::1]:8080"),
            ("ws://u:p%40@[FE80::1%eth0]", "fe80::1%eth0", "[fe80::1]"),
            ("ws://[::1]:80/%25", "::1", "[::1]"),
        ] {
            let target = target(text).unwrap();
            assert_eq!((&*target.host(), &*target.uri.host_header()), (host, told), "{text}");
        }
        for text in ["ws://[fe80::1%]/", "ws://[fe80::1%25a b]/", "ws://[x%eth0]/", "ws://[::1%a/"]
        {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_accepted_form() {
        for (text, part) in [
            ("http://h/", "ws://"),
            ("https://h/", "wss://"),
            ("h:80", "ws://"),
            ("ws://h/#x", "fragment"),
            ("ws://bücher.example:8080/ü", " xn--bcher-kva.example"),
            ("wss://u:ü@Правда.рф", " xn--80aafi6cg.xn--p1ai"),
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
