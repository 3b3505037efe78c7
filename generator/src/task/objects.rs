//! What a task reads from the store.

use super::error::TaskError;
use floodgate_core::definition::model::Definition;
use floodgate_core::definition::{Overrides, Resolver, Source};
use floodgate_store::ObjectStore;
use floodgate_store::json::{self, JsonError};
use serde::de::DeserializeOwned;

/// An object, if it is there.
pub(super) async fn optional<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Option<T>, TaskError> {
    json::get(store, key).await.map_err(|error| match error {
        JsonError::Store(error) => error.into(),
        JsonError::Malformed { key, source } => TaskError::Malformed {
            key,
            source: source.into(),
        },
    })
}

/// An object that has to be there.
pub(super) async fn require<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<T, TaskError> {
    optional(store, key)
        .await?
        .ok_or_else(|| TaskError::Missing {
            key: key.to_owned(),
        })
}

/// The definition of a plan, with its references resolved here.
pub(super) async fn parse(
    store: &dyn ObjectStore,
    key: &str,
    resolver: &dyn Resolver,
) -> Result<Definition, TaskError> {
    let text = store.get(key).await?.ok_or_else(|| TaskError::Missing {
        key: key.to_owned(),
    })?;
    let source = Source {
        name: key,
        text: &text,
    };
    let parsed = floodgate_core::definition::parse(&source, &Overrides::default(), resolver);
    Ok(parsed
        .map_err(|faults| TaskError::Malformed {
            key: key.to_owned(),
            source: faults.into(),
        })?
        .definition)
}
