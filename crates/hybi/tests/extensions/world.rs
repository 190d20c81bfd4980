//! The world of these tests: connections whose extensions were agreed on in a real opening
//! handshake, by every extension there is.

use core::time::Duration;
use std::time::Instant;

use http::HeaderMap;
use hybi::{
    Client, Config, Connection, Deflate, Error, Extensions, Message, Role, Server, Version,
    extension::{DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress},
    frame::MaskingKey,
};
use hybi_handshake::{HeadLimits, ServerHandshake, write_response};

pub(crate) use crate::support::noise::noise;

/// The extensions that compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PermessageDeflate,
    PermessageCompress,
    WebkitPermessageCompress,
    PerframeCompress,
    DeflateFrame,
    WebkitDeflateFrame,
    DeflateStream,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::PermessageDeflate,
        Self::PermessageCompress,
        Self::WebkitPermessageCompress,
        Self::PerframeCompress,
        Self::DeflateFrame,
        Self::WebkitDeflateFrame,
        Self::DeflateStream,
    ];
    pub(crate) const PER_MESSAGE: [Self; 3] =
        [Self::PermessageDeflate, Self::PermessageCompress, Self::WebkitPermessageCompress];
    pub(crate) const PER_FRAME: [Self; 3] =
        [Self::PerframeCompress, Self::DeflateFrame, Self::WebkitDeflateFrame];

    pub(crate) fn extensions(self, deflate: Deflate) -> Extensions {
        match self {
            Self::PermessageDeflate => deflate.into(),
            Self::PermessageCompress => PermessageCompress::new(deflate).into(),
            Self::WebkitPermessageCompress => PermessageCompress::webkit(deflate).into(),
            Self::PerframeCompress => PerframeCompress::new(deflate).into(),
            Self::DeflateFrame => DeflateFrame::new(deflate).into(),
            Self::WebkitDeflateFrame => DeflateFrame::webkit(deflate).into(),
            Self::DeflateStream => DeflateStream::new(deflate).into(),
        }
    }

    fn version(self) -> Version {
        match self {
            Self::DeflateStream => Version::HYBI_08,
            _ => Version::RFC6455,
        }
    }
}

/// Quiet choices: nothing is sent that was not asked for.
pub(crate) fn config() -> Config {
    Config::default().ping_interval(None)
}

/// A client and a server that agreed on this extension, each with its own wishes.
pub(crate) fn agreed(kind: Kind, client: Deflate, server: Deflate, config: &Config) -> Opened {
    let opened = between(kind.version(), kind.extensions(client), kind.extensions(server), config);
    let opened = opened.expect("an answer that fits");
    assert_eq!(opened.client.negotiated().extensions.len(), 1, "{kind:?}");
    opened
}

/// The same with all as it comes.
pub(crate) fn pair(kind: Kind, config: &Config) -> [Connection; 2] {
    let Opened { client, server, .. } =
        agreed(kind, Deflate::default(), Deflate::default(), config);
    [client, server]
}

/// The connection of `role` in such a pair.
pub(crate) fn endpoint(kind: Kind, role: Role, config: &Config) -> Connection {
    let [client, server] = pair(kind, config);
    if role == Role::Client { client } else { server }
}

/// The close code of what is too large.
pub(crate) fn too_large(kind: Kind) -> u16 {
    // Drafts gave the number that RFC 6455 has for it to something else.
    if kind == Kind::DeflateStream { 1004 } else { 1009 }
}

/// Whether a reference back to before the first byte is an error; to miniz_oxide, zeros are there.
pub(crate) const CHECKS_DISTANCES: bool = Deflate::HAS_WINDOW_BITS;

/// Two endpoints after their opening handshake.
pub(crate) struct Opened {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
    /// The offers, as they were sent.
    pub(crate) offer: Option<String>,
    /// The answer, as it was sent.
    pub(crate) answer: Option<String>,
}

fn between(
    version: Version,
    client: Extensions,
    server: Extensions,
    config: &Config,
) -> Result<Opened, Error> {
    let client = Client::builder().version(version).extensions(client).config(config.clone());
    let server = Server::builder().versions([version]).extensions(server).config(config.clone());
    open(&client.build()?, &server.build())
}

/// The opening handshake, without I/O.
pub(crate) fn open(client: &Client, server: &Server) -> Result<Opened, Error> {
    let uri = "ws://example.org/".parse().expect("a URI");
    let mut asking = client.handshake(&uri);
    let mut reading = ServerHandshake::new(HeadLimits::default());
    let (_, request) = reading.handle_input(asking.request_bytes())?;
    let request = request.expect("a whole request");
    let (response, upgrade) = server.upgrade(&request)?;
    let mut bytes = Vec::new();
    write_response(&response, &[], &mut bytes);
    let (_, accepted) = asking.handle_input(&bytes)?;
    let negotiated = accepted.expect("a whole response").negotiated;
    let connection = Connection::new(Role::Client, negotiated, client.config().clone());
    Ok(Opened {
        // With keys of zeros, what a client sends can be read as it is.
        client: connection.with_masking_keys(|| MaskingKey::from_bytes([0; 4])),
        server: upgrade.into_connection(),
        offer: field(request.headers()),
        answer: field(response.headers()),
    })
}

fn field(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> = headers.get_all("Sec-WebSocket-Extensions").into_iter().collect();
    assert!(values.len() <= 1, "one line has all");
    values.first().map(|value| value.to_str().expect("text").to_owned())
}

/// Hands over bytes in one chunk, to the last, and returns what came of them.
pub(crate) fn feed(connection: &mut Connection, bytes: &[u8]) -> Vec<Message> {
    let mut chunk = bytes.to_vec();
    let mut events = Vec::new();
    let mut at = 0;
    while at < chunk.len() {
        let (consumed, event) = connection.handle_input(&mut chunk[at..]);
        assert!(consumed > 0 || event.is_some(), "no progress");
        events.extend(event.map(Message::from));
        at += consumed;
    }
    events
}

/// What one connection sends and the other receives of it.
pub(crate) fn carry(from: &mut Connection, to: &mut Connection) -> Vec<Message> {
    let events = feed(to, &from.transmit_to_vec());
    assert!(to.error().is_none(), "{:?}", to.error());
    events
}

/// Lets the time be `now`, as a driver does before it waits.
pub(crate) fn tick(connection: &mut Connection, now: Instant) {
    while connection.poll_timeout(|| now).is_some_and(|deadline| deadline <= now) {
        connection.handle_timeout(now);
    }
}

/// Lets a connection wait for `time`, with nothing to do but for its deadlines; returns the time then.
pub(crate) fn wait(connection: &mut Connection, now: Instant, time: Duration) -> Instant {
    let end = now + time;
    let mut now = now;
    while let Some(deadline) = connection.poll_timeout(|| now).filter(|at| *at <= end) {
        now = deadline.max(now);
        connection.handle_timeout(now);
    }
    end
}

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];

/// A message as many applications have them: much of it is in each.
pub(crate) fn json(number: usize) -> String {
    let items: Vec<_> = noise(20, 1 + number as u64)
        .iter()
        .map(|value| format!("{{\"id\":{value},\"kind\":\"measurement\",\"unit\":\"kelvin\"}}"))
        .collect();
    format!("[{}]", items.join(","))
}
