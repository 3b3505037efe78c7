//! Whose turn it is among the executions of a schedule, as a file below a project's records.

use super::files::read_json;
use super::{LocalStore, RECORDS, files, to_json};
use crate::Result;
use crate::keys::check_name;
use floodgate_records::schedule::Turn;
use std::path::PathBuf;

fn path(store: &LocalStore, project: &str, schedule: &str) -> Result<PathBuf> {
    check_name(project)?;
    check_name(schedule)?;
    let turns = store.root.join(RECORDS).join(project).join("turns");
    Ok(turns.join(format!("{schedule}.json")))
}

pub(super) fn read(store: &LocalStore, project: &str, schedule: &str) -> Result<Turn> {
    let path = path(store, project, schedule)?;
    Ok(read_json(&path, "turn of a schedule")?.unwrap_or_default())
}

pub(super) fn pass(
    store: &LocalStore,
    project: &str,
    schedule: &str,
    from: &Turn,
    to: &Turn,
) -> Result<bool> {
    let path = path(store, project, schedule)?;
    let _lock = store.lock(project)?;
    if read(store, project, schedule)? != *from {
        return Ok(false);
    }
    files::replace(&path, schedule, &to_json(schedule, to, true)?)?;
    Ok(true)
}
