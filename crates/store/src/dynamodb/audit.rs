//! The audit trail of a project: an item an entry, and one for the head of the chain, in a partition of their own, so that policies can tell
//! who may put entries and who may change records.
//!
//! An entry and the head that it becomes are put by one transaction, on the condition that the head is still the one that the entry follows
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>): of entries that are appended at once, one gets
//! through, and the others follow it.

use super::item::{self, Item, number, text};
use super::{DynamoStore, Result};
use crate::StoreError;
use crate::aws::store_error;
use crate::chain::{self, AuditLog, Head};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use floodgate_records::audit::AuditEntry;
use std::time::Duration;

/// How often an entry is tried that others keep coming before: of as many at once, each gets its turn.
const TRIES: u32 = 200;
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// The sort key of the head; it comes before those of entries.
const HEAD: &str = "CHAIN";
/// How the sort keys of entries begin.
const ENTRY: &str = "ENTRY#";
const SEQ: &str = "seq";
const HASH: &str = "hash";

/// Digits keep the order of numbers.
fn key_of(seq: u64) -> String {
    format!("{ENTRY}{seq:015}")
}

fn partition(project: &str) -> String {
    format!("AUDIT#{project}")
}

/// What became of an attempt to append.
enum Attempt {
    Done,
    /// Another entry came before, or the table was busy with one.
    Again,
}

impl DynamoStore {
    pub(super) async fn append(&self, project: &str, entry: &AuditEntry) -> Result<()> {
        for tried in 0..TRIES {
            let prev = self.read_head(project).await?;
            if let Attempt::Done = self.append_after(project, prev.as_ref(), entry).await? {
                return Ok(());
            }
            let pause = PAUSE.min(Duration::from_millis(5 << tried.min(6)));
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
        }
        Err(StoreError::Unavailable {
            operation: "append to",
            key: self.name(&partition(project)),
            source: format!("other entries came before it {TRIES} times").into(),
        })
    }

    async fn append_after(
        &self,
        project: &str,
        prev: Option<&Head>,
        entry: &AuditEntry,
    ) -> Result<Attempt> {
        let name = self.name(&partition(project));
        let begin = || chain::beginning(project, b"");
        let follows = prev.cloned().unwrap_or_else(begin);
        let (line, head) = chain::seal(entry, &follows).map_err(|error| {
            StoreError::corrupt(&entry.execution, error.to_string()).because(error)
        })?;
        let unbuilt = |error: BuildError| StoreError::corrupt(&name, error.to_string());
        let entry = self
            .chained(project, &key_of(head.seq))
            .item("doc", text(line));
        let entry = entry.condition_expression("attribute_not_exists(PK)");
        let moved = self.chained(project, HEAD);
        let moved = moved
            .item(SEQ, number(head.seq))
            .item(HASH, text(&head.hash));
        let moved = if_head_is(moved, prev);
        let transaction = self
            .client
            .transact_write_items()
            .transact_items(putting(entry).map_err(unbuilt)?)
            .transact_items(putting(moved).map_err(unbuilt)?);
        match transaction.send().await {
            Ok(_) => Ok(Attempt::Done),
            Err(error) => match refusal(&error) {
                Refusal::Overtaken => Ok(Attempt::Again),
                Refusal::PastHead => Err(StoreError::corrupt(
                    name,
                    format!(
                        "has an entry {}, though its head is missing or names an earlier one: restore the table, and see floodgate audit verify",
                        head.seq
                    ),
                )),
                Refusal::Other => Err(store_error("append to", &name, error)),
            },
        }
    }

    fn chained(&self, project: &str, key: &str) -> PutBuilder {
        Put::builder()
            .table_name(&self.table)
            .item("PK", text(partition(project)))
            .item("SK", text(key))
    }

    async fn read_head(&self, project: &str) -> Result<Option<Head>> {
        let partition = partition(project);
        let name = self.name(&format!("{partition}/{HEAD}"));
        let found = self.item_of(&partition, HEAD, &name).await?;
        let head = |item: Item| {
            let seq = item.get(SEQ)?.as_n().ok()?.parse().ok()?;
            let hash = item::str(&item, HASH)?.to_owned();
            Some(Head { seq, hash })
        };
        let corrupt = || StoreError::corrupt(&name, "has no number or no hash");
        found.map(|item| head(item).ok_or_else(corrupt)).transpose()
    }

