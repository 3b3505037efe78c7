//! Versions of tests and what executions cost, as files below a project's records.

use super::{LocalStore, RECORDS, files, to_json};
use crate::keys::{check_month, check_name, check_usd};
use crate::{Result, StoreError};
use floodgate_records::test::TestRecord;
use std::path::{Path, PathBuf};

/// The file that says which version is the newest. No SHA-256 looks like it.
const LATEST: &str = "latest";

/// The folder of a test's versions.
fn test_path(store: &LocalStore, project: &str, test: &str) -> Result<PathBuf> {
    check_name(project)?;
    check_name(test)?;
    let project = store.root.join(RECORDS).join(project);
    Ok(project.join("tests").join(test))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path, what: &str) -> Result<Option<T>> {
    let key = path.display().to_string();
    let Some(bytes) = files::read(path, &key)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::corrupt(key, format!("no {what}: {error}")).because(error))?;
    Ok(Some(value))
}

/// Writes a version's file and, if it is the newest, the file that says so. The caller holds the project's lock.
pub(super) fn put_test(store: &LocalStore, record: &TestRecord) -> Result<()> {
    check_name(&record.version)?;
    let folder = test_path(store, &record.project, &record.test)?;
    let json = to_json(&record.version, record, true)?;
    let is_newer = |path: &Path| {
        let stored: Option<TestRecord> = read(path, "version of a test")?;
        Ok(stored.is_none_or(|stored| record.is_newer_than(&stored)))
    };
    for name in [record.version.as_str(), LATEST] {
        let path = folder.join(format!("{name}.json"));
        if is_newer(&path)? {
            files::replace(&path, name, &json)?;
        }
    }
    Ok(())
}

pub(super) fn latest_test(
    store: &LocalStore,
    project: &str,
    test: &str,
) -> Result<Option<TestRecord>> {
    let folder = test_path(store, project, test)?;
    read(&folder.join(format!("{LATEST}.json")), "version of a test")
}

fn spend_folder(store: &LocalStore, project: &str, yyyymm: &str) -> Result<PathBuf> {
    check_name(project)?;
    check_month(yyyymm)?;
    let project = store.root.join(RECORDS).join(project);
    Ok(project.join("spend").join(yyyymm))
}

pub(super) fn add_spend(
    store: &LocalStore,
    project: &str,
    yyyymm: &str,
    execution: &str,
    usd: f64,
) -> Result<()> {
    check_name(execution)?;
    check_usd(execution, usd)?;
    let path = spend_folder(store, project, yyyymm)?.join(format!("{execution}.json"));
    files::replace(&path, execution, &to_json(execution, &usd, false)?)
}

pub(super) fn spend(store: &LocalStore, project: &str, yyyymm: &str) -> Result<f64> {
    let folder = spend_folder(store, project, yyyymm)?;
    let mut total = 0.0;
    for name in files::names(&folder)? {
        total += read::<f64>(&folder.join(name), "sum of money")?.unwrap_or(0.0);
    }
    Ok(total)
}
