//! Which check a sampler's assertions make. A JTL in CSV says of an assertion only that it failed; the plan says where there are some.

use std::collections::{BTreeMap, BTreeSet};

/// The name of the check where the plan does not tell which assertions apply.
const UNNAMED: &str = "assertions";

/// What the assertions of a plan become; see the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    named: BTreeMap<String, String>,
    plain: BTreeSet<String>,
    some: bool,
}

impl Checks {
    /// No assertion yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of a sampler: its label, and the name of its check if it has assertions. A label that is not known before the run is
    /// `None`. Of several samplers with one label those with assertions count.
    pub fn add(&mut self, label: Option<&str>, check: Option<String>) {
        self.some |= check.is_some();
        match (label, check) {
            (Some(label), Some(check)) => {
                self.named.insert(label.to_owned(), check);
            }
            (Some(label), None) => {
                self.plain.insert(label.to_owned());
            }
            (None, _) => {}
        }
    }

    /// Whether any sampler has assertions.
    pub fn any(&self) -> bool {
        self.some
    }

    /// The name of a sampler's check: of its assertions in the order of the plan; a common one of a label that no sampler of the plan
    /// has, since scripts rename what they sample; `None` of one without assertions.
    pub fn of(&self, label: &str) -> Option<&str> {
        match self.named.get(label) {
            Some(name) => Some(name),
            None if self.some && !self.plain.contains(label) => Some(UNNAMED),
            None => None,
        }
    }

    /// The name of a check that failed: there was an assertion, whether the plan tells of it or not.
    pub fn failed(&self, label: &str) -> &str {
        self.of(label).unwrap_or(UNNAMED)
    }
}

impl<A: Into<String>, B: Into<String>> FromIterator<(A, B)> for Checks {
    fn from_iter<I: IntoIterator<Item = (A, B)>>(all: I) -> Self {
        let mut checks = Self::new();
        for (label, check) in all {
            checks.add(Some(&label.into()), Some(check.into()));
        }
        checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_never_without_a_check() {
        let mut checks = Checks::new();
        checks.add(Some("plain"), None);
        assert_eq!((checks.of("plain"), checks.of("made up")), (None, None));
        assert_eq!(checks.failed("plain"), "assertions");
        checks.add(Some("home"), Some("is ok".into()));
        checks.add(Some("home"), None);
        assert_eq!(
            (checks.of("home"), checks.of("plain")),
            (Some("is ok"), None)
        );
        assert_eq!(checks.of("made up"), Some("assertions"));
        assert!(checks.any());
    }
}
