//! Warnings of a record that has been written: what several writers add to it at the same time.

use super::item::{self, WRITER};
use super::{DynamoStore, Obstacle, obstacle, text};
use crate::aws::store_error;
use crate::{Result, StoreError};
use std::time::Duration;

/// How often a change is tried that another one keeps coming before: as many writers at the same time are never here.
const TRIES: u32 = 50;
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

impl DynamoStore {
    /// As [`crate::RecordStore::replace_warnings`]: the record is written if its last write is still the one that was read.
    pub(super) async fn write_warnings(
        &self,
        project: &str,
        id: &str,
        about: &str,
        warnings: &[String],
    ) -> Result<()> {
        let name = self.name(id);
        let missing = || StoreError::NotFound {
            what: format!("execution {id}"),
        };
        for _ in 0..TRIES {
            let found = self.item(project, &item::execution_key(id), &name).await?;
            let found = found.ok_or_else(missing)?;
            let mut execution = item::read_execution(&name, &found)?;
            if !execution.replace_warnings(about, warnings) {
                return Ok(());
            }
            let (writing, token) = self.writing(&execution)?;
            let writing = writing.expression_attribute_names("#writer", WRITER);
            let writing = match item::str(&found, WRITER) {
                Some(writer) => writing
                    .condition_expression("#writer = :writer")
                    .expression_attribute_values(":writer", text(writer)),
                None => writing
                    .condition_expression("attribute_exists(PK) AND attribute_not_exists(#writer)"),
            };
            let Err(error) = writing.send().await else {
                return Ok(());
            };
            match obstacle(&error, &token) {
                Obstacle::None => return Ok(()),
                Obstacle::Absent => return Err(missing()),
                Obstacle::Found(_) => tokio::time::sleep(PAUSE.mul_f64(fastrand::f64())).await,
                Obstacle::Other => return Err(store_error("update", &name, error)),
            }
        }
        Err(StoreError::Unavailable {
            operation: "update",
            key: name,
            source: format!("others have changed it {TRIES} times meanwhile").into(),
        })
    }
}
