//! Network: what a client does otherwise than the system would: who looks names up, from which address it connects, and
//! what is set on its sockets.

use core::{
    fmt,
    future::Future,
    net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6},
    pin::Pin,
};
use std::{io, sync::Arc};

/// What of the network a caller chose, for an adapter's `Connector`; `S` are sockets that are not connected yet. By
/// default it is all the system's.
///
/// ```
/// use std::{io, net::SocketAddr};
/// use hybi::opening::Network;
///
/// /// A runtime with sockets of its own.
/// # struct Socket;
/// # impl Socket {
/// #     fn new(address: SocketAddr) -> io::Result<Self> { Ok(Self) }
/// #     fn bind(&self, address: SocketAddr) -> io::Result<()> { Ok(()) }
/// # }
/// # async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> { unimplemented!() }
/// struct Connector {
///     network: Network<Socket>,
/// }
///
/// impl Connector {
///     // What `Dial::look_up` and `Dial::connect` begin with.
///     async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
///         self.network.look_up(host, port, look_up(host, port)).await
///     }
///
///     fn socket(&self, address: SocketAddr) -> io::Result<Socket> {
///         let socket = Socket::new(address)?;
///         self.network.set_up(&socket, address, Socket::bind)?;
///         Ok(socket)
///     }
/// }
/// ```
pub struct Network<S> {
    resolver: Option<Arc<Resolver>>,
    local: Local,
    prepare: Option<Arc<Prepare<S>>>,
}

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
type Resolver = dyn Fn(String, u16) -> Found + Send + Sync;
type Prepare<S> = dyn Fn(&S) -> io::Result<()> + Send + Sync;

/// The address to connect from, of each family.
#[derive(Clone, Copy, Debug, Default)]
struct Local {
    v4: Option<SocketAddrV4>,
    v6: Option<SocketAddrV6>,
}

impl<S> Network<S> {
    /// Has names looked up by this instead of the system. What is an address already is not looked up.
    #[must_use]
    pub fn resolver<F>(mut self, look_up: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.resolver = Some(Arc::new(move |host, port| Box::pin(look_up(host, port))));
        self
    }

    /// Connects from this address, one of each family at most; port 0 is any. As soon as there is one, addresses of the
    /// other family are not connected to until there is one of that as well.
    #[must_use]
    pub fn bind(mut self, local: impl Into<SocketAddr>) -> Self {
        match local.into() {
            SocketAddr::V4(local) => self.local.v4 = Some(local),
            SocketAddr::V6(local) => self.local.v6 = Some(local),
        }
        self
    }

    /// Has this done to each socket of TCP before it is bound and connects. What it fails of is what connecting fails of.
    #[must_use]
    pub fn prepare(
        mut self,
        prepare: impl Fn(&S) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.prepare = Some(Arc::new(prepare));
        self
    }

    /// The addresses of a host: itself, what the caller's resolver says, or else what `system` does.
    ///
    /// # Errors
    ///
    /// Whatever the resolver reports.
    pub async fn look_up(
        &self,
        host: &str,
        port: u16,
        system: impl Future<Output = io::Result<Vec<SocketAddr>>>,
    ) -> io::Result<Vec<SocketAddr>> {
        match (&self.resolver, host.parse::<IpAddr>()) {
            (Some(_), Ok(address)) => Ok(vec![SocketAddr::new(address, port)]),
            (Some(look_up), Err(_)) => look_up(host.to_owned(), port).await,
            (None, _) => system.await,
        }
    }

    /// Prepares and binds a socket that is to be connected to `address`.
    ///
    /// # Errors
    ///
    /// Whatever the caller's preparation reports, or why the local address, which is named, cannot be bound; that there
    /// is none of this family, if there is one of the other.
    pub fn set_up(
        &self,
        socket: &S,
        address: SocketAddr,
        bind: impl FnOnce(&S, SocketAddr) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(prepare) = &self.prepare {
            prepare(socket)?;
        }
        let local = match (address, self.local) {
            (_, Local { v4: None, v6: None }) => return Ok(()),
            (SocketAddr::V4(_), Local { v4, .. }) => v4.map(SocketAddr::from),
            (SocketAddr::V6(_), Local { v6, .. }) => v6.map(SocketAddr::from),
        };
        let none = || {
            let told = "it is of another family than the local address that is bound";
            io::Error::new(io::ErrorKind::AddrNotAvailable, told)
        };
        let local = local.ok_or_else(none)?;
        bind(socket, local)
            .map_err(|error| io::Error::new(error.kind(), format!("binding {local}: {error}")))
    }
}

impl<S> Clone for Network<S> {
    fn clone(&self) -> Self {
        let Self { resolver, local, prepare } = self;
        Self { resolver: resolver.clone(), local: *local, prepare: prepare.clone() }
    }
}

/// All is the system's.
impl<S> Default for Network<S> {
    fn default() -> Self {
        Self { resolver: None, local: Local::default(), prepare: None }
    }
}

impl<S> fmt::Debug for Network<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("has_resolver", &self.resolver.is_some())
            .field("local", &self.local)
            .field("prepares", &self.prepare.is_some())
            .finish()
    }
}
