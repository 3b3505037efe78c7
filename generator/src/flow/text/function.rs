//! What functions of templates give.

use super::{Scope, Text};
use crate::clock::unix_ms;
use crate::flow::encode::{Encoding, encode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use floodgate_core::template::{Digits, Function};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// How many values a VU remembers that samples leave out; further ones take the place of the oldest.
const MOST_HIDDEN: usize = 1_000;

/// What takes more than a few words to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A time that is written in a format.
    Date { ms: i64, format: Option<String> },
    /// What a function makes of texts.
    Call {
        function: Function,
        arguments: Vec<Text>,
        /// Whether samples leave out what it gives.
        secret: bool,
    },
}

impl Made {
    /// Appends its value as it has to be written.
    pub(crate) fn write(&self, encoding: Encoding, scope: &mut Scope<'_>, out: &mut String) {
        match self {
            Self::Date { ms, format } => {
                let text = date(unix_ms().saturating_add(*ms), format.as_deref());
                encode(&text, encoding, out);
            }
            Self::Call {
                function,
                arguments,
                secret,
            } => {
                let text = call(*function, arguments, scope);
                if *secret {
                    hide(scope.hidden, &text);
                }
                // A hash stays a text, also if it happens to have digits only.
                let text_only = *function != Function::RandomOf;
                if text_only && encoding == Encoding::JsonValue {
                    out.push('"');
                    encode(&text, Encoding::JsonText, out);
                    out.push('"');
                } else {
                    encode(&text, encoding, out);
                }
            }
        }
    }
}

fn hide(hidden: &mut Vec<String>, text: &str) {
    if text.is_empty() || hidden.iter().any(|known| known == text) {
        return;
    }
    if hidden.len() == MOST_HIDDEN {
        hidden.remove(0);
    }
    hidden.push(text.to_owned());
}

fn call(function: Function, arguments: &[Text], scope: &mut Scope<'_>) -> String {
    let mut text = |index: usize| {
        let argument = arguments.get(index);
        argument.map_or_else(String::new, |argument| argument.rendered(scope))
    };
    match function {
        Function::Base64 => STANDARD.encode(text(0)),
        Function::Sha256(digits) => written(&Sha256::digest(text(0)), digits),
        Function::HmacSha256(digits) => {
            let (key, message) = (text(0), text(1));
            // HMAC takes a key of any length (RFC 2104 §2).
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_or_else(
                |_| String::new(),
                |mac| written(&mac.chain_update(message).finalize().into_bytes(), digits),
            )
        }
        Function::JsonEscape => {
            let mut escaped = String::new();
            encode(&text(0), Encoding::JsonText, &mut escaped);
            escaped
        }
        Function::RandomOf => {
            let index = scope.rng.usize(..arguments.len().max(1));
            let chosen = arguments.get(index);
            chosen.map_or_else(String::new, |chosen| chosen.rendered(scope))
        }
    }
}

fn written(bytes: &[u8], digits: Digits) -> String {
    match digits {
        Digits::Base64 => STANDARD.encode(bytes),
        Digits::Hex => bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        }),
    }
}

/// A time in UTC: as the format says, or RFC 3339 with milliseconds.
pub(crate) fn date(unix_ms: i64, format: Option<&str>) -> String {
    let time = DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    match format {
        None => time.to_rfc3339_opts(SecondsFormat::Millis, true),
        Some(format) => {
            let mut text = String::new();
            // A definition's format has been checked; one that cannot be written gives nothing.
            match write!(text, "{}", time.format(format)) {
                Ok(()) => text,
                Err(_) => String::new(),
            }
        }
    }
}
