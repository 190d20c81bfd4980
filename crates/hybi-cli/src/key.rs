//! `hybi key`: keys of opening handshakes and what answers them (RFC 6455 §4.1, hixie-76).

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Request, header};
use hybi::legacy::{challenge_answer, key_number};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::args::key::KeyArgs;
use crate::exit::{Failure, Status, stdout_failed};
use crate::json::Object;
use crate::values::encode_hex;

/// Makes a key, or answers the one that was given.
pub(crate) fn run(args: &KeyArgs, json: bool) -> Result<Status, Failure> {
    let (line, event) = match (&args.key, &args.key1, &args.key2, args.key3_hex) {
        (_, Some(key1), Some(key2), Some(key3)) => challenge(key1, key2, key3)?,
        (Some(key), ..) => {
            let accept = accept_of(key)?;
            let event = Object::event("key").string("key", key).string("accept", &accept);
            (accept, event)
        }
        _ => {
            let key = new_key()?;
            let event = Object::event("key").string("key", &key);
            (key.clone(), event.string("accept", &accept_of(&key)?))
        }
    };
    let line = if json { event.finish() } else { line };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| stdout_failed(&error))?;
    Ok(Status::Done)
}

fn new_key() -> Result<String, Failure> {
    let mut nonce = [0; 16];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(|error| Failure::new(Status::Internal, "no random bytes", error))?;
    Ok(BASE64_STANDARD.encode(nonce))
}

/// What a server answers a request with this key.
fn accept_of(key: &str) -> Result<String, Failure> {
    let mistaken = |why: &dyn core::fmt::Display| {
        Failure::usage(format!("{key:?} is no key"), why).hint("a key is 16 bytes in base64")
    };
    let request = Request::builder()
        .header(header::HOST, "localhost")
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key)
        .body(())
        .map_err(|error| mistaken(&error))?;
    let (response, _) = hybi::upgrade(&request).map_err(|error| mistaken(&error))?;
    let accept = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    Ok(accept.unwrap_or_default().to_owned())
}

/// What answers the challenge of hixie-76, as a line and as an event.
fn challenge(key1: &str, key2: &str, key3: [u8; 8]) -> Result<(String, Object), Failure> {
    let number = |option: &str, key: &str| {
        key_number(key).map_err(|error| Failure::usage(format!("{option} {key:?}"), error))
    };
    let (part1, part2) = (number("--key1", key1)?, number("--key2", key2)?);
    let answer = challenge_answer(part1, part2, key3);
    let hex = encode_hex(&answer);
    let visible = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let text = core::str::from_utf8(&answer).ok().filter(|_| answer.iter().all(visible));
    let event = Object::event("challenge")
        .number("part1", part1)
        .number("part2", part2)
        .string("hex", &hex)
        .maybe("text", text);
    let line = match text {
        Some(text) => format!("{hex} {text}"),
        None => hex,
    };
    Ok((line, event))
}
