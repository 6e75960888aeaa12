//! Certificates of a test: an authority, those it signs, and those nobody should believe. Made anew each time.

use std::os::unix::fs::PermissionsExt;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::folder::Folder;

/// Whoever signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// One with this name.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, as a file.
    pub fn file(&self, folder: &Folder, name: &str) -> String {
        folder.write(name, &self.pem)
    }

    /// A certificate for a name and what it is called by, as `name.pem` and `name.key`.
    pub fn sign(&self, folder: &Folder, file: &str, name: &str, called: &[&str]) -> [String; 2] {
        self.signed(folder, file, params(name, called))
    }

    /// One that ended years ago.
    pub fn sign_expired(&self, folder: &Folder, file: &str, name: &str, called: &[&str]) -> [String; 2] {
        let mut params = params(name, called);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.signed(folder, file, params)
    }

    /// One that ends in so many days.
    pub fn sign_for_days(&self, folder: &Folder, file: &str, name: &str, days: u64) -> [String; 2] {
        let mut params = params(name, &[]);
        params.not_after = (std::time::SystemTime::now() + std::time::Duration::from_secs(days * 86_400)).into();
        self.signed(folder, file, params)
    }

    fn signed(&self, folder: &Folder, file: &str, params: CertificateParams) -> [String; 2] {
        let key = KeyPair::generate().expect("a key");
        let pem = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        let cert = folder.write(&format!("{file}.pem"), pem);
        [cert, private(folder, &format!("{file}.key"), &key.serialize_pem())]
    }
}

/// A file that its owner alone can read.
pub fn private(folder: &Folder, name: &str, content: &str) -> String {
    let path = folder.write(name, content);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    path
}

fn params(name: &str, called: &[&str]) -> CertificateParams {
    let called: Vec<String> = called.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(called).expect("good names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params
}
