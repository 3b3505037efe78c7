//! JSON objects in an object store.

use crate::{ObjectStore, StoreError};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a value could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object is not the JSON that it should be, or the value has no form in JSON.
    #[error("{key}: {source}")]
    Malformed {
        /// The object, by its place.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

fn malformed(key: &str) -> impl Fn(serde_json::Error) -> JsonError {
    move |source| JsonError::Malformed {
        key: key.to_owned(),
        source,
    }
}

/// Reads an object; `None` if there is none.
///
/// # Errors
/// What the store refuses, and an object that is not such a value.
pub async fn get<T: DeserializeOwned>(
    objects: &dyn ObjectStore,
    key: &str,
) -> Result<Option<T>, JsonError> {
    let Some(bytes) = objects.get(key).await? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(malformed(&objects.place(key)))
}

/// The bytes of a value, indented: people read these files.
///
/// # Errors
/// A value that JSON has no form for.
pub fn bytes<T: Serialize>(key: &str, value: &T) -> Result<Bytes, JsonError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(malformed(key))?;
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
) -> Result<(), JsonError> {
    let bytes = serde_json::to_vec(value).map_err(malformed(key))?;
    Ok(objects.put(key, bytes.into()).await?)
}
