//! Versions of tests, as files below a project's records.

use super::files::read_json;
use super::{LocalStore, RECORDS, files, to_json};
use crate::Result;
use crate::keys::check_name;
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

/// Writes a version's file and, if it is the newest, the file that says so. The caller holds the project's lock.
pub(super) fn put_test(store: &LocalStore, record: &TestRecord) -> Result<()> {
    check_name(&record.version)?;
    let folder = test_path(store, &record.project, &record.test)?;
    let json = to_json(&record.version, record, true)?;
    let is_newer = |path: &Path| {
        let stored: Option<TestRecord> = read_json(path, "version of a test")?;
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
    read_json(&folder.join(format!("{LATEST}.json")), "version of a test")
}
