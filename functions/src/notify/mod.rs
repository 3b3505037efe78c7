//! Notify: tells of a run what its definition wants told, and tries again what was not taken.
//!
//! Others have it called when a run has started or ended, and don't wait for it: no receiver delays a run or changes its verdict. A
//! schedule calls it for what waits.

mod later;
mod sweep;
mod tell;
mod wanted;

pub(crate) use later::later;

use crate::app::App;
use crate::error::{FunctionError, Result};
use floodgate_notify::{Entry, Moment, Outbox, OutboxError};
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Notify {
    /// A run has started or ended.
    Tell {
        project: String,
        execution: String,
        moment: Moment,
    },
    /// What waits and is due, and what somebody asks for.
    Sweep { sweep: bool },
}

/// What became of notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// Taken.
    sent: u32,
    /// Tried again later.
    waiting: u32,
    /// Never tried again, unless somebody asks for it.
    dead: u32,
}

/// Tells, or tries again.
pub(crate) async fn handle(app: &App, input: Notify) -> Result<Told> {
    match input {
        Notify::Tell {
            project,
            execution,
            moment,
        } => tell::tell(app, &project, &execution, moment).await,
        Notify::Sweep { .. } => sweep::sweep(app).await,
    }
}

impl Told {
    /// Counts and logs what became of one.
    fn add(&mut self, app: &App, project: &str, left: Option<&Entry>) {
        let metrics = app.metrics(project);
        let Some(entry) = left else {
            self.sent += 1;
            metrics.count("NotificationsSent", 1).emit();
            return;
        };
        let (id, channel, place) = (&entry.notice.id, &entry.channel, &entry.place);
        let (why, tries) = (&entry.why, entry.attempts);
        match entry.next_ms {
            Some(_) => {
                self.waiting += 1;
                tracing::warn!(id, channel, place, why, tries, "notification not taken yet");
            }
            None => {
                self.dead += 1;
                tracing::error!(id, channel, place, why, tries, "notification given up");
                metrics.count("NotificationsGivenUp", 1).emit();
            }
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            waiting: self.waiting + other.waiting,
            dead: self.dead + other.dead,
        }
    }
}

fn outbox(app: &App) -> Outbox {
    Outbox::new(app.stores.objects.clone())
}

impl From<OutboxError> for FunctionError {
    fn from(error: OutboxError) -> Self {
        let OutboxError::Store(error) = error;
        error.into()
    }
}
