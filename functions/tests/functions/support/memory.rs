//! Objects and records in memory.

use async_trait::async_trait;
use bytes::Bytes;
use floodgate_records::audit::AuditEntry;
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use floodgate_records::execution::Execution;
use floodgate_records::schedule::Turn;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use floodgate_store::chain::{self, AuditLog};
use floodgate_store::{
    Listing, ObjectInfo, ObjectStore, RecordStore, Reserved, Result, StoreError,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Objects in memory, with the requests that S3 would have been sent.
#[derive(Default)]
pub struct Objects {
    objects: Mutex<BTreeMap<String, (Bytes, u64)>>,
    pub puts: AtomicU64,
    pub gets: AtomicU64,
    pub lists: AtomicU64,
}

impl Objects {
    fn write(&self, key: &str, data: Bytes, new: bool) -> Result<()> {
        let version = self.puts.fetch_add(1, Ordering::Relaxed);
        let mut objects = self.objects.lock().unwrap();
        if new && objects.contains_key(key) {
            return Err(StoreError::Exists { key: key.into() });
        }
        objects.insert(key.into(), (data, version));
        Ok(())
    }

    pub fn json(&self, key: &str) -> Value {
        let objects = self.objects.lock().unwrap();
        let (bytes, _) = objects
            .get(key)
            .unwrap_or_else(|| panic!("{key}: not found"));
        serde_json::from_slice(bytes).unwrap()
    }

    pub fn set(&self, key: &str, data: impl Into<Bytes>) {
        let version = self.puts.load(Ordering::Relaxed) + 1_000_000;
        let mut objects = self.objects.lock().unwrap();
        objects.insert(key.into(), (data.into(), version));
    }

    /// Another version of an object, not counted: a task's doing.
    pub fn flush(&self, key: &str, version: u64) {
        let mut objects = self.objects.lock().unwrap();
        let object = objects.entry(key.into()).or_default();
        object.1 = version;
    }

    /// The keys that begin so, with their objects as text.
    pub fn below(&self, prefix: &str) -> Vec<(String, String)> {
        let objects = self.objects.lock().unwrap();
        let below = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        below
            .map(|(key, (bytes, _))| (key.clone(), text(bytes)))
            .collect()
    }

    pub fn remove(&self, key: &str) {
        self.objects.lock().unwrap().remove(key).unwrap();
    }

    pub fn has(&self, key: &str) -> bool {
        self.objects.lock().unwrap().contains_key(key)
    }

    pub fn size(&self, key: &str) -> usize {
        self.objects.lock().unwrap()[key].0.len()
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put(&self, key: &str, data: Bytes) -> Result<()> {
        self.write(key, data, false)
    }
    async fn put_new(&self, key: &str, data: Bytes) -> Result<()> {
        self.write(key, data, true)
    }
    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        Ok(self
            .objects
            .lock()
            .unwrap()
            .get(key)
            .map(|(b, _)| b.clone()))
    }
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let objects = self.objects.lock().unwrap();
        let all: Vec<ObjectInfo> = objects
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, (bytes, version))| ObjectInfo {
                key: key.clone(),
                size: bytes.len() as u64,
                modified_ms: 0,
                version: version.to_string(),
            })
            .collect();
        let pages = all.len().div_ceil(1_000).max(1) as u64;
        self.lists.fetch_add(pages, Ordering::Relaxed);
        Ok(all)
    }
    async fn delete(&self, key: &str) -> Result<()> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }
}

/// Records in memory.
#[derive(Default)]
pub struct Records {
    trail: Mutex<Vec<(String, AuditEntry)>>,
    records: Mutex<BTreeMap<String, Execution>>,
    tests: Mutex<Vec<TestRecord>>,
    accounts: Mutex<BTreeMap<String, Account>>,
    turns: Mutex<BTreeMap<String, Turn>>,
    pub writes: AtomicU64,
}

