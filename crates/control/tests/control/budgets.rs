//! What runs may cost, held and settled.

use crate::support::*;
use floodgate_control::budget::{
    ALL_PROJECTS, load_budget, note_budget, note_halt, set_budget, set_halt, settle, standing_in,
};
use floodgate_control::{ControlError, GivenUp, PlanOptions, give_up};
use floodgate_policy::budget::Allowance;
use floodgate_records::budget::{Account, Amount, Caps, Reservation};
use floodgate_records::cost::Cost;
use floodgate_records::status::Status;
use floodgate_store::RecordStore as _;
use std::sync::Arc;

const MONTH: &str = "202311";
/// Ten VUs for ten seconds.
const ONE_RUN: u64 = 100;

fn id(n: usize) -> String {
    format!("01JD7Q3W5Z8X9Y0A1B2C3D4E{n:02}")
}

fn hours(vu_s: u64) -> Caps {
    Caps {
        usd: None,
        vu_hours: Some(vu_s as f64 / 3_600.0),
    }
}

async fn allow(folder: &Folder, month: Caps) {
    let caps = (Caps::default(), month);
    set_budget(&folder.stores, "shop", caps, "ann", NOW)
        .await
        .unwrap();
}

async fn account(folder: &Folder) -> Account {
    folder.store.account("shop", MONTH).await.unwrap()
}

