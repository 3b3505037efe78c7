//! HTTP Digest as a server checks it (RFC 7616 §3.4).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Nonces that were given out, with the highest count that each was used with.
#[derive(Debug, Default)]
pub(super) struct Nonces(RefCell<HashMap<String, u32>>);

/// What a page asks for.
pub(super) struct Page<'a> {
    /// As in `algorithm`.
    pub(super) algorithm: &'a str,
    /// As in `qop`; `none` for the rules of RFC 2069.
    pub(super) qop: &'a str,
    /// How often a nonce may be used.
    pub(super) uses: u32,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

impl Nonces {
    /// Checks a request; what to ask for if it may not pass.
    pub(super) fn check(
        &self,
        page: &Page<'_>,
        method: &str,
        uri: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), String> {
        let sent = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Digest "))
            .map(parameters);
        let Some(sent) = sent else {
            return Err(self.challenge(page, false));
        };
        let get = |name: &str| sent.get(name).map_or("", String::as_str);
        let expected = response(page, &get, method, body);
        let right = expected.as_deref() == Some(get("response"))
            && get("uri") == uri
            && get("username") == page.user
            && get("qop") == if page.qop == "none" { "" } else { page.qop };
        let mut known = self.0.borrow_mut();
        let count = u32::from_str_radix(get("nc"), 16).unwrap_or(1);
        match known.get_mut(get("nonce")) {
            Some(last) if right && count > *last && count <= page.uses => {
                *last = count;
                return Ok(());
            }
            _ => {}
        }
        drop(known);
        Err(self.challenge(page, right))
    }

    fn challenge(&self, page: &Page<'_>, stale: bool) -> String {
        let mut known = self.0.borrow_mut();
        let nonce = format!("nonce-{}", known.len());
        known.insert(nonce.clone(), 0);
        let qop = match page.qop {
            "none" => String::new(),
            qop => format!(", qop=\"{qop}\""),
        };
        let stale = if stale { ", stale=true" } else { "" };
        format!(
            "Digest realm=\"shop, \\\"old\\\"\", nonce=\"{nonce}\", algorithm={}{qop}{stale}",
            page.algorithm
        )
    }
}

fn response<'a>(
    page: &Page<'_>,
    get: &impl Fn(&str) -> &'a str,
    method: &str,
    body: &[u8],
) -> Option<String> {
    let (base, session) = match page.algorithm.strip_suffix("-sess") {
        Some(base) => (base, true),
        None => (page.algorithm, false),
    };
    let hash: fn(&[u8]) -> String = match base {
        "MD5" => |data| hex(&Md5::digest(data)),
        "SHA-256" => |data| hex(&Sha256::digest(data)),
        "SHA-512-256" => |data| hex(&Sha512_256::digest(data)),
        _ => return None,
    };
    let (nonce, cnonce) = (get("nonce"), get("cnonce"));
    let mut secret = hash(format!("{}:shop, \"old\":{}", page.user, page.password).as_bytes());
    if session {
        secret = hash(format!("{secret}:{nonce}:{cnonce}").as_bytes());
    }
    let mut what = format!("{method}:{}", get("uri"));
    if page.qop == "auth-int" {
        what = format!("{what}:{}", hash(body));
    }
    let what = hash(what.as_bytes());
    let words = match page.qop {
        "none" => format!("{secret}:{nonce}:{what}"),
        qop => format!("{secret}:{nonce}:{}:{cnonce}:{qop}:{what}", get("nc")),
    };
    Some(hash(words.as_bytes()))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // writing to a string does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The parameters of an answer; no value of ours has a comma but the realm, which is not looked at.
fn parameters(text: &str) -> HashMap<String, String> {
    let pairs = text.split(", ").filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}
