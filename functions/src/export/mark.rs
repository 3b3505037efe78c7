//! What is known of earlier tries of an export: objects beside the run.

use crate::error::Result;
use floodgate_control::json;
use floodgate_core::shard::sha256_hex;
use floodgate_records::keys::ExecutionKeys;
use floodgate_store::{ObjectStore, StoreError};
use serde::{Deserialize, Serialize};

/// A try that has begun.
#[derive(Debug, Serialize, Deserialize)]
struct Beginning {
    /// The call that it belongs to.
    call: String,
    /// When, Unix ms.
    began_ms: i64,
    /// The sink.
    to: String,
}

/// An export that has come to its end: the sink has everything.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    /// Rows that the sink took.
    pub(super) rows: u64,
    /// When, Unix ms.
    pub(super) ended_ms: i64,
    /// What the record says of it.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

/// How far an export has come while the run goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The call that it belongs to.
    pub(super) call: String,
    /// When it last said so, Unix ms.
    pub(super) said_ms: i64,
    /// Whether it goes no further.
    pub(super) left: bool,
    /// The sink has all windows that begin before, Unix ms.
    pub(super) until_ms: Option<i64>,
    /// Rows that the sink took of them.
    pub(super) taken: u64,
    /// Rows that it did not take.
    pub(super) lost: u64,
    /// Why.
    pub(super) problems: Vec<String>,
}

impl Standing {
    /// Whether it may still be carried out: one that says nothing for so long was cut off.
    pub(super) fn goes_on(&self, now_ms: i64) -> bool {
        const SILENCE_MS: i64 = 60_000;
        !self.left && now_ms.saturating_sub(self.said_ms) < SILENCE_MS
    }
}

/// Who has begun an export.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// This try, and nobody before.
    Now,
    /// An earlier try of the same call, which has not come to its end.
    Before,
    /// Another call: it says what comes of it.
    ByAnother,
}

/// The marks of a run's export to one sink.
pub(super) struct Marks<'a> {
    objects: &'a dyn ObjectStore,
    live: String,
    begun: String,
    done: String,
    to: &'a str,
}

impl<'a> Marks<'a> {
    /// Those of a URL.
    pub(super) fn new(objects: &'a dyn ObjectStore, keys: &ExecutionKeys, to: &'a str) -> Self {
        let hash = sha256_hex(to.as_bytes());
        let sink = &hash[..16];
        Self {
            objects,
            live: keys.export_live(sink),
            begun: keys.export_begun(sink),
            done: keys.export_done(sink),
            to,
        }
    }

    /// How far it has come while the run went on.
    pub(super) async fn standing(&self) -> Result<Option<Standing>> {
        Ok(json::get(self.objects, &self.live).await?)
    }

    /// Notes how far it has come.
    pub(super) async fn stands(&self, standing: &Standing) -> Result<()> {
        Ok(json::put_compact(self.objects, &self.live, standing).await?)
    }

    /// What is known of the end of the export.
    pub(super) async fn done(&self) -> Result<Option<Done>> {
        Ok(json::get(self.objects, &self.done).await?)
    }

    /// Notes that an export begins, unless one has: one of many does.
    pub(super) async fn begin(&self, call: &str, now_ms: i64) -> Result<Begun> {
        let beginning = Beginning {
            call: call.to_owned(),
            began_ms: now_ms,
            to: self.to.to_owned(),
        };
        let bytes = json::bytes(&self.begun, &beginning)?;
        match self.objects.put_new(&self.begun, bytes).await {
            Ok(()) => Ok(Begun::Now),
            Err(StoreError::Exists { .. }) => {
                let before: Option<Beginning> = json::get(self.objects, &self.begun).await?;
                Ok(match before {
                    Some(before) if before.call != call => Begun::ByAnother,
                    _ => Begun::Before,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that the sink has everything.
    pub(super) async fn finish(&self, done: &Done) -> Result<()> {
        Ok(json::put_compact(self.objects, &self.done, done).await?)
    }
}
