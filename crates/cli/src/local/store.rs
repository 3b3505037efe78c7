//! The stores of runs on this machine: a folder.

use crate::error::{CliError, Result};
use floodgate_control::Stores;
use floodgate_store::local::LocalStore;
use std::path::Path;
use std::sync::Arc;

/// The stores in a folder.
///
/// # Errors
/// A folder that cannot be made or read.
pub(crate) fn open(out: &Path) -> Result<(Stores, Arc<LocalStore>)> {
    let store = Arc::new(LocalStore::open(out).map_err(|e| CliError::write(out, e))?);
    Ok((
        Stores {
            objects: store.clone(),
            records: store.clone(),
        },
        store,
    ))
}

/// The stores in a folder that is there already: looking must not make one.
///
/// # Errors
/// [`CliError::Usage`] if there is none.
pub(crate) fn open_existing(out: &Path) -> Result<(Stores, Arc<LocalStore>)> {
    if !out.is_dir() {
        let problem = format!(
            "there are no executions in {}; name their folder with --out",
            out.display()
        );
        return Err(CliError::usage(problem));
    }
    open(out)
}
