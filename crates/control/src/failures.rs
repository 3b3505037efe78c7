//! The samples of failures that tasks kept become the run's.

use crate::error::Result;
use crate::json;
use floodgate_records::failure::FailureLog;
use floodgate_records::keys::ExecutionKeys;
use floodgate_store::ObjectStore;

/// A task's samples are far below it; what is larger was not written by a task.
const MAX_BYTES: u64 = 16 << 20;

/// Merges the samples of all tasks into one object, and returns them. What cannot be read is not a reason to have no verdict:
/// it is left out, with a warning.
///
/// # Errors
/// What the store refuses.
pub(crate) async fn merge_failures(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    warnings: &mut Vec<String>,
) -> Result<FailureLog> {
    let mut logs = Vec::new();
    for info in objects.list(&keys.task_failures_prefix()).await? {
        if info.size > MAX_BYTES {
            warnings.push(format!(
                "{}: is too large for samples of failures",
                info.key
            ));
            continue;
        }
        let Some(bytes) = objects.get(&info.key).await? else {
            continue;
        };
        match serde_json::from_slice::<FailureLog>(&bytes) {
            Ok(log) if log.schema == FailureLog::SCHEMA => logs.push(log),
            Ok(log) => warnings.push(format!(
                "{}: has layout {}, this program reads {}",
                info.key,
                log.schema,
                FailureLog::SCHEMA
            )),
            Err(error) => warnings.push(format!("{}: {error}", info.key)),
        }
    }
    let all = FailureLog::merged(logs);
    if !all.is_empty() {
        let key = keys.failures();
        objects.put(&key, json::bytes(&key, &all)?).await?;
    }
    Ok(all)
}

/// The samples of a run; `None` if it has none.
///
/// # Errors
/// What the store refuses, and an object that does not read back.
pub async fn load_failures(
    objects: &dyn ObjectStore,
    project: &str,
    id: &str,
) -> Result<Option<FailureLog>> {
    let key = ExecutionKeys::new(project, id).failures();
    Ok(json::get(objects, &key).await?)
}
