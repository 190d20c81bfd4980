//! `hybi connect`: its options, their environment names and their defaults.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hybi::handshake::UriError;
use hybi::proxy::Proxy;
use rustls_pki_types::ServerName;

use crate::exit::STATUSES;
use crate::extensions::{ExtensionList, client_extensions};
use crate::values::{
    Asked, CloseSpec, HostPort, HttpVersion, Span, Target, asked, basic_credentials, close_spec,
    cookie, count, duration, duration_or_off, header_line, header_text, header_words,
    local_address, origin, peer_address, server_name, size_from_one, target, time, token,
};

/// Connect to a server, by hand or from a script.
///
/// A terminal on stdin gives a prompt with slash commands. Otherwise each line of stdin is one text
/// message, without its newline, but with a carriage return in front of that; with -b stdin is sent as
/// it is. After the last message hybi stays as long as answers come, see --wait.
#[derive(Debug, Args)]
#[command(after_long_help = STATUSES)]
pub(crate) struct ConnectArgs {
    /// ws://HOST[:PORT]/PATH, wss://..., or ws+unix:PATH:/TARGET
    #[arg(value_parser = target)]
    pub(crate) url: Target,
    #[command(flatten)]
    pub(crate) sending: SendArgs,
    #[command(flatten)]
    pub(crate) receiving: ReceiveArgs,
    #[command(flatten)]
    pub(crate) handshake: HandshakeArgs,
    #[command(flatten)]
    pub(crate) transport: TransportArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
}

impl ConnectArgs {
    /// Whether messages come from stdin.
    pub(crate) fn reads_stdin(&self) -> bool {
        let sending = &self.sending;
        sending.message.is_empty() && sending.file.is_empty() && !sending.echo
    }

    /// Whether a person types them, at a prompt: with several channels there is none.
    pub(crate) fn is_interactive(&self) -> bool {
        self.reads_stdin() && self.handshake.channels == 1 && std::io::stdin().is_terminal()
    }
}

/// What to send and how to end.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendArgs {
    /// Send this message instead of stdin; repeatable
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) message: Vec<String>,
    /// Send this file as one message, - is stdin; repeatable, after the -m messages
    #[arg(short, long, value_name = "PATH")]
    pub(crate) file: Vec<PathBuf>,
    /// Send binary messages; stdin is then bytes, not lines: each read of it is a message, except at a
    /// terminal and with -0
    #[arg(short, long)]
    pub(crate) binary: bool,
    /// Most bytes of stdin in one message of -b [default: 64KiB]
    #[arg(
        long, value_name = "SIZE", value_parser = chunk, requires = "binary",
        conflicts_with_all = ["hex", "base64", "null", "message", "file", "echo"],
    )]
    pub(crate) chunk: Option<usize>,
    /// Input is hexadecimal, stdin a message a line; implies --binary
    #[arg(long, conflicts_with = "base64")]
    pub(crate) hex: bool,
    /// Input is base64, stdin a message a line; implies --binary
    #[arg(long)]
    pub(crate) base64: bool,
    /// Cut outgoing messages into frames of this many bytes
    #[arg(long, value_name = "SIZE", value_parser = size_from_one)]
    pub(crate) fragment: Option<usize>,
    /// Messages on stdin and stdout end with NUL instead of newline
    #[arg(short = '0', long)]
    pub(crate) null: bool,
    /// Send every received message back instead of printing it, until the server closes; stdin is
    /// not read
    #[arg(long, conflicts_with_all = ["message", "file", "binary", "hex", "base64"])]
    pub(crate) echo: bool,
    /// The close to send; none sends an empty one
    #[arg(
        long, value_name = "CODE[:REASON]", default_value = "1000", value_parser = close_spec,
        conflicts_with = "no_close",
    )]
    pub(crate) close: CloseSpec,
    /// End by dropping the connection, without a closing handshake
    #[arg(long)]
    pub(crate) no_close: bool,
}

/// What to print and when to stop.
#[derive(Debug, Args)]
#[command(next_help_heading = "Receiving")]
pub(crate) struct ReceiveArgs {
    /// End after N received messages; fewer are status 10
    #[arg(short = 'n', long, value_name = "N", value_parser = |text: &str| count::<u64>(text, 1..=u64::MAX))]
    pub(crate) count: Option<u64>,
    /// Received messages must equal these in order, else status 10; repeatable
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) expect: Vec<String>,
    /// After the last message sent, leave when nothing has come for this long: 0 leaves at once, end
    /// stays until the server ends [default: 1s; end if there was nothing to send]
    #[arg(short, long, value_name = "D", value_parser = wait)]
    pub(crate) wait: Option<Wait>,
    /// How messages are printed
    #[arg(long, value_name = "FORMAT", default_value = "text", env = "HYBI_CONNECT_OUTPUT")]
    pub(crate) output: Output,
    /// Print pings and pongs too
    #[arg(long)]
    pub(crate) show_control: bool,
    /// Put the time before each message
    #[arg(short, long)]
    pub(crate) timestamps: bool,
    /// Print a summary of the opening handshake to stderr
    #[arg(short, long)]
    pub(crate) info: bool,
}

