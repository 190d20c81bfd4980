//! `hybi serve`: its options, their environment names and their defaults.

use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hybi::handshake::{HostPattern, OriginPattern};

use crate::extensions::{ExtensionList, server_extensions};
use crate::serve::route::Route;
use crate::values::{
    HttpVersion, ListenAddr, Span, VersionList, certificate_name, count, duration, duration_or_off,
    header_text, host, listen_addr, size, size_from_one, time, token, versions,
};

/// Serve echo, chat and other handlers for tests, demonstrations and small deployments.
///
/// Each listener prints one line on stdout when it accepts connections:
/// listening ws://127.0.0.1:8080
#[derive(Debug, Args)]
#[command(after_long_help = NOTES)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    #[command(flatten)]
    pub(crate) protocol: ProtocolArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) operations: OperationArgs,
}

/// What a query may ask of each handler, with the bounds that `Plan` and the handlers keep, and what
/// signals do.
const NOTES: &str = "\
Handlers, and what a query asks of them:
  echo        sends each message back; ?fragment=SIZE cuts it, into no more frames than
              --max-fragments allows a peer, else 1009; ?delay=D waits first, 10s at most;
              ?goodbye=1 closes after Goodbye
  echo-noext  the same without extensions
  chat        sends each message to the others of the same ?room=NAME, of 128 bytes at most, in
              which 1000 can be, else 1013; ?self=1 includes the sender
  close       closes as a text asks: CODE, CODE REASON, CODE:REASON or none; ?code= or
              ?code=&reason= does at once
  discard     reads and forgets; ?ack=1 answers with the length of each message
  generate    sends ?count=N messages (10; 0 is as many as allowed) of ?size=SIZE (64, at most
              16MiB) every ?interval=D (100ms), ?type=text or binary, then closes; 256MiB in all,
              for which each message counts 64 bytes or more

Signals:
  SIGTERM, SIGINT  end in order: accept nothing more, close each connection with 1001; the second
                   one ends at once
  SIGHUP           read --tls-cert and --tls-key again, open --access-log again; what is bad is
                   logged and leaves things as they were
  SIGUSR1          print a line of statistics to stderr, with numbers as OPEN/TOTAL and
                   MESSAGES/BYTES; channels are those beside the first of a connection

The supervisor that NOTIFY_SOCKET names is told READY=1, RELOADING=1 and STOPPING=1.";

/// Where to listen and what to answer.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listening and HTTP")]
pub(crate) struct ListenArgs {
    /// Listen here: HOST:PORT, :PORT (all addresses), [::1]:PORT or unix:PATH; port 0 picks a
    /// free one; repeatable
    #[arg(
        short, long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_delimiter = ',',
        value_parser = listen_addr, env = "HYBI_SERVE_LISTEN",
    )]
    pub(crate) listen: Vec<ListenAddr>,
    /// Write the bound addresses to FILE, one a line
    #[arg(long, value_name = "FILE", env = "HYBI_SERVE_PORT_FILE")]
    pub(crate) port_file: Option<PathBuf>,
    /// Worker threads [default: number of cores]
    #[arg(
        long, value_name = "N", value_parser = |text: &str| count::<u16>(text, 1..=1024),
        env = "HYBI_SERVE_THREADS",
    )]
    pub(crate) threads: Option<u16>,
    /// Put a handler at a path: echo, echo-noext, chat, close, discard or generate; a final *
    /// makes the path a prefix; repeatable [default: each at /NAME, echo also at /]
    #[arg(long, value_name = "PATH=HANDLER", env = "HYBI_SERVE_HANDLE", value_delimiter = ',')]
    pub(crate) handle: Vec<Route>,
    /// The versions of HTTP to speak: 1.1, or 1.1,2 for WebSockets over HTTP/2 (RFC 8441) as well, by ALPN
    /// through TLS and by prior knowledge without; what comes over HTTP/2 is of rfc6455
    #[arg(
        long,
        value_name = "LIST",
        default_value = "1.1",
        value_delimiter = ',',
        env = "HYBI_SERVE_HTTP"
    )]
    pub(crate) http: Vec<HttpVersion>,
    /// Leave out the console page that a plain GET of / answers with
    #[arg(long, env = "HYBI_SERVE_NO_PAGES")]
    pub(crate) no_pages: bool,
    /// Serve this host, with any port or one, and answer others with 421; * is a whole label, or every
    /// host; repeatable [default: any; on a loopback address its names and that address, since a page
    /// can let a name of its own lead there]
    #[arg(
        long, value_name = "NAME", value_delimiter = ',', value_parser = host,
        env = "HYBI_SERVE_HOST",
    )]
    pub(crate) host: Vec<HostPattern>,
    /// The Server header; empty leaves it out
    #[arg(
        long, value_name = "TEXT", default_value = concat!("hybi/", env!("CARGO_PKG_VERSION")),
        value_parser = header_text, env = "HYBI_SERVE_SERVER_HEADER",
    )]
    pub(crate) server_header: String,
}

