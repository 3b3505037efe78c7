//! Finding executions: by id, by the beginning of an id, the newest.

use super::{DynamoStore, Item, item, text};
use crate::aws::store_error;
use crate::keys::MIN_PREFIX;
use crate::{Listing, Result, StoreError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use floodgate_records::execution::Execution;

/// Characters of a ULID.
const ULID: usize = 26;
/// Executions that may start with the same characters and are still counted for the message that says so.
const MAX_CANDIDATES: i32 = 100;
/// Records of a page, at most: a page ends at 1 MB in any case.
const MAX_PAGE: usize = 100;
const TEST_INDEX: &str = "GSI1";
const ALL_INDEX: &str = "GSI2";

impl DynamoStore {
    /// The record with an id, or the only one whose id starts so. The id is in capitals.
    pub(super) async fn find(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>> {
        if let (Some(project), ULID) = (project, id.len()) {
            return self.read(project, id).await;
        }
        let candidates = self.candidates(project, id).await?;
        let exact = candidates.iter().find(|(_, full)| full == id);
        match (exact, candidates.as_slice()) {
            (Some((project, id)), _) => self.read(project, id).await,
            (None, _) if id.len() < MIN_PREFIX => Ok(None),
            (None, []) => Ok(None),
            (None, [(project, id)]) => self.read(project, id).await,
            (None, several) => Err(StoreError::Ambiguous {
                start: id.to_owned(),
                executions: several.len(),
            }),
        }
    }

    /// One record, strongly consistent.
    async fn read(&self, project: &str, id: &str) -> Result<Option<Execution>> {
        let name = self.name(id);
        let found = self.item(project, &item::execution_key(id), &name).await?;
        found
            .map(|item| item::read_execution(&name, &item))
            .transpose()
    }

    /// Projects and ids of the executions whose id starts so, in order.
    async fn candidates(&self, project: Option<&str>, id: &str) -> Result<Vec<(String, String)>> {
        let query = match project {
            Some(project) => self
                .query(
                    "PK = :p AND begins_with(SK, :s)",
                    item::project_key(project),
                )
                .expression_attribute_values(":s", text(item::execution_key(id)))
                .consistent_read(true),
            None => self
                .query("GSI2PK = :p AND begins_with(GSI2SK, :s)", item::ALL)
                .index_name(ALL_INDEX)
                .expression_attribute_values(":s", text(id)),
        };
        let found = query
            .projection_expression("PK, SK")
            .limit(MAX_CANDIDATES)
            .send()
            .await
            .map_err(|error| store_error("find", &self.name(id), error))?;
        let parts = |item: Item| {
            let project = item::str(&item, "PK")?.strip_prefix("PROJECT#")?;
            let id = item::str(&item, "SK")?.strip_prefix("EXEC#")?;
            Some((project.to_owned(), id.to_owned()))
        };
        Ok(found
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(parts)
            .collect())
    }

    /// The newest executions of all, of a project, of a test in a project, or of tests of a name in all projects; those that are older than
    /// an id if one is given.
    pub(super) async fn newest(
        &self,
        (project, test): (Option<&str>, Option<&str>),
        before: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        // All ids are below this one.
        let before = before.unwrap_or("~");
        let query = match (project, test) {
            (Some(project), Some(test)) => self
                .query(
                    "GSI1PK = :p AND GSI1SK < :b",
                    item::test_partition(project, test),
                )
                .expression_attribute_values(":b", text(before))
                .index_name(TEST_INDEX),
            (Some(project), None) => self
                .query(
                    "PK = :p AND SK BETWEEN :s AND :b",
                    item::project_key(project),
                )
                .expression_attribute_values(":s", text(item::execution_key("")))
                .expression_attribute_values(":b", text(item::execution_key(before)))
                .consistent_read(true),
            (None, _) => self
                .query("GSI2PK = :p AND GSI2SK < :b", item::ALL)
                .expression_attribute_values(":b", text(before))
                .index_name(ALL_INDEX),
        };
        let page = limit.clamp(1, MAX_PAGE);
        let mut pages = query
            .scan_index_forward(false)
            .into_paginator()
            .page_size(i32::try_from(page).unwrap_or(i32::MAX))
            .send();
        let mut found = Listing::default();
        while found.runs.len() < limit
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(|error| store_error("list", &self.name("records"), error))?;
            for item in page.items() {
                let key = self.name(item::str(item, "SK").unwrap_or("record"));
                match item::read_execution(&key, item) {
                    // BETWEEN includes its bounds.
                    Ok(record) if record.id == before => {}
                    Ok(record) if test.is_none_or(|test| test == record.test) => {
                        found.runs.push(record);
                    }
                    Ok(_) => {}
                    Err(error) => found.damaged.push(error.to_string()),
                }
            }
        }
        found.runs.truncate(limit);
        Ok(found)
    }

    pub(super) fn query(
        &self,
        condition: &str,
        partition: impl Into<String>,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression(condition)
            .expression_attribute_values(":p", AttributeValue::S(partition.into()))
    }
}
