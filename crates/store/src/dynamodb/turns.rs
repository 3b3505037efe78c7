//! Whose turn it is among the executions of a schedule.

use super::item::{self, to_json};
use super::{DynamoStore, Obstacle, obstacle, text};
use crate::Result;
use crate::aws::store_error;
use crate::keys::check_name;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use floodgate_records::schedule::Turn;

fn key_of(schedule: &str) -> String {
    format!("TURN#{schedule}")
}

impl DynamoStore {
    pub(super) async fn read_turn(&self, project: &str, schedule: &str) -> Result<Turn> {
        check_name(project)?;
        check_name(schedule)?;
        let key = key_of(schedule);
        let name = self.name(&key);
        let found = self.item(project, &key, &name).await?;
        let turn = found.map(|item| item::read_doc(&name, &item));
        Ok(turn.transpose()?.unwrap_or_default())
    }

    /// A turn says all that there is to know, so that it is compared as a whole, as text.
    pub(super) async fn write_turn(
        &self,
        project: &str,
        schedule: &str,
        from: &Turn,
        to: &Turn,
    ) -> Result<bool> {
        check_name(project)?;
        check_name(schedule)?;
        let key = key_of(schedule);
        let doc = to_json(&key, to)?;
        let writing = self.putting(project, &key).item("doc", text(&doc));
        let writing = match *from == Turn::default() {
            true => writing.condition_expression("attribute_not_exists(PK)"),
            false => writing
                .condition_expression("doc = :from")
                .expression_attribute_values(":from", text(to_json(&key, from)?)),
        };
        let writing = writing
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = writing.send().await else {
            return Ok(true);
        };
        match obstacle(&error, "") {
            // This very write, whose answer was lost.
            Obstacle::Found(found) => Ok(item::str(&found, "doc") == Some(&doc)),
            Obstacle::None | Obstacle::Absent => Ok(false),
            Obstacle::Other => Err(store_error("update", &self.name(&key), error)),
        }
    }
}
