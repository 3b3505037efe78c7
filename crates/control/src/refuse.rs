//! A run that ends before it has a plan: its record says why, so that it is found like any other.

use crate::audit::{audit, principal};
use crate::budget;
use crate::error::Result;
use crate::stores::Stores;
use floodgate_records::audit::Action;
use floodgate_records::control::Stop;
use floodgate_records::cost::Cost;
use floodgate_records::engine::Engine;
use floodgate_records::execution::{Execution, Infrastructure, Trigger};
use floodgate_records::plan::PlannedLoad;
use floodgate_records::status::Status;
use floodgate_records::word::Word;
use floodgate_store::StoreError;
use std::collections::BTreeMap;

/// The name of a test in records of runs that were refused before it was known.
pub const UNKNOWN_TEST: &str = "unknown";
/// Bytes of the reason at most: the cause that the state machine shows has as many, and a record has more to hold.
const MAX_REASON: usize = 16_000;

/// What is known of a run that is refused. What is not known stays empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// ULID.
    pub id: String,
    /// The tenant.
    pub project: String,
    /// The test's name; [`UNKNOWN_TEST`] stands for an empty one.
    pub test: String,
    /// SHA-256 of the definition and its files, as far as they could be read.
    pub version: String,
    /// Who was to send its load.
    pub engine: Word<Engine>,
    /// The target, as records show it.
    pub target: Option<String>,
    /// Who wanted it.
    pub trigger: Trigger,
    /// When it was asked for, Unix ms.
    pub created_ms: i64,
    /// Where it was to run.
    pub infrastructure: Infrastructure,
    /// What it was to apply.
    pub planned: PlannedLoad,
    /// What it would have cost.
    pub cost: Option<Cost>,
    /// What a reader should know besides.
    pub warnings: Vec<String>,
    /// Overrides.
    pub parameters: BTreeMap<String, String>,
    /// The state machine's execution.
    pub run_arn: Option<String>,
    /// The error's name.
    pub error: String,
    /// Why, in words.
    pub reason: String,
    /// The order that ended it, if it was stopped and not refused.
    pub stopped_by: Option<Stop>,
}

impl Refusal {
    fn execution(self, now_ms: i64) -> Execution {
        let or = |text: String, default: &str| match text.is_empty() {
            true => default.to_owned(),
            false => text,
        };
        Execution {
            version: self.version,
            engine: self.engine,
            target: self.target,
            trigger: self.trigger,
            ended_ms: Some(now_ms),
            status: match self.stopped_by {
                Some(_) => Status::Aborted,
                None => Status::Errored,
            },
            reasons: vec![bounded(self.reason)],
            infrastructure: self.infrastructure,
            planned: self.planned,
            stopped_by: self.stopped_by,
            warnings: self.warnings,
            cost: self.cost,
            parameters: self.parameters,
            run_arn: self.run_arn,
            error: Some(self.error),
            ..Execution::created(
                self.id,
                self.project,
                or(self.test, UNKNOWN_TEST),
                self.created_ms,
            )
        }
    }
}

fn bounded(mut text: String) -> String {
    if text.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|&i| text.is_char_boundary(i));
        text.truncate(end.unwrap_or(0));
        text.push_str("\n… (cut off)");
    }
    text
}

/// Writes down that a run was refused: an entry of the audit trail, and a record that is final from its beginning. A record that
/// was made by an attempt of the same run which came no further is ended. Said again it changes nothing, and a record that
/// has ended stays as it is. `None`: the id is another run's, which is left alone.
///
/// # Errors
/// What the store refuses; names that cannot be keys are among it. Then it can be said again.
pub async fn refuse(stores: &Stores, refusal: Refusal, now_ms: i64) -> Result<Option<Execution>> {
    let mut refused = refusal.execution(now_ms);
    // Ids are unique over projects.
    let found = stores.records.get(None, &refused.id).await?;
    let found = match found.filter(|e| e.id == refused.id) {
        Some(found) => Some(found),
        // The index that knows all projects may lag behind.
        None => {
            stores
                .records
                .get(Some(&refused.project), &refused.id)
                .await?
        }
    };
    if let Some(found) = &found {
        if found.run_arn != refused.run_arn {
            return Ok(None);
        }
        if found.status.is_final() {
            return Ok(Some(found.clone()));
        }
        // What stands there was made from a definition that could be read.
        refused = Execution {
            status: refused.status,
            reasons: refused.reasons,
            ended_ms: refused.ended_ms,
            stopped_by: refused.stopped_by,
            error: refused.error,
            ..found.clone()
        };
    }
    // The trail comes first: cut off between the two, a repetition makes a second entry rather than none.
    let by = match &refused.stopped_by {
        Some(stop) => stop.by.clone(),
        None => principal(&refused).to_owned(),
    };
    let outcome = refused.error.clone().unwrap_or_default();
    audit(stores, &refused, &by, Action::Refuse, &outcome, now_ms).await?;
    let written = match found {
        Some(_) => {
            let expected = [Status::Preparing];
            stores.records.update(&refused, &expected).await
        }
        None => stores.records.create(&refused).await,
    };
    match written {
        Ok(()) => {
            // An attempt that came further may hold what it was to cost.
            let _ = budget::settle(stores, &refused).await;
            Ok(Some(refused))
        }
        // Somebody else was faster: what they wrote stands.
        Err(StoreError::Exists { .. } | StoreError::Conflict { .. }) => {
            let standing = stores.records.get(Some(&refused.project), &refused.id);
            Ok(standing.await?.filter(|e| e.run_arn == refused.run_arn))
        }
        Err(error) => Err(error.into()),
    }
}
