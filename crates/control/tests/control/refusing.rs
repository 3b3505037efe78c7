use crate::support::*;
use floodgate_control::{Refusal, refuse};
use floodgate_records::control::{Stop, StopReason};
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::status::{ERROR_INVALID, EXIT_INVALID, Status};
use floodgate_store::StoreError;

const ARN: &str = "arn:aws:states:eu-west-1:1:execution:floodgate:a";

fn refusal(error: &str, reason: &str) -> Refusal {
    Refusal {
        id: ID.into(),
        project: "shop".into(),
        trigger: Trigger {
            kind: TriggerKind::Pipeline.into(),
            principal: Some("eve".into()),
            ..Trigger::default()
        },
        created_ms: NOW,
        run_arn: Some(ARN.into()),
        error: error.into(),
        reason: reason.into(),
        ..Refusal::default()
    }
}

async fn trail(folder: &Folder) -> Vec<(String, String, String)> {
    let trail = folder.stores.records.audit_trail("shop").await.unwrap();
    let entry =
        |e: floodgate_records::audit::AuditEntry| (e.principal, e.action.to_string(), e.outcome);
    trail.into_iter().map(entry).collect()
}

#[tokio::test]
async fn a_refused_run_is_found_with_its_reason_and_said_twice_is_there_once() {
    let folder = Folder::new();
    let first = refuse(
        &folder.stores,
        refusal(ERROR_INVALID, "two faults"),
        NOW + 1,
    )
    .await;
    let first = first.unwrap().unwrap();
    assert_eq!(
        (first.status, first.exit_code()),
        (Status::Errored, EXIT_INVALID)
    );
    assert_eq!(first.error.as_deref(), Some(ERROR_INVALID));
    assert_eq!(first.reasons, ["two faults"]);
    // A redrive comes later and finds the world changed: the first answer stands.
    let second = refuse(
        &folder.stores,
        refusal("Floodgate.Errored", "other"),
        NOW + 9,
    )
    .await;
    assert_eq!(second.unwrap().as_ref(), Some(&first));
    let listed = folder
        .stores
        .records
        .list(Some("shop"), None, 9)
        .await
        .unwrap();
    assert_eq!(listed.runs, [first]);
    let entry = ("eve".into(), "refuse".into(), ERROR_INVALID.into());
    assert_eq!(trail(&folder).await, [entry]);
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_is_ended_and_another_run_is_left_alone() {
    let folder = Folder::new();
    let prepared = folder.prepare(ID, &definition(&[]), 1).await.unwrap();
    let begun = prepared.execution;
    // The record is another run's: one without a state machine.
    let none = refuse(&folder.stores, refusal("Floodgate.Errored", "no"), NOW).await;
    assert_eq!(none.unwrap(), None);
    let mut elsewhere = refusal("Floodgate.Errored", "no");
    elsewhere.project = "other".into();
    assert_eq!(refuse(&folder.stores, elsewhere, NOW).await.unwrap(), None);
    let stored = folder.stores.records.get(None, ID).await.unwrap().unwrap();
    assert_eq!(stored, begun);

    let mut own = refusal("Floodgate.Errored", "over budget");
    own.run_arn = None;
    let ended = refuse(&folder.stores, own, NOW + 5).await.unwrap().unwrap();
    assert_eq!(
        (ended.status, ended.ended_ms),
        (Status::Errored, Some(NOW + 5))
    );
    assert_eq!((ended.test, ended.version), (begun.test, begun.version));
}

#[tokio::test]
async fn a_run_that_was_stopped_before_its_record_is_aborted_by_whom() {
    let folder = Folder::new();
    let stop = Stop {
        reason: StopReason::Person,
        by: "StopExecution".into(),
        at_ms: NOW,
    };
    let stopped = Refusal {
        stopped_by: Some(stop),
        ..refusal("Floodgate.Aborted", "stopped")
    };
    let record = refuse(&folder.stores, stopped, NOW).await.unwrap().unwrap();
    assert_eq!((record.status, record.exit_code()), (Status::Aborted, 105));
    assert_eq!(trail(&folder).await[0].0, "StopExecution");
}

#[tokio::test]
async fn a_project_that_cannot_be_a_key_has_no_records() {
    let folder = Folder::new();
    let mut odd = refusal("Floodgate.Errored", "no");
    odd.project = "../etc".into();
    let error = refuse(&folder.stores, odd, NOW).await.unwrap_err();
    assert!(
        matches!(
            error,
            floodgate_control::ControlError::Store(StoreError::BadKey { .. })
        ),
        "{error}"
    );
}
