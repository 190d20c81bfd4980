//! The console page: one self-contained document that nothing can be injected into or framed by.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Response, header};
use ring::digest::{SHA256, digest};

const HTML: &str = include_str!("../page/console.html");
const CSS: &str = include_str!("../page/console.css");
const JS: &str = include_str!("../page/console.js");

/// The document with its style and script in place.
static PAGE: LazyLock<String> =
    LazyLock::new(|| HTML.replacen("/*CSS*/", CSS, 1).replacen("/*JS*/", JS, 1));

/// Names the one style and the one script by their hashes; everything else is refused, except
/// connections, which are the point of the page and may go anywhere.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src ws: wss:; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(CSS),
        hash(JS),
    );
    // Base64 and the words above are visible ASCII.
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The answer to a plain GET of `/`.
pub(crate) fn response() -> Response<&'static str> {
    let mut response = Response::new(PAGE.as_str());
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_small_and_self_contained() {
        assert!(PAGE.contains(CSS) && PAGE.contains(JS));
        assert!(PAGE.len() < 20_000, "{} bytes", PAGE.len());
        for outside in ["src=", "url(", "@import", "href=\"http", "//cdn"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }

    #[test]
    fn the_documented_ids_exist() {
        for id in [
            "url",
            "protocols",
            "connect",
            "disconnect",
            "text",
            "send",
            "hex",
            "send-hex",
            "file",
            "send-file",
            "code",
            "reason",
            "close",
            "log",
            "state",
            "rtt",
            "clear",
            "subprotocol",
        ] {
            assert_eq!(PAGE.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }
}
