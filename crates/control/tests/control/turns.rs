//! Whose turn it is among the executions of a schedule.

use crate::support::*;
use floodgate_control::read_stop;
use floodgate_control::turns::{Answer, Due, take_turn};
use floodgate_records::audit::Action;
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::schedule::Overlap;
use floodgate_records::status::Status;
use floodgate_store::RecordStore as _;
use std::sync::Arc;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn id(n: usize) -> String {
    format!("01JD7Q3W5Z8X9Y0A1B2C3D4E{n:02}")
}

/// One that was due at [`NOW`], a Tuesday, 22:13 UTC.
fn due(overlap: Overlap, execution: &str) -> Due<'_> {
    Due {
        project: "shop",
        schedule: "nightly",
        overlap,
        blackouts: &[],
        timezone: "UTC",
        execution,
        principal: "schedule/stack/nightly",
        due_ms: NOW,
    }
}

async fn ask(folder: &Folder, overlap: Overlap, n: usize, now_ms: i64) -> Answer {
    let execution = id(n);
    let due = due(overlap, &execution);
    take_turn(&folder.stores, &due, now_ms).await.unwrap()
}

/// Writes the record that a run has once it is prepared.
async fn record(folder: &Folder, n: usize) -> Execution {
    let mut run = Execution::created(id(n), "shop", "home", NOW);
    run.status = Status::Running;
    folder.store.create(&run).await.unwrap();
    run
}

async fn end(folder: &Folder, mut run: Execution) {
    run.status = Status::Passed;
    let from = [Status::Running];
    folder.store.update(&run, &from).await.unwrap();
}

fn skipped(n: usize) -> Answer {
    Answer::Skip(format!("its last run {} goes on", id(n)))
}

#[tokio::test]
async fn of_simultaneous_starts_one_runs() {
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::Replace] {
        let folder = Arc::new(Folder::new());
        let starts: Vec<_> = (0..50)
            .map(|n| {
                let folder = folder.clone();
                tokio::spawn(async move { ask(&folder, overlap, n, NOW).await })
            })
            .collect();
        let (mut run, mut wait) = (0, 0);
        for start in starts {
            match start.await.unwrap() {
                Answer::Run => run += 1,
                Answer::Wait(_) => wait += 1,
                Answer::Skip(_) => {}
            }
        }
        let may_wait = usize::from(overlap != Overlap::Skip);
        assert_eq!((run, wait), (1, may_wait), "{overlap}");
        let trail = folder.store.audit_trail("shop").await.unwrap();
        let skips = trail.iter().filter(|entry| entry.action == Action::Skip);
        assert_eq!(skips.count(), 49 - may_wait, "{overlap}");
    }
}

#[tokio::test]
async fn a_start_is_left_out_while_the_last_run_goes_on() {
    let folder = Folder::new();
    assert_eq!(ask(&folder, Overlap::Skip, 1, NOW).await, Answer::Run);
    // Asked again, before and after it is on record: the same.
    assert_eq!(ask(&folder, Overlap::Skip, 1, NOW).await, Answer::Run);
    assert_eq!(ask(&folder, Overlap::Skip, 2, NOW).await, skipped(1));
    let run = record(&folder, 1).await;
    assert_eq!(ask(&folder, Overlap::Skip, 1, NOW + 1).await, Answer::Run);
    let later = NOW + 20 * HOUR;
    assert_eq!(ask(&folder, Overlap::Skip, 3, later).await, skipped(1));
    let trail = folder.store.audit_trail("shop").await.unwrap();
    assert_eq!(trail.len(), 2);
    assert_eq!(trail[1].principal, "schedule/stack/nightly");
    assert_eq!(trail[1].principal_is, PrincipalIs::Verified);
    let told = format!("schedule nightly: its last run {} goes on", id(1));
    assert_eq!(trail[1].outcome, told);
    end(&folder, run).await;
    assert_eq!(ask(&folder, Overlap::Skip, 4, later).await, Answer::Run);
    // One that never got a record doesn't stand in the way for ever.
    let soon = later + HOUR - 1;
    assert_eq!(ask(&folder, Overlap::Skip, 5, soon).await, skipped(4));
    assert_eq!(ask(&folder, Overlap::Skip, 6, soon + 1).await, Answer::Run);
}

