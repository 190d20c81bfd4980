//! From a URL to an open connection, and what it is called when that fails.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use http::Response;
use hybi::{
    Client, Config, Error, HandshakeError, Version, WebSocket, WsUri,
    mux::{self, Channel, Connected, Opener},
    opening,
};
use hybi_tokio::{TokioIo, TokioTimer};
use rustls::CertificateError;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use super::refusal::refused;
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::extensions::{self, Chosen};
use crate::log;
use crate::stream::Stream;
use crate::tls::{self, Trust};
use crate::values::{self, HostPort, version_name};

/// An open connection, or a channel of one, and how it came about.
#[derive(Debug)]
pub(crate) struct Opened<T> {
    pub(crate) ws: WebSocket<T, TokioTimer>,
    pub(crate) response: Response<()>,
    pub(crate) uri: WsUri,
    /// Name lookup and connecting together; of the first channel as well.
    pub(crate) tcp: Option<Duration>,
    pub(crate) tls: Option<Duration>,
    pub(crate) handshake: Duration,
}

/// What the server agreed to.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(crate) enum Reached {
    Single(Opened<TokioIo<Stream>>),
    Multiplexed(Box<Multiplexed>),
}

/// A connection with channels.
pub(crate) struct Multiplexed {
    pub(crate) first: Opened<Channel>,
    pub(crate) opener: Opener<TokioTimer>,
    pub(crate) driver: mux::Driver<TokioIo<Stream>, TokioTimer>,
}

/// Connects within `--timeout`, all steps together, and again for each version that is tried.
pub(crate) async fn open(args: &ConnectArgs) -> Result<Reached, Failure> {
    let (mut client, mux) = client(args)?;
    let uri = &args.url.uri;
    let secured = uri.is_secure().then(|| Secured::of(args)).transpose()?;
    let deadline = Instant::now() + args.time.timeout;
    loop {
        let Dialled { stream, tcp, tls } = dial(args, secured.as_ref(), deadline).await?;
        let begun = Instant::now();
        let (stream, timer) = (TokioIo::new(stream), TokioTimer::default());
        let answered = match &mux {
            Some(config) if client.version() == Version::RFC6455 => {
                let timers = TokioTimer::default;
                mux::connect_on(&client, config, uri, stream, timers, deadline).await
            }
            _ => opening::connect_on(&client, uri, stream, timer, deadline)
                .await
                .map(|(ws, response)| (Connected::Single(ws), response)),
        };
        let error = match answered {
            Ok((connected, response)) => {
                let (uri, tcp, handshake) = (uri.clone(), Some(tcp), begun.elapsed());
                return Ok(match connected {
                    Connected::Single(ws) => {
                        Reached::Single(Opened { ws, response, uri, tcp, tls, handshake })
                    }
                    Connected::Multiplexed(mux) => {
                        let ws = mux.first;
                        let first = Opened { ws, response, uri, tcp, tls, handshake };
                        let (opener, driver) = (mux.opener, mux.driver);
                        Reached::Multiplexed(Box::new(Multiplexed { first, opener, driver }))
                    }
                });
            }
            Err(error) => error,
        };
        // A server that lists nothing is not asked again: it may be no WebSocket server at all.
        let lists = error.handshake().is_some_and(|cause| !cause.versions_offered().is_empty());
        let next = client.fall_back(&error).filter(|_| lists);
        client = next.ok_or_else(|| handshake_failure(args, &error))?;
        let next = version_name(client.version());
        log::info(format_args!("opening handshake failed: {error}; asking for {next}"));
    }
}

/// Opens one more channel, within `--timeout`.
pub(crate) async fn open_channel(
    args: &ConnectArgs,
    opener: &Opener<TokioTimer>,
) -> Result<Opened<Channel>, Failure> {
    let (uri, begun) = (args.url.uri.clone(), Instant::now());
    let opened = opener.open_channel(&uri).await;
    let (ws, response) = opened.map_err(|error| handshake_failure(args, &error))?;
    Ok(Opened { ws, response, uri, tcp: None, tls: None, handshake: begun.elapsed() })
}

/// A stream to the server, and how long it took to get there.
struct Dialled {
    stream: Stream,
    tcp: Duration,
    tls: Option<Duration>,
}

