//! Dialling: how the program gets to a server, and what it is called when one fails.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hybi::opening::{self, Dial};
use hybi::proxy::Proxies;
use hybi::{Client, Error, OpeningError, ProxyError, WsUri};
use hybi_tokio::{Connector, Stream, TokioIo, TokioTimer};
use rustls::{AlertDescription, CertificateError, ClientConfig};
use rustls_pki_types::ServerName;
use tokio::net::lookup_host;
use tokio_rustls::TlsConnector;

use super::open::handshake_failure;
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::tls::{self, Trust};
use crate::values::{self, HttpVersion};

/// What the options say of the way.
pub(super) struct Dialler {
    args: Arc<ConnectArgs>,
    connector: Connector,
    /// If anybody on the way may have to be spoken to by TLS.
    config: Option<Arc<ClientConfig>>,
}

/// The way to one server.
struct Way<'a> {
    dialler: &'a Dialler,
    server: &'a WsUri,
}

impl Dialler {
    pub(super) fn new(args: &Arc<ConnectArgs>, proxies: &Proxies) -> Result<Self, Failure> {
        let (uri, transport) = (&args.url.uri, &args.transport);
        let by_proxy = proxies.of(uri).is_some_and(|proxy| proxy.secure_uri().is_some());
        let mut config = None;
        if uri.is_secure() || by_proxy || transport.follow {
            let trust = match &transport.tls_ca {
                _ if transport.insecure => Trust::Anyone,
                Some(path) => Trust::File(path),
                None => Trust::System,
            };
            let identity = transport.tls_cert.as_deref().zip(transport.tls_key.as_deref());
            let made = tls::client(trust, identity)?;
            config = Some(Arc::new(made));
        }
        if uri.is_secure() && transport.tls_name.is_none() {
            values::server_name(uri.host()).map_err(|why| Failure::usage(uri.to_string(), why))?;
        }
        let bound = transport.bind.iter();
        let connector = bound.fold(Connector::new(), |connector, local| connector.bind(*local));
        Ok(Self { args: Arc::clone(args), connector, config })
    }

    /// A stream to the server of this URI.
    pub(super) async fn reach(
        &self,
        client: &Client,
        uri: &WsUri,
        deadline: Instant,
    ) -> Result<Stream, Error> {
        let way = Way { dialler: self, server: uri };
        let (stream, _) = opening::reach(&way, client, uri, deadline).await?;
        Ok(stream.into_inner())
    }

    /// Whether this is where the URL of the command line leads.
    fn is_first(&self, host: &str, port: u16) -> bool {
        let uri = &self.args.url.uri;
        (uri.host(), uri.port()) == (host, port)
    }

    fn too_late(&self, what: String) -> Failure {
        Failure::new(Status::TimedOut, what, took_longer_than(self.args.time.timeout))
    }

    /// What an attempt failed of, on the way or in the opening handshake.
    pub(super) fn failure(&self, uri: &WsUri, error: &Error) -> Failure {
        let Error::Opening(step) = error else { return handshake_failure(&self.args, error) };
        let told = |what: String, why: &dyn core::fmt::Display| match error.is_timeout() {
            true => self.too_late(what),
            false => Failure::new(Status::Connect, what, why),
        };
        match &**step {
            OpeningError::Resolve { error, .. } => {
                told(format!("cannot connect to {}", self.place(uri)), error)
            }
            OpeningError::Unix { path, error } => told(format!("cannot connect to {path}"), error),
            OpeningError::Connect { attempts, .. } => {
                let mut why: Vec<_> = attempts.iter().map(|(_, error)| error.to_string()).collect();
                if attempts.len() > 1 {
                    let each =
                        attempts.iter().map(|(address, error)| format!("{address}: {error}"));
                    why = each.collect();
                }
                let what = format!("cannot connect to {}", self.place(uri));
                self.with_local_hint(attempts, told(what, &why.join("; ")))
            }
            OpeningError::Tls { peer, error } => self.tls_failure(peer, error),
            OpeningError::Proxy { proxy, error } => match error {
                ProxyError::Unreachable(step) => match &**step {
                    OpeningError::Tls { peer, error } => self.tls_failure(peer, error),
                    step => told(format!("cannot reach proxy {proxy}"), step),
                },
                ProxyError::Refused(refusal) => {
                    let what = format!("proxy {proxy} did not connect to the server");
                    let failure = Failure::new(Status::Connect, what, refusal);
                    match refusal.status().map(|status| status.as_u16()) {
                        Some(401 | 407) => failure
                            .hint("--proxy http://USER:PASS@HOST:PORT has the credentials for it"),
                        _ => failure,
                    }
                }
                error => told(format!("proxy {proxy} did not connect to the server"), error),
            },
            _ => handshake_failure(&self.args, error),
        }
    }

