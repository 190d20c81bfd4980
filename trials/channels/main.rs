//! Channels to pywebsocket's own server: `channels URL` opens connections to it and prints a line for each check
//! that passed. The first that fails ends it.
//!
//! What pywebsocket does otherwise than the drafts have it is checked like the rest, under the name of the
//! difference: that one of them went away has to be noticed, too.

#![expect(clippy::print_stdout, reason = "which checks passed is what this is for")]

mod differences;
mod together;

use core::{error::Error, fmt::Debug, time::Duration};
use std::process::ExitCode;

use hybi_tokio::{
    Client, CloseCode, Config, Deflate, Message, TokioIo, TokioTimer, WsUri,
    mux::{self, Connected, HandshakeEncoding, MultiplexedClient, WebSocket},
    opening,
};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

pub(crate) type Failure = Box<dyn Error>;
pub(crate) type Outcome = Result<(), Failure>;

/// The longest any check may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name that pywebsocket answers to.
const TOKEN: &str = "mux_DO_NOT_USE";

/// What it may send ahead on a channel: far less than the messages are long. What it grants, 8,192 octets, is less as
/// well.
const WINDOW: u64 = 1000;

/// How long a message is that neither end may send in one go.
pub(crate) const LONG: usize = 100_000;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        println!("channels URL");
        return ExitCode::FAILURE;
    };
    match run(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(url: &str) -> Outcome {
    for encoding in [HandshakeEncoding::Identity, HandshakeEncoding::Delta] {
        together::check(url, encoding).await?;
    }
    differences::check(url).await
}

/// A connection with channels to a path, and the task that moves its messages.
pub(crate) struct Connection {
    pub(crate) first: WebSocket<TokioTimer>,
    pub(crate) opener: mux::Opener<TokioTimer>,
    pub(crate) driving: JoinHandle<Result<(), hybi_tokio::Error>>,
}

/// The choices about channels, with the name that pywebsocket answers to.
pub(crate) fn choices(encoding: HandshakeEncoding) -> mux::Config {
    let config = mux::Config::default().token(TOKEN).unwrap_or_default();
    config.window(WINDOW).requests(encoding)
}

/// The choices about each connection. What pywebsocket leaves without an answer is not waited for much longer than
/// it takes when it gives one.
fn client() -> Result<Client, Failure> {
    let second = Duration::from_secs(2);
    let config = Config::default().handshake_timeout(second).close_timeout(second);
    Ok(Client::builder().extensions(Deflate::default()).config(config).build()?)
}

/// Asks for channels; what the server agreed to.
pub(crate) async fn ask(
    url: &str,
    choices: &mux::Config,
) -> Result<Connected<TokioIo<TcpStream>, TokioTimer>, Failure> {
    let uri: WsUri = url.parse()?;
    let stream = TcpStream::connect((uri.host(), uri.port())).await?;
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(stream);
    let client = client()?;
    let (_, deadline) = opening::begin::<TokioTimer>(client.config());
    let timers = TokioTimer::default;
    Ok(mux::connect_on(&client, choices, &uri, stream, timers, deadline).await?.0)
}

/// Opens a connection with channels.
pub(crate) async fn connect(url: &str, encoding: HandshakeEncoding) -> Result<Connection, Failure> {
    match ask(url, &choices(encoding)).await? {
        Connected::Multiplexed(MultiplexedClient { first, opener, driver, .. }) => {
            Ok(Connection { first, opener, driving: tokio::spawn(driver.run()) })
        }
        Connected::Single(_) => Err("it did not agree to channels".into()),
    }
}

/// Sends a message and wants it back.
pub(crate) async fn echo(ws: &mut WebSocket<TokioTimer>, message: impl Into<Message>) -> Outcome {
    let message = message.into();
    ws.send(message.clone()).await?;
    same(ws.recv().await?, Some(message))
}

/// Closes a channel, and wants that answered in kind.
pub(crate) async fn close(mut ws: WebSocket<TokioTimer>) -> Outcome {
    let status = ws.close(CloseCode::NORMAL, "").await?;
    same((status.code(), status.is_clean()), (CloseCode::NORMAL, true))
}

/// A long message that is another for each number.
pub(crate) fn long(number: usize) -> Message {
    Message::binary((0..LONG).map(|at| (at * 31 + number) as u8).collect::<Vec<u8>>())
}

pub(crate) fn same<T: Debug + PartialEq>(got: T, wanted: T) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    let start = |value: &T| format!("{value:?}").chars().take(200).collect::<String>();
    Err(format!("{}, not {}", start(&got), start(&wanted)).into())
}

/// Runs a check, within bounds, and says that it passed.
pub(crate) async fn checked<T>(
    name: &str,
    check: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let passed = timeout(PATIENCE, check).await.map_err(|_| format!("{name}: took too long"))?;
    let passed = passed.map_err(|why| format!("{name}: {why}"))?;
    println!("ok: {name}");
    Ok(passed)
}
