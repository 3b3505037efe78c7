//! What references of a definition stand for where no values are needed: preparing and judging a run.
//!
//! `${env:NAME}` is what the run was started with. A secret's value is a matter of the tasks alone: functions cannot read any,
//! and put a word in its place that is valid where the secret is used.

use crate::error::{FunctionError, Result};
use floodgate_control::load::{Checked, LoadError, check, load_stored};
use floodgate_core::definition::{Definition, Resolver, Source};
use floodgate_core::execution::plan::Plan;
use floodgate_store::ObjectStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Words for secrets, of which one is valid wherever a secret can stand: in a text or a host's name, as a whole URL, as a
/// number.
const WORDS: [&str; 3] = ["secret", "https://secret.invalid", "1"];

/// Resolves references without secrets.
pub(crate) struct Known<'a> {
    /// What the run was started with.
    env: &'a BTreeMap<String, String>,
    /// The files that belong to the definition.
    files: Option<&'a BTreeSet<String>>,
    word: &'static str,
    /// The secrets that are not there, and why.
    missing: &'a BTreeMap<String, String>,
    /// The secrets that were asked for.
    asked: Mutex<BTreeSet<String>>,
}

impl Resolver for Known<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn secret(&self, reference: &str) -> std::result::Result<String, String> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(reference.to_owned());
        }
        match self.missing.get(reference) {
            Some(why) => Err(why.clone()),
            None => Ok(self.word.to_owned()),
        }
    }

    fn file_exists(&self, relative: &str) -> bool {
        self.files.is_none_or(|files| files.contains(relative))
    }
}

/// What a definition refers to.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) files: &'a BTreeSet<String>,
    pub(crate) missing: &'a BTreeMap<String, String>,
}

/// Checks a definition; also gives the secrets that it names.
pub(crate) fn check_with(
    source: &Source<'_>,
    overrides: &[(String, String)],
    around: Surroundings<'_>,
) -> (std::result::Result<Checked, LoadError>, BTreeSet<String>) {
    let mut best: Option<LoadError> = None;
    let mut secrets = BTreeSet::new();
    for word in WORDS {
        let known = Known {
            env: around.env,
            files: Some(around.files),
            word,
            missing: around.missing,
            asked: Mutex::default(),
        };
        let result = check(source, overrides, &known);
        if let Ok(asked) = known.asked.into_inner() {
            secrets.extend(asked);
        }
        match result {
            Ok(checked) => return (Ok(checked), secrets),
            Err(error) if best.as_ref().is_none_or(|b| error.errors < b.errors) => {
                best = Some(error);
            }
            Err(_) => {}
        }
        if secrets.is_empty() {
            break;
        }
    }
    let none = || LoadError {
        text: "the definition could not be checked".into(),
        errors: 1,
    };
    (Err(best.unwrap_or_else(none)), secrets)
}

/// The definition of a run that has been prepared.
pub(crate) async fn stored(objects: &dyn ObjectStore, plan: &Plan) -> Result<Definition> {
    let nothing = BTreeMap::new();
    let mut failure = None;
    for word in WORDS {
        let known = Known {
            env: &plan.env,
            files: None,
            word,
            missing: &nothing,
            asked: Mutex::default(),
        };
        match load_stored(objects, plan, &known).await {
            Ok(definition) => return Ok(definition),
            Err(error @ floodgate_control::ControlError::Definition { .. }) => {
                failure.get_or_insert(FunctionError::from(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(failure.unwrap_or_else(|| FunctionError::Errored("the definition is gone".into())))
}
