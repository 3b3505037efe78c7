//! What a month's executions have cost and hold, as a file below a project's records.

use super::files::read_json;
use super::{LocalStore, RECORDS, files, to_json};
use crate::keys::{check_month, check_name};
use crate::{Reserved, Result};
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use std::path::PathBuf;

/// Whose month.
pub(super) struct Of {
    project: String,
    yyyymm: String,
}

impl Of {
    pub(super) fn new(project: &str, yyyymm: &str) -> Result<Self> {
        check_name(project)?;
        check_month(yyyymm)?;
        Ok(Self {
            project: project.to_owned(),
            yyyymm: yyyymm.to_owned(),
        })
    }

    fn path(&self, store: &LocalStore) -> PathBuf {
        let project = store.root.join(RECORDS).join(&self.project);
        project
            .join("accounts")
            .join(format!("{}.json", self.yyyymm))
    }
}

pub(super) fn read(store: &LocalStore, of: &Of) -> Result<Account> {
    Ok(read_json(&of.path(store), "account of a month")?.unwrap_or_default())
}

fn write(store: &LocalStore, of: &Of, account: &Account) -> Result<()> {
    let json = to_json(&of.yyyymm, account, true)?;
    files::replace(&of.path(store), &of.yyyymm, &json)
}

pub(super) fn reserve(
    store: &LocalStore,
    of: &Of,
    execution: &str,
    asked: Reservation,
    limit: &Limit,
) -> Result<Reserved> {
    let _lock = store.lock(&of.project)?;
    let mut account = read(store, of)?;
    if !account.reserve(execution, asked, limit) {
        return Ok(Reserved::Full(account));
    }
    write(store, of, &account)?;
    Ok(Reserved::Held)
}

pub(super) fn settle(store: &LocalStore, of: &Of, execution: &str, actual: Amount) -> Result<()> {
    let _lock = store.lock(&of.project)?;
    let mut account = read(store, of)?;
    match account.settle(execution, actual) {
        true => write(store, of, &account),
        false => Ok(()),
    }
}
