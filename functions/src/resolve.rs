//! What references of a definition stand for where no values are needed: preparing and judging a run.
//!
//! `${env:NAME}` is what the run was started with. A secret's value is a matter of the tasks alone: functions cannot read any,
//! and let a word stand for it that is valid where the secret is used.

use crate::error::Result;
use floodgate_control::elsewhere::{Elsewhere, Reference};
use floodgate_control::load::{Checked, LoadError, check_elsewhere, load_stored_elsewhere};
use floodgate_core::definition::{Definition, Resolver, Source};
use floodgate_core::execution::plan::Plan;
use floodgate_store::ObjectStore;
use std::collections::{BTreeMap, BTreeSet};

/// Resolves references without secrets.
struct Known<'a> {
    /// What the run was started with.
    env: &'a BTreeMap<String, String>,
    /// The files that belong to the definition.
    files: Option<&'a BTreeSet<String>>,
    /// The secrets that are not there, and why.
    missing: &'a BTreeMap<String, String>,
}

impl Resolver for Known<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn secret(&self, reference: &str) -> std::result::Result<String, String> {
        let why = self.missing.get(reference).cloned();
        Err(why.unwrap_or_else(|| "functions read none".into()))
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
    /// The secrets that are not there, and why.
    pub(crate) missing: &'a BTreeMap<String, String>,
}

/// Checks a definition; also gives the secrets that it names.
pub(crate) fn check_with(
    source: &Source<'_>,
    overrides: &[(String, String)],
    around: Surroundings<'_>,
) -> (std::result::Result<Checked, LoadError>, BTreeSet<String>) {
    let known = Known {
        env: around.env,
        files: Some(around.files),
        missing: around.missing,
    };
    let elsewhere = Elsewhere {
        known: &known,
        env: &BTreeSet::new(),
        secret: &|name| !around.missing.contains_key(name),
    };
    let (checked, open) = check_elsewhere(source, overrides, elsewhere);
    let secrets = open.into_iter().filter_map(|reference| match reference {
        Reference::Secret(name) => Some(name),
        Reference::Env(_) => None,
    });
    (checked, secrets.collect())
}

/// The definition of a run that has been prepared.
pub(crate) async fn stored(objects: &dyn ObjectStore, plan: &Plan) -> Result<Definition> {
    let known = Known {
        env: &plan.env,
        files: None,
        missing: &BTreeMap::new(),
    };
    let elsewhere = Elsewhere {
        known: &known,
        env: &BTreeSet::new(),
        secret: &|_| true,
    };
    Ok(load_stored_elsewhere(objects, plan, elsewhere).await?)
}
