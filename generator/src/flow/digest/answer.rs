//! The answer to a challenge, in `Authorization`.

use super::challenge::{Challenge, Hash, Protection};
use crate::flow::credentials::Credentials;
use crate::flow::io::Request;
use floodgate_records::printable::hex;
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};
use std::fmt::Write as _;

/// All but `attr-char` of RFC 8187 §3.2.1.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The hash of user, realm and password; of an algorithm `-sess` with the session's first nonces. It is made once a session.
pub(super) fn secret(challenge: &Challenge, credentials: &Credentials, cnonce: &str) -> String {
    let Credentials { username, password } = credentials;
    let Challenge {
        hash, realm, nonce, ..
    } = challenge;
    let secret = hash.of(format!("{username}:{realm}:{password}").as_bytes());
    if challenge.session {
        return hash.of(format!("{secret}:{nonce}:{cnonce}").as_bytes());
    }
    secret
}

/// The header's value. `count` is how often the nonce was used, this time included. `None`: a target's words would break the header.
pub(super) fn value(
    challenge: &Challenge,
    username: &str,
    secret: &str,
    cnonce: &str,
    count: u32,
    request: &Request,
) -> Option<String> {
    let Challenge {
        hash, realm, nonce, ..
    } = challenge;
    let (method, uri) = (&request.method, &request.path_and_query);
    let count = format!("{count:08x}");
    let what = match challenge.protection {
        Protection::AuthInt => format!("{method}:{uri}:{}", hash.of(&request.body)),
        _ => format!("{method}:{uri}"),
    };
    let what = hash.of(what.as_bytes());
    let qop = match challenge.protection {
        Protection::Old => None,
        Protection::Auth => Some("auth"),
        Protection::AuthInt => Some("auth-int"),
    };
    let response = match qop {
        Some(qop) => format!("{secret}:{nonce}:{count}:{cnonce}:{qop}:{what}"),
        None => format!("{secret}:{nonce}:{what}"),
    };
    let response = hash.of(response.as_bytes());
    let user = if challenge.userhash {
        let hidden = hash.of(format!("{username}:{realm}").as_bytes());
        format!("username=\"{hidden}\"")
    } else if username.is_ascii() {
        format!("username=\"{}\"", quoted(username))
    } else {
        format!(
            "username*=UTF-8''{}",
            utf8_percent_encode(username, EXTENDED)
        )
    };
    let mut text = format!(
        "Digest {user}, realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{response}\"",
        quoted(realm),
        quoted(nonce),
        quoted(uri)
    );
    // Writing to a string does not fail.
    if let Some(algorithm) = &challenge.algorithm {
        let _ = write!(text, ", algorithm={algorithm}");
    }
    if let Some(opaque) = &challenge.opaque {
        let _ = write!(text, ", opaque=\"{}\"", quoted(opaque));
    }
    if let Some(qop) = qop {
        let _ = write!(text, ", qop={qop}, nc={count}");
    }
    if qop.is_some() || challenge.session {
        let _ = write!(text, ", cnonce=\"{cnonce}\"");
    }
    if challenge.userhash {
        text.push_str(", userhash=true");
    }
    (!text.bytes().any(|b| b.is_ascii_control())).then_some(text)
}

impl Hash {
    fn of(self, data: &[u8]) -> String {
        match self {
            Self::Md5 => hex(Md5::digest(data)),
            Self::Sha256 => hex(Sha256::digest(data)),
            Self::Sha512Of256 => hex(Sha512_256::digest(data)),
        }
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(
        challenge: &str,
        user: (&str, &str),
        cnonce: &str,
        count: u32,
        body: &'static str,
    ) -> String {
        let challenge = Challenge::first([challenge.as_bytes()].into_iter()).unwrap();
        let credentials = Credentials {
            username: user.0.into(),
            password: user.1.into(),
        };
        let request = Request {
            method: if body.is_empty() { "GET" } else { "POST" }.into(),
            path_and_query: if user.0.is_ascii() {
                "/dir/index.html"
            } else {
                "/doe.json"
            }
            .into(),
            body: body.into(),
            ..Request::default()
        };
        let secret = secret(&challenge, &credentials, cnonce);
        value(&challenge, user.0, &secret, cnonce, count, &request).unwrap()
    }

    const MUFASA: (&str, &str) = ("Mufasa", "Circle of Life");
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn example(algorithm: &str) -> String {
        format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    }

    /// RFC 7616 §3.9.1.
    #[test]
    fn the_examples_of_the_rfc() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            assert_eq!(
                answer(&example(algorithm), MUFASA, CNONCE, 1, ""),
                format!(
                    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     uri=\"/dir/index.html\", response=\"{response}\", algorithm={algorithm}, \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, cnonce=\"{CNONCE}\""
                )
            );
        }
    }

    /// RFC 7616 §3.9.2. Its hashes are not of SHA-512/256 (erratum 4897): these are Python's.
    #[test]
    fn a_name_that_is_hidden() {
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
            nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", \
            charset=UTF-8, userhash=true";
        let jason = ("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
        let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm";
        let text = answer(challenge, jason, cnonce, 1, "");
        let hidden = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        let response = "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c";
        assert!(
            text.contains(&format!("username=\"{hidden}\"")) && text.contains("userhash=true"),
            "{text}"
        );
        assert!(text.contains(&format!("response=\"{response}\"")), "{text}");
        let plain = answer(
            &challenge.replace(", userhash=true", ""),
            jason,
            cnonce,
            1,
            "",
        );
        assert!(
            plain.contains("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe,"),
            "{plain}"
        );
    }

    /// What Python's hashlib makes of the same words; RFC 2617's own example without a `qop`, as in RFC 2069 with its erratum.
    #[test]
    fn what_another_implementation_answers() {
        let old = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let text = answer(old, ("Mufasa", "CircleOfLife"), "x", 1, "");
        assert!(
            text.contains("response=\"1949323746fe6a43ef61f9606e7febea\""),
            "{text}"
        );
        assert!(!text.contains("qop") && !text.contains("cnonce"), "{text}");
        for (challenge, count, body, response) in [
            (
                example("MD5-sess"),
                2,
                "",
                "738c10e8e9f6c3f62c89bd7da4ca4e77",
            ),
            (
                example("SHA-256-sess"),
                0x1f,
                "",
                "ae6165732d7e0238dfc29452560bf37f25dd7b840d4af1877b60cb42e3849f1a",
            ),
            (
                example("SHA-256").replace("auth, auth-int", "auth-int"),
                1,
                "a=b",
                "68e5628bc30c9988a7558fbc44772e778689f9e53f881018ae3388c5e8cfa2f5",
            ),
        ] {
            let text = answer(&challenge, MUFASA, "0a4f113b", count, body);
            assert!(text.contains(&format!("response=\"{response}\"")), "{text}");
            assert!(text.contains(&format!("nc={count:08x}")), "{text}");
        }
    }

    #[test]
    fn a_target_adds_no_header() {
        let challenge = Challenge {
            realm: "a\r\nX: y".into(),
            ..Challenge::first([&b"Digest nonce=n"[..]].into_iter()).unwrap()
        };
        assert_eq!(
            value(&challenge, "u", "s", "c", 1, &Request::default()),
            None
        );
    }
}
