//! Route: how a client gets to a server: proxies, how long each step may take, where redirects lead.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use http::{StatusCode, header};
use hybi_handshake::{
    HandshakeError, WsUri,
    proxy::{Proxies, Proxy},
};

use super::{Client, ClientBuilder};
use crate::connection::{Error, RedirectError, after};

/// What is chosen of it. By default a client goes directly, and nowhere else than it was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    through: Through,
    redirects: Redirects,
    connect: Option<Duration>,
    proxy: Option<Duration>,
    tls: Option<Duration>,
    answer: Option<Duration>,
}

/// Which proxies there are, and who said so.
#[derive(Clone, Debug, Default)]
enum Through {
    #[default]
    None,
    Chosen(Arc<Proxies>),
    /// The environment is about the network.
    Environment(Arc<Proxies>),
}

/// Of how many may be followed.
#[derive(Clone, Copy, Debug, Default)]
struct Redirects {
    left: u8,
    followed: u8,
}

/// A step on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Connect,
    Proxy,
    Tls,
    Answer,
}

impl Route {
    pub(crate) fn proxy(&self, uri: &WsUri) -> Option<&Proxy> {
        match &self.through {
            Through::None => None,
            Through::Environment(_) if uri.unix_socket().is_some() => None,
            Through::Chosen(proxies) | Through::Environment(proxies) => proxies.of(uri),
        }
    }

    /// When a step that begins now has to be over, within the deadline of all of them.
    pub(crate) fn deadline(&self, step: Step, now: Instant, all: Instant) -> Instant {
        let own = match step {
            Step::Connect => self.connect,
            Step::Proxy => self.proxy,
            Step::Tls => self.tls,
            Step::Answer => self.answer,
        };
        own.map_or(all, |own| all.min(after(now, own)))
    }
}

/// Proxies, redirects and the time for each step.
impl ClientBuilder {
    fn route(mut self, change: impl FnOnce(&mut Route)) -> Self {
        if let Ok(client) = &mut self.client {
            change(&mut client.route);
        }
        self
    }

    /// Goes through a proxy to all servers: `http://[user:password@]host[:port]`, `https` for TLS with the proxy itself,
    /// `socks5` for SOCKS with addresses that are looked up here, or `socks5h` for names that the proxy looks up. None by
    /// default.
    ///
    /// ```
    /// use hybi::Client;
    ///
    /// let client = Client::builder().proxy("http://user:secret@proxy.example.org:3128").build()?;
    /// assert!(Client::builder().proxy("ftp://proxy").build().is_err());
    /// # Ok::<(), hybi::Error>(())
    /// ```
    pub fn proxy(mut self, url: &str) -> Self {
        self.client = self.client.and_then(|mut client| {
            client.route.through = Through::Chosen(Arc::new(Proxies::all(url.parse()?)));
            Ok(client)
        });
        self
    }

    /// Goes through these proxies, each for its servers. A Unix socket is not reached through any of them, and a mistake
    /// where there is one for `ws://localhost`.
    ///
    /// ```
    /// use hybi::{Client, proxy::Proxies};
    ///
    /// let proxies = Proxies::all("socks5h://proxy".parse()?).except("localhost, 10.0.0.0/8");
    /// let client = Client::builder().proxies(proxies).build()?;
    /// # Ok::<(), hybi::Error>(())
    /// ```
    pub fn proxies(self, proxies: Proxies) -> Self {
        self.route(|route| route.through = Through::Chosen(Arc::new(proxies)))
    }

    /// Goes through the proxies that the environment names, as curl reads it: `http_proxy` for `ws`, `https_proxy` for
    /// `wss`, `all_proxy`, `no_proxy`; see [`Proxies::of_environment`]. It is read now. A variable that
    /// names no proxy is a mistake. Unix sockets are not on the network, and reached without.
    pub fn environment_proxies(mut self) -> Self {
        self.client = self.client.and_then(|mut client| {
            let proxies = Proxies::of_environment()?;
            client.route.through = Through::Environment(Arc::new(proxies));
            Ok(client)
        });
        self
    }

    /// Follows up to so many redirects of a server (RFC 9110 section 15.4); none by default: the answer is an error then, as
    /// any other that is not 101.
    ///
    /// `http` and `https` stand for `ws` and `wss`. To another scheme, host or port go neither `Authorization` nor
    /// `Cookie` nor the user-info of the URI. From `wss` none leads to `ws`. See [`Client::redirect`].
    pub fn follow_redirects(self, most: u8) -> Self {
        self.route(|route| route.redirects = Redirects { left: most, followed: 0 })
    }

    /// Sets how long looking up a name and connecting to one of its addresses may take, be it the server's or a proxy's.
    /// Within [`Config::handshake_timeout`](crate::Config::handshake_timeout), which is all there is by default.
    pub fn connect_timeout(self, time: Duration) -> Self {
        self.route(|route| route.connect = Some(time))
    }

