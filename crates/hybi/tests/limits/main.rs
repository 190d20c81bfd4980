//! Every limit of a connection, in every version and both roles: what is just within it passes, and what is
//! just beyond it does not.
//!
//! | limit | where |
//! |---|---|
//! | `max_message`, `max_frame`, `max_fragments` | [`messages`] |
//! | 125 bytes in a control frame, 123 in a close reason, both ways | [`control`] |
//! | `fragment_size`, `outbox_limit` | [`output`] |
//! | `ping_interval`, `ping_timeout`, `idle_timeout`, `write_timeout`, `park_after` | [`deadlines`] |
//! | `close_timeout`, `end_timeout`, 1 MiB or 1 s that is discarded at the end | [`ending`] |
//! | `handshake_timeout`, 2 s for an answer that is decided late | [`opening`] |
//! | `head_limits`: bytes and fields; 100 names in a list; 64 KiB and 1 s of a refusal | [`heads`] |
//!
//! What an extension decodes to is limited in `tests/extensions/limits.rs`, and what frames of hixie-75 and
//! 76 are made of in `hybi-legacy`.

mod control;
mod deadlines;
mod ending;
mod heads;
mod messages;
mod opening;
mod output;
#[path = "../support/mod.rs"]
mod support;
