//! Notices that wait, and dead letters: an object each below `notifications/`, outside of any run.
//!
//! An entry is written before the first attempt and removed when it is taken, so that a process that dies loses nothing. Whoever tries it
//! first moves its time on: another process leaves it alone until then. Two may still send the same; it has one id.

use crate::backoff::{BACKGROUND, Backoff};
use crate::notice::Notice;
use crate::refusal::Refusal;
use floodgate_store::json::{self, JsonError};
use floodgate_store::{ObjectStore, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const PREFIX: &str = "notifications/";
/// How long whoever tries an entry has it for themselves.
const LEASE: Duration = Duration::from_secs(60);

/// Why the outbox did not do as it should.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// What the store refuses, or an entry that cannot be read.
    #[error("the outbox: {0}")]
    Store(#[from] JsonError),
}

impl From<StoreError> for OutboxError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// A notice that is not taken yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this layout: [`Entry::SCHEMA`].
    pub schema: u32,
    /// The notice.
    pub notice: Notice,
    /// `webhook`, `slack`, and so on.
    pub channel: String,
    /// Where it goes, without what is secret.
    pub place: String,
    /// When it was first to be sent, Unix ms.
    pub since_ms: i64,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried again, Unix ms; `None` of a dead letter, which is tried only if somebody asks for it.
    pub next_ms: Option<i64>,
    /// Why it was not taken; empty before the first attempt.
    pub why: String,
}

impl Entry {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;

    /// The project of its run.
    pub fn project(&self) -> &str {
        &self.notice.message.data.project
    }

    /// Whether it is to be tried now.
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.next_ms.is_some_and(|next| next <= now_ms)
    }

    /// The same after it was refused once more, or more often; a dead letter when it will never be taken or is too old.
    #[must_use]
    pub fn refused(mut self, tries: u32, refusal: &Refusal, jitter: f64, now_ms: i64) -> Self {
        self.attempts += tries;
        self.why = refusal.to_string();
        let backoff: Backoff = BACKGROUND;
        let age = Duration::from_millis(u64::try_from(now_ms - self.since_ms).unwrap_or(0));
        let pause = backoff.pause(self.attempts, jitter, refusal.after());
        let over = refusal.is_final() || backoff.is_over(age + pause);
        self.next_ms = (!over).then(|| now_ms.saturating_add(ms(pause)));
        self
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Notices that wait, in a store.
#[derive(Clone)]
pub struct Outbox {
    objects: Arc<dyn ObjectStore>,
}

impl Outbox {
    /// That of a store.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    fn key(notice: &Notice) -> String {
        format!("{PREFIX}{}/{}.json", notice.message.data.project, notice.id)
    }

    /// Keeps an entry for whoever tries it now: for a minute nobody else does.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn take(&self, entry: &Entry, now_ms: i64) -> Result<(), OutboxError> {
        let mut taken = entry.clone();
        taken.next_ms = Some(now_ms.saturating_add(ms(LEASE)));
        self.put(&taken).await
    }

    /// Keeps an entry as it is.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn put(&self, entry: &Entry) -> Result<(), OutboxError> {
        let key = Self::key(&entry.notice);
        let bytes = json::bytes(&key, entry)?;
        Ok(self.objects.put(&key, bytes).await?)
    }

    /// Forgets one that was taken.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn remove(&self, entry: &Entry) -> Result<(), OutboxError> {
        Ok(self.objects.delete(&Self::key(&entry.notice)).await?)
    }

    /// All entries, by project and execution, and what cannot be read among them, a sentence each.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn list(
        &self,
        project: Option<&str>,
    ) -> Result<(Vec<Entry>, Vec<String>), OutboxError> {
        let prefix = match project {
            Some(project) => format!("{PREFIX}{project}/"),
            None => PREFIX.to_owned(),
        };
        let (mut entries, mut damaged) = (Vec::new(), Vec::new());
        for object in self.objects.list(&prefix).await? {
            match json::get::<Entry>(self.objects.as_ref(), &object.key).await {
                Ok(entry) => entries.extend(entry),
                Err(JsonError::Malformed { key, source }) => {
                    damaged.push(format!("{key} is no notification: {source}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok((entries, damaged))
    }
}
