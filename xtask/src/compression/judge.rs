//! Whether a connection, as the tap saw it, did what was agreed.

use super::params::Params;
use super::payloads::{AGAIN, FIRST, Payloads, WINDOW};
use super::tap::Connection;
use super::wire::{self, Message};

/// Messages at least this long must come out shorter, whoever sends them.
const LARGE: usize = 1 << 16;

/// What a connection with permessage-deflate was to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) client: Params,
    pub(super) server: Params,
    pub(super) binary: bool,
    /// Whether large messages come in fragments: from the client, from the server.
    pub(super) fragments: (bool, bool),
    /// The client has a mind of its own about fragments.
    pub(super) client_is_browser: bool,
}

/// What one direction was to be; what is none may be either.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    pub(super) takeover: Option<bool>,
    pub(super) window_bits: u8,
    pub(super) binary: bool,
    pub(super) fragments: Option<bool>,
    /// Each frame is compressed by itself and has RSV1, not each message.
    pub(super) by_frame: bool,
}

/// What one direction, or more, carried, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) payload: usize,
    pub(super) wire: usize,
}

impl core::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.payload += other.payload;
        self.wire += other.wire;
    }
}

impl Plan {
    /// Checks what was agreed, and both directions; what they cost together.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        payloads: &Payloads,
    ) -> Result<Cost, String> {
        let agreed = self.agreed(connection.agreed())?;
        let (binary, by_frame) = (self.binary, false);
        // A client that said it would do without takeover, and was not told to, may think again.
        let unanswered =
            self.client.client_no_context_takeover && !agreed.client_no_context_takeover;
        let up = Direction {
            takeover: (!unanswered).then_some(!agreed.client_no_context_takeover),
            window_bits: agreed.client_max_window_bits.unwrap_or(15),
            fragments: (!self.client_is_browser).then_some(self.fragments.0),
            binary,
            by_frame,
        };
        let down = Direction {
            takeover: Some(!agreed.server_no_context_takeover),
            window_bits: agreed.server_max_window_bits.unwrap_or(15),
            fragments: Some(self.fragments.1),
            binary,
            by_frame,
        };
        both(up, down, connection, payloads)
    }

    /// What is in force: what the response says, and the window that the client chose unasked.
    fn agreed(&self, response: &str) -> Result<Params, String> {
        let said = Params::parse(response)?;
        let own = self.client.client_max_window_bits;
        let agreed = said.and(Params { client_max_window_bits: own, ..Params::default() });
        let wanted = self.client.and(self.server);
        // The server need not repeat what the client said of itself (RFC 7692 §7.1.1.2), and 15
        // bits are what no word about it means.
        let takeover = wanted.client_no_context_takeover == agreed.client_no_context_takeover
            || self.client.client_no_context_takeover;
        let effective = |params: Params| {
            let bits = [params.server_max_window_bits, params.client_max_window_bits];
            (params.server_no_context_takeover, bits.map(|bits| bits.unwrap_or(15)))
        };
        let confirmed =
            self.client.server_max_window_bits.is_none() || said.server_max_window_bits.is_some();
        if takeover && confirmed && effective(agreed) == effective(wanted) {
            Ok(agreed)
        } else {
            Err(format!("agreed on `{response}` where `{wanted}` was due"))
        }
    }
}

