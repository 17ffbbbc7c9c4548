//! https: a certificate chain and a key from PEM files.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// Why https cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or is not PEM of the right kind.
    #[error("{what} {path:?} cannot be used: {source}; it must be a PEM file")]
    File {
        /// Which of the two files.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PemError,
    },
    /// The certificate file holds no certificate.
    #[error(
        "{0:?} holds no certificate; it must be a PEM file with the server's own certificate first"
    )]
    NoCertificate(PathBuf),
    /// The key does not fit, or an algorithm is not known.
    #[error("the certificate and the key do not work together: {0}")]
    Pair(#[from] rustls::Error),
}

/// The SHA-256 of a certificate, in hexadecimal.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash = Sha256::digest(certificate);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprint of the certificate that `files` name for the server itself.
#[must_use]
pub fn own_fingerprint(files: &TlsFiles) -> Option<String> {
    let mut chain = CertificateDer::pem_file_iter(&files.cert).ok()?;
    chain.next()?.ok().as_ref().map(fingerprint)
}

/// The acceptor for `files`, speaking HTTP/1.1.
///
/// # Errors
///
/// [`TlsError`] when a file cannot be read, is not PEM, or the two do not fit.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let wrong_chain = |source| TlsError::File {
        what: "the certificate",
        path: files.cert.clone(),
        source,
    };
    let wrong_key = |source| TlsError::File {
        what: "the private key",
        path: files.key.clone(),
        source,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .map_err(wrong_chain)?
        .collect::<Result<_, _>>()
        .map_err(wrong_chain)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(files.cert.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(wrong_key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
