//! Versions of tests.

use super::{DynamoStore, item, text};
use crate::Result;
use crate::aws::store_error;
use crate::keys::check_name;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use floodgate_records::test::TestRecord;

/// Only what is newer replaces an item: by time, and by version within one ms, as [`TestRecord::is_newer_than`] says.
const IS_NEWER: &str = "attribute_not_exists(PK) OR created_ms < :created_ms \
     OR (created_ms = :created_ms AND #version < :version)";

/// The sort key of a test's newest version.
fn latest_key(test: &str) -> String {
    format!("TEST#{test}")
}

impl DynamoStore {
    /// Two writes and no transaction: each alone may be repeated, and a caller whose second one fails repeats both.
    pub(super) async fn write_test(&self, record: &TestRecord) -> Result<()> {
        for name in [&record.project, &record.test, &record.version] {
            check_name(name)?;
        }
        let latest = latest_key(&record.test);
        let keys = [format!("{latest}#V#{}", record.version), latest];
        let doc = item::to_json(&record.version, record)?;
        for key in keys {
            let writing = self
                .putting(&record.project, &key)
                .item("version", text(&record.version))
                .item("created_ms", item::number(record.created_ms))
                .item("doc", text(&doc))
                .condition_expression(IS_NEWER)
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", text(&record.version))
                .expression_attribute_values(":created_ms", item::number(record.created_ms));
            match writing.send().await {
                Ok(_) => {}
                Err(error)
                    if matches!(
                        error.as_service_error(),
                        Some(PutItemError::ConditionalCheckFailedException(_))
                    ) => {}
                Err(error) => return Err(store_error("write", &self.name(&key), error)),
            }
        }
        Ok(())
    }

    pub(super) async fn read_latest_test(
        &self,
        project: &str,
        test: &str,
    ) -> Result<Option<TestRecord>> {
        check_name(project)?;
        check_name(test)?;
        let key = latest_key(test);
        let name = self.name(&key);
        let found = self.item(project, &key, &name).await?;
        found.map(|item| item::read_doc(&name, &item)).transpose()
    }
}