#[tokio::test]
async fn of_several_one_waits() {
    let folder = Folder::new();
    let overlap = Overlap::Queue;
    assert_eq!(ask(&folder, overlap, 1, NOW).await, Answer::Run);
    let run = record(&folder, 1).await;
    let waits = || Answer::Wait(id(1));
    assert_eq!(ask(&folder, overlap, 2, NOW).await, waits());
    let why = "another start of it waits already".to_owned();
    let other = ask(&folder, overlap, 3, NOW + MINUTE).await;
    assert_eq!(other, Answer::Skip(why.clone()));
    assert_eq!(ask(&folder, overlap, 2, NOW + 5 * MINUTE).await, waits());
    end(&folder, run).await;
    // Its turn comes before that of one that comes later.
    let later = ask(&folder, overlap, 4, NOW + 6 * MINUTE).await;
    assert_eq!(later, Answer::Skip(why));
    assert_eq!(
        ask(&folder, overlap, 2, NOW + 7 * MINUTE).await,
        Answer::Run
    );
    let keys = ExecutionKeys::new("shop", &id(1));
    let stop = read_stop(folder.store.as_ref(), &keys).await.unwrap();
    assert_eq!(stop, None, "nobody is stopped");
    // One that waited and has gone silent is not waited for.
    record(&folder, 2).await;
    let (silent, after) = (NOW + 8 * MINUTE, NOW + 23 * MINUTE);
    assert_eq!(ask(&folder, overlap, 5, silent).await, Answer::Wait(id(2)));
    assert_eq!(ask(&folder, overlap, 6, after).await, Answer::Wait(id(2)));
    assert!(matches!(
        ask(&folder, overlap, 5, after).await,
        Answer::Skip(_)
    ));
    // And nobody waits for more than a day.
    let day = NOW + 24 * HOUR;
    assert_eq!(ask(&folder, overlap, 6, day).await, Answer::Wait(id(2)));
    let why = "its last run went on for a day after its time".to_owned();
    assert_eq!(ask(&folder, overlap, 6, day + 1).await, Answer::Skip(why));
    let fresh = Due {
        due_ms: day,
        ..due(overlap, "01JD7Q3W5Z8X9Y0A1B2C3D4E07")
    };
    let next = take_turn(&folder.stores, &fresh, day + 2).await.unwrap();
    assert_eq!(next, Answer::Wait(id(2)), "nobody waits any more");
}

#[tokio::test]
async fn the_last_run_is_stopped_once_and_replaced_when_it_has_ended() {
    let folder = Folder::new();
    let overlap = Overlap::Replace;
    assert_eq!(ask(&folder, overlap, 1, NOW).await, Answer::Run);
    // It is not on record yet, so that nobody can tell it.
    assert_eq!(ask(&folder, overlap, 2, NOW).await, Answer::Wait(id(1)));
    let run = record(&folder, 1).await;
    for later in [1, 2] {
        let asked = ask(&folder, overlap, 2, NOW + later * MINUTE).await;
        assert_eq!(asked, Answer::Wait(id(1)));
    }
    let keys = ExecutionKeys::new("shop", &id(1));
    let stop = read_stop(folder.store.as_ref(), &keys).await.unwrap();
    let stop = stop.unwrap();
    assert_eq!(
        (stop.by.as_str(), stop.at_ms),
        ("schedule/stack/nightly", NOW + MINUTE)
    );
    end(&folder, run).await;
    let asked = ask(&folder, overlap, 2, NOW + 3 * MINUTE).await;
    assert_eq!(asked, Answer::Run);
}

#[tokio::test]
async fn nothing_starts_or_is_stopped_in_a_window() {
    let folder = Folder::new();
    let windows = ["daily 23:00-24:00".to_owned()];
    let (first, second) = (id(1), id(2));
    let asked = |execution, overlap| Due {
        blackouts: &windows,
        // There it is 23:13.
        timezone: "Europe/Berlin",
        ..due(overlap, execution)
    };
    let left_out = Answer::Skip("nothing starts in the window daily 23:00-24:00".to_owned());
    let start = asked(&first, Overlap::Skip);
    let got = take_turn(&folder.stores, &start, NOW).await.unwrap();
    assert_eq!(got, left_out);
    let after = NOW + 47 * MINUTE;
    let got = take_turn(&folder.stores, &start, after).await.unwrap();
    assert_eq!(got, Answer::Run);
    record(&folder, 1).await;
    let start = asked(&second, Overlap::Replace);
    let got = take_turn(&folder.stores, &start, NOW).await.unwrap();
    assert_eq!(got, left_out);
    let keys = ExecutionKeys::new("shop", &first);
    let stop = read_stop(folder.store.as_ref(), &keys).await.unwrap();
    assert_eq!(stop, None);
    let wrong = ["at night".to_owned()];
    let start = Due {
        blackouts: &wrong,
        ..due(Overlap::Skip, &second)
    };
    let error = take_turn(&folder.stores, &start, NOW).await.unwrap_err();
    assert!(error.to_string().contains("nightly"), "{error}");
}