/// Checks what the client sent and what the server sent.
pub(super) fn both(
    up: Direction,
    down: Direction,
    connection: &Connection,
    payloads: &Payloads,
) -> Result<Cost, String> {
    let mut total = Cost::default();
    for (name, direction, bytes) in [
        ("client to server", up, &connection.from_client),
        ("server to client", down, &connection.from_server),
    ] {
        let messages = wire::messages(bytes);
        let cost = messages.and_then(|messages| direction.judge(&messages, &payloads.all));
        total += cost.map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(total)
}

impl Direction {
    fn judge(&self, messages: &[Message], payloads: &[String]) -> Result<Cost, String> {
        if messages.len() != payloads.len() {
            return Err(format!("{} messages, not {}", messages.len(), payloads.len()));
        }
        let mut total = Cost::default();
        for (number, (message, payload)) in messages.iter().zip(payloads).enumerate() {
            let cost = self.message(message, payload.len());
            total += cost.map_err(|why| format!("message {number}: {why}"))?;
        }
        self.probe(messages, payloads)?;
        if total.wire < total.payload { Ok(total) } else { Err(format!("no gain: {total:?}")) }
    }

    fn message(&self, message: &Message, payload: usize) -> Result<Cost, String> {
        let [first, rest @ ..] = &message[..] else { return Err("no frame".to_owned()) };
        let wire = message.iter().map(|frame| frame.size).sum();
        if first.opcode != if self.binary { 2 } else { 1 } {
            return Err(format!("opcode {}", first.opcode));
        }
        if !self.by_frame && rest.iter().any(|frame| frame.rsv1) {
            return Err("RSV1 on a continuation".to_owned());
        }
        if payload >= LARGE {
            if !first.rsv1 || wire >= payload {
                return Err(format!("{payload} bytes took {wire}, RSV1 {}", first.rsv1));
            }
            if self.fragments == Some(rest.is_empty()) {
                return Err(format!("{} frames", message.len()));
            }
        }
        Ok(Cost { payload, wire })
    }

    /// Whether the sender remembers what it may, and nothing else.
    fn probe(&self, messages: &[Message], payloads: &[String]) -> Result<(), String> {
        // Digits cannot be had for less than half their length, repeated ones for next to nothing.
        for (what, number, expected) in [
            ("a window", WINDOW, Some(self.window_bits > 13)),
            ("a history", FIRST, Some(false)),
            ("a history", AGAIN, self.takeover.map(|takeover| takeover && self.window_bits >= 10)),
        ] {
            let wire: usize = messages[number].iter().map(|frame| frame.size).sum();
            let payload = payloads[number].len();
            let cheap = wire * 5 < payload * 2;
            if expected == Some(!cheap) {
                return Err(format!(
                    "{what} was {}used: {payload} bytes took {wire} under {self:?}",
                    if cheap { "" } else { "not " },
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Frame;
    use super::*;

    const PLAIN: Direction = Direction {
        takeover: Some(true),
        window_bits: 15,
        binary: false,
        fragments: Some(false),
        by_frame: false,
    };

    /// Payloads of these lengths in whole messages of these sizes.
    fn judge(direction: Direction, sizes: [usize; 4]) -> Result<(), String> {
        let payloads = [20_000, 600, 600, LARGE].map(|length| "x".repeat(length));
        let frame = |size| vec![Frame { opcode: 1, fin: true, rsv1: true, size }];
        direction.judge(&sizes.map(frame), &payloads).map(drop)
    }

    #[test]
    fn what_is_remembered_shows_in_the_sizes() {
        let without = Direction { takeover: Some(false), ..PLAIN };
        let narrow = Direction { window_bits: 10, ..PLAIN };
        assert_eq!(judge(PLAIN, [5100, 340, 20, 9000]), Ok(()));
        assert_eq!(judge(without, [5100, 340, 340, 9000]), Ok(()));
        assert_eq!(judge(narrow, [10_600, 340, 20, 9000]), Ok(()));
        let either = Direction { takeover: None, ..PLAIN };
        assert_eq!(judge(either, [5100, 340, 20, 9000]), Ok(()));
        assert_eq!(judge(either, [5100, 340, 340, 9000]), Ok(()));
        assert!(judge(PLAIN, [5100, 340, 340, 9000]).is_err());
        assert!(judge(without, [5100, 340, 20, 9000]).is_err());
        assert!(judge(narrow, [5100, 340, 20, 9000]).is_err());
        assert!(judge(PLAIN, [5100, 20, 20, 9000]).is_err());
        assert!(judge(PLAIN, [5100, 340, 20, LARGE]).is_err());
        assert!(
            judge(Direction { fragments: Some(true), ..PLAIN }, [5100, 340, 20, 9000]).is_err()
        );
        assert!(judge(Direction { binary: true, ..PLAIN }, [5100, 340, 20, 9000]).is_err());
    }

    #[test]
    fn a_client_is_held_to_what_it_said_itself() {
        let bits = Params {
            server_max_window_bits: Some(9),
            client_max_window_bits: Some(9),
            ..Params::default()
        };
        let plan = |client, server| Plan {
            client,
            server,
            binary: false,
            fragments: (false, false),
            client_is_browser: false,
        };
        let asked = plan(bits, Params::default());
        assert_eq!(asked.agreed("permessage-deflate; server_max_window_bits=9"), Ok(bits));
        assert!(asked.agreed("permessage-deflate; client_max_window_bits=9").is_err());
        let server = plan(Params::default(), bits);
        assert!(server.agreed("permessage-deflate; server_max_window_bits=9").is_err());
        let fifteen = Params { server_max_window_bits: Some(15), ..Params::default() };
        let none = Params { client_no_context_takeover: true, ..Params::default() };
        assert!(plan(none, Params::default()).agreed("permessage-deflate").is_ok());
        assert!(plan(Params::default(), none).agreed("permessage-deflate").is_err());
        assert!(plan(fifteen, Params::default()).agreed("permessage-deflate").is_err());
        assert!(plan(Params::default(), fifteen).agreed("permessage-deflate").is_ok());
    }
}