    /// With what may help if it was the address to connect from that could not be had.
    fn with_local_hint(&self, attempts: &[(SocketAddr, io::Error)], failure: Failure) -> Failure {
        let is_bound = !self.args.transport.bind.is_empty();
        match attempts.last().filter(|_| is_bound).map(|(_, error)| error.kind()) {
            Some(io::ErrorKind::AddrInUse) => {
                failure.hint("--bind ADDR without a port takes one that is free")
            }
            Some(io::ErrorKind::AddrNotAvailable) => {
                failure.hint("--bind is for addresses of this machine, one of each family")
            }
            _ => failure,
        }
    }

    /// Where the server of this URI is connected to.
    fn place(&self, uri: &WsUri) -> String {
        let (host, port) = match &self.args.transport.connect_to {
            _ if !self.is_first(uri.host(), uri.port()) => (uri.host().to_owned(), uri.port()),
            Some(elsewhere) => (elsewhere.host.clone(), elsewhere.port),
            // With the zone of its address, if it has one.
            None => (self.args.url.host(), uri.port()),
        };
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    fn tls_failure(&self, peer: &str, error: &io::Error) -> Failure {
        let what = format!("TLS with {peer} failed");
        if error.kind() == io::ErrorKind::TimedOut {
            return self.too_late(what);
        }
        let failure = Failure::new(Status::Tls, what, error);
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => failure.hint("--tls-name NAME sets the name that is expected, -k trusts any"),
            Some(rustls::Error::InvalidCertificate(_)) => {
                failure.hint(match &self.args.transport.tls_ca {
                    Some(path) => {
                        format!("{} does not vouch for it, -k trusts any", path.display())
                    }
                    None => "--tls-ca FILE names a certificate to trust, -k trusts any".to_owned(),
                })
            }
            Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol))
                if self.args.transport.http == HttpVersion::Http2 =>
            {
                failure.hint("the server does not speak HTTP/2; --http 1.1 does without")
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                failure.hint("the server may not speak TLS at this port; try ws://")
            }
            _ => failure,
        }
    }
}

impl Dial for Way<'_> {
    type Tls = (TlsConnector, ServerName<'static>);
    type Transport = TokioIo<Stream>;
    type Timer = TokioTimer;

    fn timer(&self) -> TokioTimer {
        TokioTimer::default()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let Dialler { args, .. } = self.dialler;
        let transport = &args.transport;
        let (host, port) = match &transport.connect_to {
            _ if !self.dialler.is_first(host, port) => (host.to_owned(), port),
            Some(elsewhere) => (elsewhere.host.clone(), elsewhere.port),
            None => (args.url.host(), port),
        };
        let found = lookup_host((host.as_str(), port)).await?;
        let is_wanted = |address: &SocketAddr| match address {
            SocketAddr::V4(_) => !transport.ipv6,
            SocketAddr::V6(_) => !transport.ipv4,
        };
        let found: Vec<_> = found.filter(is_wanted).collect();
        if found.is_empty() && (transport.ipv4 || transport.ipv6) {
            let family = if transport.ipv4 { "IPv4" } else { "IPv6" };
            let told = format!("the name has no {family} address");
            return Err(io::Error::new(io::ErrorKind::NotFound, told));
        }
        Ok(found)
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TokioIo<Stream>> {
        Dial::connect(&self.dialler.connector, address).await
    }

    async fn connect_unix(&self, path: &Path) -> io::Result<TokioIo<Stream>> {
        self.dialler.connector.connect_unix(path).await
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<Self::Tls>, Error> {
        let Dialler { args, config, .. } = self.dialler;
        let Some(mut config) = config.clone().filter(|_| uri.is_secure()) else {
            return Ok(None);
        };
        // A proxy is spoken to in HTTP/1.1.
        if uri == self.server {
            let wanted = HttpVersion::protocols(&[args.transport.http]);
            Arc::make_mut(&mut config).alpn_protocols = wanted;
        }
        let name = match &args.transport.tls_name {
            Some(name) if self.dialler.is_first(uri.host(), uri.port()) => name.clone(),
            _ => ServerName::try_from(uri.host().to_owned()).map_err(|error| {
                let error = io::Error::new(io::ErrorKind::InvalidInput, error);
                OpeningError::Tls { peer: uri.host().to_owned(), error }
            })?,
        };
        Ok(Some((config.into(), name)))
    }

    async fn secure(
        &self,
        (connector, name): Self::Tls,
        stream: TokioIo<Stream>,
    ) -> io::Result<TokioIo<Stream>> {
        let stream = match stream.into_inner() {
            Stream::Plain(stream) => connector.connect(name, stream).await?.into(),
            stream => {
                let nested = connector.connect(name, stream).await?;
                Stream::Nested(Box::new(nested.into()))
            }
        };
        Ok(TokioIo::new(stream))
    }
}

pub(super) fn took_longer_than(limit: Duration) -> String {
    format!("took longer than {limit:?}")
}
