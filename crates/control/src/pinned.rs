//! The run that is pinned as a test's baseline.

use crate::audit::{Who, audit};
use crate::error::{ControlError, Result};
use crate::json;
use crate::stores::Stores;
use floodgate_records::audit::Action;
use floodgate_records::execution::Execution;
use floodgate_records::keys::baseline;
use floodgate_records::status::Status;
use floodgate_records::test::Pin;

/// The pin of a test, as it was written last; `None` if there never was one.
///
/// # Errors
/// What the store refuses, and a pin that cannot be read.
pub async fn load_pin(stores: &Stores, project: &str, test: &str) -> Result<Option<Pin>> {
    Ok(json::get(stores.objects.as_ref(), &baseline(project, test)).await?)
}

/// The id of the run that is pinned.
///
/// # Errors
/// As for [`load_pin`].
pub(crate) async fn pinned(stores: &Stores, project: &str, test: &str) -> Result<Option<String>> {
    let pin = load_pin(stores, project, test).await?;
    Ok(pin.and_then(|pin| pin.execution))
}

/// Pins a run as the baseline of its test.
///
/// # Errors
/// [`ControlError::NotABaseline`] for a run that did not pass or has no results; what the store refuses.
pub async fn pin(stores: &Stores, run: &Execution, by: &str, now_ms: i64) -> Result<Pin> {
    let refused = |why: String| ControlError::NotABaseline {
        id: run.id.clone(),
        why,
    };
    if run.status != Status::Passed {
        let status = run.status.as_str();
        return Err(refused(format!("it is {status}; pin a run that passed")));
    }
    if run.is_due() {
        return Err(refused("not all that it measured is merged".to_owned()));
    }
    let pin = Pin {
        schema: Pin::SCHEMA,
        execution: Some(run.id.clone()),
        version: Some(run.version.clone()),
        by: by.to_owned(),
        at_ms: now_ms,
    };
    write(stores, &run.project, &run.test, &pin).await?;
    Ok(pin)
}

/// Takes the pin of a test away. Who did it and when stays written: whoever may write pins need not be able to delete.
///
/// # Errors
/// What the store refuses.
pub async fn unpin(
    stores: &Stores,
    project: &str,
    test: &str,
    by: &str,
    now_ms: i64,
) -> Result<()> {
    let none = Pin {
        schema: Pin::SCHEMA,
        execution: None,
        version: None,
        by: by.to_owned(),
        at_ms: now_ms,
    };
    write(stores, project, test, &none).await
}

/// Notes in the audit trail that a run was pinned. Apart from [`pin`]: whoever may pin in the cloud may not write records.
///
/// # Errors
/// What the store refuses.
pub async fn note_pin(
    stores: &Stores,
    run: &Execution,
    by: impl Into<Who<'_>>,
    now_ms: i64,
) -> Result<()> {
    let outcome = format!("baseline of {}", run.test);
    audit(stores, run, by, Action::Pin, &outcome, now_ms).await
}

/// Notes in the audit trail that a test has no baseline any more; `run` was it.
///
/// # Errors
/// What the store refuses.
pub async fn note_unpin(
    stores: &Stores,
    run: &Execution,
    by: impl Into<Who<'_>>,
    now_ms: i64,
) -> Result<()> {
    let outcome = format!("{} has no baseline any more", run.test);
    audit(stores, run, by, Action::Unpin, &outcome, now_ms).await
}

async fn write(stores: &Stores, project: &str, test: &str, pin: &Pin) -> Result<()> {
    let key = baseline(project, test);
    Ok(stores.objects.put(&key, json::bytes(&key, pin)?).await?)
}
