//! Whether a schedule can start anything, as far as that is known before its time.

use crate::elsewhere::{INHERITED, taken_from_machine};
use crate::error::Result;
use crate::load;
use crate::stores::Stores;
use floodgate_core::definition::{Reference, Resolver, Source};
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::schedule::Schedule;
use std::collections::BTreeMap;

/// Runs among which one is looked for whose version is known.
const LOOKED_THROUGH: usize = 20;

/// The version of a test that is run if none is named: that of its newest run; `None` if it has not run here.
///
/// # Errors
/// What the store refuses.
pub async fn newest_version(stores: &Stores, project: &str, test: &str) -> Result<Option<String>> {
    let listed = (stores.records).list(Some(project), Some(test), LOOKED_THROUGH);
    let mut versions = listed.await?.runs.into_iter().map(|run| run.version);
    Ok(versions.find(|version| !version.is_empty()))
}

/// Why whatever a schedule starts would be refused, in a sentence; `None` if nothing is known to stand in its way.
///
/// # Errors
/// What the store refuses.
pub async fn never_starts(stores: &Stores, schedule: &Schedule) -> Result<Option<String>> {
    let Schedule { project, test, .. } = schedule;
    let version = match &schedule.version {
        Some(version) => version.clone(),
        None => match newest_version(stores, project, test).await? {
            Some(version) => version,
            None => {
                return Ok(Some(format!(
                    "test {test:?} has not run here yet: run it once, so that it is on record"
                )));
            }
        },
    };
    let key = definition_file(project, test, &version, DEFINITION_FILE);
    let Some(text) = stores.objects.get(&key).await? else {
        return Ok(Some(format!(
            "version {version:?} of test {test:?} is not on record here: take one that it has run in"
        )));
    };
    let source = Source {
        name: test,
        text: &text,
    };
    let parameters = schedule.parameters.clone().into_iter().collect::<Vec<_>>();
    let checked = match load::check(&source, &parameters, &Known(&schedule.environment)) {
        Ok(checked) => checked,
        Err(why) => return Ok(Some(why.to_string())),
    };
    let taken = taken_from_machine(&checked.parsed.definition);
    Ok((!taken.is_empty()).then(|| taken.join("; ")))
}

/// What a schedule's run will be given; secrets and files are known to the run alone.
struct Known<'a>(&'a BTreeMap<String, String>);

impl Resolver for Known<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn secret(&self, _: &str) -> std::result::Result<String, String> {
        Err("it is looked up when the run starts".into())
    }

    fn file_exists(&self, _: &str) -> bool {
        true
    }

    fn leaves_open(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Secret(_) => true,
            Reference::Env(name) => INHERITED.contains(&name.as_str()),
        }
    }
}
