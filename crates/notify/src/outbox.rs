//! Notices that wait, and dead letters: an object each below `notifications/PROJECT/`, outside of any run.
//!
//! Whoever may not send asks whoever may: an object below `asked/`, whose name says it all. Dead letters lie apart, below `dead/`, so that
//! looking for what is due does not read them again and again.
//!
//! An entry is written before the first attempt and removed when it is taken, so that a process that dies loses nothing. Whoever tries it
//! first moves its time on: another process leaves it alone until then. Two may still send the same; it has one id.

use crate::ask::{Ask, Asked};
use crate::backoff::{BACKGROUND, Backoff};
use crate::notice::Notice;
use crate::refusal::Refusal;
use bytes::Bytes;
use floodgate_records::notify::Channel;
use floodgate_store::json::{self, JsonError};
use floodgate_store::{ObjectStore, StoreError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const PREFIX: &str = "notifications/";
const DEAD: &str = "dead/";
const ASKED: &str = "asked/";
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
    /// How often it was left for later: once by whoever waited for the run, with all their attempts, and then by each attempt.
    #[serde(default)]
    pub left: u32,
    /// When it is tried again, Unix ms; `None` of a dead letter, which is tried only if somebody asks for it.
    pub next_ms: Option<i64>,
    /// Why it was not taken; empty before the first attempt.
    pub why: String,
}

impl Entry {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;

    /// A notice that nobody has tried to send yet.
    pub fn new(notice: Notice, channel: &Channel, now_ms: i64) -> Self {
        Self {
            schema: Self::SCHEMA,
            notice,
            channel: channel.kind().to_owned(),
            place: channel.place(),
            since_ms: now_ms,
            attempts: 0,
            left: 0,
            next_ms: None,
            why: String::new(),
        }
    }

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
        self.left += 1;
        self.why = refusal.to_string();
        let backoff: Backoff = BACKGROUND;
        let age = Duration::from_millis(u64::try_from(now_ms - self.since_ms).unwrap_or(0));
        let pause = backoff.pause(self.left, jitter, refusal.after());
        let over = refusal.is_final() || backoff.is_over(age + pause);
        self.next_ms = (!over).then(|| now_ms.saturating_add(ms(pause)));
        self
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What lies in an outbox, by name: nothing is read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Keys of entries that wait.
    pub waiting: Vec<String>,
    /// Keys of dead letters.
    pub dead: Vec<String>,
    /// What somebody asks for.
    pub asked: Vec<Ask>,
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
        let [live, dead] = keys(entry.project(), &entry.notice.id);
        let (key, other) = match entry.next_ms {
            Some(_) => (live, dead),
            None => (dead, live),
        };
        let bytes = json::bytes(&key, entry)?;
        self.objects.put(&key, bytes).await?;
        Ok(self.objects.delete(&other).await?)
    }

    /// Forgets one that was taken.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn remove(&self, entry: &Entry) -> Result<(), OutboxError> {
        for key in keys(entry.project(), &entry.notice.id) {
            self.objects.delete(&key).await?;
        }
        Ok(())
    }

    /// What there is, by name.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn look(&self, project: Option<&str>) -> Result<Contents, OutboxError> {
        let prefix = match project {
            Some(project) => format!("{PREFIX}{project}/"),
            None => PREFIX.to_owned(),
        };
        let mut found = Contents::default();
        for object in self.objects.list(&prefix).await? {
            let inside = object.key[PREFIX.len()..].split_once('/');
            let Some((project, name)) = inside else {
                continue;
            };
            if let Some(asked) = name.strip_prefix(ASKED) {
                found.asked.extend(Asked::of_name(asked).map(|what| Ask {
                    project: project.to_owned(),
                    what,
                }));
            } else if name.starts_with(DEAD) {
                found.dead.push(object.key);
            } else {
                found.waiting.push(object.key);
            }
        }
        Ok(found)
    }

    /// The entry at a key; `None` if it is gone.
    ///
    /// # Errors
    /// What the store refuses, and [`JsonError::Malformed`] of what is no entry, or one of another project.
    pub async fn read(&self, key: &str) -> Result<Option<Entry>, OutboxError> {
        let Some(entry) = json::get::<Entry>(self.objects.as_ref(), key).await? else {
            return Ok(None);
        };
        if keys(entry.project(), &entry.notice.id)
            .iter()
            .any(|own| own == key)
        {
            return Ok(Some(entry));
        }
        let wrong = "it is of another project or notification than its key says";
        Err(JsonError::Malformed {
            key: key.to_owned(),
            source: serde::de::Error::custom(wrong),
        }
        .into())
    }

    /// An entry by its notice's id, dead or not.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn find(&self, project: &str, id: &str) -> Result<Option<Entry>, OutboxError> {
        for key in keys(project, id) {
            if let Some(entry) = self.read(&key).await? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// All entries, those that wait before dead letters, and what cannot be read among them, a sentence each.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn list(
        &self,
        project: Option<&str>,
    ) -> Result<(Vec<Entry>, Vec<String>), OutboxError> {
        let Contents { waiting, dead, .. } = self.look(project).await?;
        let (mut entries, mut damaged) = (Vec::new(), Vec::new());
        for key in waiting.into_iter().chain(dead) {
            match self.read(&key).await {
                Ok(entry) => entries.extend(entry),
                Err(OutboxError::Store(JsonError::Malformed { key, source })) => {
                    damaged.push(format!("{key} is no notification: {source}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((entries, damaged))
    }

    /// Asks whoever looks after the outbox for something.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn ask(&self, ask: &Ask) -> Result<(), OutboxError> {
        Ok(self.objects.put(&asked(ask), Bytes::new()).await?)
    }

    /// Forgets what was asked for and is done.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn answered(&self, ask: &Ask) -> Result<(), OutboxError> {
        Ok(self.objects.delete(&asked(ask)).await?)
    }
}

fn asked(ask: &Ask) -> String {
    format!("{PREFIX}{}/{ASKED}{}", ask.project, ask.what)
}

/// Where an entry lies while it waits, and where as a dead letter.
fn keys(project: &str, id: &str) -> [String; 2] {
    ["", DEAD].map(|part| format!("{PREFIX}{project}/{part}{id}.json"))
}