    /// Sets how long a proxy may take to connect us. Within
    /// [`Config::handshake_timeout`](crate::Config::handshake_timeout), which is all there is by default.
    pub fn proxy_timeout(self, time: Duration) -> Self {
        self.route(|route| route.proxy = Some(time))
    }

    /// Sets how long the handshake of TLS may take, with the server and with a proxy. Within
    /// [`Config::handshake_timeout`](crate::Config::handshake_timeout), which is all there is by default.
    pub fn tls_timeout(self, time: Duration) -> Self {
        self.route(|route| route.tls = Some(time))
    }

    /// Sets how long the server may take to answer the request. Within
    /// [`Config::handshake_timeout`](crate::Config::handshake_timeout), which is all there is by default.
    pub fn answer_timeout(self, time: Duration) -> Self {
        self.route(|route| route.answer = Some(time))
    }
}

impl Client {
    /// Until when the answer to a request is waited for that is sent now, if all has to be over by `all`; see
    /// [`answer_timeout`](ClientBuilder::answer_timeout).
    #[must_use]
    pub fn answer_deadline(&self, now: Instant, all: Instant) -> Instant {
        self.route.deadline(Step::Answer, now, all)
    }

    pub(crate) const fn route(&self) -> &Route {
        &self.route
    }

    /// The client for another attempt after a server answered this one's with a redirect, and where that goes: with one
    /// [redirect](ClientBuilder::follow_redirects) less to follow, and without credentials if it is to another origin.
    /// `None` if the answer was none, or none is to be followed at all.
    ///
    /// The adapters do this by themselves when they connect.
    ///
    /// ```
    /// use hybi::{Client, WsUri};
    ///
    /// let client = Client::builder().header("Cookie", "a=1").follow_redirects(1).build()?;
    /// let uri: WsUri = "wss://example.org/chat".parse()?;
    /// let answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://chat.example.org\r\n\
    ///     Content-Length: 0\r\n\r\n";
    /// let error = client.handshake(&uri).handle_input(answer).unwrap_err();
    ///
    /// let (client, uri) = client.redirect(&uri, &error)?.expect("it leads somewhere");
    /// assert_eq!(uri.to_string(), "wss://chat.example.org/");
    /// let handshake = client.handshake(&uri);
    /// assert!(!handshake.request_bytes().windows(6).any(|bytes| bytes == b"Cookie"));
    /// // There was one to follow.
    /// assert!(client.redirect(&uri, &error).is_err());
    /// # Ok::<(), hybi::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Redirect`]: one too many, from `wss` to `ws`, to several places, or to what is no URI of a WebSocket.
    pub fn redirect(&self, uri: &WsUri, error: &Error) -> Result<Option<(Self, WsUri)>, Error> {
        let Some(HandshakeError::Rejected(response)) = error.handshake() else { return Ok(None) };
        let is_redirect = matches!(
            response.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let mut locations = response.headers().get_all(header::LOCATION).iter();
        let Some(location) = locations.next().filter(|_| is_redirect) else { return Ok(None) };
        let followed = match self.route.redirects {
            Redirects { left: 0, followed: 0 } => return Ok(None),
            Redirects { left: 0, followed } => {
                return Err(RedirectError::TooMany { followed }.into());
            }
            Redirects { left, followed } => Redirects { left: left - 1, followed: followed + 1 },
        };
        let others = locations.count();
        if others > 0 {
            return Err(RedirectError::Ambiguous { locations: others + 1 }.into());
        }
        let location = String::from_utf8_lossy(location.as_bytes());
        let next = uri.join(&location).map_err(|error| RedirectError::Location {
            location: without_user_info(&location),
            error,
        })?;
        if uri.is_secure() && !next.is_secure() {
            return Err(RedirectError::Downgrade { to: next }.into());
        }
        let mut client = self.clone();
        client.route.redirects = followed;
        if !uri.is_same_origin(&next) {
            client.request = client.request.without_credentials();
        }
        Ok(Some((client, next)))
    }
}

/// A reference to be told, which may be logged: whatever stands in front of an `@` where the authority is, or would be
/// if it were a URI, is left out.
fn without_user_info(reference: &str) -> String {
    let is_path = |begin: usize| reference[..begin].contains(['/', '?', '#']);
    let begin = match reference.find("//") {
        Some(slashes) if !is_path(slashes) => slashes + 2,
        _ => 0,
    };
    let rest = &reference[begin..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{}{}", &reference[..begin], &rest[at + 1..]),
        None => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_user_info;

    #[test]
    fn what_may_be_a_secret_is_not_told() {
        for (reference, told) in [
            ("ftp://user:secret@host/x", "ftp://host/x"),
            ("//user:secret@host:0/x@y", "//host:0/x@y"),
            ("ws://user:se@cret@?x", "ws://?x"),
            ("http:user:secret@host/", "host/"),
            ("user:secret@host", "host"),
            ("ws://host/a@b", "ws://host/a@b"),
            ("/a//user@b", "/a//user@b"),
            ("?a=//user@b", "?a=//user@b"),
            ("", ""),
        ] {
            assert_eq!(without_user_info(reference), told, "{reference}");
        }
    }
}