impl ListenArgs {
    /// Whether HTTP/2 is spoken beside HTTP/1.1.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.http.contains(&HttpVersion::Http2)
    }

    /// What of these options cannot be had together.
    pub(crate) fn contradiction(&self) -> Option<String> {
        // Whoever does not speak HTTP/2 is to be answered in words of theirs.
        (!self.http.contains(&HttpVersion::Http11))
            .then(|| "--http 2 goes without 1.1, which is always spoken: --http 1.1,2".to_owned())
    }
}

/// What the opening handshake accepts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Protocol")]
pub(crate) struct ProtocolArgs {
    /// Versions to accept, best first: names that `hybi versions` lists, and the sets rfc, legacy (all
    /// others) and all; -NAME takes one out. hixie-75, hixie-76 and hybi-01 to hybi-03 mask nothing: a
    /// page can plant requests in what it sends that a proxy on the way takes for real. hixie-75 does
    /// not even prove that a WebSocket client asks, so that other protocols can be made to reach the
    /// server. Accept them only where the network is trusted
    #[arg(
        long, value_name = "LIST", default_value = "rfc", value_parser = versions,
        allow_hyphen_values = true, env = "HYBI_SERVE_VERSIONS",
    )]
    pub(crate) versions: VersionList,
    /// Accept this extension, with parameters as the answer has them: 'NAME; PARAMETER=VALUE'. Names:
    /// permessage-deflate, permessage-compress, perframe-compress, deflate-frame,
    /// x-webkit-deflate-frame, x-webkit-permessage-compress, deflate-stream; none, or all of the
    /// version; after these mux, which lets whoever asks have channels, with token=NAME (what is
    /// accepted for mux), quota=OCTETS (what a client may send ahead on each, 65536) and channels=N
    /// (beside the first, at a time in one connection, 64); repeatable
    /// [default: permessage-deflate for rfc6455]
    #[arg(long, value_name = "SPEC", value_parser = server_extensions, env = "HYBI_SERVE_EXT")]
    pub(crate) ext: Vec<ExtensionList>,
    /// Accept this subprotocol; repeatable, order is preference
    #[arg(
        short, long, value_name = "NAME", value_delimiter = ',', value_parser = token,
        env = "HYBI_SERVE_SUBPROTOCOL",
    )]
    pub(crate) subprotocol: Vec<String>,
    /// Whose order decides between subprotocols; require refuses with 400 if none fits
    #[arg(
        long,
        value_name = "P",
        default_value = "server",
        requires_if("require", "subprotocol"),
        env = "HYBI_SERVE_SUBPROTOCOL_POLICY"
    )]
    pub(crate) subprotocol_policy: SubprotocolPolicy,
    /// Accept this Origin: same (equals Host), none (no Origin header), null, *, or
    /// scheme://host[:port] with * as a whole label; repeatable
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "same,none",
        value_delimiter = ',',
        env = "HYBI_SERVE_ORIGIN"
    )]
    pub(crate) origin: Vec<OriginPattern>,
}

