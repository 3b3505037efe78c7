//! What a task reads from the store.

use super::RunError;
use floodgate_core::definition::model::Definition;
use floodgate_core::definition::{Overrides, Resolver, Source};
use floodgate_store::ObjectStore;
use serde::de::DeserializeOwned;

/// An object, if it is there.
pub(super) async fn optional<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Option<T>, RunError> {
    let Some(bytes) = store.get(key).await? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes);
    value.map(Some).map_err(|error| RunError::Malformed {
        key: key.to_owned(),
        problem: error.to_string(),
    })
}

/// An object that has to be there.
pub(super) async fn require<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<T, RunError> {
    optional(store, key)
        .await?
        .ok_or_else(|| RunError::Missing {
            key: key.to_owned(),
        })
}

/// The definition of a plan, with its references resolved here.
pub(super) async fn parse(
    store: &dyn ObjectStore,
    key: &str,
    resolver: &dyn Resolver,
) -> Result<Definition, RunError> {
    let text = store.get(key).await?.ok_or_else(|| RunError::Missing {
        key: key.to_owned(),
    })?;
    let source = Source {
        name: key,
        text: &text,
    };
    let parsed = floodgate_core::definition::parse(&source, &Overrides::default(), resolver);
    Ok(parsed
        .map_err(|faults| RunError::Malformed {
            key: key.to_owned(),
            problem: faults.to_string(),
        })?
        .definition)
}