    /// The trail as it lies there. What is appended meanwhile is in it as far as the head is that goes with it.
    pub(super) async fn read_log(&self, project: &str) -> Result<AuditLog> {
        let mut log = AuditLog::default();
        let mut after = ENTRY.to_owned();
        loop {
            let lines = self.entries_after(project, &after).await?;
            // Read later than the entries: it is not behind them.
            log.head = self.read_head(project).await?;
            let Some((last, _)) = lines.last() else {
                return Ok(log);
            };
            after.clone_from(last);
            for (_, line) in &lines {
                log.bytes.extend_from_slice(line.as_bytes());
                log.bytes.push(b'\n');
            }
            if log
                .head
                .as_ref()
                .is_none_or(|head| key_of(head.seq) <= after)
            {
                return Ok(log);
            }
        }
    }

    /// Sort keys and lines behind a sort key.
    async fn entries_after(&self, project: &str, key: &str) -> Result<Vec<(String, String)>> {
        let querying = self
            .query("PK = :p AND SK > :after", partition(project))
            .expression_attribute_values(":after", text(key))
            .consistent_read(true);
        let mut items = querying.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(read) = items.next().await {
            let read =
                read.map_err(|error| store_error("list", &self.name(&partition(project)), error))?;
            // Something that is no entry is a line that is none.
            let text = |name: &str| item::str(&read, name).unwrap_or("{}").to_owned();
            found.push((text("SK"), text("doc")));
        }
        Ok(found)
    }

    /// Entries from the newest on, without the first `skip`.
    pub(super) async fn read_newest(
        &self,
        project: &str,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let head = self.read_head(project).await?;
        let newest = head.map_or(0, |head| head.seq.saturating_sub(number(skip)));
        let oldest = newest.saturating_sub(number(limit)) + 1;
        if oldest > newest {
            return Ok(Vec::new());
        }
        let querying = self
            .query(
                "PK = :p AND SK BETWEEN :oldest AND :newest",
                partition(project),
            )
            .expression_attribute_values(":oldest", text(key_of(oldest)))
            .expression_attribute_values(":newest", text(key_of(newest)))
            .scan_index_forward(false)
            .consistent_read(true);
        let mut items = querying.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(read) = items.next().await {
            let name = self.name(&partition(project));
            let read = read.map_err(|error| store_error("list", &name, error))?;
            found.push(item::read_doc(&name, &read)?);
        }
        Ok(found)
    }
}

/// The head is put where it is still this one.
fn if_head_is(putting: PutBuilder, prev: Option<&Head>) -> PutBuilder {
    match prev {
        None => putting.condition_expression("attribute_not_exists(PK)"),
        Some(prev) => putting
            .condition_expression("#seq = :seq AND #hash = :hash")
            .expression_attribute_names("#seq", SEQ)
            .expression_attribute_names("#hash", HASH)
            .expression_attribute_values(":seq", number(prev.seq))
            .expression_attribute_values(":hash", text(&prev.hash)),
    }
}

fn putting(put: PutBuilder) -> std::result::Result<TransactWriteItem, BuildError> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

/// Why a transaction was not carried out.
enum Refusal {
    /// The head is another one, or is being written.
    Overtaken,
    /// The head is this one, and there is an entry behind it.
    PastHead,
    Other,
}

fn refusal(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Refusal {
    const FAILED: Option<&str> = Some("ConditionalCheckFailed");
    let canceled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Refusal::Overtaken;
        }
        _ => return Refusal::Other,
    };
    // One for each item, in their order.
    let reasons = canceled.cancellation_reasons().iter();
    let codes: Vec<_> = reasons.map(|reason| reason.code()).collect();
    if codes == [FAILED, Some("None")] {
        return Refusal::PastHead;
    }
    let passes = |code: &Option<&str>| {
        matches!(
            code.unwrap_or_default(),
            "None"
                | "ConditionalCheckFailed"
                | "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded"
        )
    };
    match !codes.is_empty() && codes.iter().all(passes) {
        true => Refusal::Overtaken,
        false => Refusal::Other,
    }
}
