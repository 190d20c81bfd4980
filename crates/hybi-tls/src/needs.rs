//! What a client needs of TLS before the first byte: whom to trust, and what the server has to be called
//! (RFC 6455 sections 3 and 4.1).

use std::{io, sync::Arc};

use hybi::{Error, OpeningError, WsUri};
use rustls::{ClientConfig, pki_types::ServerName};

use crate::Chosen;

/// What TLS with the server of a `wss` URI needs.
///
/// ```
/// # fn main() -> Result<(), hybi::Error> {
/// use hybi::WsUri;
/// use hybi_tls::{Chosen, Needs, Otherwise};
///
/// let uri: WsUri = "wss://example.org/chat".parse()?;
/// let needs = Needs::of(&uri, &Chosen::default(), Otherwise::TrustRoots)?.expect("it is secure");
/// assert_eq!(needs.name.to_str(), "example.org");
///
/// let uri: WsUri = "ws://example.org/chat".parse()?;
/// assert!(Needs::of(&uri, &Chosen::default(), Otherwise::TrustRoots)?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Needs {
    /// The configuration, which says whom to trust.
    pub config: Arc<ClientConfig>,
    /// What the certificate of the server has to be for: a name or an address.
    pub name: ServerName<'static>,
}

/// What holds of a client that was not told whom to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Otherwise {
    /// It trusts the roots that the features of this crate name: nobody, if they name none.
    TrustRoots,
    /// It refuses, and says which feature it lacks.
    Refuse {
        /// As in [`Error::TlsNotCompiledIn`].
        feature: &'static str,
    },
}

impl Needs {
    /// What the server of this URI needs; `None` if its scheme is `ws`.
    ///
    /// # Errors
    ///
    /// [`Error::TlsNotCompiledIn`] for a `wss` URI if nobody was chosen to be trusted, and that is to be refused;
    /// [`OpeningError::Tls`] for a host that no certificate can be for.
    pub fn of(uri: &WsUri, chosen: &Chosen, otherwise: Otherwise) -> Result<Option<Self>, Error> {
        if !uri.is_secure() {
            return Ok(None);
        }
        let config = chosen.to_config(otherwise)?;
        Ok(Some(Self { config, name: server_name(uri)? }))
    }
}

impl Otherwise {
    pub(crate) const fn allows_roots(self) -> Result<(), Error> {
        match self {
            Self::TrustRoots => Ok(()),
            Self::Refuse { feature } => Err(Error::TlsNotCompiledIn { feature }),
        }
    }
}

fn server_name(uri: &WsUri) -> Result<ServerName<'static>, Error> {
    let name = ServerName::try_from(uri.host().to_owned());
    name.map_err(|error| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, error);
        OpeningError::Tls { peer: uri.host().to_owned(), error }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> WsUri {
        text.parse().expect("a URI")
    }

    #[test]
    fn a_name_and_an_address_are_what_certificates_are_for() {
        for (host, name) in
            [("example.org", "example.org"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")]
        {
            let uri = uri(&format!("wss://{host}:8443/"));
            let needs = Needs::of(&uri, &Chosen::default(), Otherwise::TrustRoots).expect("a name");
            assert_eq!(needs.expect("it is secure").name.to_str(), name);
        }
    }

    #[test]
    fn a_host_that_no_certificate_can_be_for_is_told() {
        // A label has 63 letters at most.
        let host = "a".repeat(64);
        let error =
            Needs::of(&uri(&format!("wss://{host}/")), &Chosen::default(), Otherwise::TrustRoots);
        let error = error.expect_err("no name");
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::InvalidInput));
        assert!(error.to_string().starts_with(&format!("TLS with {host}: ")), "{error}");
    }

    #[test]
    fn what_the_caller_configured_is_used_and_the_rest_is_made_once() {
        let own = Otherwise::Refuse { feature: "roots" };
        let nothing = Chosen::default();
        let wss = uri("wss://example.org/");
        let error = Needs::of(&wss, &nothing, own).expect_err("nothing is compiled in");
        assert!(matches!(error, Error::TlsNotCompiledIn { feature: "roots" }), "{error}");
        assert!(Needs::of(&uri("ws://example.org/"), &nothing, own).expect("no TLS").is_none());
        let [first, second] = [(); 2].map(|()| {
            let needs = Needs::of(&wss, &nothing, Otherwise::TrustRoots).expect("a name");
            needs.expect("it is secure").config
        });
        assert!(Arc::ptr_eq(&first, &second));
        let given = Needs::of(&wss, &Chosen::config(first.clone()), own)
            .expect("a name")
            .expect("it is secure");
        assert!(Arc::ptr_eq(&given.config, &first));
    }
}
