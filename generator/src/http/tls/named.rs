//! Certificates that OpenSSL, curl and Go accept and webpki refuses, where the user has named whom to trust with `ca`:
//! a server that shows the named certificate itself (`openssl req -x509` makes such ones), and a server's certificate that
//! is marked as an authority's. Name and validity are verified all the same.

use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::time::Duration;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

/// The longest chain from a server's certificate to a named one.
const MAX_CHAIN: usize = 6;

/// The certificate, if it is one.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())
        .map(|(_, certificate)| certificate)
}

/// A second look at what webpki has `refused`.
///
/// # Errors
/// `refused`, or what else is wrong with a certificate that `named` ones vouch for.
pub(super) fn verify(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    named: &[CertificateDer<'_>],
    now: UnixTime,
    refused: Error,
) -> Result<(), Error> {
    let itself = named.iter().any(|named| named == end_entity);
    let Some(leaf) = parse(end_entity).filter(|leaf| itself || leaf.is_ca()) else {
        return Err(refused);
    };
    let vouched_for = itself || serves(&leaf) && is_vouched_for(&leaf, intermediates, named, now);
    if !vouched_for {
        return Err(refused);
    }
    in_time(&leaf, now)?;
    let verified =
        ParsedCertificate::try_from(end_entity).and_then(|cert| verify_server_name(&cert, name));
    match verified {
        // Go and webpki do not look at a common name. OpenSSL and curl do where there is no other name, and the user
        // cannot have meant anybody else
        Err(_) if itself && is_common_name(&leaf, name) => Ok(()),
        verified => verified,
    }
}

fn in_time(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = certificate.validity();
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let at = |time: ASN1Time| {
        let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    };
    if seconds < validity.not_before.timestamp() {
        let not_before = at(validity.not_before);
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if seconds > validity.not_after.timestamp() {
        let not_after = at(validity.not_after);
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        }
        .into());
    }
    Ok(())
}

/// Whether it may be a server's (RFC 5280 §4.2.1.12).
fn serves(leaf: &X509Certificate<'_>) -> bool {
    match leaf.extended_key_usage() {
        Ok(Some(usage)) => usage.value.server_auth || usage.value.any,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Whether signatures lead from the certificate to a named one. Who is between them has to be an authority in its time;
/// one with constraints on names vouches for nobody here, since nobody looks at them.
fn is_vouched_for(
    leaf: &X509Certificate<'_>,
    intermediates: &[CertificateDer<'_>],
    named: &[CertificateDer<'_>],
    now: UnixTime,
) -> bool {
    let named: Vec<_> = named.iter().filter_map(parse).collect();
    let between: Vec<_> = intermediates
        .iter()
        .filter_map(parse)
        .filter(|issuer| issuer.is_ca() && in_time(issuer, now).is_ok())
        .collect();
    let mut current = leaf;
    for _ in 0..MAX_CHAIN {
        if named.iter().any(|issuer| issued(issuer, current)) {
            return true;
        }
        let Some(issuer) = between.iter().find(|issuer| issued(issuer, current)) else {
            return false;
        };
        current = issuer;
    }
    false
}

fn issued(issuer: &X509Certificate<'_>, subject: &X509Certificate<'_>) -> bool {
    issuer.subject().as_raw() == subject.issuer().as_raw()
        && matches!(issuer.name_constraints(), Ok(None))
        && subject.verify_signature(Some(issuer.public_key())).is_ok()
}

fn is_common_name(leaf: &X509Certificate<'_>, name: &ServerName<'_>) -> bool {
    if !matches!(leaf.subject_alternative_name(), Ok(None)) {
        return false;
    }
    let name = name.to_str();
    leaf.subject()
        .iter_common_name()
        .filter_map(|common| common.as_str().ok())
        .any(|common| common.eq_ignore_ascii_case(&name))
}
