//! The papers of a connection: certificates, keys and passwords, read from their files each time they are shown.
//!
//! In: paths of the site file. Out: what a TLS client needs, and until when certificates hold. Invariants: a file with a
//! secret that others can read is not used; the broker's certificate is checked by rustls and only looked at here.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::trouble::Denial;
use crate::config::broker::{Login, Own, Tls};

/// Until when certificates hold, s since 1970; shared by the publisher and whoever reports it.
#[derive(Debug, Default)]
pub struct Validity {
    own_s: AtomicI64,
    broker_s: AtomicI64,
}

impl Validity {
    /// End of our certificate, s since 1970, once it was read.
    #[must_use]
    pub fn own_s(&self) -> Option<i64> {
        Some(self.own_s.load(Ordering::Relaxed)).filter(|end_s| *end_s != 0)
    }

    /// End of the broker's certificate, s since 1970, once it was seen.
    #[must_use]
    pub fn broker_s(&self) -> Option<i64> {
        Some(self.broker_s.load(Ordering::Relaxed)).filter(|end_s| *end_s != 0)
    }

    /// The one that comes first, s since 1970.
    #[must_use]
    pub fn first_s(&self) -> Option<i64> {
        self.own_s().into_iter().chain(self.broker_s()).min()
    }
}

/// What a TLS client needs, from files as they are now.
///
/// # Errors
/// [`Denial::File`] with key, path and remedy.
pub(super) fn client_config(tls: &Tls, validity: &Arc<Validity>) -> Result<Arc<ClientConfig>, Denial> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(roots(tls.ca_file.as_deref())?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
    let inner = verifier.map_err(|error| Denial::File(format!("broker.ca_file: {error}")))?;
    let witness = Witness { inner, provider: Arc::clone(&provider), validity: Arc::clone(validity) };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Denial::NoTls(error.to_string()))?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(witness));
    let config = match &tls.own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let (chain, key) = certificate(own)?;
            validity.own_s.store(chain.first().and_then(end_s).unwrap_or(0), Ordering::Relaxed);
            let refused = |error: Error| {
                Denial::File(format!(
                    "broker.key_file = {}: {error}; name the key that broker.cert_file was made with",
                    own.key_file.display()
                ))
            };
            config.with_client_auth_cert(chain, key).map_err(refused)?
        }
    };
    Ok(Arc::new(config))
}

/// User and password, from the file as it is now.
///
/// # Errors
/// [`Denial::File`] with key, path and remedy.
pub(super) fn password(login: &Login) -> Result<(String, String), Denial> {
    let bytes = secret("broker.password_file", &login.password_file, OTHERS | GROUP)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Denial::File(format!("broker.password_file = {}: not UTF-8", login.password_file.display())))?;
    let word = text.trim_end_matches(['\r', '\n']);
    if word.is_empty() || word.contains('\n') {
        let path = login.password_file.display();
        return Err(Denial::File(format!("broker.password_file = {path}: write the password into it, one line")));
    }
    Ok((login.user.clone(), word.to_owned()))
}

/// Those who may vouch for a broker.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, Denial> {
    let mut roots = RootCertStore::empty();
    let certificates = match ca_file {
        Some(path) => pem_certificates("broker.ca_file", path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        let reason = match ca_file {
            Some(path) => format!("broker.ca_file = {}: holds no usable certificate; name a PEM file", path.display()),
            None => "this system vouches for nobody: install ca-certificates, or name broker.ca_file".to_owned(),
        };
        return Err(Denial::File(reason));
    }
    Ok(roots)
}

fn certificate(own: &Own) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Denial> {
    let chain = pem_certificates("broker.cert_file", &own.cert_file)?;
    let pem = secret("broker.key_file", &own.key_file, OTHERS)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        Denial::File(format!(
            "broker.key_file = {}: {error}; name a PEM file with a private key",
            own.key_file.display()
        ))
    })?;
    Ok((chain, key))
}

fn pem_certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Denial> {
    let refused = |reason: String| Denial::File(format!("{key} = {}: {reason}; name a PEM file", path.display()));
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(refused("holds no certificate".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// The bytes of a file that nobody in `barred` may read.
fn secret(key: &str, path: &Path, barred: u32) -> Result<Vec<u8>, Denial> {
    let shown = path.display();
    let refused = |error: std::io::Error| Denial::File(format!("{key} = {shown}: {error}"));
    let mode = std::fs::metadata(path).map_err(refused)?.permissions().mode();
    if mode & barred != 0 {
        let mode = mode & 0o777;
        return Err(Denial::File(format!("{key} = {shown}: mode {mode:o} lets others read it; chmod 600 {shown}")));
    }
    std::fs::read(path).map_err(refused)
}

/// End of a certificate, s since 1970.
fn end_s(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// Notes until when the broker's certificate holds, and leaves the judgement to rustls.
#[derive(Debug)]
struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    validity: Arc<Validity>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.validity.broker_s.store(end_s(end_entity).unwrap_or(0), Ordering::Relaxed);
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;
