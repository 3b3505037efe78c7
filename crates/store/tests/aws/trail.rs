//! The audit trail in a table: what somebody does to it who may change the table, and writers that are disturbed.

use crate::proxy::{Fault, Proxy, dynamodb_error};
use crate::support::{config, endpoint, table};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_store::chain::{AuditLog, Finding, Head, seal, verify};
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::{RecordStore, StoreError};

fn entry(n: u64) -> AuditEntry {
    AuditEntry {
        execution: format!("run-{n}"),
        action: Action::Start.into(),
        ..AuditEntry::default()
    }
}

/// A trail of six entries, and what an administrator of the account can do to its items.
struct Trail {
    client: Client,
    store: DynamoStore,
    project: &'static str,
}

impl Trail {
    async fn of(endpoint: &str, store: &DynamoStore, project: &'static str) -> Self {
        for n in 1..=6 {
            store.audit(project, &entry(n)).await.unwrap();
        }
        Self {
            client: Client::new(&config(endpoint).await),
            store: store.clone(),
            project,
        }
    }

    fn text(text: impl Into<String>) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    async fn remove(&self, key: &str) {
        let removing = self.client.delete_item().table_name(self.store.table());
        let removing = removing.key("PK", Self::text(format!("AUDIT#{}", self.project)));
        removing.key("SK", Self::text(key)).send().await.unwrap();
    }

    async fn put(&self, n: usize, line: &str) {
        let putting = self.client.put_item().table_name(self.store.table());
        let putting = putting.item("PK", Self::text(format!("AUDIT#{}", self.project)));
        let putting = putting.item("SK", Self::text(key(n)));
        putting.item("doc", Self::text(line)).send().await.unwrap();
    }

    async fn log(&self) -> AuditLog {
        self.store.audit_log(self.project).await.unwrap()
    }

    async fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.log().await.bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    async fn findings(&self) -> Vec<Finding> {
        verify(self.project, &self.log().await, &[]).findings
    }
}

fn key(n: usize) -> String {
    format!("ENTRY#{n:015}")
}

#[tokio::test]
async fn what_an_administrator_does_to_a_trail_is_found() {
    let Some(endpoint) = endpoint("what_an_administrator_does_to_a_trail_is_found") else {
        return;
    };
    let store = table(&endpoint).await;
    let removed = Trail::of(&endpoint, &store, "removed").await;
    assert_eq!(removed.findings().await, []);
    removed.remove(&key(3)).await;
    let gone = Finding::Removed { first: 3, last: 3 };
    assert_eq!(removed.findings().await, [gone]);

    let changed = Trail::of(&endpoint, &store, "changed").await;
    let lines = changed.lines().await;
    changed.put(2, &lines[1].replace("run-2", "run-9")).await;
    let other = Finding::Changed { seq: 2, line: 2 };
    assert_eq!(changed.findings().await, [other]);

    let moved = Trail::of(&endpoint, &store, "moved").await;
    let lines = moved.lines().await;
    moved.put(3, &lines[3]).await;
    moved.put(4, &lines[2]).await;
    let swapped = Finding::Moved { seq: 3, line: 4 };
    assert_eq!(moved.findings().await, [swapped]);

    let cut = Trail::of(&endpoint, &store, "cut").await;
    cut.remove(&key(6)).await;
    cut.remove(&key(5)).await;
    let end = Finding::Truncated { first: 5, last: 6 };
    assert_eq!(cut.findings().await, [end]);
    // What is appended does not make it whole again.
    cut.store.audit("cut", &entry(7)).await.unwrap();
    let gone = Finding::Removed { first: 5, last: 6 };
    assert_eq!(cut.findings().await, [gone]);

    let added = Trail::of(&endpoint, &store, "added").await;
    let head = added.log().await.head.unwrap();
    let (line, Head { hash, .. }) = seal(&entry(7), &head).unwrap();
    added.put(7, &line).await;
    // As one that a writer was interrupted at: but here nobody writes the one without the other.
    let more = Head { seq: 7, hash };
    let (line, _) = seal(&entry(8), &more).unwrap();
    added.put(8, &line).await;
    let past = Finding::PastHead { head: 6, newest: 8 };
    assert_eq!(added.findings().await, [past]);
    let refused = added.store.audit("added", &entry(9)).await;
    let corrupt = |error: &StoreError| matches!(error, StoreError::Corrupt { .. });
    assert!(refused.as_ref().is_err_and(corrupt), "{refused:?}");
}

#[tokio::test]
async fn a_trail_without_its_head_is_not_begun_anew() {
    let Some(endpoint) = endpoint("a_trail_without_its_head_is_not_begun_anew") else {
        return;
    };
    let trail = Trail::of(&endpoint, &table(&endpoint).await, "headless").await;
    trail.remove("CHAIN").await;
    assert_eq!(trail.findings().await, [Finding::NoHead]);
    let refused = trail.store.audit("headless", &entry(7)).await.unwrap_err();
    assert!(refused.to_string().contains("head is missing"), "{refused}");
    assert_eq!(trail.lines().await.len(), 6);
}

#[tokio::test]
async fn an_entry_whose_answer_is_lost_is_appended_once() {
    let Some(endpoint) = endpoint("an_entry_whose_answer_is_lost_is_appended_once") else {
        return;
    };
    let direct = table(&endpoint).await;
    let proxy = Proxy::start(&endpoint).await;
    let store = DynamoStore::new(&config(proxy.address()).await, direct.table());
    store.audit("p", &entry(1)).await.unwrap();
    for (fault, times) in [
        (Fault::LostAnswerTo("TransactWriteItems"), 1),
        (
            dynamodb_error(400, "ProvisionedThroughputExceededException"),
            2,
        ),
    ] {
        let before = direct.audit_trail("p").await.unwrap().len();
        proxy.fail(fault.clone(), times);
        store.audit("p", &entry(2)).await.unwrap();
        assert_eq!(proxy.met(), times, "{fault:?}");
        let log = direct.audit_log("p").await.unwrap();
        let found = verify("p", &log, &[]);
        assert_eq!((found.chained, found.findings), (before as u64 + 1, vec![]));
    }
}
