//! Records in a DynamoDB table.
//!
//! | item | `PK` | `SK` | indexes |
//! |---|---|---|---|
//! | execution | `PROJECT#{project}` | `EXEC#{id}` | `GSI1`: `TEST#{project}#{test}`, id; `GSI2`: `EXEC`, id |
//! | version of a test | `PROJECT#{project}` | `TEST#{test}#V#{version}` | |
//! | its newest version | `PROJECT#{project}` | `TEST#{test}` | |
//! | audit entry | `AUDIT#{project}` | `ENTRY#{number}` | |
//! | the newest one's number and hash | `AUDIT#{project}` | `CHAIN` | |
//! | whose turn it is of a schedule | `PROJECT#{project}` | `TURN#{schedule}` | |
//! | what a month's executions have cost and hold | `PROJECT#{project}` | `ACCOUNT#{yyyymm}` | |
//!
//! Every change of an execution is a conditional write. Reads go to the table and are strongly consistent, except where only an
//! index knows: which project an id belongs to, and the executions of all projects or of one test
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html>).

mod account;
mod audit;
mod find;
mod item;
mod turns;
mod versions;
mod warnings;

use crate::aws::store_error;
use crate::chain::AuditLog;
use crate::keys::check_name;
use crate::{Listing, RecordStore, Reserved, Result, StoreError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use floodgate_records::audit::AuditEntry;
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use floodgate_records::execution::Execution;
use floodgate_records::schedule::Turn;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use item::{Item, WRITER, text};

/// Characters of an id at most: more than a ULID has.
const LONGEST_ID: usize = 100;

/// A table as a store. Clones share their connections.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// The store in a table in the configuration's region. Nothing is asked of DynamoDB yet.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            table: table.into(),
        }
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How a record is named in errors.
    fn name(&self, what: &str) -> String {
        format!("{}/{what}", self.table)
    }

    /// A write of an item of a project.
    fn putting(&self, project: &str, key: &str) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("PK", text(item::project_key(project)))
            .item("SK", text(key))
    }

    /// An item of a project, strongly consistent; `name` is how errors call it.
    async fn item(&self, project: &str, key: &str, name: &str) -> Result<Option<Item>> {
        self.item_of(&item::project_key(project), key, name).await
    }

    async fn item_of(&self, partition: &str, key: &str, name: &str) -> Result<Option<Item>> {
        let reading = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", text(partition))
            .key("SK", text(key))
            .consistent_read(true);
        match reading.send().await {
            Ok(found) => Ok(found.item),
            Err(error) => Err(store_error("read", name, error)),
        }
    }

    /// A write of an execution, to which a condition is to be added, and the token of this write: when its answer is lost, the
    /// client's retry fails on the condition, and the token tells that the record is this writer's own.
    fn writing(&self, execution: &Execution) -> Result<(PutItemFluentBuilder, String)> {
        let token = format!("{:032x}", fastrand::u128(..));
        let mut item = item::execution(execution)?;
        item.insert(WRITER.to_owned(), text(&token));
        let writing = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok((writing, token))
    }
}

/// What stands in the way of a conditional write.
enum Obstacle {
    /// Nothing: the record is this writer's own.
    None,
    /// There is no record.
    Absent,
    /// The record as it is.
    Found(Box<Item>),
    /// Something else went wrong.
    Other,
}

fn obstacle(error: &SdkError<PutItemError, HttpResponse>, token: &str) -> Obstacle {
    let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
    else {
        return Obstacle::Other;
    };
    match failed.item() {
        None => Obstacle::Absent,
        Some(item) if item::str(item, WRITER) == Some(token) => Obstacle::None,
        Some(item) => Obstacle::Found(Box::new(item.clone())),
    }
}

#[async_trait]
impl RecordStore for DynamoStore {
    async fn create(&self, execution: &Execution) -> Result<()> {
        let (writing, token) = self.writing(execution)?;
        let writing = writing.condition_expression("attribute_not_exists(PK)");
        let Err(error) = writing.send().await else {
            return Ok(());
        };
        match obstacle(&error, &token) {
            Obstacle::None => Ok(()),
            Obstacle::Found(_) | Obstacle::Absent => Err(StoreError::Exists {
                key: execution.id.clone(),
            }),
            Obstacle::Other => Err(store_error("create", &self.name(&execution.id), error)),
        }
    }