/// Whose preference picks the subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubprotocolPolicy {
    Server,
    Client,
    Require,
}

/// What to do with a connection whose peer does not read what others send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SlowPeer {
    /// Close with 1008, with 1001 before version 13.
    Close,
    /// Drop the newest message.
    Drop,
    /// Make the sender wait.
    Wait,
}

/// Ceilings and deadlines; all apply to every version.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits and time")]
pub(crate) struct LimitArgs {
    /// Connections at a time, of which each channel beside the first of its connection is one; more are
    /// answered with 503
    #[arg(
        long, value_name = "N", default_value = "10000", value_parser = at_least_one,
        env = "HYBI_SERVE_MAX_CONNECTIONS",
    )]
    pub(crate) max_connections: usize,
    /// Connections at a time from one address, of IPv6 from one network of 64 bits; more are answered
    /// with 503 [default: off]
    #[arg(
        long, value_name = "N", value_parser = at_least_one,
        env = "HYBI_SERVE_MAX_CONNECTIONS_PER_IP",
    )]
    pub(crate) max_connections_per_ip: Option<usize>,
    /// Largest message
    #[arg(
        long, value_name = "SIZE", default_value = "16MiB", value_parser = size_from_one,
        env = "HYBI_SERVE_MAX_MESSAGE",
    )]
    pub(crate) max_message: usize,
    /// Largest frame, no larger than a message [default: as message]
    #[arg(long, value_name = "SIZE", value_parser = size_from_one, env = "HYBI_SERVE_MAX_FRAME")]
    pub(crate) max_frame: Option<usize>,
    /// Most frames that a message goes on with after its first
    #[arg(
        long, value_name = "N", default_value = "65536",
        value_parser = |text: &str| count::<u32>(text, 1..=u32::MAX.into()),
        env = "HYBI_SERVE_MAX_FRAGMENTS",
    )]
    pub(crate) max_fragments: u32,
    /// Largest request head
    #[arg(
        long, value_name = "SIZE", default_value = "16KiB", value_parser = head_size,
        env = "HYBI_SERVE_MAX_HEADER_BYTES",
    )]
    pub(crate) max_header_bytes: usize,
    /// Most header fields in a request
    #[arg(
        long, value_name = "N", default_value = "128",
        value_parser = |text: &str| count::<usize>(text, LEAST_FIELDS..=MOST_FIELDS),
        env = "HYBI_SERVE_MAX_HEADERS",
    )]
    pub(crate) max_headers: usize,
    /// Time for TLS and the opening handshake together
    #[arg(
        long, value_name = "D", default_value = "10s", value_parser = time,
        env = "HYBI_SERVE_HANDSHAKE_TIMEOUT",
    )]
    pub(crate) handshake_timeout: Duration,
    /// Ping a silent peer this often, or off
    #[arg(
        long, value_name = "D", default_value = "20s", value_parser = duration_or_off,
        env = "HYBI_SERVE_PING_INTERVAL",
    )]
    pub(crate) ping_interval: Span,
    /// Time for the answer to a ping
    #[arg(
        long, value_name = "D", default_value = "20s", value_parser = time,
        env = "HYBI_SERVE_PING_TIMEOUT",
    )]
    pub(crate) ping_timeout: Duration,
    /// End a connection that sent nothing for this long, or off; with hixie-75 and hixie-76, which
    /// have no pings, nothing else notices a peer that vanished
    #[arg(
        long, value_name = "D", default_value = "off", value_parser = duration_or_off,
        env = "HYBI_SERVE_IDLE_TIMEOUT",
    )]
    pub(crate) idle_timeout: Span,
    /// Time for the peer's answer to a Close frame
    #[arg(
        long, value_name = "D", default_value = "10s", value_parser = time,
        env = "HYBI_SERVE_CLOSE_TIMEOUT",
    )]
    pub(crate) close_timeout: Duration,
    /// Time for the whole end of a connection, what is still queued included
    #[arg(
        long, value_name = "D", default_value = "30s", value_parser = time,
        env = "HYBI_SERVE_END_TIMEOUT",
    )]
    pub(crate) end_timeout: Duration,
    /// Time for a write that makes no progress, or off
    #[arg(
        long, value_name = "D", default_value = "30s", value_parser = duration_or_off,
        env = "HYBI_SERVE_WRITE_TIMEOUT",
    )]
    pub(crate) write_timeout: Span,
    /// Close each connection with 1001 after this long, or off
    #[arg(
        long, value_name = "D", default_value = "off", value_parser = duration_or_off,
        env = "HYBI_SERVE_MAX_LIFETIME",
    )]
    pub(crate) max_lifetime: Span,
    /// Bytes that may wait to be sent to one peer
    #[arg(
        long, value_name = "SIZE", default_value = "1MiB", value_parser = size_from_one,
        env = "HYBI_SERVE_SEND_QUEUE",
    )]
    pub(crate) send_queue: usize,
    /// How hard to compress: 0 stores, 1 is the fastest, 9 the smallest
    #[arg(
        long, value_name = "0-9", default_value = "1",
        value_parser = |text: &str| count::<u8>(text, 0..=9), env = "HYBI_SERVE_DEFLATE_LEVEL",
    )]
    pub(crate) deflate_level: u8,
    /// Smallest message that is compressed
    #[arg(
        long, value_name = "SIZE", default_value = "128", value_parser = size,
        env = "HYBI_SERVE_DEFLATE_MIN_SIZE",
    )]
    pub(crate) deflate_min_size: usize,
    /// What happens when chat fills that queue
    #[arg(long, value_name = "ACTION", default_value = "close", env = "HYBI_SERVE_SLOW_PEER")]
    pub(crate) slow_peer: SlowPeer,
}

