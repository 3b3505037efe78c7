//! What executions cost, as files below a project's records.

use super::files::read_json;
use super::{LocalStore, RECORDS, files, to_json};
use crate::Result;
use crate::keys::{check_month, check_name, check_usd};
use std::path::PathBuf;

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
        total += read_json::<f64>(&folder.join(name), "sum of money")?.unwrap_or(0.0);
    }
    Ok(total)
}
