//! An authority: a host and perhaps a port, as URIs, `Host` and origins have them (RFC 3986 §3.2).

use core::net::Ipv6Addr;

/// A host and the port that is named with it, if one is. An empty port is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// An IPv6 address is without its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host[:port]`. `None` when either is malformed: a port that does not parse is not the
    /// one that the scheme has by default.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = split_host_port(text)?;
        let port = match port {
            None | Some("") => None,
            Some(digits) => Some(parse_port(digits)?),
        };
        Some(Self { host, port })
    }
}

/// Splits `host[:port]`; an IPv6 address loses its brackets. `None` when the host is malformed.
pub(crate) fn split_host_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    (!host.is_empty() && host.bytes().all(is_name_byte)).then_some((host, port))
}

/// A port that can be connected to.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = if only_digits { digits.parse().ok()? } else { 0 };
    (port != 0).then_some(port)
}

/// Whether two hosts are one: names without regard to case, IPv6 addresses however they are
/// abbreviated.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    let address = |host: &str| host.parse::<Ipv6Addr>().ok();
    one.eq_ignore_ascii_case(other) || address(one).is_some_and(|one| Some(one) == address(other))
}

/// Whether a host matches a pattern in which `*` stands for one whole label of a name.
pub(crate) fn host_matches(pattern: &str, host: &str) -> bool {
    let (mut labels, mut wanted) = (host.split('.'), pattern.split('.'));
    let labels_match = loop {
        match (wanted.next(), labels.next()) {
            (None, None) => break true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(wanted), Some(label)) if wanted.eq_ignore_ascii_case(label) => {}
            _ => break false,
        }
    };
    labels_match || same_host(pattern, host)
}

/// Whether each `*` of a host is a whole label, as [`host_matches`] wants it.
pub(crate) fn is_host_pattern(host: &str) -> bool {
    host.split('.').all(|label| label == "*" || !label.contains('*'))
}

/// The port of a scheme that has one here.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match () {
        () if is("https") || is("wss") => Some(443),
        () if is("http") || is("ws") => Some(80),
        () => None,
    }
}

/// What a registered name may hold (RFC 3986 §3.2.2).
pub(crate) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%')
        || is_sub_delimiter(byte)
}

const fn is_sub_delimiter(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}
