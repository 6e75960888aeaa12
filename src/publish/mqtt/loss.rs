//! How a connection ends, told apart by what is to be done next.
//!
//! In: errors of sockets and of TLS. Out: [`Loss`]. Invariant: what comes and goes by itself (a cable, a restart) is never
//! taken for an objection to what was sent.

use std::io;

use rumqttc::TlsError;
use rustls::{AlertDescription, CertificateError, Error};

use super::trouble::Denial;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loss {
    /// The network or the broker went away, or never was there.
    Gone,
    /// The other end closed without a word.
    HungUp,
    /// Another client came under our name.
    TakenOver,
    /// The broker speaks another MQTT.
    OtherVersion,
    /// Nobody says anything, for as long as we waited to be let in.
    Silence,
    /// The broker objects to something it was sent.
    Objection(String),
    /// What came is nothing a broker says.
    Gibberish(String),
    /// Something longer than any command of ours came.
    Overlong,
    /// The broker does not let us in, or we do not trust it.
    Denied(Denial),
}

/// Of an error of a socket, below which TLS may lie.
pub(super) fn of_io(error: &io::Error) -> Loss {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return of_rustls(tls);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Loss::HungUp,
        // What a codec says of a connection that broke off within a packet.
        io::ErrorKind::Other if error.to_string().contains("bytes remaining") => Loss::HungUp,
        _ => Loss::Gone,
    }
}

/// Of an error while TLS is agreed on.
pub(super) fn of_tls(error: &TlsError) -> Loss {
    match error {
        TlsError::Io(error) => of_io(error),
        TlsError::TLS(error) => of_rustls(error),
        TlsError::DNSName(_) => Loss::Denied(Denial::WrongName),
        other => Loss::Denied(Denial::NoTls(other.to_string())),
    }
}

fn of_rustls(error: &Error) -> Loss {
    Loss::Denied(match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            Denial::BrokerExpired
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            Denial::BrokerEarly
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Denial::WrongName,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Denial::UnknownAuthority
        }
        Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::NoCertificate),
        ) => Denial::OwnCertificate(format!("{alert:?}")),
        other => Denial::NoTls(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_is_found_below_an_error_of_the_socket() {
        let below = |error: Error| of_io(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(below(Error::InvalidCertificate(CertificateError::Expired)), Loss::Denied(Denial::BrokerExpired));
        assert_eq!(
            below(Error::AlertReceived(AlertDescription::UnknownCA)),
            Loss::Denied(Denial::OwnCertificate("UnknownCA".to_owned()))
        );
    }
}
