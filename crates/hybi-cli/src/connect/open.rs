//! From a URL to an open connection, and what it is called when that fails.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use http::Response;
use hybi::{
    Client, Config, Error, HandshakeError, OpeningError, RedirectError, Version, WebSocket, WsUri,
    mux::{self, Channel, Connected, Opener},
    opening::{self, Stage},
    proxy::Proxies,
};
use hybi_h2::EitherIo;
use hybi_tokio::{Stream, TokioIo, TokioTimer};

use super::dial::{Dialler, took_longer_than};
use super::http2;
use super::refusal::refused;
use super::times::{Stopwatch, Times};
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::extensions::{self, Chosen};
use crate::log;
use crate::values::{HttpVersion, version_name};

/// An open connection, or a channel of one, and how it came about.
#[derive(Debug)]
pub(crate) struct Opened<T> {
    pub(crate) ws: WebSocket<T, TokioTimer>,
    pub(crate) response: Response<()>,
    pub(crate) uri: WsUri,
    /// Of the first channel those of the connection; another has its handshake alone.
    pub(crate) times: Times,
}

/// What the server agreed to.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(crate) enum Reached {
    Single(Opened<TokioIo<Stream>>),
    /// A stream of a connection of HTTP/2.
    Http2(Box<Opened<EitherIo>>),
    Multiplexed(Box<Multiplexed>),
}

/// A connection with channels.
pub(crate) struct Multiplexed {
    pub(crate) first: Opened<Channel>,
    pub(crate) opener: Opener<TokioTimer>,
    pub(crate) driver: mux::Driver<TokioIo<Stream>, TokioTimer>,
}

/// What the options say of opening a connection, for each attempt.
pub(crate) struct Opening {
    args: Arc<ConnectArgs>,
    client: Client,
    mux: Option<mux::Config>,
    dialler: Dialler,
    stopwatch: Stopwatch,
}

/// Why an attempt failed, and where.
pub(crate) struct NotOpened {
    uri: WsUri,
    pub(crate) error: Error,
}

impl Opening {
    /// Finds mistakes in the options before anybody is connected to.
    pub(crate) fn new(args: &Arc<ConnectArgs>) -> Result<Self, Failure> {
        let proxies = proxies(args)?;
        let stopwatch = Stopwatch::default();
        let (client, mux) = client(args, &proxies, &stopwatch)?;
        let dialler = Dialler::new(args, &proxies)?;
        Ok(Self { args: Arc::clone(args), client, mux, dialler, stopwatch })
    }

