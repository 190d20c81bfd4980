//! Listeners: bound before anything is promised, then one line each on stdout; all of them are one server.

use core::future::{pending, poll_fn};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hybi::serve::{Accept, Arrival, Opened};
use hybi::{HostPolicy, Server};
use hybi_tokio::{Stream, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::port_file::PortFile;
use super::shared::Shared;
use crate::exit::{Failure, Status, stdout_failed};
use crate::values::{HostPort, ListenAddr};

/// A bound listener.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp {
        listener: TcpListener,
        /// As it was asked for, if not as an address.
        name: Option<String>,
    },
    Unix {
        listener: UnixListener,
        path: PathBuf,
    },
}

/// A transport that somebody opened to us; TLS has not begun.
#[derive(Debug)]
enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What a server accepts from.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// With what requests are judged by that come by it.
    all: Vec<(Listener, Server)>,
    /// Which is looked at first.
    next: usize,
    shared: Arc<Shared>,
}

impl Listener {
    /// Binds one address.
    pub(crate) async fn bind(addr: &ListenAddr) -> Result<Self, Failure> {
        match addr {
            ListenAddr::Tcp(HostPort { host, port }) => TcpListener::bind((host.as_str(), *port))
                .await
                .map(|listener| Self::Tcp { listener, name: Some(host.clone()) })
                .map_err(|error| cannot_listen(&format!("{host}:{port}"), &error)),
            ListenAddr::Any(port) => {
                match TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port)).await {
                    // A kernel without IPv6.
                    Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                        TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).await
                    }
                    bound => bound,
                }
                .map(|listener| Self::Tcp { listener, name: None })
                .map_err(|error| cannot_listen(&format!(":{port}"), &error))
            }
            ListenAddr::Unix(path) => {
                remove_stale(path).await;
                bind_private(path)
                    .map(|listener| Self::Unix { listener, path: path.clone() })
                    .map_err(|error| cannot_listen_at(path, &error))
            }
        }
    }

    /// The address to connect to, as `--port-file` writes it.
    pub(crate) fn address(&self) -> Result<String, Failure> {
        match self {
            Self::Tcp { listener, .. } => {
                listener.local_addr().map(|addr| addr.to_string()).map_err(|error| {
                    Failure::new(Status::Listen, "cannot learn the bound address", error)
                })
            }
            Self::Unix { path, .. } => Ok(format!("unix:{}", path.display())),
        }
    }

    /// Whether others than this machine may reach it.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Tcp { listener, .. } => listener
                .local_addr()
                .is_ok_and(|address| !address.ip().to_canonical().is_loopback()),
            Self::Unix { .. } => false,
        }
    }

    /// Whether connections are TLS if there is a certificate. Unix sockets carry none.
    pub(crate) fn carries_tls(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }

    /// The names of a loopback address, which are all that requests to it are for; `None` elsewhere.
    pub(crate) fn local_hosts(&self) -> Option<HostPolicy> {
        let Self::Tcp { listener, name } = self else { return None };
        let address = listener.local_addr().ok()?.ip();
        if !address.to_canonical().is_loopback() {
            return None;
        }
        let mut hosts = HostPolicy::local(address);
        if let HostPolicy::List(patterns) = &mut hosts
            && let Some(Ok(name)) = name.as_deref().map(str::parse)
        {
            patterns.push(name);
        }
        Some(hosts)
    }

    /// The URL to connect to.
    pub(crate) fn url(&self, tls: bool) -> Result<String, Failure> {
        Ok(match self {
            Self::Tcp { .. } if tls => format!("wss://{}", self.address()?),
            Self::Tcp { .. } => format!("ws://{}", self.address()?),
            Self::Unix { path, .. } => format!("ws+unix:{}:/", path.display()),
        })
    }

    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Accepted, Option<SocketAddr>)>> {
        match self {
            Self::Tcp { listener, .. } => listener
                .poll_accept(cx)
                .map_ok(|(stream, addr)| (Accepted::Tcp(stream), Some(canonical(addr)))),
            Self::Unix { listener, .. } => {
                listener.poll_accept(cx).map_ok(|(stream, _)| (Accepted::Unix(stream), None))
            }
        }
    }

    /// What waits in the queue, also where the runtime has not heard of it.
    fn accept_queued(&self) -> io::Result<(Accepted, Option<SocketAddr>)> {
        match self {
            Self::Tcp { listener, .. } => {
                let listener = listener.as_fd().try_clone_to_owned()?;
                let (stream, addr) = std::net::TcpListener::from(listener).accept()?;
                stream.set_nonblocking(true)?;
                Ok((Accepted::Tcp(TcpStream::from_std(stream)?), Some(canonical(addr))))
            }
            Self::Unix { listener, .. } => {
                let listener = listener.as_fd().try_clone_to_owned()?;
                let (stream, _) = std::os::unix::net::UnixListener::from(listener).accept()?;
                stream.set_nonblocking(true)?;
                Ok((Accepted::Unix(UnixStream::from_std(stream)?), None))
            }
        }
    }
}

