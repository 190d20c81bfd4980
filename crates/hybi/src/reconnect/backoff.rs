//! Backoff: how long to wait before the next attempt, and whether to make one; without clock and chance.

use core::time::Duration;

use http::{StatusCode, header};

use hybi_frame::CloseCode;
use hybi_handshake::proxy::{SocksReply, TunnelError};

use crate::connection::{CloseStatus, Endpoint, Error, OpeningError, ProxyError};

/// How long a client waits before it connects again, and when it does not.
///
/// Each pause is chosen at random between nothing and a longest, so that clients which lost their server together do not
/// come back together. That longest is 5 s after a connection ended (RFC 6455 section 7.2.3), and twice as long with each
/// attempt that fails, up to a minute. It makes no difference whether the end was in order: a server that closes each
/// connection is not asked a thousand times a second either. Only a connection that lasted for as long as the longest pause
/// begins anew.
///
/// A peer may say more about it: `Retry-After` in seconds, of which up to an hour are waited, and the pause behind
/// them; a Close frame with 1012, for which it is 5 to 30 s, or with 1013, for which it is the longest pause and once more a
/// part of it.
///
/// What will not change ends it: a refusal with 4xx, but for 408, 421, 425 and 429, of the server or a proxy; a Close frame with 1008; a request
/// that cannot be sent; a redirect that is not followed. [`persistent`](Self::persistent) goes on even then, but for what cannot be sent.
///
/// ```
/// use core::time::Duration;
/// use hybi::reconnect::{Backoff, Pause};
///
/// let mut backoff = Backoff::default().first(Duration::from_secs(1)).attempts(3);
/// let refused = |status: &str| {
///     let answer = format!("HTTP/1.1 {status}\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
///     let mut handshake = hybi::Client::default().handshake(&"ws://a/".parse().unwrap());
///     handshake.handle_input(answer.as_bytes()).unwrap_err()
/// };
/// // The number between 0 and 1 is what chance says.
/// assert_eq!(backoff.failed(&refused("503 Busy"), 0.5), Pause::For(Duration::from_millis(7_500)));
/// assert_eq!(backoff.failed(&hybi::Error::Lost, 1.0), Pause::For(Duration::from_secs(2)));
/// assert_eq!(backoff.failed(&hybi::Error::Lost, 0.5), Pause::Never);
/// assert_eq!(Backoff::default().failed(&refused("403 Forbidden"), 0.5), Pause::Never);
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: Option<u32>,
    is_persistent: bool,
    /// Attempts in a row that failed, and connections that did not last.
    failed: u32,
    /// Pauses since a connection lasted.
    pauses: u32,
}

/// What to do before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Pause {
    /// Wait so long.
    For(Duration),
    /// Make none.
    Never,
}

/// How a connection ended, as far as it matters for the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// What the peer closed it with.
    code: Option<CloseCode>,
    lasted: Duration,
}

impl Ended {
    /// A connection that ended so ([`WebSocket::close_status`](crate::WebSocket::close_status)), after this time.
    #[must_use]
    pub fn new(status: Option<&CloseStatus>, lasted: Duration) -> Self {
        let by_peer = status.filter(|status| status.began_by() == Some(Endpoint::Peer));
        Self { code: by_peer.map(CloseStatus::code), lasted }
    }
}

/// The longest that `Retry-After` may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// What 1012 asks for (the registry of close codes).
const RESTART: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(60),
            attempts: None,
            is_persistent: false,
            failed: 0,
            pauses: 0,
        }
    }
}

impl Backoff {
    /// Sets the longest of the first pause; 5 s by default.
    #[must_use]
    pub fn first(mut self, time: Duration) -> Self {
        self.first = time;
        self
    }

    /// Sets the longest of all pauses; a minute by default.
    #[must_use]
    pub fn longest(mut self, time: Duration) -> Self {
        self.longest = time;
        self
    }

