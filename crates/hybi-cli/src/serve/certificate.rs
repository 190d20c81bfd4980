//! The certificate that TLS is served with, and its replacement while the server runs.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;

use crate::args::serve::TlsArgs;
use crate::exit::Failure;
use crate::values::HttpVersion;
use crate::{log, tls};

/// What new connections are opened with.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// Chain and key, unless the certificate was made at start.
    files: Option<(PathBuf, PathBuf)>,
    /// What may be spoken through TLS.
    http: Vec<HttpVersion>,
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificate {
    /// The one that the options ask for; `None` serves without TLS.
    pub(crate) fn new(args: &TlsArgs, http: &[HttpVersion]) -> Result<Option<Self>, Failure> {
        let files = args.tls_cert.clone().zip(args.tls_key.clone());
        let config = match &files {
            Some((cert, key)) => tls::server_from_files(cert, key, http)?,
            None if args.tls_self_signed.is_empty() => return Ok(None),
            None => {
                let (config, digest) = tls::server_self_signed(&args.tls_self_signed, http)?;
                log::notice(format_args!("self-signed certificate, SHA-256 {digest}"));
                config
            }
        };
        Ok(Some(Self { files, http: http.to_vec(), current: RwLock::new(Arc::new(config)) }))
    }

    /// What the next connection is opened with.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again; false if there are none. What is bad leaves everything as it was.
    ///
    /// Connections that are open keep what they were opened with.
    pub(crate) fn reload(&self) -> Result<bool, Failure> {
        let Some((cert, key)) = &self.files else { return Ok(false) };
        let config = Arc::new(tls::server_from_files(cert, key, &self.http)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(true)
    }
}
