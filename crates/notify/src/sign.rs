//! Signatures of the Standard Webhooks specification
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>): HMAC-SHA256 over id, timestamp and
//! body, joined by dots.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// What a secret begins with that is written in base64.
const PREFIX: &str = "whsec_";

/// A secret that cannot be one. The text is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Nothing.
    #[error("the webhook's secret is empty")]
    Empty,
    /// After the prefix there should be base64.
    #[error(
        "the webhook's secret begins with whsec_, and what follows is not base64; a secret without whsec_ is taken as it is"
    )]
    NotBase64,
}

/// A secret to sign with.
#[derive(Debug)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Of `whsec_` and base64, or of any other text as it is.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn read(secret: &str) -> Result<Self, BadSecret> {
        let bytes = match secret.strip_prefix(PREFIX) {
            Some(text) => STANDARD.decode(text).map_err(|_| BadSecret::NotBase64)?,
            None => secret.as_bytes().to_vec(),
        };
        match bytes.is_empty() {
            true => Err(BadSecret::Empty),
            false => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
        }
    }

    /// `v1,` and the signature; `timestamp` in Unix seconds.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// The header `webhook-signature`: one signature for each secret, while one replaces another.
///
/// # Errors
/// [`BadSecret`] of the first that cannot be one.
pub fn signatures(
    secrets: &[String],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<String, BadSecret> {
    let signed: Result<Vec<_>, _> = secrets
        .iter()
        .map(|secret| Ok(SigningKey::read(secret)?.sign(id, timestamp, body)))
        .collect();
    Ok(signed?.join(" "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The vector that the libraries of the specification test themselves with.
    #[test]
    fn the_known_answer_is_given() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let signed = signatures(std::slice::from_ref(&secret), id, 1_614_265_330, body).unwrap();
        assert_eq!(signed, expected);
        let both = signatures(&["plain".to_owned(), secret], id, 1_614_265_330, body).unwrap();
        let (other, own) = both.split_once(' ').unwrap();
        assert!(
            own == expected && other != expected && other.starts_with("v1,"),
            "{both}"
        );
    }

    #[test]
    fn a_secret_that_is_none_is_refused_without_being_shown() {
        assert_eq!(SigningKey::read("").unwrap_err(), BadSecret::Empty);
        assert_eq!(SigningKey::read("whsec_").unwrap_err(), BadSecret::Empty);
        let error = SigningKey::read("whsec_hunter2!").unwrap_err();
        assert_eq!(error, BadSecret::NotBase64);
        assert!(!error.to_string().contains("hunter2"));
        assert!(!format!("{:?}", SigningKey::read("hunter2").unwrap()).contains("hunter2"));
    }
}