async fn dial(
    args: &ConnectArgs,
    secured: Option<&Secured>,
    deadline: Instant,
) -> Result<Dialled, Failure> {
    let begun = Instant::now();
    let too_late = |what: String| {
        let limit = args.time.timeout;
        move |_| Failure::new(Status::TimedOut, what, took_longer_than(limit))
    };
    let place = Place::of(args);
    let connecting = format!("cannot connect to {}", place.name());
    let stream = timeout_at(deadline.into(), place.connect())
        .await
        .map_err(too_late(connecting.clone()))?
        .map_err(|error| Failure::new(Status::Connect, connecting, error))?;
    let tcp = begun.elapsed();
    match (stream, secured) {
        (Stream::Tcp(stream), Some(Secured { connector, name })) => {
            let failed = format!("TLS with {} failed", args.url.uri.host());
            let stream = timeout_at(deadline.into(), connector.connect(name.clone(), stream))
                .await
                .map_err(too_late(failed.clone()))?
                .map_err(|error| tls_failure(args, failed, &error))?;
            let tls = Some(begun.elapsed() - tcp);
            Ok(Dialled { stream: Stream::Tls(Box::new(stream.into())), tcp, tls })
        }
        (stream, _) => Ok(Dialled { stream, tcp, tls: None }),
    }
}

/// The library's time for the whole end of a connection.
const END_TIME: Duration = Duration::from_secs(30);

fn client(args: &ConnectArgs) -> Result<(Client, Option<mux::Config>), Failure> {
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
    client = client.extensions(extensions).config(config);
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

/// What the transport is opened to.
enum Place<'a> {
    Unix(&'a std::path::Path),
    Tcp(HostPort),
}

impl<'a> Place<'a> {
    fn of(args: &'a ConnectArgs) -> Self {
        if let Some(elsewhere) = &args.transport.connect_to {
            return Self::Tcp(elsewhere.clone());
        }
        match &args.url.unix {
            Some(path) => Self::Unix(path),
            None => Self::Tcp(HostPort { host: args.url.host(), port: args.url.uri.port() }),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp(HostPort { host, port }) if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp(HostPort { host, port }) => format!("{host}:{port}"),
        }
    }

    async fn connect(&self) -> std::io::Result<Stream> {
        match self {
            Self::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
            Self::Tcp(HostPort { host, port }) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

/// What TLS takes: whom to trust, and what the server has to be called.
struct Secured {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Secured {
    fn of(args: &ConnectArgs) -> Result<Self, Failure> {
        let config = tls::client(match &args.transport.tls_ca {
            _ if args.transport.insecure => Trust::Anyone,
            Some(path) => Trust::File(path),
            None => Trust::System,
        })?;
        let name = match &args.transport.tls_name {
            Some(name) => name.clone(),
            None => values::server_name(args.url.uri.host())
                .map_err(|why| Failure::usage(args.url.uri.to_string(), why))?,
        };
        Ok(Self { connector: Arc::new(config).into(), name })
    }
}

fn tls_failure(args: &ConnectArgs, what: String, error: &std::io::Error) -> Failure {
    let failure = Failure::new(Status::Tls, what, error);
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => failure.hint("--tls-name NAME sets the name that is expected, -k trusts any"),
        Some(rustls::Error::InvalidCertificate(_)) => failure.hint(match &args.transport.tls_ca {
            Some(path) => format!("{} does not vouch for it, -k trusts any", path.display()),
            None => "--tls-ca FILE names a certificate to trust, -k trusts any".to_owned(),
        }),
        Some(rustls::Error::InvalidMessage(_)) => {
            failure.hint("the server may not speak TLS at this port; try ws://")
        }
        _ => failure,
    }
}

fn took_longer_than(limit: Duration) -> String {
    format!("took longer than {limit:?}")
}

const WHAT: &str = "opening handshake failed";

fn too_late(args: &ConnectArgs) -> Failure {
    Failure::new(Status::TimedOut, WHAT, took_longer_than(args.time.timeout))
}

fn handshake_failure(args: &ConnectArgs, error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => too_late(args),
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
        // The text of the error names the step, too.
        _ => match error.io_error() {
            Some(cause) => Failure::new(Status::Connect, WHAT, cause),
            None => Failure::new(Status::Connect, WHAT, error),
        },
    }
}