#[tokio::test]
async fn fifty_simultaneous_starts_never_overspend() {
    let folder = Arc::new(Folder::new());
    allow(&folder, hours(7 * ONE_RUN + 99)).await;
    let starts: Vec<_> = (0..50)
        .map(|n| {
            let folder = folder.clone();
            tokio::spawn(async move { folder.prepare(&id(n), &definition(&[]), 1).await })
        })
        .collect();
    let mut started = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            Ok(prepared) => started.push(prepared.execution.id),
            Err(ControlError::OverBudget(refused)) => {
                let said = refused.to_string();
                assert!(said.contains("may take 0.0278 VU hours"), "{said}");
                assert!(said.contains("--project shop --month-vu-hours"), "{said}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(started.len(), 7);
    let account = account(&folder).await;
    started.sort();
    assert_eq!(account.open.keys().cloned().collect::<Vec<_>>(), started);
    assert_eq!(
        account.total,
        Amount {
            micro_usd: 0,
            vu_s: 7 * ONE_RUN
        }
    );
    let listed = folder.store.list(Some("shop"), None, 100).await.unwrap();
    assert_eq!(listed.runs.len(), 7, "what was refused left no record");
}

#[tokio::test]
async fn a_run_that_ends_settles_what_it_held() {
    let folder = Folder::new();
    let mut run = folder
        .run(ID, definition(&[("http_reqs", "count>0")]), 1)
        .await;
    assert_eq!(account(&folder).await.open[ID].amount.vu_s, ONE_RUN);
    run.start().await;
    run.complete(0, Load::GOOD).await;
    let ended = run.finish(START + 11_000).await.execution;
    let ran = ended.ended_ms.unwrap() - ended.started_ms.unwrap();
    assert!(ran > 0, "{ended:?}");
    let of_ran = (10 * ran.unsigned_abs()).div_ceil(1_000).min(ONE_RUN);
    let settled = account(&folder).await;
    assert_eq!((settled.open.len(), settled.spent().vu_s), (0, of_ran));
    // Once.
    settle(&folder.stores, &ended).await.unwrap();
    assert_eq!(account(&folder).await, settled);
}

#[tokio::test]
async fn a_run_that_died_holds_nothing_for_ever() {
    let folder = Folder::new();
    allow(&folder, hours(2 * ONE_RUN)).await;
    // One was given up in order, of one the end was written and nothing more, and one never came to have a record.
    folder.prepare(&id(1), &definition(&[]), 1).await.unwrap();
    let dead = GivenUp::for_good("its coordinator is gone");
    give_up(&folder.stores, "shop", &id(1), dead, NOW)
        .await
        .unwrap();
    assert_eq!(account(&folder).await, Account::default());
    let mut cut_off = folder
        .prepare(&id(2), &definition(&[]), 1)
        .await
        .unwrap()
        .execution;
    cut_off.status = Status::Aborted;
    folder.store.update(&cut_off, &Status::OPEN).await.unwrap();
    let unrecorded = Reservation {
        amount: Amount {
            micro_usd: 0,
            vu_s: ONE_RUN,
        },
        at_ms: NOW - 16 * 60_000,
    };
    let limit = hours(2 * ONE_RUN).limit();
    let third = id(3);
    let held = folder
        .store
        .reserve("shop", MONTH, &third, unrecorded, &limit);
    held.await.unwrap();
    assert_eq!(account(&folder).await.open.len(), 2);
    // The next ones get their room all the same.
    for n in [4, 5] {
        folder.prepare(&id(n), &definition(&[]), 1).await.unwrap();
    }
    let open: Vec<_> = account(&folder).await.open.into_keys().collect();
    assert_eq!(open, [id(4), id(5)]);
    // These go on, and what they hold is theirs.
    let third = folder.prepare(&id(6), &definition(&[]), 1).await;
    assert!(
        matches!(third, Err(ControlError::OverBudget(_))),
        "{third:?}"
    );
}

#[tokio::test]
async fn what_costs_money_counts_by_its_bill_or_else_by_its_estimate() {
    let folder = Folder::new();
    let options = |usd: f64, most: f64| PlanOptions {
        cost: Some(Cost {
            estimate_usd: Some(usd),
            ..Cost::default()
        }),
        ceiling: Allowance {
            run: Caps {
                usd: Some(most),
                vu_hours: None,
            },
            month: Caps {
                usd: Some(10.0),
                vu_hours: None,
            },
        },
        ..PlanOptions::local(1, None)
    };
    let test = definition(&[]);
    let first = folder.prepare_as(&id(1), &test, &options(6.0, 6.0)).await;
    let mut first = first.unwrap().execution;
    let large = folder.prepare_as(&id(2), &test, &options(6.01, 6.0)).await;
    let said = large.unwrap_err().to_string();
    assert!(
        said.contains("at most $6.00") && said.contains("--run-usd"),
        "{said}"
    );
    let second = folder.prepare_as(&id(2), &test, &options(5.0, 6.0)).await;
    let said = second.unwrap_err().to_string();
    assert!(
        said.contains("has $4.00 left ($0.00 spent, $6.00 held"),
        "{said}"
    );
    // A budget that was set cannot loosen what the stack says.
    let loose = Caps {
        usd: Some(1_000.0),
        vu_hours: None,
    };
    allow(&folder, loose).await;
    assert!(
        folder
            .prepare_as(&id(2), &test, &options(5.0, 6.0))
            .await
            .is_err()
    );
    first.status = Status::Errored;
    first.cost = Some(Cost {
        estimate_usd: Some(6.0),
        actual_usd: Some(1.5),
        ..Cost::default()
    });
    settle(&folder.stores, &first).await.unwrap();
    assert_eq!(account(&folder).await.spent().micro_usd, 1_500_000);
    folder
        .prepare_as(&id(2), &test, &options(5.0, 6.0))
        .await
        .unwrap();
    let dead = GivenUp::for_good("nobody knows what it cost");
    give_up(&folder.stores, "shop", &id(2), dead, NOW)
        .await
        .unwrap();
    assert_eq!(account(&folder).await.spent().micro_usd, 6_500_000);
}

#[tokio::test]
async fn the_switch_stops_starts_and_nothing_that_runs() {
    let folder = Folder::new();
    folder.prepare(&id(1), &definition(&[]), 1).await.unwrap();
    let stores = &folder.stores;
    for project in [Some("shop"), None] {
        let why = Some("the bill".to_owned());
        let halt = set_halt(stores, project, (true, why), "ann", NOW)
            .await
            .unwrap();
        note_halt(stores, project, &halt, "ann").await.unwrap();
        let refused = folder
            .prepare(&id(2), &definition(&[]), 1)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("ann halted it (the bill)"),
            "{refused}"
        );
        let halt = set_halt(stores, project, (false, None), "ann", NOW)
            .await
            .unwrap();
        note_halt(stores, project, &halt, "ann").await.unwrap();
    }
    folder.prepare(&id(2), &definition(&[]), 1).await.unwrap();
    let stands = standing_in(stores, "shop", MONTH).await.unwrap();
    assert_eq!(stands.account.open.len(), 2);
    assert!(!stands.halt.unwrap().halted && !stands.halt_of_all.unwrap().halted);
    let actions = async |project: &str| {
        let trail = folder.store.audit_trail(project).await.unwrap();
        trail
            .into_iter()
            .map(|entry| entry.action.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(actions("shop").await, ["start", "halt", "resume", "start"]);
    assert_eq!(actions(ALL_PROJECTS).await, ["halt", "resume"]);
}

#[tokio::test]
async fn a_budget_that_is_damaged_lets_nothing_start() {
    let folder = Folder::new();
    allow(&folder, hours(3_600)).await;
    let budget = load_budget(&folder.stores, "shop").await.unwrap().unwrap();
    note_budget(&folder.stores, "shop", &budget, "ann")
        .await
        .unwrap();
    let trail = folder.store.audit_trail("shop").await.unwrap();
    assert_eq!(trail[0].outcome, "a run: no limit; a month: 1 VU hours");
    let objects = folder.stores.objects.as_ref();
    objects
        .put("projects/shop/budget.json", "{".into())
        .await
        .unwrap();
    let refused = folder.prepare(ID, &definition(&[]), 1).await.unwrap_err();
    assert!(
        refused.to_string().contains("projects/shop/budget.json"),
        "{refused}"
    );
    assert_eq!(account(&folder).await, Account::default());
}