/// How long to stay after the last message sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until nothing has come for this long.
    Quiet(Duration),
    /// Until the server ends.
    End,
}

fn wait(text: &str) -> Result<Wait, String> {
    match text {
        "end" => Ok(Wait::End),
        _ => duration(text).map(Wait::Quiet).map_err(|form| format!("{form}; or end")),
    }
}

/// The most bytes of one message to send: a line, a file or a chunk is held as a whole. Input without
/// newlines would otherwise take all memory.
pub(crate) const LONGEST: usize = 1 << 30;

/// The most channels that `connect` opens: each is a conversation of its own.
const MOST_CHANNELS: u64 = 100_000;

fn proxy(url: &str) -> Result<Proxy, String> {
    url.parse().map_err(|error: UriError| error.to_string())
}

fn chunk(text: &str) -> Result<usize, String> {
    match size_from_one(text)? {
        bytes @ ..=LONGEST => Ok(bytes),
        _ => Err(format!("a message to send has at most {LONGEST} bytes")),
    }
}

/// How received messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text as it is, binary as hexadecimal, one message a line.
    Text,
    /// Payload bytes and nothing else.
    Raw,
    /// Every payload as hexadecimal, one message a line.
    Hex,
    /// One JSON object for each event.
    Json,
}

/// What the opening handshake asks for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Opening handshake")]
pub(crate) struct HandshakeArgs {
    /// The version to speak, by a name that `hybi versions` lists; auto tries rfc6455, then what the
    /// server lists. hixie-75, hixie-76 and hybi-01 to hybi-03 mask nothing: whoever chooses what is
    /// sent with them can plant requests in it that a proxy on the way takes for real
    #[arg(
        short, long, value_name = "NAME", default_value = "rfc6455", value_parser = asked,
        env = "HYBI_CONNECT_PROTOCOL_VERSION",
    )]
    pub(crate) protocol_version: Asked,
    /// Send this Sec-WebSocket-Version instead, or Sec-WebSocket-Draft with hixie-76 and hybi-01 to
    /// hybi-03, for tests [default: by version]
    #[arg(
        long, value_name = "VALUE", value_parser = header_text,
        env = "HYBI_CONNECT_VERSION_HEADER",
    )]
    pub(crate) version_header: Option<String>,
    /// Offer this extension, as written in the header: 'NAME; PARAMETER=VALUE'. Names:
    /// permessage-deflate, permessage-compress, perframe-compress, deflate-frame,
    /// x-webkit-deflate-frame, x-webkit-permessage-compress, deflate-stream; none, or all of the
    /// version (permessage-deflate without its old parameters, which begin with s2c and c2s); after
    /// these mux, which asks for channels, with token=NAME (what is sent for mux) and quota=OCTETS (what
    /// the server may send ahead on each, 65536); repeatable, order is preference
    /// [default: permessage-deflate for rfc6455]
    #[arg(long, value_name = "SPEC", value_parser = client_extensions, env = "HYBI_CONNECT_EXT")]
    pub(crate) ext: Vec<ExtensionList>,
    /// Open N channels in one connection, of --ext mux. Each is given all messages and does what the
    /// options say; what is printed has the number of its channel, and there is no prompt. The status
    /// is the highest of all
    #[arg(
        long, value_name = "N", default_value = "1",
        value_parser = |text: &str| count::<u32>(text, 1..=MOST_CHANNELS),
        env = "HYBI_CONNECT_CHANNELS",
    )]
    pub(crate) channels: u32,
    /// Offer this subprotocol; repeatable, order is preference
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', value_parser = token)]
    pub(crate) subprotocol: Vec<String>,
    /// Add a header; repeatable
    #[arg(short = 'H', long, value_name = "'N: V'", value_parser = header_line)]
    pub(crate) header: Vec<(String, String)>,
    /// The Origin header
    #[arg(long, value_name = "O", value_parser = origin)]
    pub(crate) origin: Option<String>,
    /// The User-Agent header
    #[arg(long, value_name = "U", value_parser = header_words)]
    pub(crate) user_agent: Option<String>,
    /// Cookies to send: name=value; repeatable
    #[arg(long, value_name = "C", value_parser = cookie)]
    pub(crate) cookie: Vec<String>,
    /// Basic credentials
    #[arg(
        short, long, value_name = "USER:PASS", value_parser = basic_credentials,
        hide_env_values = true, env = "HYBI_CONNECT_USER",
    )]
    pub(crate) user: Option<String>,
}

