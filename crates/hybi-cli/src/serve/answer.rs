//! What a request gets: a connection to a handler, a page, or a refusal (RFC 9110 §9.3, §15).

use http::{HeaderValue, Method, Response, StatusCode, Version, header};
use hybi::{HandshakeError, Incoming, handshake::ServerAccepted, io::Transport};
use hybi_tokio::TokioTimer;

use super::page;
use super::route::{Handler, Plan};
use super::shared::Shared;

/// An answer other than 101.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response<String>,
    /// For whoever runs the server: what would have let the request in.
    pub(crate) advice: Option<String>,
}

/// The handler for a request and the 101 to answer, or the answer that it gets instead. That its target
/// and host are in order, the library has seen to.
pub(crate) fn decide<T: Transport>(
    shared: &Shared,
    incoming: &Incoming<T, TokioTimer>,
) -> Result<(Plan, ServerAccepted), Box<Answer>> {
    let request = incoming.request();

    let path = request.uri().path();
    let nothing = || answer(StatusCode::NOT_FOUND, "nothing is served at this path");
    let (page, handler) = (path == "/" && !shared.args.listen.no_pages, shared.routes.find(path));
    let methods = methods(request.version(), path, page, handler).ok_or_else(nothing)?;
    match *request.method() {
        Method::OPTIONS => return Err(options(methods)),
        Method::GET | Method::HEAD if page && !incoming.is_upgrade() => {
            return Err(page::response().map(str::to_owned).into());
        }
        _ if page && !incoming.is_upgrade() => {
            return Err(refusal(&HandshakeError::Method, methods));
        }
        _ => {}
    }

    let handler = handler.ok_or_else(nothing)?;
    let query = request.uri().query().unwrap_or_default();
    let plan = Plan::new(handler, query, shared.args.limits.max_message)
        .map_err(|why| answer(StatusCode::BAD_REQUEST, &why))?;
    let mut accepted = incoming.check().map_err(|error| refusal(&error, methods))?;
    if let Plan::Echo { extensions: false, .. } = plan {
        accepted.offers.clear();
    }
    Ok((plan, accepted))
}

/// The methods of what is at a path, for `Allow`; `None` if nothing is. Over HTTP/2 it is by CONNECT that a handler is asked
/// for (RFC 8441 §4), before that by GET.
fn methods(
    version: Version,
    path: &str,
    page: bool,
    handler: Option<Handler>,
) -> Option<&'static str> {
    // The server as a whole (RFC 9110 §9.3.7).
    let whole = path == "*";
    let connects = version == Version::HTTP_2 && (handler.is_some() || whole);
    match (page || whole, connects) {
        (true, true) => Some("GET, HEAD, OPTIONS, CONNECT"),
        (true, false) => Some("GET, HEAD, OPTIONS"),
        (false, true) => Some("CONNECT, OPTIONS"),
        (false, false) => handler.map(|_| "GET, OPTIONS"),
    }
}

/// The answer to OPTIONS, by which proxies also ask whether the server is up.
fn options(methods: &'static str) -> Box<Answer> {
    let mut response = Response::new(String::new());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response.into()
}

/// A refusal of the library, with the methods that this program has at the path.
fn refusal(error: &HandshakeError, methods: &'static str) -> Box<Answer> {
    let mut response = error.response();
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    Box::new(Answer { response, advice: advice(error) })
}

/// What would have let a request in that a choice of this server's refused.
pub(crate) fn advice(error: &HandshakeError) -> Option<String> {
    match error {
        HandshakeError::HostNotServed { host } => Some(format!("--host {host} would let it in")),
        HandshakeError::Origin(refused) => {
            Some(format!("--origin '{}' would let it in", refused.allowed_by))
        }
        _ => None,
    }
}

fn answer(status: StatusCode, why: &str) -> Box<Answer> {
    let mut response = Response::new(format!("{why}\n"));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.into()
}

impl From<Response<String>> for Box<Answer> {
    fn from(response: Response<String>) -> Self {
        Self::new(Answer { response, advice: None })
    }
}
