//! Negotiation: what is offered and answered in the physical handshake, and what the place in the list means.

use hybi_handshake::ExtensionOffer;

use crate::config::Config;
use crate::number;

impl Config {
    /// What a client offers: what may be sent to it on the first channel from the beginning, since a grant that
    /// follows the handshake at once is lost on pywebsocket.
    #[must_use]
    pub fn offer(&self) -> ExtensionOffer {
        let quota = self.window.to_string();
        self.named().with_param("quota", Some(&quota)).unwrap_or_else(|_| self.named())
    }

    /// What a server answers: the name alone.
    #[must_use]
    pub fn answer(&self) -> ExtensionOffer {
        self.named()
    }

    /// The name of the extension, as it was [set](Self::token).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.token
    }

    fn named(&self) -> ExtensionOffer {
        // It was judged when it was set.
        ExtensionOffer::new(&self.token)
            .unwrap_or_else(|_| unreachable!("{} is a token", self.token))
    }

    /// Looks for an offer of multiplexing, as server. What stands before it is for the channels, and what stands
    /// behind for the physical connection.
    ///
    /// ```
    /// use hybi_handshake::Version;
    /// use hybi_mux::{Config, ExtensionOffer};
    ///
    /// let list = ["permessage-deflate, mux; quota=8192"];
    /// let offers = ExtensionOffer::parse_list(list, Version::RFC6455)?;
    /// let found = Config::default().find(&offers).expect("it is offered");
    /// assert_eq!((found.quota, found.before.len(), found.behind.len()), (8192, 1, 0));
    /// # Ok::<(), hybi_mux::HandshakeError>(())
    /// ```
    #[must_use]
    pub fn find<'a>(&self, offers: &'a [ExtensionOffer]) -> Option<Found<'a>> {
        let (at, quota) = offers.iter().enumerate().find_map(|(at, offer)| {
            (offer.name() == self.token).then_some(())?;
            Some((at, quota_of(offer)?))
        })?;
        Some(Found { quota, before: &offers[..at], behind: &offers[at + 1..] })
    }
}

/// An offer of multiplexing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<'a> {
    /// What the server may send on the first channel at first, in octets.
    pub quota: u64,
    /// What was offered for the channels.
    pub before: &'a [ExtensionOffer],
    /// What was offered for the physical connection.
    pub behind: &'a [ExtensionOffer],
}

/// The quota that an offer grants, below 2^32; `None` for an offer that has any other parameter.
fn quota_of(offer: &ExtensionOffer) -> Option<u64> {
    match offer.params() {
        [] => Some(0),
        [param] if param.name() == "quota" => {
            let digits = param.value()?;
            let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
            let quota: u32 = digits.parse().ok().filter(|_| is_decimal)?;
            Some(u64::from(quota).min(number::MAX))
        }
        _ => None,
    }
}
