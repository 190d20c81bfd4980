//! Listeners: bound before anything is promised, then one line each on stdout.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hybi::HostPolicy;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::port_file::PortFile;
use crate::exit::{Failure, Status, stdout_failed};
use crate::stream::Stream;
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
pub(crate) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Who opened it: the address as logs show it, and its IP address if there is one.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) ip: Option<IpAddr>,
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

    /// Waits for the next transport. Cancel safe.
    pub(crate) async fn accept(&self) -> io::Result<(Accepted, Origin)> {
        match self {
            Self::Tcp { listener, .. } => {
                let (stream, addr) = listener.accept().await?;
                // One peer has one address, whichever family the listener is of.
                let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
                Ok((Accepted::Tcp(stream), Origin { name: addr.to_string(), ip: Some(addr.ip()) }))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Unix(stream), Origin { name: "unix".into(), ip: None }))
            }
        }
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
    pub(crate) async fn open(self, tls: Option<Arc<ServerConfig>>) -> io::Result<Stream> {
        match (self, tls) {
            (Self::Unix(stream), _) => Ok(Stream::Unix(stream)),
            (Self::Tcp(stream), None) => {
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            (Self::Tcp(stream), Some(config)) => {
                stream.set_nodelay(true)?;
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                Ok(Stream::Tls(Box::new(stream.into())))
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
