//! TLS: certificates for `serve`, trust for `connect`, always with the ring provider named.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{
    ClientConfig, DigitallySignedStruct, InconsistentKeys, KeyLogFile, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};

use crate::exit::{Failure, Status};
use crate::values::HttpVersion;

/// The server's configuration from a PEM chain and its PEM key, for these versions of HTTP.
pub(crate) fn server_from_files(
    cert: &Path,
    key: &Path,
    http: &[HttpVersion],
) -> Result<ServerConfig, Failure> {
    let chain = certificates(cert)?;
    server(chain, private_key(key)?, http).map_err(|error| no_pair(cert, key, &error))
}

/// A certificate made now for `names`, and the SHA-256 of its DER form.
pub(crate) fn server_self_signed(
    names: &[String],
    http: &[HttpVersion],
) -> Result<(ServerConfig, String), Failure> {
    let failed =
        |error: &dyn core::fmt::Display| Failure::usage("cannot make a certificate", error);
    let made =
        rcgen::generate_simple_self_signed(names.to_vec()).map_err(|error| failed(&error))?;
    let der = made.cert.der().clone();
    let digest = ring::digest::digest(&ring::digest::SHA256, &der);
    let secret = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = server(vec![der], secret.into(), http).map_err(|error| failed(&error))?;
    Ok((config, colons(digest.as_ref())))
}

fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    http: &[HttpVersion],
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = HttpVersion::protocols(http);
    config.key_log = Arc::new(KeyLogFile::new());
    Ok(config)
}

/// Whose certificates a client accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trust<'a> {
    /// The roots of the operating system.
    System,
    /// The certificates of one PEM file.
    File(&'a Path),
    /// Anybody's.
    Anyone,
}

/// The client's configuration, with its own certificate and key if it has any.
pub(crate) fn client(
    trust: Trust<'_>,
    identity: Option<(&Path, &Path)>,
) -> Result<ClientConfig, Failure> {
    let crypto = Arc::new(provider::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Status::Tls, "cannot set up TLS", error))?;
    let builder = match trust {
        Trust::Anyone => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnyone(crypto)))
        }
        Trust::System => builder.with_root_certificates(system_roots()?),
        Trust::File(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| {
                    Failure::usage(format!("cannot trust {}", path.display()), error)
                })?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|error| no_pair(cert, key, &error))?,
    };
    config.alpn_protocols = HttpVersion::protocols(&[HttpVersion::Http11]);
    config.key_log = Arc::new(KeyLogFile::new());
    Ok(config)
}

fn system_roots() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why =
            found.errors.first().map_or_else(|| "the system has none".into(), ToString::to_string);
        return Err(Failure::new(Status::Tls, "no trusted roots found", why)
            .hint("--tls-ca FILE names certificates to trust"));
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(path, &error))?;
    if chain.is_empty() {
        return Err(Failure::usage(
            format!("cannot use {}", path.display()),
            "no PEM certificate in it",
        ));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            Failure::usage(format!("cannot use {}", path.display()), "no PEM private key in it")
        }
        error => unreadable(path, &error),
    })
}

/// Why a certificate and a key are not used together.
fn no_pair(cert: &Path, key: &Path, error: &rustls::Error) -> Failure {
    let what = format!("cannot use {} with {}", cert.display(), key.display());
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            Failure::usage(what, "the private key is not that of the certificate")
        }
        error => Failure::usage(what, error),
    }
}

fn unreadable(path: &Path, error: &dyn core::fmt::Display) -> Failure {
    Failure::usage(format!("cannot read {}", path.display()), error)
}

fn colons(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// `--insecure`: any certificate will do. Signatures are still checked, so that the peer at
/// least holds the key it shows.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
