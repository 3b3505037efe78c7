//! References whose values are known only where a run takes place: words stand for them while a definition is checked.
//!
//! What the words are put for is checked again, with the values themselves, by each task.

use crate::load::LoadError;
use floodgate_core::definition::Resolver;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// One of them is valid wherever a reference can stand: in a text or a host's name, as a whole URL, as a number or a duration,
/// as a switch.
const WORDS: [&str; 5] = ["word", "https://word.invalid", "1", "1s", "true"];

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `${env:NAME}`.
    Env(String),
    /// `${secret:NAME}`.
    Secret(String),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${{env:{name}}}"),
            Self::Secret(name) => write!(f, "${{secret:{name}}}"),
        }
    }
}

/// What is known here, and what may be left open.
#[derive(Clone, Copy)]
pub struct Elsewhere<'a> {
    /// Comes first: a value that is known is checked.
    pub known: &'a dyn Resolver,
    /// The variables that may be left open.
    pub env: &'a BTreeSet<String>,
    /// Whether a secret may be left open; of one that may not, [`Self::known`] says what is wrong.
    pub secret: &'a (dyn Fn(&str) -> bool + Sync),
}

/// Gives values that are known, and words for the rest.
struct Words<'a> {
    of: Elsewhere<'a>,
    chosen: BTreeMap<Reference, usize>,
    /// References that a word was given for.
    open: Mutex<BTreeSet<Reference>>,
}

impl Words<'_> {
    fn word(&self, reference: Reference) -> String {
        let chosen = self.chosen.get(&reference).copied().unwrap_or(0);
        if let Ok(mut open) = self.open.lock() {
            open.insert(reference);
        }
        WORDS[chosen].to_owned()
    }

    fn open(&self) -> BTreeSet<Reference> {
        self.open
            .lock()
            .map(|open| open.clone())
            .unwrap_or_default()
    }
}

impl Resolver for Words<'_> {
    fn env(&self, name: &str) -> Option<String> {
        let known = self.of.known.env(name);
        known.or_else(|| {
            let open = self.of.env.contains(name);
            open.then(|| self.word(Reference::Env(name.to_owned())))
        })
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        match self.of.known.secret(reference) {
            Err(_) if (self.of.secret)(reference) => {
                Ok(self.word(Reference::Secret(reference.to_owned())))
            }
            known => known,
        }
    }

    fn file_exists(&self, relative: &str) -> bool {
        self.of.known.file_exists(relative)
    }
}

/// Attempts something with a resolver that gives words for what is open, and looks for the word of each reference with which
/// there are the fewest faults. Also gives the references that words stand for.
///
/// # Errors
/// The faults that no choice of words makes go away.
pub(crate) fn with_words<T>(
    of: Elsewhere<'_>,
    attempt: impl Fn(&dyn Resolver) -> Result<T, LoadError>,
) -> (Result<T, LoadError>, BTreeSet<Reference>) {
    let mut words = Words {
        of,
        chosen: BTreeMap::new(),
        open: Mutex::default(),
    };
    let mut best = match attempt(&words) {
        Ok(sound) => return (Ok(sound), words.open()),
        Err(faults) => faults,
    };
    let open = words.open();
    for reference in &open {
        let mut fittest = 0;
        for word in 1..WORDS.len() {
            words.chosen.insert(reference.clone(), word);
            match attempt(&words) {
                Ok(sound) => return (Ok(sound), words.open()),
                Err(faults) if faults.errors < best.errors => {
                    best = faults;
                    fittest = word;
                }
                Err(_) => {}
            }
        }
        words.chosen.insert(reference.clone(), fittest);
    }
    (Err(best), open)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::load::check_elsewhere;
    use floodgate_core::definition::Source;

    /// Knows one variable and nothing else.
    struct Home;

    impl Resolver for Home {
        fn env(&self, name: &str) -> Option<String> {
            (name == "KNOWN").then(|| "no URL".to_owned())
        }
        fn secret(&self, reference: &str) -> Result<String, String> {
            Err(format!("{reference} is not here"))
        }
        fn file_exists(&self, _: &str) -> bool {
            true
        }
    }

    fn check(target: &str, rate: &str, header: &str) -> Result<Vec<String>, String> {
        let text = format!(
            "version: 1\nproject: shop\ntest: checkout\ntarget: \"{target}\"\nhttp: {{ headers: {{ x: \"{header}\" }} }}\n\
             scenarios:\n  one:\n    executor: constant-arrival-rate\n    rate: {rate}\n    duration: 1s\n    \
             preAllocatedVUs: 1\n    flow: [{{ get: / }}]\n"
        );
        let source = Source {
            name: "d.yaml",
            text: text.as_bytes(),
        };
        let env = ["HOST".to_owned(), "RATE".to_owned()].into();
        let elsewhere = Elsewhere {
            known: &Home,
            env: &env,
            secret: &|name| name != "gone",
        };
        let (checked, open) = check_elsewhere(&source, &[], elsewhere);
        match checked {
            Ok(_) => Ok(open.iter().map(ToString::to_string).collect()),
            Err(error) => Err(error.text),
        }
    }

    #[test]
    fn what_is_known_elsewhere_may_stand_for_whole_values_of_any_kind() {
        let open = |target, rate, header| check(target, rate, header).unwrap();
        assert!(open("http://a", "5", "y").is_empty());
        assert_eq!(open("${secret:url}", "5", "y"), ["${secret:url}"]);
        assert_eq!(open("https://${env:HOST}/", "5", "y"), ["${env:HOST}"]);
        // Each reference finds its own word.
        assert_eq!(
            open("${env:HOST}", "${env:RATE}", "Bearer ${secret:token}"),
            ["${env:HOST}", "${env:RATE}", "${secret:token}"]
        );
    }

    #[test]
    fn what_is_known_is_checked_and_what_may_not_be_open_is_a_fault() {
        let faults = |target, rate| check(target, rate, "y").unwrap_err();
        assert!(faults("${env:KNOWN}", "5").contains("no URL"));
        assert!(faults("${env:OTHER}", "5").contains("\"OTHER\" is not set"));
        assert!(faults("${secret:gone}", "5").contains("gone is not here"));
        // No word hides the faults of the rest.
        let both = faults("${secret:url}", "often");
        assert!(both.contains("often") && both.contains("1 error"), "{both}");
    }
}