/// Certificates.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Serve TLS with this certificate chain (PEM); SIGHUP reads it and its key again
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "HYBI_SERVE_TLS_CERT")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "HYBI_SERVE_TLS_KEY")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve TLS with a certificate made at start for these names; its SHA-256 goes to stderr
    #[arg(
        long, value_name = "NAMES", num_args = 0..=1, require_equals = true,
        default_missing_value = "localhost", value_delimiter = ',', value_parser = certificate_name,
        conflicts_with = "tls_cert",
        env = "HYBI_SERVE_TLS_SELF_SIGNED",
    )]
    pub(crate) tls_self_signed: Vec<String>,
}

/// Logs and the end.
#[derive(Debug, Args)]
#[command(next_help_heading = "Operations")]
pub(crate) struct OperationArgs {
    /// Write a line for each request and each ended connection; - is stdout; SIGHUP opens FILE again
    #[arg(long, value_name = "FILE", env = "HYBI_SERVE_ACCESS_LOG")]
    pub(crate) access_log: Option<PathBuf>,
    /// How the access log is written
    #[arg(
        long,
        value_name = "F",
        default_value = "text",
        requires = "access_log",
        env = "HYBI_SERVE_ACCESS_LOG_FORMAT"
    )]
    pub(crate) access_log_format: LogFormat,
    /// Time for an orderly end after SIGTERM or SIGINT; 0 cuts all connections at once
    #[arg(
        long, value_name = "D", default_value = "25s", value_parser = duration,
        env = "HYBI_SERVE_DRAIN_TIMEOUT",
    )]
    pub(crate) drain_timeout: Duration,
}

/// The two shapes of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// What a request of RFC 6455 cannot do without: Host, Upgrade, Connection, and a key and a version.
const LEAST_FIELDS: u64 = 5;

/// What the type that holds them can take.
const MOST_FIELDS: u64 = 24_576;

/// Less than this holds no such request.
const LEAST_HEAD: usize = 256;

fn head_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes < LEAST_HEAD => Err(format!("at least {LEAST_HEAD} bytes")),
        bytes => Ok(bytes),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    count(text, 1..=u64::MAX)
}
