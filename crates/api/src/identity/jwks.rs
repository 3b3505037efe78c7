//! Keys that sign tokens (RFC 7517, RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256; keys of 2,048 bits or more.
    Rs256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

/// The keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct Jwks(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<WrittenKey>,
}

#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwks {
    /// The keys that sign in a way that is taken; others are passed over.
    pub(super) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let written: Written = serde_json::from_slice(json)?;
        Ok(Self(written.keys.into_iter().filter_map(Key::of).collect()))
    }

    /// Whether there is a key that a token of this kind could be signed with.
    pub(super) fn has(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        self.fitting(algorithm, kid).next().is_some()
    }

    /// Whether one of the keys signed this.
    pub(super) fn signed(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let mut keys = self.fitting(algorithm, kid);
        keys.any(|key| key.signed(message, signature))
    }

    /// A token that names its key is of that one; one that names none may be of any.
    fn fitting(&self, algorithm: Algorithm, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        let is_named = move |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let signs = move |key: &&Key| match key.material {
            Material::Rsa { .. } => algorithm == Algorithm::Rs256,
            Material::P256(_) => algorithm == Algorithm::Es256,
        };
        self.0.iter().filter(is_named).filter(signs)
    }
}

impl Key {
    fn of(written: WrittenKey) -> Option<Self> {
        let is = |field: &Option<String>, word: &str| field.as_deref().is_none_or(|f| f == word);
        let bytes = |field: Option<String>| URL_SAFE_NO_PAD.decode(field?).ok();
        if !is(&written.purpose, "sig") {
            return None;
        }
        let material = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) if is(&written.alg, "RS256") => Material::Rsa {
                n: bytes(written.n)?,
                e: bytes(written.e)?,
            },
            ("EC", Some("P-256")) if is(&written.alg, "ES256") => {
                let (x, y) = (bytes(written.x)?, bytes(written.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                Material::P256([&[4][..], &x, &y].concat())
            }
            _ => return None,
        };
        Some(Self {
            kid: written.kid,
            material,
        })
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Material::P256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature)
            }
        };
        verified.is_ok()
    }
}
