//! JSON objects in an object store.

use crate::error::{ControlError, Result};
use bytes::Bytes;
use floodgate_store::ObjectStore;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads an object; `None` if there is none.
///
/// # Errors
/// What the store refuses, and [`ControlError::Corrupt`].
pub async fn get<T: DeserializeOwned>(objects: &dyn ObjectStore, key: &str) -> Result<Option<T>> {
    let Some(bytes) = objects.get(key).await? else {
        return Ok(None);
    };
    let corrupt = |e: serde_json::Error| ControlError::Corrupt {
        key: key.to_owned(),
        problem: e.to_string(),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(corrupt)
}

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

/// The bytes of a value, indented: people read these files.
///
/// # Errors
/// A value that JSON has no form for.
pub fn bytes<T: Serialize>(key: &str, value: &T) -> Result<Bytes> {
    let corrupt = |e: serde_json::Error| ControlError::Corrupt {
        key: key.to_owned(),
        problem: e.to_string(),
    };
    let mut text = serde_json::to_vec_pretty(value).map_err(corrupt)?;
    text.push(b'\n');
    Ok(text.into())
}

/// Writes a value that only programs read, and that may be large.
///
/// # Errors
/// What the store refuses, and a value that JSON has no form for.
pub async fn put_compact<T: Serialize>(
    objects: &dyn ObjectStore,
    key: &str,
    value: &T,
) -> Result<()> {
    let corrupt = |e: serde_json::Error| ControlError::Corrupt {
        key: key.to_owned(),
        problem: e.to_string(),
    };
    let bytes = serde_json::to_vec(value).map_err(corrupt)?;
    Ok(objects.put(key, bytes.into()).await?)
}
