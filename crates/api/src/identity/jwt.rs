//! A JSON Web Token (RFC 7519) as it is written: three parts, the third of which signs the first two (RFC 7515).

use super::error::Refused;
use super::jwks::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Bytes of a token at most.
const LONGEST: usize = 16_384;
/// How far two clocks may be apart, in ms.
const LEEWAY_MS: i64 = 30_000;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What a token says; nothing of it is true before its signature has been looked at.
pub(super) struct Jwt<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Reads one; `None` for a token that is none of this kind.
    pub(super) fn parse(token: &'a str) -> Result<Option<Self>, Refused> {
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Ok(None);
        };
        if token.len() > LONGEST {
            return Err(Refused::Malformed);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| Refused::Malformed)?;
        let algorithm = match (header.alg.as_str(), header.crit) {
            ("RS256", None) => Algorithm::Rs256,
            ("ES256", None) => Algorithm::Es256,
            _ => return Err(Refused::Algorithm),
        };
        let signed = token.len() - signature.len() - 1;
        Ok(Some(Self {
            algorithm,
            kid: header.kid,
            claims: serde_json::from_slice(&decode(claims)?).map_err(|_| Refused::Malformed)?,
            signed: &token.as_bytes()[..signed],
            signature: decode(signature)?,
        }))
    }

    /// A claim that is text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// Whether it is valid at this time. One that says no end is valid never.
    pub(super) fn is_timely(&self, now_ms: i64) -> Result<(), Refused> {
        let ms = |claim: &str| match self.claims.get(claim) {
            None => Ok(None),
            // Seconds, with a fraction perhaps.
            Some(time) => match time.as_f64() {
                Some(s) => Ok(Some((s * 1e3) as i64)),
                None => Err(Refused::Malformed),
            },
        };
        let end = ms("exp")?.ok_or(Refused::Endless)?;
        if now_ms >= end.saturating_add(LEEWAY_MS) {
            return Err(Refused::Expired);
        }
        for begin in [ms("nbf")?, ms("iat")?].into_iter().flatten() {
            if begin > now_ms.saturating_add(LEEWAY_MS) {
                return Err(Refused::NotYet);
            }
        }
        Ok(())
    }

    /// Whether it is meant for one of these.
    pub(super) fn is_for(&self, audiences: &[String]) -> bool {
        let is_one = |value: &Value| {
            value
                .as_str()
                .is_some_and(|v| audiences.iter().any(|a| a == v))
        };
        match self.claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(is_one),
            Some(one) => is_one(one),
            None => false,
        }
    }
}
