//! Enums whose values are words of a definition.

use floodgate_records::engine::Engine;

/// One of a few words.
pub trait Words: Sized + Copy {
    /// The first of them.
    const FIRST: Self;
    /// The value of a word.
    fn parse(word: &str) -> Option<Self>;
}

impl Words for Engine {
    const FIRST: Self = Self::Http;

    fn parse(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// Declares such an enum, each word once.
macro_rules! words {
    ($(#[$about:meta])* $vis:vis $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$what])* $variant,)*
        }

        impl $name {
            /// The words of a definition, in the order of the variants.
            $vis const WORDS: &'static [&'static str] = &[$($word),*];

            /// As in a definition.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl $crate::definition::model::Words for $name {
            const FIRST: Self = [$(Self::$variant),*][0];

            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(in crate::definition) use words;
