//! What a version can do, asked before it is tried: a mistake among the options has status 2, one at
//! the prompt is answered and nothing is sent.

use hybi::{CloseCode, Message, Role, Unsupported, Version, WebSocket, io::Transport};
use hybi_tokio::TokioTimer;

use super::input::Notation;
use crate::args::connect::ConnectArgs;
use crate::exit::Failure;
use crate::values::{CloseSpec, rules, version_name};

/// Whether the version can do what the options ask for.
pub(crate) fn check(args: &ConnectArgs, version: Version) -> Result<(), Failure> {
    let name = version_name(version);
    let lacks = |option: &str, what: &str| {
        Err(Failure::usage("usage", format!("{option}: {name} has no {what}")))
    };
    if rules(version).text_only() {
        if Notation::of(&args.sending) != Notation::Text {
            return lacks("--binary", "binary messages");
        }
        if args.sending.fragment.is_some() {
            return lacks("--fragment", "fragments");
        }
        if args.time.ping_interval.0.is_some() {
            return lacks("--ping-interval", "pings and pongs");
        }
    }
    if args.handshake.version_header.is_some() && version == Version::HIXIE_75 {
        return lacks("--version-header", "field for its version");
    }
    can_close(version, &args.sending.close)
        .map_err(|why| Failure::usage("usage", format!("--close: {why}")))
}

/// What sends bytes that are not UTF-8, if they were to be text and the version has anything else.
pub(crate) fn instead_of_text(args: &ConnectArgs) -> Option<&'static str> {
    let is_text = Notation::of(&args.sending) == Notation::Text;
    let only_text =
        args.handshake.protocol_version.versions().iter().all(|v| rules(*v).text_only());
    (is_text && !only_text).then_some("--binary or --hex sends any bytes")
}

/// Whether a client can end a connection of this version so.
pub(crate) fn can_close(version: Version, close: &CloseSpec) -> Result<(), String> {
    let (rules, name) = (rules(version), version_name(version));
    match &close.0 {
        // These say no more than any end in order.
        None => Ok(()),
        Some(frame) if frame.code() == CloseCode::NORMAL && frame.reason().is_empty() => Ok(()),
        Some(_) if !rules.has_close_codes() => {
            Err(format!("{name} has no {}", Unsupported::CloseCode))
        }
        Some(frame) if !frame.code().may_be_sent(rules, Role::Client) => {
            Err(format!("{name} has no close code {}", frame.code().as_u16()))
        }
        Some(_) => Ok(()),
    }
}

/// Whether a message or control frame can be sent on this connection.
pub(crate) fn can_send<T: Transport>(
    ws: &WebSocket<T, TokioTimer>,
    message: &Message,
) -> Result<(), String> {
    let can = ws.capabilities();
    let lacks = match message {
        Message::Binary(_) if !can.binary => Unsupported::Binary,
        Message::Ping(_) | Message::Pong(_) if !can.ping => Unsupported::Ping,
        _ => return Ok(()),
    };
    Err(format!("{} has no {lacks}", version_name(ws.version())))
}
