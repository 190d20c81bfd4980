//! Refusal: what a server says that answers with another status than 101, and what may help.

use http::{HeaderMap, Response, header};
use hybi::{HandshakeError, Version};

use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::values::{Asked, version_name};

/// The most characters that are shown of a body.
const MOST_SHOWN: usize = 300;

/// Shows the answer, and names what in it tells the user how to do better.
pub(crate) fn refused(
    args: &ConnectArgs,
    error: &HandshakeError,
    response: &Response<Vec<u8>>,
) -> Failure {
    let mut why = format!("HTTP {}", response.status().as_u16());
    if let Some(phrase) = error.reason_phrase() {
        why.extend([" ", phrase]);
    }
    if let Some(body) = shown(response.body(), error.body_truncated()) {
        why.extend([": ", &body]);
    }
    let failure = Failure::new(Status::Refused, "the server refused the opening handshake", why);
    match hint(args, error, response) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The beginning of a body on one line; `None` if there is nothing to see.
fn shown(body: &[u8], is_cut: bool) -> Option<String> {
    // A body that is cut may end inside a character.
    let text = match core::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            core::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Some(format!("{} bytes that are not text", body.len())),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(MOST_SHOWN).collect();
    if is_cut || shown.len() < line.len() {
        shown.push_str("...");
    }
    (!line.is_empty()).then_some(shown)
}

/// What to do otherwise, if it was not done already.
fn hint(
    args: &ConnectArgs,
    error: &HandshakeError,
    response: &Response<Vec<u8>>,
) -> Option<String> {
    let (asked, headers) = (&args.handshake, response.headers());
    let spoken = asked.protocol_version.versions();
    let listed = error.versions_offered();
    let known = |version: &&Version| version.is_in_field() && Version::ALL.contains(version);
    let others = listed.iter().filter(known).filter(|version| !spoken.contains(version));
    let others: Vec<_> = others.map(|version| version_name(*version)).collect();
    Some(match response.status().as_u16() {
        300..=399 => {
            let place = String::from_utf8_lossy(headers.get(header::LOCATION)?.as_bytes());
            format!("it points to {place}")
        }
        401 => credentials(args, headers),
        403 if asked.origin.is_none() => {
            "--origin sets the Origin that the server may insist on".to_owned()
        }
        _ if !others.is_empty() => format!("-p {} is accepted", others.join(" or ")),
        // A list that has what was asked for does not explain anything.
        400 | 426 if listed.is_empty() => match asked.protocol_version {
            Asked::One(Version::RFC6455) | Asked::Auto => {
                "versions before hybi-04 are in no list; -p NAME asks for one".to_owned()
            }
            Asked::One(version) => {
                let name = version_name(version);
                format!("the server may not speak {name}; -p rfc6455 asks for the usual version")
            }
        },
        _ => return None,
    })
}

/// How to send what the server asks for, by the scheme that it names (RFC 9110 section 11.6.1).
fn credentials(args: &ConnectArgs, headers: &HeaderMap) -> String {
    const BASIC: &str = "-u USER:PASS sends basic credentials";
    const BEARER: &str = "-H 'Authorization: Bearer TOKEN' sends a token";
    let were_sent = args.url.uri.basic_authorization().is_some()
        || args.handshake.user.is_some()
        || args.handshake.header.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter();
    let challenges = challenges.filter_map(|value| value.to_str().ok());
    let challenges = challenges.collect::<Vec<_>>().join(", ").to_ascii_lowercase();
    let asks = |scheme| challenges.split([' ', ',']).any(|word| word == scheme);
    let how = match (asks("basic"), asks("bearer")) {
        (true, false) => BASIC.to_owned(),
        (false, true) => BEARER.to_owned(),
        _ => format!("{BASIC}, {BEARER}"),
    };
    if were_sent { format!("other credentials than those sent are wanted; {how}") } else { how }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_on_one_line_within_bounds() {
        assert_eq!(shown(b"", false), None);
        assert_eq!(shown(b" \r\n", false), None);
        assert_eq!(shown(b"no\r\n entry\n", false).as_deref(), Some("no entry"));
        assert_eq!(shown(b"no ent", true).as_deref(), Some("no ent..."));
        assert_eq!(shown("é".as_bytes(), false).as_deref(), Some("é"));
        assert_eq!(shown(&"né".as_bytes()[..2], true).as_deref(), Some("n..."));
        assert_eq!(shown(b"\xff\xfe", false).as_deref(), Some("2 bytes that are not text"));
        let long = shown("é".repeat(1000).as_bytes(), false).unwrap();
        assert_eq!(long.chars().count(), MOST_SHOWN + 3);
    }
}