    /// Sets how many attempts in a row may fail before none is made any more; any number by default. A connection that
    /// does not last is one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Goes on after answers that will not change, too: where whoever answers may be told better meanwhile.
    #[must_use]
    pub fn persistent(mut self, is_persistent: bool) -> Self {
        self.is_persistent = is_persistent;
        self
    }

    /// An attempt failed. `chance` is a random number from 0 to 1.
    pub fn failed(&mut self, error: &Error, chance: f64) -> Pause {
        let cannot_be_sent = matches!(
            error,
            Error::Uri(_)
                | Error::Field(_)
                | Error::TlsNotCompiledIn { .. }
                | Error::Environment(_)
        );
        let is_final = match error {
            Error::Redirect(_) => true,
            Error::Opening(step) => match &**step {
                OpeningError::Proxy { error, .. } => match error {
                    ProxyError::Refused(why) => is_final_of(why),
                    ProxyError::Addresses { attempts } => {
                        attempts.iter().all(|(_, reply)| is_not_allowed(*reply))
                    }
                    _ => false,
                },
                _ => false,
            },
            error => error.response().is_some_and(|response| is_final(response.status())),
        };
        if cannot_be_sent || (is_final && !self.is_persistent) {
            return Pause::Never;
        }
        let asked = error.response().and_then(|response| {
            let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
            Some(Duration::from_secs(value.trim().parse().ok()?).min(LONGEST_ASKED))
        });
        self.failed = self.failed.saturating_add(1);
        self.next(chance, |window| (asked.unwrap_or_default(), window))
    }

    /// A connection ended. `chance` is a random number from 0 to 1.
    pub fn ended(&mut self, ended: &Ended, chance: f64) -> Pause {
        if ended.lasted >= self.longest {
            (self.failed, self.pauses) = (0, 0);
        } else {
            self.failed = self.failed.saturating_add(1);
        }
        let longest = self.longest;
        match ended.code {
            Some(CloseCode::POLICY_VIOLATION) if !self.is_persistent => Pause::Never,
            Some(CloseCode::SERVICE_RESTART) => {
                self.next(chance, |window| (RESTART.0, window.max(RESTART.1 - RESTART.0)))
            }
            Some(CloseCode::TRY_AGAIN_LATER) => self.next(chance, |window| (longest, window)),
            _ => self.next(chance, |window| (Duration::ZERO, window)),
        }
    }

    /// The next pause: from a least, as much more as chance says of the window.
    fn next(&mut self, chance: f64, from: impl FnOnce(Duration) -> (Duration, Duration)) -> Pause {
        let doubled = 2_u32.saturating_pow(self.pauses);
        let window = self.first.saturating_mul(doubled).min(self.longest);
        self.pauses = self.pauses.saturating_add(1);
        if self.failed > 0 && self.attempts.is_some_and(|most| self.failed >= most) {
            return Pause::Never;
        }
        let (least, window) = from(window);
        // What is no number says nothing, and nobody is to come at once for that.
        let chance = if chance.is_nan() { 1.0 } else { chance.clamp(0.0, 1.0) };
        // The longest times are above what a float can say of them.
        let part = Duration::try_from_secs_f64(window.as_secs_f64() * chance);
        Pause::For(least.saturating_add(part.map_or(window, |part| part.min(window))))
    }
}

/// Whether a proxy would say the same again.
fn is_final_of(why: &TunnelError) -> bool {
    match why {
        TunnelError::Refused(response) => is_final(response.status()),
        TunnelError::Failed(reply) => is_not_allowed(*reply),
        TunnelError::NotSocks { .. }
        | TunnelError::NoMethod { .. }
        | TunnelError::MethodNotOffered { .. }
        | TunnelError::WrongCredentials
        | TunnelError::NameTooLong => true,
        _ => false,
    }
}

/// Whether the rules of a proxy are why it did not connect (RFC 1928 section 6).
fn is_not_allowed(reply: SocksReply) -> bool {
    reply.code() == 2
}

/// Whether the same request would be answered the same.
fn is_final(status: StatusCode) -> bool {
    let may_change = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::MISDIRECTED_REQUEST,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_client_error() && !may_change.contains(&status)
}
