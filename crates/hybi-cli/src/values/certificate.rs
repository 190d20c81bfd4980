//! Names in certificates: DNS names and IP addresses, and what one is made for, also a wildcard.

use rustls_pki_types::{DnsName, IpAddr, ServerName};

/// Reads one name of `--tls-self-signed`.
pub(crate) fn certificate_name(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    // A name of digits is a mistyped address: no client takes it for a name (RFC 3986 §3.2.2).
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_name =
        DnsName::try_from(host).is_ok() && !last.bytes().all(|byte| byte.is_ascii_digit());
    if is_name || IpAddr::try_from(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("a certificate is for names and addresses: localhost, *.example.org, 127.0.0.1, ::1".into())
}

/// Reads the name that a certificate has to have.
pub(crate) fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned())
        .map_err(|_| "a server is called by name or address: example.org, 127.0.0.1, ::1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted() {
        for text in ["localhost", "a.example", "*.example.org", "127.0.0.1", "::1", "xn--nxasmq6b"]
        {
            assert_eq!(certificate_name(text), Ok(text.into()));
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            " ",
            "a b",
            "*",
            "*.",
            "a.*.b",
            "**.a",
            "*.127.0.0.1",
            "127.0.0.256",
            "1",
            "[::1]",
            "localhost:80",
            "https://a",
            "b\u{fc}cher.example",
            "-a",
            "a..b",
        ] {
            assert!(certificate_name(text).is_err(), "{text:?}");
        }
    }
}
