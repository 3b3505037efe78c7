//! What references of a definition stand for where no values are needed: preparing and judging a run.
//!
//! `${env:NAME}` is what the run was started with. A secret's value is a matter of the tasks alone: functions cannot read any,
//! and leave it open.

use crate::error::Result;
use floodgate_control::load::{Checked, LoadError, check, load_stored};
use floodgate_core::definition::{Definition, Reference, Resolver, Source};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Resolves references without secrets.
struct WithoutSecrets<'a> {
    /// What the run was started with.
    env: &'a BTreeMap<String, String>,
    /// The files that belong to the definition.
    files: Option<&'a BTreeSet<String>>,
    /// The secrets that are not there, and why.
    missing: &'a BTreeMap<String, String>,
    /// The secrets that were left open.
    open: Mutex<BTreeSet<String>>,
}

impl Resolver for WithoutSecrets<'_> {
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

    fn leaves_open(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Secret(name) if !self.missing.contains_key(name) => {
                let open = self.open.lock();
                open.unwrap_or_else(PoisonError::into_inner)
                    .insert(name.clone());
                true
            }
            _ => false,
        }
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

/// Checks a definition; also gives the secrets that it names, whether it has faults or not.
pub(crate) fn check_with(
    source: &Source<'_>,
    overrides: &[(String, String)],
    around: Surroundings<'_>,
) -> (std::result::Result<Checked, LoadError>, BTreeSet<String>) {
    let known = WithoutSecrets {
        env: around.env,
        files: Some(around.files),
        missing: around.missing,
        open: Mutex::default(),
    };
    let checked = check(source, overrides, &known);
    let open = known.open.into_inner();
    (checked, open.unwrap_or_else(PoisonError::into_inner))
}

/// The definition of a run that has been prepared.
pub(crate) async fn stored(objects: &dyn ObjectStore, plan: &Plan) -> Result<Definition> {
    let known = WithoutSecrets {
        env: &plan.env,
        files: None,
        missing: &BTreeMap::new(),
        open: Mutex::default(),
    };
    Ok(load_stored(objects, plan, &known).await?)
}
