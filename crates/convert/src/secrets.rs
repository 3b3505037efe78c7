//! What is confidential, and what stands for it in a definition.

use crate::draft::{Secret, literal};
use crate::members::{Member, secret_members};
use crate::options::slug;
use floodgate_core::execution::redact::is_confidential;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
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

/// A confidential value is left out elsewhere, too, from this length in bytes on: a shorter one is a common word.
pub(crate) const MIN_ELSEWHERE: usize = 8;

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

/// References for confidential values: the same value has the same one.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    by_value: BTreeMap<String, String>,
    /// Names of users, which are words in other places.
    users: BTreeSet<String>,
    /// Values within confidential ones (a cookie in a header), each with a name and a place for where it is met alone.
    parts: BTreeMap<String, (String, String)>,
    /// In the order in which they were met.
    pub(crate) all: Vec<Secret>,
}

impl Secrets {
    /// A reference that stands for a value.
    pub(crate) fn keep(&mut self, name: &str, value: &str, place: &str) -> String {
        if let Some(known) = self.by_value.get(value) {
            return format!("${{secret:{known}}}");
        }
        let base = slug(name, '-', 40);
        let base = if base.is_empty() {
            "secret".to_owned()
        } else {
            base
        };
        let mut name = base.clone();
        let mut n = 1;
        while self.all.iter().any(|secret| secret.name == name) {
            n += 1;
            name = format!("{base}-{n}");
        }
        self.by_value.insert(value.to_owned(), name.clone());
        self.all.push(Secret {
            name: name.clone(),
            place: place.to_owned(),
        });
        format!("${{secret:{name}}}")
    }

    /// A reference that stands for the name of a user.
    pub(crate) fn keep_user(&mut self, name: &str, user: &str, place: &str) -> String {
        self.users.insert(user.to_owned());
        self.keep(name, user, place)
    }

    /// Remembers a value that must not be written, and has a reference only if it is met elsewhere.
    pub(crate) fn remember(&mut self, name: &str, value: &str, place: &str) {
        let part = || (name.to_owned(), place.to_owned());
        self.parts.entry(value.to_owned()).or_insert_with(part);
    }

    /// What must not be written anywhere, each with a name and a place to keep it by.
    pub(crate) fn hidden(&self) -> Vec<(String, String, String)> {
        let kept = self.by_value.iter().filter_map(|(value, name)| {
            let secret = self.all.iter().find(|secret| secret.name == *name)?;
            Some((value, name, &secret.place))
        });
        let parts = self.parts.iter();
        kept.filter(|(value, ..)| !self.users.contains(*value))
            .chain(parts.map(|(value, (name, place))| (value, name, place)))
            .filter(|(value, ..)| value.len() >= MIN_ELSEWHERE)
            .map(|(value, name, place)| (value.clone(), name.clone(), place.clone()))
            .collect()
    }

    /// The reference to a value that was found confidential before.
    pub(crate) fn known(&self, value: &str) -> Option<String> {
        let name = self
            .by_value
            .get(value)
            .filter(|_| value.len() >= MIN_ELSEWHERE)?;
        Some(format!("${{secret:{name}}}"))
    }

    /// Text that is nothing we take apart, as a template without what is confidential by the name before it.
    pub(crate) fn in_text(&mut self, text: &str, place: &str) -> String {
        let (mut out, mut done) = (String::new(), 0);
        for Member { name, value } in secret_members(text) {
            // A variable of a shell stays as it is.
            if text[value.clone()].contains("${") {
                continue;
            }
            out.push_str(&literal(&text[done..value.start]));
            out.push_str(&self.keep(&name, &text[value.clone()], place));
            done = value.end;
        }
        out + &literal(&text[done..])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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

    #[test]
    fn text_keeps_its_shape_and_loses_its_secrets() {
        let mut secrets = Secrets::default();
        let text = "<s:Envelope><s:password>hunter2!</s:password><user>ann</user></s:Envelope>";
        let told = secrets.in_text(text, "POST /soap");
        assert_eq!(
            told,
            "<s:Envelope><s:password>${secret:password}</s:password><user>ann</user></s:Envelope>"
        );
        assert_eq!(
            secrets.in_text("a=1&password=hunter2!&cost=${5}", "x"),
            "a=1&password=${secret:password}&cost=$${5}"
        );
        assert_eq!(secrets.all.len(), 1, "the same value has the same name");
    }
}
