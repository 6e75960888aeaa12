//! The page's own paper: a certificate and its key, for whoever asks from a network.
//!
//! In: two PEM files of the site file, read once at the start. Out: what encrypts connections, TLS 1.2 or newer. Invariant: a
//! key that others can read is not used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::super::PublishError;

/// What encrypts the page's connections.
///
/// # Errors
/// [`PublishError::Papers`] with key, path and remedy.
pub(super) fn acceptor(cert_file: &Path, key_file: &Path) -> Result<TlsAcceptor, PublishError> {
    let chain = certificates(cert_file)?;
    let refused = |reason: String| PublishError::of_paper("page.key_file", key_file, reason);
    let mode = key_file.metadata().map_err(|error| refused(error.to_string()))?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(refused(format!("mode {:o} lets others read it; run `chmod 600` on it", mode & 0o777)));
    }
    let pem = std::fs::read(key_file).map_err(|error| refused(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| refused(format!("{error}; name a PEM file with a private key")))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| refused(format!("{error}; name the key that page.cert_file was made with")))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PublishError> {
    let refused = |reason: String| PublishError::of_paper("page.cert_file", path, reason);
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(refused("holds no certificate; name a PEM file".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(refused(format!("{error}; name a PEM file"))),
    }
}

const OTHERS: u32 = 0o007;