    /// Connects within `--timeout`, all steps together, and again for each version that is tried and each redirect that is
    /// followed.
    pub(crate) async fn attempt(&self) -> Result<Reached, NotOpened> {
        let (mut client, mut uri) = (self.client.clone(), self.args.url.uri.clone());
        let deadline = Instant::now() + self.args.time.timeout;
        self.stopwatch.take();
        loop {
            let error = match self.ask(&client, &uri, deadline).await {
                Ok(reached) => return Ok(reached),
                Err(error) => error,
            };
            match client.redirect(&uri, &error) {
                Ok(Some(next)) => {
                    (client, uri) = next;
                    log::info(format_args!("redirected to {uri}"));
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Err(NotOpened { uri, error }),
            }
            // A server that lists nothing is not asked again: it may be no WebSocket server at all.
            let lists = error.handshake().is_some_and(|cause| !cause.versions_offered().is_empty());
            match client.fall_back(&error).filter(|_| lists) {
                Some(next) => client = next,
                None => return Err(NotOpened { uri, error }),
            }
            let next = version_name(client.version());
            log::info(format_args!("opening handshake failed: {error}; asking for {next}"));
        }
    }

    /// Goes to one server, and asks it once.
    async fn ask(&self, client: &Client, uri: &WsUri, deadline: Instant) -> Result<Reached, Error> {
        let stream = self.dialler.reach(client, uri, deadline).await?;
        if self.args.transport.http == HttpVersion::Http2 {
            let (ws, response) = http2::ask(client, uri, stream, deadline).await?;
            return Ok(Reached::Http2(Box::new(self.opened(ws, response, uri))));
        }
        let stream = TokioIo::new(stream);
        let Some(config) = self.mux.as_ref().filter(|_| client.version() == Version::RFC6455)
        else {
            let timer = TokioTimer::default();
            let (ws, response) =
                opening::connect_on(client, uri.clone(), stream, timer, deadline).await?;
            return Ok(Reached::Single(self.opened(ws, response, uri)));
        };
        let timers = TokioTimer::default;
        let (connected, response) =
            mux::connect_on(client, config, uri.clone(), stream, timers, deadline).await?;
        Ok(match connected {
            Connected::Single(ws) => Reached::Single(self.opened(ws, response, uri)),
            Connected::Multiplexed(mux) => {
                let first = self.opened(mux.first, response, uri);
                let (opener, driver) = (mux.opener, mux.driver);
                Reached::Multiplexed(Box::new(Multiplexed { first, opener, driver }))
            }
        })
    }

    fn opened<T>(
        &self,
        ws: WebSocket<T, TokioTimer>,
        response: Response<()>,
        uri: &WsUri,
    ) -> Opened<T> {
        Opened { ws, response, uri: uri.clone(), times: self.stopwatch.take() }
    }

    /// What an attempt failed of, as it is told.
    pub(crate) fn failure(&self, not_opened: &NotOpened) -> Failure {
        self.dialler.failure(&not_opened.uri, &not_opened.error)
    }
}

/// Opens one more channel where the first is, within `--timeout`.
pub(crate) async fn open_channel(
    args: &ConnectArgs,
    opener: &Opener<TokioTimer>,
    uri: WsUri,
) -> Result<Opened<Channel>, Failure> {
    let begun = Instant::now();
    let opened = opener.open_channel(&uri).await;
    let (ws, response) = opened.map_err(|error| handshake_failure(args, &error))?;
    let times = Times::from([(Stage::Handshake, begun.elapsed())]);
    Ok(Opened { ws, response, uri, times })
}

/// The library's time for the whole end of a connection.
const END_TIME: Duration = Duration::from_secs(30);

/// The proxies of the options, or of the environment.
fn proxies(args: &ConnectArgs) -> Result<Proxies, Failure> {
    let transport = &args.transport;
    if let Some(proxy) = &transport.proxy {
        return Ok(Proxies::all(proxy.clone()));
    }
    if transport.no_proxy || transport.connect_to.is_some() || args.url.uri.unix_socket().is_some()
    {
        return Ok(Proxies::default());
    }
    Proxies::of_environment().map_err(|error| {
        Failure::usage("usage", error).hint("--no-proxy goes without those of the environment")
    })
}

fn client(
    args: &ConnectArgs,
    proxies: &Proxies,
    stopwatch: &Stopwatch,
) -> Result<(Client, Option<mux::Config>), Failure> {
    let time = &args.time;
    let config = Config::default()
        .max_message(time.max_message)
        .max_frame(time.max_message as u64)
        .max_fragments(time.max_fragments)
        .fragment_size(args.sending.fragment)
        // At the prompt, pongs answer what was typed.
        .show_control_frames(args.receiving.show_control || args.is_interactive())
        .handshake_timeout(time.timeout)
        .ping_interval(time.ping_interval.0)
        .ping_timeout(time.ping_timeout)
        .close_timeout(time.close_timeout)
        // Whoever waits longer for the answer waits longer for the end.
        .end_timeout(END_TIME.max(time.close_timeout));
    let asked = &args.handshake;
    let mut versions = asked.protocol_version.versions();
    let Chosen { extensions, mux } = extensions::chosen(&asked.ext, &versions, |deflate| deflate)?;
    let first = versions.remove(0);
    let mut client = Client::builder().version(first).fallback(versions);
    client = client.extensions(extensions).config(config).proxies(proxies.clone());
    let stopwatch = stopwatch.clone();
    client = client.on_stage(move |stage, took| stopwatch.add(stage, took));
    if args.transport.follow {
        client = client.follow_redirects(args.transport.max_redirects);
    }
    if let Some(value) = &asked.version_header {
        client = client.version_header(value);
    }
    if let Some(origin) = &asked.origin {
        client = client.origin(origin);
    }
    for name in &asked.subprotocol {
        client = client.subprotocol(name);
    }
    let cookies = (!asked.cookie.is_empty()).then(|| asked.cookie.join("; "));
    let fields = [
        ("User-Agent", asked.user_agent.as_deref()),
        ("Cookie", cookies.as_deref()),
        ("Authorization", asked.user.as_deref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            client = client.header(name, value);
        }
    }
    for (name, value) in &asked.header {
        client = client.header(name, value);
    }
    let client = client.build().map_err(|error| Failure::usage("usage", error))?;
    Ok((client, mux))
}

fn not_followed(error: &Error) -> Failure {
    let failure = Failure::new(Status::Refused, "the server refused the opening handshake", error);
    match error {
        Error::Redirect(why) if matches!(**why, RedirectError::TooMany { .. }) => {
            failure.hint("--max-redirects N follows more of them")
        }
        _ => failure,
    }
}

const WHAT: &str = "opening handshake failed";

fn too_late(args: &ConnectArgs) -> Failure {
    Failure::new(Status::TimedOut, WHAT, took_longer_than(args.time.timeout))
}

pub(super) fn handshake_failure(args: &ConnectArgs, error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => too_late(args),
        Error::Redirect(_) => not_followed(error),
        Error::Handshake(cause) => match &**cause {
            HandshakeError::Rejected(response) => refused(args, cause, response),
            HandshakeError::HeadTooLarge { .. }
            | HandshakeError::TooManyFields { .. }
            | HandshakeError::TooManyNames { .. } => {
                // The server may answer what it likes; how much of it is taken is for us to say.
                Failure::new(Status::Expectation, "the server's answer is above our limit", cause)
                    .hint("no option raises it")
            }
            cause => {
                let at = cause.offset().map_or_else(String::new, |at| format!(", byte {at}"));
                let rule = format!("{cause} ({}{at})", cause.section());
                let failure = Failure::new(Status::BadHandshake, WHAT, rule)
                    .rule(cause.section(), cause.offset().map(|at| at as u64));
                match cause {
                    // What TLS begins an answer with: an alert, or a handshake record.
                    HandshakeError::NotHttp { byte: 0x15 | 0x16 } => failure.hint("try wss://"),
                    _ => failure,
                }
            }
        },
        Error::Opening(step)
            if args.transport.http == HttpVersion::Http2
                && let OpeningError::Handshake(cause) = &**step =>
        {
            http2::failure(cause)
        }
        // The text of the error names the step, too.
        _ => match error.io_error() {
            Some(cause) => Failure::new(Status::Connect, WHAT, cause),
            None => Failure::new(Status::Connect, WHAT, error),
        },
    }
}
