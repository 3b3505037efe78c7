//! What a target asks for in `WWW-Authenticate`.

/// The function that hides a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha256,
    Sha512Of256,
}

/// What the answer protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Nothing more, by the rules of RFC 2069: a target that names no `qop`.
    Old,
    /// Against a replay.
    Auth,
    /// The body, too.
    AuthInt,
}

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    /// The algorithm as the target writes it, if it does.
    pub(super) algorithm: Option<String>,
    pub(super) hash: Hash,
    /// Whether the algorithm ends in `-sess`.
    pub(super) session: bool,
    pub(super) protection: Protection,
    /// Whether the user's name is hidden as well.
    pub(super) userhash: bool,
    /// Whether the credentials were right, and the nonce alone too old.
    pub(super) stale: bool,
}

impl Challenge {
    /// The first that can be answered, of those in all headers `WWW-Authenticate`: a target lists those first that it likes best
    /// (RFC 7616 §3.7).
    pub(super) fn first<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        values
            .filter_map(|value| std::str::from_utf8(value).ok())
            .flat_map(challenges)
            .find_map(|parameters| Self::of(&parameters))
    }

    fn of(parameters: &[Parameter]) -> Option<Self> {
        let get = |name: &str| find(parameters, name);
        let algorithm = get("algorithm");
        let upper = algorithm.unwrap_or("MD5").to_ascii_uppercase();
        let (base, session) = match upper.strip_suffix("-SESS") {
            Some(base) => (base, true),
            None => (&*upper, false),
        };
        let hash = match base {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            "SHA-512-256" => Hash::Sha512Of256,
            _ => return None,
        };
        let protection = match get("qop") {
            None => Protection::Old,
            Some(list) => {
                let offers = |wanted: &str| {
                    list.split(',')
                        .any(|word| word.trim().eq_ignore_ascii_case(wanted))
                };
                // To protect the body costs a hash of it: only where nothing else will do.
                if offers("auth") {
                    Protection::Auth
                } else if offers("auth-int") {
                    Protection::AuthInt
                } else {
                    return None;
                }
            }
        };
        let is_true = |name: &str| get(name).is_some_and(|word| word.eq_ignore_ascii_case("true"));
        Some(Self {
            realm: get("realm").unwrap_or_default().to_owned(),
            nonce: get("nonce").filter(|nonce| !nonce.is_empty())?.to_owned(),
            opaque: get("opaque").map(str::to_owned),
            algorithm: algorithm.map(str::to_owned),
            hash,
            session,
            protection,
            userhash: is_true("userhash"),
            stale: is_true("stale"),
        })
    }
}

/// A name and its value.
type Parameter = (String, String);

/// A parameter's value, by its name without regard to case.
pub(super) fn find<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a str> {
    let found = parameters
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The parameters of each Digest challenge in one header, which may list those of other schemes, too (RFC 9110 §11.6.1).
fn challenges(value: &str) -> Vec<Vec<Parameter>> {
    let mut all = Vec::new();
    let mut current: Option<Vec<Parameter>> = None;
    for part in parts(value) {
        let mut part = part.trim();
        let (word, rest) = part
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((part, ""));
        // A scheme stands in front of its first parameter: a word without "=".
        if !word.is_empty() && !word.contains('=') && !rest.trim_start().starts_with('=') {
            all.extend(current.take());
            current = word.eq_ignore_ascii_case("digest").then(Vec::new);
            part = rest.trim();
        }
        if let Some(parameters) = &mut current {
            parameters.extend(parameter(part));
        }
    }
    all.extend(current);
    all
}

/// The parameters of a header that has no scheme, such as `Authentication-Info`.
pub(super) fn parameters(value: &str) -> Vec<Parameter> {
    parts(value).into_iter().filter_map(parameter).collect()
}

fn parameter(part: &str) -> Option<Parameter> {
    let (name, value) = part.split_once('=')?;
    Some((name.trim().to_owned(), unquoted(value.trim())))
}

/// Splits at commas that are not within quotes.
fn parts(value: &str) -> Vec<&str> {
    let (mut all, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                all.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&value[start..]);
    all
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn first(value: &str) -> Option<Challenge> {
        Challenge::first([value.as_bytes()].into_iter())
    }

    #[test]
    fn the_first_challenge_that_can_be_answered_is_taken() {
        let listed = first(
            r#"Basic realm="a, b", Digest realm="r", nonce="n1", algorithm=TOKEN, Negotiate abc==, digest nonce = "n\"2", REALM=r, qop="x, auth-int""#,
        )
        .unwrap();
        assert_eq!((&*listed.nonce, &*listed.realm), ("n\"2", "r"));
        assert_eq!(listed.protection, Protection::AuthInt);
        let two = [
            &b"Digest nonce=a, algorithm=SHA-1"[..],
            b"\xff",
            b"Digest nonce=b, stale=TRUE, algorithm=sha-256-SESS",
        ];
        let two = Challenge::first(two.into_iter()).unwrap();
        assert_eq!(
            (two.hash, two.session, two.stale),
            (Hash::Sha256, true, true)
        );
        assert_eq!(two.protection, Protection::Old);
    }

    #[test]
    fn what_cannot_be_answered_is_left() {
        for none in [
            "",
            "Basic realm=x",
            "Digest",
            "Digest realm=x",
            "Digest nonce=\"\"",
            "Digest nonce=n, qop=other",
            "Digest nonce=n, algorithm=SHA-1",
            "nonce=n",
            ",,=,\"",
        ] {
            assert_eq!(first(none), None, "{none}");
        }
    }
}
