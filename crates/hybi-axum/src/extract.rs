//! WebSocketUpgrade: the extractor (RFC 6455 section 4.2, RFC 8441 section 5).

use core::{fmt, mem, net::SocketAddr};
use std::borrow::Cow;

use axum::{
    Error,
    body::Body,
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderValue, Request, request::Parts},
    response::Response,
};
use hybi::{Config, Extensions, Server, handshake::ServerAccepted};
use hybi_hyper::hyper::upgrade::OnUpgrade;

use crate::{Sockets, WebSocket, rejection::WebSocketUpgradeRejection, sockets};

/// A request for a WebSocket, to be answered by [`on_upgrade`](Self::on_upgrade).
///
/// It is checked when it is extracted, by the [`Server`] of the [`Sockets`] among the extensions of the router, or by the
/// default one. Over HTTP/1.1 its method is GET and over HTTP/2 CONNECT, so [`any`](axum::routing::any) routes both.
///
/// ```
/// use axum::{Router, response::Response, routing::any};
/// use hybi_axum::{WebSocket, WebSocketUpgrade};
///
/// async fn route(ws: WebSocketUpgrade) -> Response {
///     ws.protocols(["chat.v2", "chat.v1"]).max_message_size(64 * 1024).on_upgrade(echo)
/// }
///
/// async fn echo(mut ws: WebSocket) {
///     while let Some(Ok(message)) = ws.recv().await {
///         if ws.send(message).await.is_err() {
///             return;
///         }
///     }
/// }
///
/// let app: Router = Router::new().route("/echo", any(route));
/// # let _ = app;
/// ```
#[must_use = "a request is to be answered"]
pub struct WebSocketUpgrade<F = DefaultOnFailedUpgrade> {
    server: Server,
    sockets: Option<Sockets>,
    peer: Option<SocketAddr>,
    accepted: ServerAccepted,
    /// With nothing in it but what hands over the connection.
    request: Request<()>,
    requested: Vec<HeaderValue>,
    selected: Option<HeaderValue>,
    on_failed_upgrade: F,
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let sockets = parts.extensions.get::<Sockets>().cloned();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        let server =
            sockets.as_ref().map_or_else(sockets::by_default, |sockets| sockets.server().clone());
        let accepted = with_request(parts, |request| hybi_hyper::check(&server, request))?;
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        let on_upgrade = on_upgrade.ok_or(WebSocketUpgradeRejection::ConnectionNotUpgradable)?;
        let mut request = Request::new(());
        *request.version_mut() = parts.version;
        request.extensions_mut().insert(on_upgrade);
        let name = |name: &String| HeaderValue::from_str(name).ok();
        let requested = accepted.subprotocols.iter().filter_map(name).collect();
        let selected = accepted.subprotocol.as_ref().and_then(name);
        let on_failed_upgrade = DefaultOnFailedUpgrade;
        Ok(Self {
            server,
            sockets,
            peer,
            accepted,
            request,
            requested,
            selected,
            on_failed_upgrade,
        })
    }
}

/// Lends the parts of a request as a whole one.
fn with_request<T>(parts: &mut Parts, look: impl FnOnce(&mut Request<()>) -> T) -> T {
    let mut request = Request::new(());
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    mem::swap(request.headers_mut(), &mut parts.headers);
    mem::swap(request.extensions_mut(), &mut parts.extensions);
    let found = look(&mut request);
    mem::swap(request.headers_mut(), &mut parts.headers);
    mem::swap(request.extensions_mut(), &mut parts.extensions);
    found
}

