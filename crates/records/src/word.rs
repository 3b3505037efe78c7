//! Fields that hold one of a few words.
//!
//! A list of words can grow: a record that a newer version wrote must still be read, shown and written back as it is. So a field
//! holds a [`Word`], which also has a place for a word that this version doesn't know.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

#[doc(hidden)]
pub use serde;

/// A type whose values are words.
pub trait Words: Copy + 'static {
    /// All of them, in the order of their declaration.
    const ALL: &'static [Self];

    /// The word as it is written.
    fn as_str(self) -> &'static str;

    /// The value of a word; `None` for any other.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == word)
    }
}

/// Declares an enum whose values are words, each word once. It is written and read as its word; where unknown words must be
/// read, too, a field holds a [`Word`] of it.
#[macro_export]
macro_rules! words {
    ($(#[$about:meta])* $vis:vis $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$what])* $variant,)*
        }

        impl $name {
            /// The words, in the order of the variants.
            $vis const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word as it is written.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl $crate::word::Words for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::word::serde::Serialize for $name {
            fn serialize<S: $crate::word::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::word::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::word::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <String as $crate::word::serde::Deserialize>::deserialize(from)?;
                <Self as $crate::word::Words>::parse(&word)
                    .ok_or_else(|| $crate::word::serde::de::Error::unknown_variant(&word, Self::WORDS))
            }
        }
    };
}

/// One of the words of `T`, or a word that this version doesn't know. The empty word, its default, says that nothing is known.
#[derive(Clone, Debug)]
pub enum Word<T> {
    /// A word of the list.
    Known(T),
    /// Any other: of a newer version, or empty.
    Unknown(String),
}

impl<T: Words> Word<T> {
    /// Of a word that may be unknown.
    pub fn of(word: impl Into<String>) -> Self {
        let word = word.into();
        T::parse(&word).map_or_else(|| Self::Unknown(word), Self::Known)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(word) => word.as_str(),
            Self::Unknown(word) => word,
        }
    }

    /// Its value, if this version knows it.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl<T> Default for Word<T> {
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

impl<T: Words> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Words> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// Words are the same that are written alike.
impl<T: Words> PartialEq for Word<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<T: Words> Eq for Word<T> {}

impl<T: Words> PartialEq<T> for Word<T> {
    fn eq(&self, other: &T) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<T: Words> PartialOrd for Word<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Words> Ord for Word<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<T: Words> Hash for Word<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::of)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::audit::{Action, AuditEntry};
    use crate::connections::{Connections, TlsResumption};
    use crate::cost::{Charge, ChargeUnit, CostItem};
    use crate::engine::Engine;
    use crate::execution::{Infrastructure, InfrastructureKind, Trigger, TriggerKind};
    use crate::manifest::TaskEnding;
    use crate::outcome::{Operator, ThresholdOutcome};
    use serde::de::DeserializeOwned;
    use std::collections::BTreeSet;

    fn every_word_is_itself<T: Words + PartialEq + fmt::Debug>(words: &[&str]) {
        for (value, word) in T::ALL.iter().zip(words) {
            let field: Word<T> = serde_json::from_value((*word).into()).unwrap();
            assert!(
                matches!(&field, Word::Known(known) if known == value),
                "{word}"
            );
            assert_eq!(serde_json::to_value(&field).unwrap(), *word);
            assert_eq!(Word::from(*value), field);
        }
        let apart: BTreeSet<_> = words.iter().collect();
        assert_eq!((apart.len(), T::ALL.len()), (words.len(), words.len()));
    }

    #[test]
    fn known_words_are_read_as_their_values() {
        every_word_is_itself::<Action>(Action::WORDS);
        every_word_is_itself::<Architecture>(Architecture::WORDS);
        every_word_is_itself::<Charge>(Charge::WORDS);
        every_word_is_itself::<ChargeUnit>(ChargeUnit::WORDS);
        every_word_is_itself::<Engine>(Engine::WORDS);
        every_word_is_itself::<InfrastructureKind>(InfrastructureKind::WORDS);
        every_word_is_itself::<Operator>(Operator::WORDS);
        every_word_is_itself::<TaskEnding>(TaskEnding::WORDS);
        every_word_is_itself::<TlsResumption>(TlsResumption::WORDS);
        every_word_is_itself::<TriggerKind>(TriggerKind::WORDS);
    }

    /// Reads `text` and writes it again.
    fn kept<T: Serialize + DeserializeOwned>(text: &str) -> T {
        let value: T = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        value
    }

    #[test]
    fn words_of_a_newer_version_are_kept_byte_by_byte() {
        let trigger: Trigger =
            kept(r#"{"kind":"chatbot","principal":null,"build_url":null,"commit":null}"#);
        assert_eq!(
            (trigger.kind.known(), trigger.kind.to_string().as_str()),
            (None, "chatbot")
        );
        kept::<Infrastructure>(
            r#"{"kind":"edge","tasks":1,"regions":[],"cpu":0,"memory":0,"architecture":"riscv64","spot_tasks":0,"image_digest":null,"engine_version":""}"#,
        );
        kept::<CostItem>(
            r#"{"what":"s3 vectors","region":"eu-west-1","quantity":1.0,"unit":"vectors","usd":0.5}"#,
        );
        kept::<AuditEntry>(
            r#"{"at_ms":1,"principal":"ann","principal_is":"claimed","action":"pause","execution":"x","version":"v","outcome":"paused"}"#,
        );
        kept::<ThresholdOutcome>(
            r#"{"id":"i","key":"k","expression":"e","aggregate":"avg","operator":"~=","target":1.0,"observed":null,"outcome":"passed","aborted":false}"#,
        );
        // Known and unknown words stand in the order of their letters.
        let connections: Connections = kept(
            r#"{"opened":0,"tls_handshakes":0,"tls_resumed":0,"tls_resumption":["always","never","per-vu"],"spoiled":0}"#,
        );
        assert!(
            connections
                .tls_resumption
                .contains(&TlsResumption::Never.into())
        );
    }

    #[test]
    fn an_empty_word_says_nothing() {
        let nothing: Word<Engine> = kept(r#""""#);
        assert!(nothing.is_empty() && nothing == Word::default());
        assert!(!Word::from(Engine::K6).is_empty());
    }
}
