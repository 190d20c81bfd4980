//! Where to listen and where to connect: `HOST:PORT`, `:PORT`, `[::1]:PORT`, `unix:PATH`; and the
//! hosts that requests name.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use hybi::handshake::HostPattern;

use super::idn::ascii_form;

/// One value of `--listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddr {
    /// A name or literal address and a port; port 0 lets the system choose.
    Tcp(HostPort),
    /// `:PORT`, all addresses of both families.
    Any(u16),
    /// A unix socket at this path.
    Unix(PathBuf),
}

/// A host without brackets, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host: String,
    pub(crate) port: u16,
}

const LISTEN_FORM: &str = "an address is HOST:PORT, :PORT, [::1]:PORT or unix:PATH";
const HOST_FORM: &str = "an address is HOST:PORT, with IPv6 literals in brackets: [::1]:8080";

/// Reads one `--listen` value.
pub(crate) fn listen_addr(text: &str) -> Result<ListenAddr, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() || path.contains('\0') {
            Err(LISTEN_FORM.into())
        } else {
            Ok(ListenAddr::Unix(path.into()))
        };
    }
    if let Some(port) = text.strip_prefix(':') {
        return port_number(port).map(ListenAddr::Any).ok_or_else(|| LISTEN_FORM.into());
    }
    host_port(text)
        .map(ListenAddr::Tcp)
        .map_err(|error| if error == HOST_FORM { LISTEN_FORM.to_owned() } else { error })
}

/// Reads an address of this machine to connect from; without a port, the system chooses.
pub(crate) fn local_address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 0)));
    address.map_err(|_| {
        "an address of this machine: 192.0.2.1, 192.0.2.1:4000, ::1 or [::1]:4000".into()
    })
}

/// Reads `HOST:PORT`.
pub(crate) fn host_port(text: &str) -> Result<HostPort, String> {
    let (name, port) = text.rsplit_once(':').ok_or(HOST_FORM)?;
    if let Some(ascii) = ascii_form(name) {
        return Err(format!("a host is written in ASCII, this one as {ascii}:{port}"));
    }
    let host = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => ip_literal(literal).map(|(address, zone)| zoned(address, zone)),
        None => Some(name.to_owned()).filter(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@[]:".contains(&byte))
        }),
    };
    match (host, port_number(port)) {
        (Some(host), Some(port)) => Ok(HostPort { host, port }),
        _ => Err(HOST_FORM.into()),
    }
}

/// Reads where a client can connect to: `HOST:PORT`, and the port is not 0.
pub(crate) fn peer_address(text: &str) -> Result<HostPort, String> {
    let address = host_port(text)?;
    if address.port == 0 { Err("nobody can be reached at port 0".into()) } else { Ok(address) }
}

/// Reads what stands between brackets: an IPv6 address and perhaps a zone, behind `%25` as in a URI
/// (RFC 6874 section 2) or behind `%` as everywhere else.
pub(super) fn ip_literal(text: &str) -> Option<(&str, Option<&str>)> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => {
            let encoded = zone.strip_prefix("25").filter(|zone| !zone.is_empty());
            (address, Some(encoded.unwrap_or(zone)))
        }
        None => (text, None),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_named = zone.is_none_or(|zone| !zone.is_empty() && zone.bytes().all(is_name));
    (is_named && address.parse::<Ipv6Addr>().is_ok()).then_some((address, zone))
}

/// An address as name lookup takes it.
pub(super) fn zoned(address: &str, zone: Option<&str>) -> String {
    zone.map_or_else(|| address.to_owned(), |zone| format!("{address}%{zone}"))
}

/// Reads one `--host` value: what a Host field names, with its port or for any.
pub(crate) fn host(text: &str) -> Result<HostPattern, String> {
    const FORM: &str = "a host is NAME or NAME:PORT: *.example.org, example.org:8080, [::1], *";
    if let Some(ascii) = ascii_form(text.split(':').next().unwrap_or_default()) {
        return Err(format!("a host is written in ASCII, this one as {ascii}; {FORM}"));
    }
    text.parse().map_err(|_| FORM.into())
}

fn port_number(text: &str) -> Option<u16> {
    // `parse` would accept a leading plus sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> ListenAddr {
        ListenAddr::Tcp(HostPort { host: host.to_owned(), port })
    }

    #[test]
    fn listen_addresses() {
        for (text, expected) in [
            ("127.0.0.1:0", tcp("127.0.0.1", 0)),
            ("localhost:8080", tcp("localhost", 8080)),
            ("[::1]:9001", tcp("::1", 9001)),
            ("[fe80::1%eth0]:9001", tcp("fe80::1%eth0", 9001)),
            ("[fe80::1%25eth0]:9001", tcp("fe80::1%eth0", 9001)),
            ("[fe80::1%25]:9001", tcp("fe80::1%25", 9001)),
            (":80", ListenAddr::Any(80)),
            ("unix:ws.sock", ListenAddr::Unix("ws.sock".into())),
        ] {
            assert_eq!(listen_addr(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn hosts() {
        for text in ["localhost", "example.org:8080", "127.0.0.1", "[::1]", "[::1]:80", "*", "*.a"]
        {
            assert_eq!(host(text).unwrap().to_string(), text);
        }
        for text in ["", "a b", "http://a", "a/", "a:x", "a:99999", "::1", "u@a", "a#b", "a*.b"] {
            assert!(host(text).unwrap_err().contains("NAME:PORT"), "{text}");
        }
        assert!(host("b\u{fc}cher:80").unwrap_err().contains(" xn--bcher-kva;"));
    }

    #[test]
    fn refused_addresses() {
        for text in [
            "",
            "8080",
            "localhost",
            "::1:80",
            "[::1]",
            "[x]:80",
            "[::1%]:80",
            "[::1%a b]:80",
            "[x%eth0]:80",
            ":",
            ":+80",
            ":65536",
            "a:b",
            "unix:",
            "ws://h:1",
        ] {
            assert!(listen_addr(text).is_err(), "{text}");
        }
        assert!(listen_addr("bücher:80").unwrap_err().ends_with(" xn--bcher-kva:80"));
        assert!(peer_address("localhost:0").is_err());
    }
}
