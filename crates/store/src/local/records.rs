//! Reading, finding and listing records: one that is damaged stands in nobody's way.

use super::index::{Index, had_folder};
use super::{LocalStore, RECORDS, files};
use crate::keys::{MIN_PREFIX, check_name};
use crate::{Listing, Result, StoreError};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use std::collections::HashMap;
use std::path::Path;

/// Of a record of another layout only this much is sure to be understood.
#[derive(serde::Deserialize)]
struct Layout {
    schema: u32,
}

/// The record of an execution; `None` if there is none.
pub(super) fn read(store: &LocalStore, project: &str, id: &str) -> Result<Option<Execution>> {
    let path = store.record_path(project, id)?;
    match files::read(&path, id)? {
        Some(bytes) => parse(&path, &bytes, project, id).map(Some),
        None if path.is_dir() => Err(StoreError::corrupt(
            path.display().to_string(),
            "is a folder, and no record of an execution",
        )),
        None => Ok(None),
    }
}

fn parse(path: &Path, bytes: &[u8], project: &str, id: &str) -> Result<Execution> {
    let corrupt = |problem: String| StoreError::corrupt(path.display().to_string(), problem);
    let layout = serde_json::from_slice::<Layout>(bytes);
    if let Ok(Layout { schema }) = layout
        && schema != Execution::SCHEMA
    {
        let own = Execution::SCHEMA;
        return Err(corrupt(format!(
            "has layout {schema}, this program reads {own}: another version wrote it"
        )));
    }
    let record: Execution = serde_json::from_slice(bytes)
        .map_err(|error| corrupt(format!("no record of an execution: {error}")).because(error))?;
    if (record.project.as_str(), record.id.as_str()) != (project, id) {
        let (project, id) = (&record.project, &record.id);
        return Err(corrupt(format!(
            "is the record of another execution, {id} of project {project}"
        )));
    }
    Ok(record)
}

/// The execution with an id, or the only one whose id starts so.
pub(super) fn find(
    store: &LocalStore,
    project: Option<&str>,
    id: &str,
) -> Result<Option<Execution>> {
    if let Some(found) = exact(store, project, id)? {
        return Ok(Some(found));
    }
    let starts = |(_, full): &(String, String)| {
        full.get(..id.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(id))
    };
    let mut all = ids(store, project, &mut Vec::new())?;
    all.retain(starts);
    if let Some(exact) = all.iter().position(|(_, full)| full.len() == id.len()) {
        all = vec![all.swap_remove(exact)];
    } else if id.len() < MIN_PREFIX {
        return Ok(None);
    }
    match all.as_slice() {
        [] => Ok(None),
        [(project, id)] => read(store, project, id),
        several => Err(StoreError::Ambiguous {
            start: id.to_owned(),
            executions: several.len(),
        }),
    }
}

/// The execution with an id that is given whole: whoever waits for it asks often, and no folder is listed for it.
fn exact(store: &LocalStore, project: Option<&str>, id: &str) -> Result<Option<Execution>> {
    let projects = match project {
        Some(project) => vec![project.to_owned()],
        None => files::names(&store.root.join(RECORDS))?,
    };
    for project in projects {
        if let Ok(path) = store.record_path(&project, id)
            && path.is_file()
        {
            return read(store, &project, id);
        }
    }
    Ok(None)
}

/// The newest executions, as far as they can be read and are still there. Records of which it is known that they are not wanted are
/// passed over unopened.
pub(super) fn newest(
    store: &LocalStore,
    (project, test): (Option<&str>, Option<&str>),
    before: Option<&str>,
    limit: usize,
) -> Result<Listing> {
    let mut found = Listing::default();
    let ids = newest_ids(store, project, before, &mut found.damaged)?;
    let mut indices: HashMap<&str, Index> = HashMap::new();
    // Where all of the newest are wanted, there is nothing to pass over.
    let mut selects = test.is_some();
    for (project, id) in &ids {
        if found.runs.len() == limit {
            break;
        }
        let mut index = selects.then(|| {
            let index = indices.entry(project);
            index.or_insert_with(|| Index::read(store, project))
        });
        if let Some(known) = index.as_ref().and_then(|index| index.get(id))
            && (test.is_some_and(|test| test != known.test)
                || known.had_folder && !has_folder(store, project, id))
        {
            continue;
        }
        match read(store, project, id) {
            Ok(Some(record)) => {
                if let Some(index) = &mut index {
                    index.note(&record);
                }
                if test.is_none_or(|test| test == record.test) && is_there(store, &record) {
                    found.runs.push(record);
                } else {
                    selects = true;
                }
            }
            // Removed since the folder was read.
            Ok(None) => {}
            Err(error) => found.damaged.push(told(store, (project, id), &error)),
        }
    }
    Ok(found)
}

/// What is said of a record that cannot be read.
pub(super) fn told(store: &LocalStore, (project, id): (&str, &str), error: &StoreError) -> String {
    if !matches!(error, StoreError::BadKey { .. }) {
        return error.to_string();
    }
    let path = store.root.join(RECORDS).join(project);
    let path = path.join(format!("{id}.json"));
    format!(
        "{}: no record of an execution has such a name",
        path.display()
    )
}

/// Whether an execution still has the folder that it had once it was started.
fn is_there(store: &LocalStore, record: &Execution) -> bool {
    !had_folder(record) || has_folder(store, &record.project, &record.id)
}

fn has_folder(store: &LocalStore, project: &str, id: &str) -> bool {
    store
        .root
        .join(ExecutionKeys::new(project, id).root())
        .is_dir()
}

/// Projects and ids of the records that are older than an id, the newest first.
pub(super) fn newest_ids(
    store: &LocalStore,
    project: Option<&str>,
    before: Option<&str>,
    damaged: &mut Vec<String>,
) -> Result<Vec<(String, String)>> {
    let mut ids = ids(store, project, damaged)?;
    ids.retain(|(_, id)| before.is_none_or(|before| id.as_str() < before));
    // ULIDs sort by time.
    ids.sort_unstable_by(|(_, a), (_, b)| b.cmp(a));
    Ok(ids)
}

/// Projects and ids of all records, or of those of one project; in no order. A project's folder that cannot be read is named
/// among what is damaged, unless it is the one that was asked for.
fn ids(
    store: &LocalStore,
    project: Option<&str>,
    damaged: &mut Vec<String>,
) -> Result<Vec<(String, String)>> {
    let records = store.root.join(RECORDS);
    let projects = match project {
        Some(project) => {
            check_name(project)?;
            vec![project.to_owned()]
        }
        None => files::names(&records)?,
    };
    let mut ids = Vec::new();
    for project in &projects {
        let names = match files::names(&records.join(project)) {
            Ok(names) => names,
            Err(error) if projects.len() > 1 => {
                damaged.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let records = names.iter().filter_map(|name| name.strip_suffix(".json"));
        ids.extend(records.map(|id| (project.clone(), id.to_owned())));
    }
    Ok(ids)
}
