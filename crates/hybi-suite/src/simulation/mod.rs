//! Conversations by seed: two ends over a simulated link, with everything chosen at random: room, delay, who is
//! polled when, which futures are dropped, what breaks, who ends it.
//!
//! What holds of every conversation stands in `judge`, a function each. A row is a version or an extension;
//! adding one is a line in [`rows`].

mod judge;
mod mux;
mod plan;
mod rooms;
mod run;
mod talk;

use hybi::extension::{
    DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress, PermessageDeflateDraft,
};
use hybi::{Deflate, Extensions, Version};

use hybi_testkit::choices::{self, Choices, Failure};

/// What conversations are about: one version, or one extension over each version that has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// What the command line calls it.
    pub name: String,
    versions: Vec<Version>,
    extensions: Extensions,
    about: About,
}

/// What has conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// A connection.
    Connections,
    /// The channels of one.
    Channels,
    /// One message for many.
    Rooms,
}

/// Every version, each without extensions, and every extension; the channels of multiplexed connections; and rooms,
/// whose members are of every version and extension.
#[must_use]
pub fn rows() -> Vec<Row> {
    let version = |version: Version| Row {
        name: version.to_string(),
        versions: vec![version],
        extensions: Extensions::none(),
        about: About::Connections,
    };
    let extension = |name: &str, extensions: Extensions| Row {
        name: name.to_owned(),
        versions: Version::ALL
            .into_iter()
            .filter(|version| !extensions.offers(*version).is_empty())
            .collect(),
        extensions,
        about: About::Connections,
    };
    let channels = |name: &str, extensions: Extensions| Row {
        name: name.to_owned(),
        versions: vec![Version::RFC6455],
        extensions,
        about: About::Channels,
    };
    // What is short is compressed as well, or there would be little to see.
    let deflate = Deflate::default().min_size(0);
    let apart = deflate.own_context_takeover(false).peer_context_takeover(false);
    let small = deflate.own_window_bits(9).peer_window_bits(9);
    // Compressed in many steps.
    let slow = deflate.level(9);
    let mut rows: Vec<_> = Version::ALL.into_iter().map(version).collect();
    rows.extend([
        extension("permessage-deflate", deflate.into()),
        extension("permessage-deflate-apart", apart.into()),
        extension("permessage-deflate-small", small.into()),
        extension("permessage-deflate-slow", slow.into()),
        extension("permessage-deflate-draft", PermessageDeflateDraft::new(deflate).into()),
        extension("permessage-compress", PermessageCompress::new(deflate).into()),
        extension("x-webkit-permessage-compress", PermessageCompress::webkit(deflate).into()),
        extension("perframe-compress", PerframeCompress::new(deflate).into()),
        extension("deflate-frame", DeflateFrame::new(deflate).into()),
        extension("deflate-frame-slow", DeflateFrame::new(slow).into()),
        extension("x-webkit-deflate-frame", DeflateFrame::webkit(deflate).into()),
        extension("deflate-stream", DeflateStream::new(deflate).into()),
        extension("deflate-stream-slow", DeflateStream::new(slow).into()),
        channels("mux", Extensions::none()),
        channels("mux-permessage-deflate", deflate.into()),
        Row {
            name: "rooms".to_owned(),
            versions: Version::ALL.to_vec(),
            extensions: Extensions::none(),
            about: About::Rooms,
        },
    ]);
    rows
}

/// One conversation.
///
/// # Errors
///
/// What does not hold of it.
pub fn converse(row: &Row, choices: &Choices) -> Result<(), String> {
    match row.about {
        About::Connections => run::run(plan::Plan::new(row, choices), choices),
        About::Channels => mux::run(&row.extensions, choices),
        About::Rooms => rooms::run(choices),
    }
}

/// The conversations of these seeds.
///
/// # Errors
///
/// The first in which something does not hold, made small, and the command that shows it again.
pub fn explore(row: &Row, seeds: core::ops::Range<u64>) -> Result<(), String> {
    choices::explore(seeds, |choices| converse(row, choices)).map_err(|failure| told(row, &failure))
}

/// The conversation of these choices.
///
/// # Errors
///
/// What does not hold of it.
pub fn replay(row: &Row, drawn: &[u32]) -> Result<(), String> {
    choices::replay(drawn, |choices| converse(row, choices)).map_err(|failure| told(row, &failure))
}

/// More choices than this are no command that anybody types.
const FEW: usize = 200;

fn told(row: &Row, failure: &Failure) -> String {
    let Failure { seed, why, choices, .. } = failure;
    let again = match seed {
        Some(seed) if choices.len() > FEW => format!("--seeds {seed}..{}", seed + 1),
        _ => {
            let choices: Vec<_> = choices.iter().map(u32::to_string).collect();
            format!("--choices {}", choices.join("."))
        }
    };
    format!("{}: {why}\nagain: cargo xtask simulate {} {again}", row.name, row.name)
}