/// How to reach the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Transport and TLS")]
pub(crate) struct TransportArgs {
    /// The version of HTTP to ask in: 2 asks over HTTP/2 (RFC 8441) or not at all, by ALPN for wss:// and by
    /// prior knowledge for ws://
    #[arg(long, value_name = "VERSION", default_value = "1.1", env = "HYBI_CONNECT_HTTP")]
    pub(crate) http: HttpVersion,
    /// Connect here instead of to the URL's host, whose name the server is told all the same
    #[arg(long, value_name = "HOST:PORT", value_parser = peer_address)]
    pub(crate) connect_to: Option<HostPort>,
    /// Go through this proxy: http://[USER:PASS@]HOST[:PORT], https:// for TLS with the proxy, socks5:// with
    /// names that are looked up here, socks5h:// with names that it looks up [default: what http_proxy,
    /// https_proxy, all_proxy and no_proxy say]
    #[arg(
        long, value_name = "URL", value_parser = proxy, conflicts_with = "connect_to",
        hide_env_values = true, env = "HYBI_CONNECT_PROXY",
    )]
    pub(crate) proxy: Option<Proxy>,
    /// Go directly, whatever the environment says
    #[arg(long, conflicts_with = "proxy")]
    pub(crate) no_proxy: bool,
    /// Follow redirects of the server; credentials and cookies are not sent to another origin, and none
    /// leads from wss:// to ws://
    #[arg(short = 'L', long, env = "HYBI_CONNECT_FOLLOW")]
    pub(crate) follow: bool,
    /// Most redirects that are followed
    #[arg(
        long, value_name = "N", default_value = "5",
        value_parser = |text: &str| count::<u8>(text, 1..=u8::MAX.into()),
        env = "HYBI_CONNECT_MAX_REDIRECTS",
    )]
    pub(crate) max_redirects: u8,
    /// Connect from this address of this machine, ADDR or ADDR:PORT; repeatable, one for each family. Those of a family without
    /// one are not connected to then
    #[arg(long, value_name = "ADDR", value_parser = local_address)]
    pub(crate) bind: Vec<SocketAddr>,
    /// Connect to IPv4 addresses alone
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// Connect to IPv6 addresses alone
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,
    /// Do not check the server's certificate
    #[arg(short = 'k', long, conflicts_with = "tls_ca")]
    pub(crate) insecure: bool,
    /// Trust the certificates of this file (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Show this certificate, with its chain, to servers and proxies that ask for one (PEM); needs --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The name that the server's certificate must have [default: the URL's host]
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    pub(crate) tls_name: Option<ServerName<'static>>,
}

/// Deadlines and limits.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits and time")]
pub(crate) struct TimeArgs {
    /// Ping a silent server this often, or off
    #[arg(
        long, value_name = "D", default_value = "off", value_parser = duration_or_off,
        env = "HYBI_CONNECT_PING_INTERVAL",
    )]
    pub(crate) ping_interval: Span,
    /// Time for the answer to a ping
    #[arg(
        long, value_name = "D", default_value = "20s", value_parser = time,
        env = "HYBI_CONNECT_PING_TIMEOUT",
    )]
    pub(crate) ping_timeout: Duration,
    /// Time to connect and for the opening handshake together
    #[arg(
        long, value_name = "D", default_value = "10s", value_parser = time,
        env = "HYBI_CONNECT_TIMEOUT",
    )]
    pub(crate) timeout: Duration,
    /// Connect again after a connection was lost, closed by the server with another code than 1000 or none, or could not be opened,
    /// unless the answer would be the same, such as 401 or 404. What was typed meanwhile is sent then, and what was sent is not
    /// sent again. Ends with status and message of the last attempt after N in a row that failed, of which a connection that
    /// did not last a minute is one [default of N: no end]
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true,
        value_parser = |text: &str| count::<u32>(text, 1..=u32::MAX.into()),
    )]
    pub(crate) reconnect: Option<Option<u32>>,
    /// Longest pause before the first attempt of --reconnect, of which chance chooses a part; twice as long with each that fails,
    /// up to a minute. A server may ask for more by Retry-After, 1012 and 1013
    #[arg(
        long, value_name = "D", default_value = "5s", value_parser = time, requires = "reconnect",
    )]
    pub(crate) reconnect_delay: Duration,
    /// Time for the server's answer to a Close frame
    #[arg(
        long, value_name = "D", default_value = "10s", value_parser = time,
        env = "HYBI_CONNECT_CLOSE_TIMEOUT",
    )]
    pub(crate) close_timeout: Duration,
    /// Largest message that is taken; a larger one is status 10
    #[arg(
        long, value_name = "SIZE", default_value = "64MiB", value_parser = size_from_one,
        env = "HYBI_CONNECT_MAX_MESSAGE",
    )]
    pub(crate) max_message: usize,
    /// Most frames that a message goes on with after its first; more are status 10
    #[arg(
        long, value_name = "N", default_value = "65536",
        value_parser = |text: &str| count::<u32>(text, 1..=u32::MAX.into()),
        env = "HYBI_CONNECT_MAX_FRAGMENTS",
    )]
    pub(crate) max_fragments: u32,
}
