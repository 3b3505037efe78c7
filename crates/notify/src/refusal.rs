//! Why a receiver did not take a notice.

use floodgate_records::printable::printable;
use std::time::Duration;

/// Characters of a reason at most: it may be a page that some server sends.
const MOST: usize = 300;
/// Parts of a secret address that are as long are taken out of messages one by one, too.
const SECRET_PART: usize = 8;

/// Why a receiver did not take a notice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It may take it later.
    #[error("{why}")]
    Again {
        /// Goes on from the receiver's name.
        why: String,
        /// How long it asks to wait.
        after: Option<Duration>,
    },
    /// It never will.
    #[error("{why}")]
    Never {
        /// Goes on from the receiver's name.
        why: String,
    },
}

impl Refusal {
    pub(crate) fn again(why: impl Into<String>) -> Self {
        Self::Again {
            why: why.into(),
            after: None,
        }
    }

    pub(crate) fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }

    /// How long the receiver asks to wait.
    pub const fn after(&self) -> Option<Duration> {
        match self {
            Self::Again { after, .. } => *after,
            Self::Never { .. } => None,
        }
    }

    /// Whether to try again is useless.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Never { .. })
    }

    /// The same as it may be shown: text on one line, bounded, without what must stand in no message. A receiver may answer with the
    /// address that it was asked by.
    #[must_use]
    pub(crate) fn without(mut self, secrets: &[&str]) -> Self {
        let (Self::Again { why, .. } | Self::Never { why }) = &mut self;
        let mut text = std::mem::take(why);
        for secret in parts(secrets) {
            text = text.replace(secret, "***");
        }
        let text = printable(&text);
        let mut shown: String = text.chars().take(MOST).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        *why = shown;
        self
    }
}

/// Each secret and its longer parts, the longest first.
fn parts<'a>(secrets: &[&'a str]) -> Vec<&'a str> {
    let whole = secrets.iter().copied().filter(|secret| secret.len() > 1);
    let pieces = secrets
        .iter()
        .flat_map(|secret| secret.split(['/', '?', '&', '=', '#']))
        .filter(|piece| piece.len() >= SECRET_PART);
    let mut all: Vec<_> = whole.chain(pieces).collect();
    all.sort_by_key(|part| std::cmp::Reverse(part.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_secret_and_is_one_bounded_line() {
        let path = "/services/T00000/B0000/hunter2hunter2?sig=abcdefgh12";
        let said = format!(
            "answered 404: no {path}\nhunter2hunter2 \u{1b}[31m {}",
            "x".repeat(500)
        );
        let refusal = Refusal::again(said).without(&[path, "whsec_secret"]);
        let text = refusal.to_string();
        assert!(
            text.starts_with("answered 404: no ***\\n*** \\u{1b}[31m"),
            "{text}"
        );
        assert!(
            text.chars().count() <= MOST + 1 && text.ends_with('…'),
            "{text}"
        );
        let kept = Refusal::never("answered 410").without(&["", "/"]);
        assert_eq!(kept.to_string(), "answered 410");
    }
}
