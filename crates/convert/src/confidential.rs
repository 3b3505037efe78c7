//! What is confidential by its name, or by how it looks.

use floodgate_core::execution::redact::is_confidential;
use regex::Regex;
use std::sync::LazyLock;

/// Parts of names whose values are confidential, in lower case without separators.
const PARTS: [&str; 21] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "session",
    "cardnumber",
    "creditcard",
    "cvv",
    "cvc",
    "signature",
    "jwt",
    "csrf",
    "xsrf",
];
/// Names that are confidential as a whole.
const WHOLE: [&str; 12] = [
    "pin",
    "otp",
    "sid",
    "auth",
    "pass",
    "pw",
    "sig",
    "ssn",
    "iban",
    "mfa",
    "totp",
    "assertion",
];
/// Headers that are confidential by a part of their name.
const HEADER_PARTS: [&str; 9] = [
    "token",
    "secret",
    "apikey",
    "auth",
    "csrf",
    "xsrf",
    "session",
    "signature",
    "credential",
];

static JWT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^eyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*$").ok()
});

fn bare(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Whether the value of a field, a parameter or a cookie of this name is confidential.
pub fn is_secret_field(name: &str) -> bool {
    let bare = bare(name);
    PARTS.iter().any(|part| bare.contains(part)) && !bare.ends_with("tokentype")
        || WHOLE.contains(&bare.as_str())
}

/// Whether the value of a header of this name is confidential.
pub fn is_secret_header(name: &str) -> bool {
    let bare = bare(name);
    is_confidential(name) || HEADER_PARTS.iter().any(|part| bare.contains(part))
}

/// Whether a value is a credential whatever it is called.
pub fn is_secret_value(value: &str) -> bool {
    JWT.as_ref().is_some_and(|jwt| jwt.is_match(value))
        || [
            "AIza",
            "ghp_",
            "github_pat_",
            "sk_live_",
            "sk-",
            "xoxb-",
            "xoxp-",
            "AKIA",
            "glpat-",
        ]
        .iter()
        .any(|lead| value.len() >= 20 && value.starts_with(lead) && !value.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_confidential() {
        for name in [
            "password",
            "user[password]",
            "newPassword",
            "access_token",
            "X-Api-Key",
            "PIN",
            "sessionid",
            "cvv2",
            "client_secret",
        ] {
            assert!(is_secret_field(name), "{name}");
        }
        for name in [
            "user",
            "email",
            "spin",
            "authors",
            "shipping",
            "monkey",
            "token_type",
            "page",
        ] {
            assert!(!is_secret_field(name), "{name}");
        }
        assert!(is_secret_header("X-Amz-Security-Token") && is_secret_header("authorization"));
        assert!(!is_secret_header("X-Requested-With"));
    }
}
