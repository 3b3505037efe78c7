//! JSON objects of a run.

use crate::error::{ControlError, Result};
use floodgate_store::{ObjectStore, json};
use serde::de::DeserializeOwned;

pub use json::{bytes, get, put_compact};

/// Reads an object that has to be there.
///
/// # Errors
/// As for [`get`], and [`ControlError::Missing`] with what cannot be done without it.
pub async fn need<T: DeserializeOwned>(
    objects: &dyn ObjectStore,
    key: String,
    consequence: &'static str,
) -> Result<T> {
    get(objects, &key)
        .await?
        .ok_or(ControlError::Missing { key, consequence })
}
