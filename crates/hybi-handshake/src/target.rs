//! What a request is for: its target and `Host` (RFC 9112 §3.2, RFC 6455 §4.2.1 item 2).

use http::{Method, Request, Uri, header};

use crate::authority::{Authority, default_port, same_host};
use crate::error::HandshakeError;
use crate::head::fields;

/// Applies what HTTP asks of every request, whatever it is for. Gives the value of `Host`, which
/// only a request of HTTP/1.0 may lack, and from HTTP/2 on one that names its host in its URI (`:authority`,
/// RFC 9113 §8.3.1).
pub(crate) fn check<B>(request: &Request<B>) -> Result<Option<&str>, HandshakeError> {
    check_target(request.method(), request.uri())?;
    let host = fields::single(request.headers(), &header::HOST, "Host")?;
    let Some(host) = host else {
        if request.version() >= http::Version::HTTP_2
            && let Some(authority) = request.uri().authority()
        {
            let host = authority.as_str();
            return match Authority::parse(host) {
                Some(_) => Ok(Some(host)),
                None => Err(HandshakeError::MalformedTarget),
            };
        }
        let may_lack = request.version() < http::Version::HTTP_11;
        return if may_lack { Ok(None) } else { Err(HandshakeError::MissingHost) };
    };
    let host = core::str::from_utf8(host).map_err(|_| HandshakeError::MalformedHost)?;
    let authority = Authority::parse(host).ok_or(HandshakeError::MalformedHost)?;
    check_same(request.uri(), authority)?;
    Ok(Some(host))
}

/// The four forms of RFC 9112 §3.2. Bytes that are not ASCII have to be percent-encoded in each.
fn check_target(method: &Method, target: &Uri) -> Result<(), HandshakeError> {
    let lawful = match (target.scheme(), target.path()) {
        (Some(_), _) => true,
        (None, "*") => method == Method::OPTIONS,
        (None, "") => method == Method::CONNECT,
        (None, path) => path.starts_with('/'),
    };
    let text = target.path_and_query().map_or("", |text| text.as_str());
    if lawful && text.is_ascii() { Ok(()) } else { Err(HandshakeError::MalformedTarget) }
}

/// The absolute form names the host as well (RFC 9112 §3.2.2), by the schemes of HTTP or, as some
/// proxies and old clients do, by those of WebSocket. Two names for the host would let a proxy and
/// this server see different requests.
fn check_same(target: &Uri, host: Authority<'_>) -> Result<(), HandshakeError> {
    let (Some(scheme), Some(authority)) = (target.scheme_str(), target.authority()) else {
        return Ok(());
    };
    let default = default_port(scheme).ok_or(HandshakeError::MalformedTarget)?;
    // User-info is no part of a request target (RFC 9110 §4.2.4), nor of an authority here.
    let named = Authority::parse(authority.as_str()).ok_or(HandshakeError::MalformedTarget)?;
    let same_port = named.port.unwrap_or(default) == host.port.unwrap_or(default);
    if same_port && same_host(named.host, host.host) {
        Ok(())
    } else {
        Err(HandshakeError::HostMismatch)
    }
}
