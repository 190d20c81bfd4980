//! What a client was told: whom to trust, and who it is itself.

use core::{error, fmt};
use std::{
    io,
    sync::{Arc, OnceLock},
};

use hybi::Error;
use rustls::{
    ClientConfig, InconsistentKeys, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};

use crate::Otherwise;

/// What a caller chose of TLS as client, for an adapter's `Connector`. By default it is nothing: then the features say
/// whom to trust.
///
/// ```
/// use hybi_tls::{Chosen, PemError};
///
/// let error = Chosen::default().roots_pem(b"no certificate").unwrap_err();
/// assert!(matches!(error, PemError::NoCertificate));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Chosen(Choice);

#[derive(Clone, Debug, Default)]
enum Choice {
    #[default]
    Nothing,
    /// A configuration of the caller's.
    Config(Arc<ClientConfig>),
    Pem(Pem),
}

#[derive(Clone, Debug, Default)]
struct Pem {
    /// Whom to trust; whom the features say, if there are none.
    roots: Option<RootCertStore>,
    identity: Option<Arc<SingleCertAndKey>>,
    /// What comes of it, made once.
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Chosen {
    /// Uses this configuration, and nothing that was chosen before.
    #[must_use]
    pub fn config(config: Arc<ClientConfig>) -> Self {
        Self(Choice::Config(config))
    }

    /// Trusts the certificates in this PEM file, and no others but those of further calls. It takes the place of a whole
    /// configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with the file. Nobody is trusted by half.
    pub fn roots_pem(self, file: &[u8]) -> Result<Self, PemError> {
        let Pem { roots, identity, .. } = self.pem();
        let mut roots = roots.unwrap_or_else(RootCertStore::empty);
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(PemError::Certificate)?;
        }
        let roots = Some(roots);
        Ok(Self(Choice::Pem(Pem { roots, identity, config: Arc::default() })))
    }

    /// Shows this certificate to servers, and proxies, that ask for one: its chain, beginning with itself, and its key, as
    /// PEM files. It takes the place of a whole configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with the files, and that they do not belong together.
    pub fn client_certificate_pem(self, chain: &[u8], key: &[u8]) -> Result<Self, PemError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => PemError::NoKey,
            error => PemError::Malformed(error),
        })?;
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let pair = pair.map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => PemError::Mismatch,
            error => PemError::Certificate(error),
        })?;
        let Pem { roots, .. } = self.pem();
        let identity = Some(Arc::new(pair.into()));
        Ok(Self(Choice::Pem(Pem { roots, identity, config: Arc::default() })))
    }

    fn pem(self) -> Pem {
        match self.0 {
            Choice::Pem(pem) => pem,
            Choice::Nothing | Choice::Config(_) => Pem::default(),
        }
    }

    /// The configuration that comes of it.
    pub(crate) fn to_config(&self, otherwise: Otherwise) -> Result<Arc<ClientConfig>, Error> {
        static OF_FEATURES: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let (made, pem) = match &self.0 {
            Choice::Config(config) => return Ok(config.clone()),
            Choice::Nothing => (&OF_FEATURES, &Pem::default()),
            Choice::Pem(pem) => (&*pem.config, pem),
        };
        let roots = match &pem.roots {
            Some(roots) => Some(roots),
            None => {
                otherwise.allows_roots()?;
                None
            }
        };
        if let Some(config) = made.get() {
            return Ok(config.clone());
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots.cloned().unwrap_or_else(roots_of_features));
        let config = match &pem.identity {
            Some(identity) => builder.with_client_cert_resolver(identity.clone()),
            None => builder.with_no_client_auth(),
        };
        Ok(made.get_or_init(|| Arc::new(config)).clone())
    }
}

/// All the roots that the features name.
fn roots_of_features() -> RootCertStore {
    #[cfg_attr(
        not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")),
        expect(unused_mut, reason = "nobody is added")
    )]
    let mut roots = RootCertStore::empty();
    #[cfg(feature = "rustls-native-roots")]
    // A root that cannot be read or parsed is as good as absent; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    #[cfg(feature = "rustls-webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(PemError::NoCertificate),
        certificates => certificates.map_err(PemError::Malformed),
    }
}

/// Why a certificate or key of the caller's cannot be used.
///
/// ```
/// use hybi_tls::{Chosen, PemError};
///
/// fn identity(chain: &[u8], key: &[u8]) -> Result<Chosen, String> {
///     Chosen::default().client_certificate_pem(chain, key).map_err(|error| match error {
///         PemError::Mismatch => "are the files in their order?".to_owned(),
///         error => error.to_string(),
///     })
/// }
/// assert_eq!(identity(b"", b"").unwrap_err(), "there is no certificate in the PEM file");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PemError {
    /// There is no certificate in the file.
    NoCertificate,
    /// There is no private key in the file.
    NoKey,
    /// The file is not PEM (RFC 7468).
    Malformed(pem::Error),
    /// The certificate or the key cannot be used.
    Certificate(rustls::Error),
    /// The key is that of another certificate.
    Mismatch,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("there is no certificate in the PEM file"),
            Self::NoKey => f.write_str("there is no private key in the PEM file"),
            Self::Malformed(error) => write!(f, "the PEM file is malformed: {error}"),
            Self::Certificate(error) => write!(f, "the certificate cannot be used: {error}"),
            Self::Mismatch => f.write_str("the private key is not that of the certificate"),
        }
    }
}

impl error::Error for PemError {}
