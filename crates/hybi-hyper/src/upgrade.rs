//! From a request that hyper has read to the answer, and the WebSocket behind it (RFC 6455 section 4.2, RFC 8441
//! section 5).

use hybi::{
    HandshakeError, Server,
    handshake::{self, Protocol, ServerAccepted},
    http::{Method, Request, Response},
    io::Timer as _,
    serve::Outcome,
};
use hybi_tokio::TokioTimer;

use crate::{OnUpgrade, WebSocket};

/// Whether a request means to open a WebSocket connection, well formed or not, rather than to be answered with a page.
///
/// ```
/// let page = hybi_hyper::http::Request::get("/").header("Host", "example.org").body(()).unwrap();
/// assert!(!hybi_hyper::is_upgrade(&page));
/// ```
#[must_use]
pub fn is_upgrade<B>(request: &Request<B>) -> bool {
    let protocol = request.extensions().get::<hyper::ext::Protocol>();
    protocol.is_some() && request.method() == Method::CONNECT || handshake::is_upgrade(request)
}

/// Answers a request as `server` says: what the service is to return, and the WebSocket on its way.
///
/// The body of the response is empty, and of whatever type the service has.
///
/// ```
/// use http_body_util::Full;
/// use hybi_hyper::{
///     Error, Server,
///     http::{Request, Response},
/// };
/// use hyper::body::{Bytes, Incoming};
///
/// async fn service(
///     server: Server,
///     mut request: Request<Incoming>,
/// ) -> Result<Response<Full<Bytes>>, hyper::Error> {
///     let (response, ws) = match hybi_hyper::upgrade(&server, &mut request) {
///         Ok(accepted) => accepted,
///         Err(refusal) => return Ok(refusal.response().map(Full::from)),
///     };
///     tokio::spawn(async {
///         let mut ws = ws.await?;
///         while let Some(message) = ws.recv().await? {
///             ws.feed(message).await?;
///         }
///         Ok::<_, Error>(())
///     });
///     Ok(response)
/// }
/// ```
///
/// The connection that brings the request has to be served with upgrades: `hyper_util`'s
/// `serve_connection_with_upgrades`, or hyper's `with_upgrades`. Over HTTP/2 it has to say that it knows extended CONNECT;
/// [`builder`](crate::builder) gives one that does.
///
/// # Errors
///
/// [`HandshakeError`] says which rule was broken; its [`response`](HandshakeError::response) is what to answer instead.
pub fn upgrade<B, R: Default>(
    server: &Server,
    request: &mut Request<B>,
) -> Result<(Response<R>, OnUpgrade), HandshakeError> {
    Ok(upgrade_as(server, check(server, request)?, request))
}

/// Checks a request against the rules of `server` without answering it; [`upgrade_as`] does.
///
/// ```
/// use hybi_hyper::{Server, http::Request};
///
/// let mut page = Request::get("/").header("Host", "example.org").body(()).unwrap();
/// let refusal = hybi_hyper::check(&Server::default(), &mut page).unwrap_err();
/// assert_eq!(refusal.response().status(), 426);
/// ```
///
/// # Errors
///
/// As [`upgrade`].
pub fn check<B>(
    server: &Server,
    request: &mut Request<B>,
) -> Result<ServerAccepted, HandshakeError> {
    // The layers below know nothing of hyper.
    let protocol = request.extensions().get::<hyper::ext::Protocol>();
    if let Some(protocol) = protocol.map(|protocol| Protocol::new(protocol.as_str())) {
        request.extensions_mut().insert(protocol);
    }
    server.policy().check(request)
}

/// Answers a request that was checked, as the caller says: with another subprotocol, or more header fields.
///
/// ```
/// use hybi_hyper::{HandshakeError, OnUpgrade, Server, http::{Request, Response}};
///
/// fn remember<B>(
///     server: &Server,
///     request: &mut Request<B>,
/// ) -> Result<(Response<String>, OnUpgrade), HandshakeError> {
///     let accepted = hybi_hyper::check(server, request)?;
///     let accepted = accepted.with_header("Set-Cookie", "seen=1").expect("a valid field");
///     Ok(hybi_hyper::upgrade_as(server, accepted, request))
/// }
/// ```
pub fn upgrade_as<B, R: Default>(
    server: &Server,
    accepted: ServerAccepted,
    request: &mut Request<B>,
) -> (Response<R>, OnUpgrade) {
    let (response, upgrade) = server.upgrade_as(accepted);
    let deadline = server.config().handshake_deadline(TokioTimer::default().now());
    let upgrading = hyper::upgrade::on(&mut *request);
    let ws = OnUpgrade::new(upgrading, upgrade, request.version(), deadline);
    (response.map(|()| R::default()), ws)
}

/// Answers a request as `server` says, and gives the WebSocket to `handler` in a task of its own: a service in one call.
///
/// A request that breaks a rule is refused. Whoever wants to hear of what becomes of the WebSocket calls
/// [`upgrade`]: errors of `handler`, and of a WebSocket that never opens, are dropped here.
///
/// ```
/// use http_body_util::Full;
/// use hybi_hyper::{
///     Error, Server,
///     http::{Request, Response},
/// };
/// use hyper::body::{Bytes, Incoming};
///
/// /// A page for browsers, and WebSockets.
/// async fn service(
///     server: Server,
///     mut request: Request<Incoming>,
/// ) -> Result<Response<Full<Bytes>>, hyper::Error> {
///     if !hybi_hyper::is_upgrade(&request) {
///         return Ok(Response::new(Full::from("<title>hello</title>")));
///     }
///     Ok(hybi_hyper::accept(&server, &mut request, |mut ws| async move {
///         while let Some(message) = ws.recv().await? {
///             ws.feed(message).await?;
///         }
///         Ok::<_, Error>(())
///     }))
/// }
/// ```
///
/// # Panics
///
/// When it is called outside of a runtime of tokio.
pub fn accept<B, R, F>(
    server: &Server,
    request: &mut Request<B>,
    handler: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response<R>
where
    R: Default + From<String>,
    F: Future<Output: Outcome> + Send + 'static,
{
    match upgrade(server, request) {
        Ok((response, ws)) => {
            drop(tokio::spawn(async {
                if let Ok(ws) = ws.await {
                    drop(handler(ws).await);
                }
            }));
            response
        }
        Err(refusal) => refusal.response().map(R::from),
    }
}