impl<F> WebSocketUpgrade<F> {
    /// Sets the subprotocols that are spoken here, the preferred one first: the first of them that the client offers is
    /// chosen.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        let mut spoken = protocols.into_iter().map(Into::into);
        let chosen =
            spoken.find(|name| self.accepted.subprotocols.iter().any(|offer| offer == name));
        self.selected = chosen.and_then(|name| HeaderValue::from_str(&name).ok());
        self
    }

    /// The subprotocols that the client offers, the preferred one first.
    pub fn requested_protocols(&self) -> impl Iterator<Item = &HeaderValue> {
        self.requested.iter()
    }

    /// Chooses a subprotocol. One that the client does not offer is not sent: the client would fail the connection.
    pub fn set_selected_protocol(&mut self, protocol: HeaderValue) {
        self.selected = Some(protocol);
    }

    /// The subprotocol that was chosen, by the [`Server`], [`protocols`](Self::protocols) or
    /// [`set_selected_protocol`](Self::set_selected_protocol).
    #[must_use]
    pub fn selected_protocol(&self) -> Option<&HeaderValue> {
        self.selected.as_ref()
    }

    /// Sets the longest message to accept, in bytes; 16 MiB by default. See [`Config::max_message`].
    pub fn max_message_size(self, max: usize) -> Self {
        self.with(|config| config.max_message(max))
    }

    /// Sets the longest frame to accept, in bytes; as long as a message by default. See [`Config::max_frame`].
    pub fn max_frame_size(self, max: usize) -> Self {
        self.with(|config| config.max_frame(max as u64))
    }

    /// Sets how many bytes may wait to be sent; 1 MiB by default. Then sending waits. See [`Config::outbox_limit`].
    pub fn max_write_buffer_size(self, max: usize) -> Self {
        self.with(|config| config.outbox_limit(max))
    }

    /// Does nothing, and is here since axum's has it: what is sent leaves at once, and what is fed with the next flush.
    pub fn write_buffer_size(self, _size: usize) -> Self {
        self
    }

    /// Does nothing, and is here since axum's has it: buffers belong to threads, and idle connections have none.
    pub fn read_buffer_size(self, _size: usize) -> Self {
        self
    }

    /// Sets all choices about the connection: limits, deadlines, keep-alive. It replaces what was chosen before, and
    /// with [`Config::show_control_frames`] off, which is its default, pings and pongs are not shown.
    ///
    /// ```
    /// use std::time::Duration;
    /// use axum::response::Response;
    /// use hybi_axum::{Config, WebSocketUpgrade};
    ///
    /// async fn patient(ws: WebSocketUpgrade) -> Response {
    ///     let config = Config::default().ping_interval(Some(Duration::from_secs(60)));
    ///     ws.config(config).on_upgrade(|mut ws| async move { while ws.recv().await.is_some() {} })
    /// }
    /// ```
    pub fn config(self, config: Config) -> Self {
        self.with(|_| config)
    }

    /// Sets which extensions to accept, such as `Deflate`; those of the [`Server`] by default, which are none unless it
    /// was told.
    ///
    /// ```
    /// # #[cfg(feature = "compression")] {
    /// use axum::response::Response;
    /// use hybi_axum::{Deflate, WebSocketUpgrade};
    ///
    /// async fn compressing(ws: WebSocketUpgrade) -> Response {
    ///     ws.extensions(Deflate::default())
    ///         .on_upgrade(|mut ws| async move { while ws.recv().await.is_some() {} })
    /// }
    /// # }
    /// ```
    pub fn extensions(mut self, extensions: impl Into<Extensions>) -> Self {
        self.server = self.server.with_extensions(extensions);
        self
    }

    fn with(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        let config = change(Config::clone(self.server.config()));
        self.server = self.server.with_config(config);
        self
    }

    /// Has `callback` called with why the WebSocket never opened, if it does not.
    ///
    /// ```
    /// use axum::response::Response;
    /// use hybi_axum::WebSocketUpgrade;
    ///
    /// async fn route(ws: WebSocketUpgrade) -> Response {
    ///     ws.on_failed_upgrade(|error| eprintln!("{error}"))
    ///         .on_upgrade(|mut ws| async move { while ws.recv().await.is_some() {} })
    /// }
    /// ```
    pub fn on_failed_upgrade<C: OnFailedUpgrade>(self, callback: C) -> WebSocketUpgrade<C> {
        WebSocketUpgrade {
            server: self.server,
            sockets: self.sockets,
            peer: self.peer,
            accepted: self.accepted,
            request: self.request,
            requested: self.requested,
            selected: self.selected,
            on_failed_upgrade: callback,
        }
    }

    /// Answers the request, and gives the WebSocket to `callback` in a task of its own once it is open.
    ///
    /// Beyond the limits of its [`Sockets`], and at their end, the answer is 503.
    ///
    /// # Panics
    ///
    /// When it is called outside of a runtime of tokio.
    #[must_use = "the response is to be returned"]
    pub fn on_upgrade<C, Fut>(mut self, callback: C) -> Response
    where
        C: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
        F: OnFailedUpgrade,
    {
        let guest = match self.sockets.map(|sockets| sockets.admit(self.peer)).transpose() {
            Ok(guest) => guest,
            Err(refusal) => return refusal.response().map(Body::from),
        };
        let selected = self.selected.as_ref().and_then(|name| name.to_str().ok());
        let offers = &self.accepted.subprotocols;
        let selected = selected.filter(|name| offers.iter().any(|offer| offer == name));
        self.accepted.subprotocol = selected.map(str::to_owned);
        let (response, ws) = hybi_hyper::upgrade_as(&self.server, self.accepted, &mut self.request);
        let on_failed_upgrade = self.on_failed_upgrade;
        drop(tokio::spawn(async move {
            let work = async {
                match ws.await {
                    Ok(mut ws) => {
                        if let Some(guest) = &guest {
                            guest.opened(ws.closer());
                        }
                        callback(WebSocket::new(ws)).await;
                    }
                    Err(error) => on_failed_upgrade.call(Error::new(error)),
                }
            };
            match &guest {
                // Cut or not, it is over.
                Some(guest) => drop(guest.until_cut(work).await),
                None => work.await,
            }
        }));
        response
    }
}

impl<F> fmt::Debug for WebSocketUpgrade<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("requested", &self.requested)
            .field("selected", &self.selected)
            .finish_non_exhaustive()
    }
}

/// Who is told when a WebSocket never opens; see [`WebSocketUpgrade::on_failed_upgrade`].
pub trait OnFailedUpgrade: Send + 'static {
    /// It did not, because of this.
    fn call(self, error: Error);
}

impl<F: FnOnce(Error) + Send + 'static> OnFailedUpgrade for F {
    fn call(self, error: Error) {
        self(error);
    }
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DefaultOnFailedUpgrade;

impl OnFailedUpgrade for DefaultOnFailedUpgrade {
    fn call(self, _error: Error) {}
}
