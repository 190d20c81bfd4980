//! Versions of HTTP: which are spoken below a WebSocket, and what TLS is told of them.

use clap::ValueEnum;

/// A version of HTTP that a WebSocket can begin in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HttpVersion {
    /// HTTP/1.1, by an upgrade (RFC 6455).
    #[value(name = "1.1")]
    Http11,
    /// HTTP/2, by an extended CONNECT (RFC 8441).
    #[value(name = "2")]
    Http2,
}

impl HttpVersion {
    /// The names by which TLS settles on one of these (RFC 7301): of two that both ends speak, HTTP/2.
    pub(crate) fn protocols(versions: &[Self]) -> Vec<Vec<u8>> {
        [(Self::Http2, "h2"), (Self::Http11, "http/1.1")]
            .iter()
            .filter(|(version, _)| versions.contains(version))
            .map(|(_, name)| name.as_bytes().to_vec())
            .collect()
    }
}

/// What logs call the version of a request or response.
pub(crate) fn http_name(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_2 => "2",
        http::Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_prefers_http_2_where_it_is_spoken() {
        let named = |versions: &[HttpVersion]| {
            let names = HttpVersion::protocols(versions);
            names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named(&[HttpVersion::Http11]), ["http/1.1"]);
        assert_eq!(named(&[HttpVersion::Http2]), ["h2"]);
        assert_eq!(named(&[HttpVersion::Http11, HttpVersion::Http2]), ["h2", "http/1.1"]);
    }
}