#[async_trait]
impl RecordStore for Records {
    async fn create(&self, execution: &Execution) -> Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut records = self.records.lock().unwrap();
        if records.contains_key(&execution.id) {
            return Err(StoreError::Exists {
                key: execution.id.clone(),
            });
        }
        records.insert(execution.id.clone(), execution.clone());
        Ok(())
    }
    async fn update(&self, execution: &Execution, expected: &[Status]) -> Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut records = self.records.lock().unwrap();
        let found = records.get(&execution.id).unwrap().status;
        if !expected.contains(&found) {
            return Err(StoreError::Conflict {
                id: execution.id.clone(),
                found,
                expected: expected.to_vec(),
            });
        }
        records.insert(execution.id.clone(), execution.clone());
        Ok(())
    }
    async fn replace_warnings(
        &self,
        _: &str,
        id: &str,
        about: &str,
        warnings: &[String],
    ) -> Result<()> {
        let mut records = self.records.lock().unwrap();
        let missing = || StoreError::NotFound { what: id.into() };
        let record = records.get_mut(id).ok_or_else(missing)?;
        if record.replace_warnings(about, warnings) {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
    async fn get(&self, project: Option<&str>, id: &str) -> Result<Option<Execution>> {
        let found = self.records.lock().unwrap().get(id).cloned();
        Ok(found.filter(|found| project.is_none_or(|project| found.project == project)))
    }
    async fn list(&self, _: Option<&str>, _: Option<&str>, limit: usize) -> Result<Listing> {
        let records = self.records.lock().unwrap();
        Ok(Listing {
            runs: records.values().rev().take(limit).cloned().collect(),
            damaged: Vec::new(),
        })
    }
    async fn audit(&self, project: &str, entry: &AuditEntry) -> Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut trail = self.trail.lock().unwrap();
        trail.push((project.to_owned(), entry.clone()));
        Ok(())
    }
    async fn audit_log(&self, project: &str) -> Result<AuditLog> {
        let trail = self.trail.lock().unwrap();
        let (mut bytes, mut head) = (Vec::new(), chain::beginning(project, b""));
        for (_, entry) in trail.iter().filter(|(p, _)| p == project) {
            let (line, next) = chain::seal(entry, &head).unwrap();
            bytes.extend(format!("{line}\n").into_bytes());
            head = next;
        }
        let head = Some(head).filter(|head| head.seq > 0);
        Ok(AuditLog { bytes, head })
    }
    async fn put_test(&self, test: &TestRecord) -> Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.tests.lock().unwrap().push(test.clone());
        Ok(())
    }
    async fn latest_test(&self, project: &str, test: &str) -> Result<Option<TestRecord>> {
        let tests = self.tests.lock().unwrap();
        let of = |t: &&TestRecord| t.project == project && t.test == test;
        Ok(tests.iter().rev().find(of).cloned())
    }
    async fn reserve(
        &self,
        _: &str,
        month: &str,
        execution: &str,
        asked: Reservation,
        limit: &Limit,
    ) -> Result<Reserved> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.entry(month.to_owned()).or_default();
        Ok(match account.reserve(execution, asked, limit) {
            true => Reserved::Held,
            false => Reserved::Full(account.clone()),
        })
    }
    async fn settle(&self, _: &str, month: &str, execution: &str, actual: Amount) -> Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.entry(month.to_owned()).or_default();
        account.settle(execution, actual);
        Ok(())
    }
    async fn schedule_turn(&self, _: &str, schedule: &str) -> Result<Turn> {
        let turns = self.turns.lock().unwrap();
        Ok(turns.get(schedule).cloned().unwrap_or_default())
    }
    async fn pass_turn(&self, _: &str, schedule: &str, from: &Turn, to: &Turn) -> Result<bool> {
        let mut turns = self.turns.lock().unwrap();
        let turn = turns.entry(schedule.to_owned()).or_default();
        let is_from = turn == from;
        if is_from {
            *turn = to.clone();
        }
        Ok(is_from)
    }
    async fn account(&self, _: &str, month: &str) -> Result<Account> {
        let accounts = self.accounts.lock().unwrap();
        Ok(accounts.get(month).cloned().unwrap_or_default())
    }
}
