//! Why a handshake failed, in words, and whose certificate it was. What comes from a peer is bounded and made plain: it
//! ends up on terminals and in records.

use super::named;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt::Write as _;
use std::net::IpAddr;
use x509_parser::prelude::{GeneralName, X509Certificate};

/// The longest name of a certificate that is shown, in characters.
const MAX_NAME: usize = 120;
/// Names of a certificate that are shown.
const MAX_NAMES: usize = 4;

/// What is wrong with a certificate that was shown for a name.
pub(super) fn of_certificate(
    error: &Error,
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> String {
    let parsed = named::parse(certificate);
    let mut text = match error {
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => {
            let when = parsed.as_ref().map(|cert| cert.validity().not_after);
            when.map_or_else(
                || "the certificate expired".to_owned(),
                |when| format!("the certificate, or one above it, expired (its own end: {when})"),
            )
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "the certificate, or one above it, is not valid yet: is the clock right?".to_owned(),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!(
            "the certificate is of another name: for {}, not for {}",
            parsed
                .as_ref()
                .map_or_else(|| "no name".to_owned(), names_of),
            plain(&name.to_str())
        ),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the certificate's issuer is unknown: name it with http.ca".to_owned()
        }
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "the certificate's issuer is unknown: one of its name is trusted, but did not sign the certificate".to_owned()
        }
        other => plain(&other.to_string()),
    };
    if let Some(cert) = parsed {
        // writing to a string does not fail
        let _ = write!(
            text,
            "; subject {:?}, issuer {:?}",
            plain(&cert.subject().to_string()),
            plain(&cert.issuer().to_string())
        );
    }
    text
}

/// The names that a certificate is for; its common name is none.
fn names_of(certificate: &X509Certificate<'_>) -> String {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map_or(&[][..], |names| &names.value.general_names);
    let mut text: Vec<_> = names
        .iter()
        .take(MAX_NAMES)
        .map(|name| match name {
            GeneralName::DNSName(name) => plain(name),
            GeneralName::IPAddress(bytes) => address(bytes).map_or_else(
                || "an address of odd length".to_owned(),
                |address| address.to_string(),
            ),
            other => plain(&other.to_string()),
        })
        .collect();
    if names.len() > MAX_NAMES {
        text.push("others".to_owned());
    }
    if text.is_empty() {
        text.push("no name".to_owned());
    }
    text.join(", ")
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Text of a peer without what a terminal would obey or that changes the direction of writing.
pub(in crate::http) fn plain(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == MAX_NAME {
            out.push('…');
            break;
        }
        if odd(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_peers_are_plain_and_bounded() {
        assert_eq!(plain("a\u{1b}[31m\u{202e}b"), r"a\u{1b}[31m\u{202e}b");
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), MAX_NAME + 1);
    }
}