    async fn update(&self, execution: &Execution, expected: &[Status]) -> Result<()> {
        let (mut writing, token) = self.writing(execution)?;
        let mut names = Vec::new();
        for (i, status) in expected.iter().enumerate() {
            let name = format!(":s{i}");
            writing = writing.expression_attribute_values(&name, text(status.as_str()));
            names.push(name);
        }
        let condition = if names.is_empty() {
            // No state is allowed: an expression cannot say "in none of these".
            "attribute_exists(PK) AND attribute_not_exists(PK)".to_owned()
        } else {
            writing = writing.expression_attribute_names("#status", "status");
            format!("#status IN ({})", names.join(", "))
        };
        let Err(error) = writing.condition_expression(condition).send().await else {
            return Ok(());
        };
        let id = &execution.id;
        match obstacle(&error, &token) {
            Obstacle::None => Ok(()),
            Obstacle::Absent => Err(StoreError::NotFound {
                what: format!("execution {id}"),
            }),
            Obstacle::Found(found) => Err(StoreError::Conflict {
                id: id.clone(),
                found: item::read_execution(&self.name(id), &found)?.status,
                expected: expected.to_vec(),
            }),
            Obstacle::Other => Err(store_error("update", &self.name(id), error)),
        }
    }

    async fn replace_warnings(
        &self,
        project: &str,
        id: &str,
        about: &str,
        warnings: &[String],
    ) -> Result<()> {
        for name in [project, id] {
            check_name(name)?;
        }
        self.write_warnings(project, id, about, warnings).await
    }

    async fn get(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>> {
        check_name(id)?;
        if let Some(project) = project {
            check_name(project)?;
        }
        self.find(project, &id.to_ascii_uppercase()).await
    }

    async fn list(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        self.list_before(project, test, None, limit).await
    }

    async fn list_before(
        &self,
        project: Option<&str>,
        test: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        for name in [project, test].into_iter().flatten() {
            check_name(name)?;
        }
        // What an index is asked for has a length: no id is longer than this, and none is before nothing.
        let before: Option<String> = before.map(|id| id.chars().take(LONGEST_ID).collect());
        if before.as_ref().is_some_and(String::is_empty) {
            return Ok(Listing::default());
        }
        self.newest((project, test), before.as_deref(), limit).await
    }

    async fn audit(&self, project: &str, entry: &AuditEntry) -> Result<()> {
        check_name(project)?;
        self.append(project, entry).await
    }

    async fn newest_audits(
        &self,
        project: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        check_name(project)?;
        self.read_newest(project, skip, limit).await
    }

    async fn audit_log(&self, project: &str) -> Result<AuditLog> {
        check_name(project)?;
        self.read_log(project).await
    }

    async fn put_test(&self, test: &TestRecord) -> Result<()> {
        self.write_test(test).await
    }

    async fn latest_test(&self, project: &str, test: &str) -> Result<Option<TestRecord>> {
        self.read_latest_test(project, test).await
    }

    async fn reserve(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        asked: Reservation,
        limit: &Limit,
    ) -> Result<Reserved> {
        self.reserve_in(project, yyyymm, execution, asked, limit)
            .await
    }

    async fn settle(
        &self,
        project: &str,
        yyyymm: &str,
        execution: &str,
        actual: Amount,
    ) -> Result<()> {
        self.settle_in(project, yyyymm, execution, actual).await
    }

    async fn schedule_turn(&self, project: &str, schedule: &str) -> Result<Turn> {
        self.read_turn(project, schedule).await
    }

    async fn pass_turn(
        &self,
        project: &str,
        schedule: &str,
        from: &Turn,
        to: &Turn,
    ) -> Result<bool> {
        self.write_turn(project, schedule, from, to).await
    }

    async fn account(&self, project: &str, yyyymm: &str) -> Result<Account> {
        self.read_account(project, yyyymm).await
    }
}