/// One peer has one address, whichever family the listener is of.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// How logs name a peer.
pub(crate) fn name(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(|| "unix".to_owned(), |addr| addr.to_string())
}

impl Listeners {
    /// Each with its own rules, which all other choices share.
    pub(crate) fn new(shared: &Arc<Shared>, all: Vec<(Listener, Server)>) -> Self {
        Self { all, next: 0, shared: Arc::clone(shared) }
    }

    fn arrival(
        &self,
        (accepted, peer): (Accepted, Option<SocketAddr>),
        server: &Server,
    ) -> Arrival<<Self as Accept>::Opening> {
        self.shared.counters.accepted();
        let tls = self.shared.certificate.as_ref().map(Certificate::current);
        let opening: <Self as Accept>::Opening =
            Box::pin(async { Ok(TokioIo::new(accepted.open(tls).await?).into()) });
        let arrival = Arrival::new(opening).judged_by(server.clone());
        match peer {
            Some(peer) => arrival.of(peer),
            None => arrival,
        }
    }
}

impl Accept for Listeners {
    type Transport = TokioIo<Stream>;
    type Timer = TokioTimer;
    type Opening = Pin<Box<dyn Future<Output = io::Result<Opened<TokioIo<Stream>>>> + Send>>;

    async fn accept(&mut self) -> io::Result<Arrival<Self::Opening>> {
        poll_fn(|cx| {
            for turn in 0..self.all.len() {
                let which = (self.next + turn) % self.all.len();
                let (listener, server) = &self.all[which];
                if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                    let arrival = accepted.map(|accepted| self.arrival(accepted, server));
                    // A flood at one of them is not to keep others waiting.
                    self.next = which + 1;
                    return Poll::Ready(arrival);
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn accept_queued(&mut self) -> io::Result<Arrival<Self::Opening>> {
        for turn in 0..self.all.len() {
            let which = (self.next + turn) % self.all.len();
            let (listener, server) = &self.all[which];
            match listener.accept_queued() {
                Ok(accepted) => {
                    let arrival = self.arrival(accepted, server);
                    // How many are taken in all has an end; each listener has its share.
                    self.next = which + 1;
                    return Ok(arrival);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        pending().await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    fn timer(&self) -> TokioTimer {
        TokioTimer::default()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix { path, .. } = self {
            // Best effort: a file that is left is found to be stale by the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Accepted {
    /// Goes through TLS where it applies.
    async fn open(self, tls: Option<Arc<ServerConfig>>) -> io::Result<Stream> {
        match (self, tls) {
            // To the system it is a stream like any other.
            (Self::Unix(stream), _) => {
                let stream = OwnedFd::from(stream.into_std()?);
                Ok(TcpStream::from_std(stream.into())?.into())
            }
            (Self::Tcp(stream), None) => {
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
            (Self::Tcp(stream), Some(config)) => {
                stream.set_nodelay(true)?;
                Ok(TlsAcceptor::from(config).accept(stream).await?.into())
            }
        }
    }
}

/// Tells the world: the port file first, so that whoever read the line finds the file.
pub(crate) fn announce(
    listeners: &[Listener],
    tls: bool,
    port_file: Option<PortFile>,
) -> Result<(), Failure> {
    if let Some(port_file) = port_file {
        let addresses: Result<String, Failure> =
            listeners.iter().map(|listener| Ok(listener.address()? + "\n")).collect();
        port_file.publish(&addresses?)?;
    }
    let mut stdout = io::stdout().lock();
    for listener in listeners {
        writeln!(stdout, "listening {}", listener.url(tls)?)
            .map_err(|error| stdout_failed(&error))?;
    }
    stdout.flush().map_err(|error| stdout_failed(&error))
}

/// Removes a socket file that nobody listens on any more.
async fn remove_stale(path: &Path) {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket
        && let Err(error) = UnixStream::connect(path).await
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        // If it cannot be removed, binding says so.
        let _ = std::fs::remove_file(path);
    }
}

/// Binds a socket that only our user may connect to.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn cannot_listen(addr: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(Status::Listen, format!("cannot listen on {addr}"), error);
    match error.kind() {
        io::ErrorKind::AddrInUse => failure.hint("-l 127.0.0.1:0 picks a free port"),
        io::ErrorKind::PermissionDenied => failure.hint("ports below 1024 need privileges"),
        _ => failure,
    }
}

fn cannot_listen_at(path: &Path, error: &io::Error) -> Failure {
    let failure =
        Failure::new(Status::Listen, format!("cannot listen on unix:{}", path.display()), error);
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            failure.hint("another server listens there, or the file is not a socket")
        }
        _ => failure,
    }
}
