//! What every store of records must do.

use super::execution;
use crate::chain::{AuditLog, Finding, verify};
use crate::{Brief, RecordStore, Reserved, StoreError, Wanted};
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_records::budget::{Account, Amount, Limit, Reservation};
use floodgate_records::schedule::Turn;
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that [`RecordStore`] promises.
///
/// # Panics
/// Where the store breaks a promise.
pub async fn records(store: Arc<dyn RecordStore>) {
    creates_and_updates(store.as_ref()).await;
    finds_and_lists(store.as_ref()).await;
    one_of_many_updates(store.clone()).await;
    warnings_of_many_are_all_kept(store.clone()).await;
    keeps_an_audit_trail(store.as_ref()).await;
    entries_at_once_are_one_chain(store.clone()).await;
    knows_the_newest_test(store.as_ref()).await;
    a_turn_is_passed_once(store.clone()).await;
    keeps_accounts(store.as_ref()).await;
    never_overspends(store).await;
}

async fn creates_and_updates(store: &dyn RecordStore) {
    let mut record = execution("shop", "checkout", "01JD0000000000000000000001");
    let unknown = store.update(&record, &[Status::Preparing]).await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound { .. })),
        "{unknown:?}"
    );
    store.create(&record).await.expect("create");
    let again = store.create(&record).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    assert_eq!(
        store.get(Some("shop"), &record.id).await.expect("get"),
        Some(record.clone())
    );
    record.status = Status::Running;
    store
        .update(&record, &[Status::Preparing])
        .await
        .expect("update");
    let late = store
        .update(
            &execution("shop", "checkout", &record.id),
            &[Status::Preparing, Status::Merging],
        )
        .await;
    let expected = vec![Status::Preparing, Status::Merging];
    let conflict = |id: &str, found: &Status, e: &Vec<Status>| {
        id == record.id && *found == Status::Running && *e == expected
    };
    assert!(
        matches!(&late, Err(StoreError::Conflict { id, found, expected }) if conflict(id, found, expected)),
        "{late:?}"
    );
    assert_eq!(
        store.get(None, &record.id).await.expect("get"),
        Some(record),
        "a conflict changes nothing"
    );
}

async fn finds_and_lists(store: &dyn RecordStore) {
    for (project, test, id) in [
        ("bank", "login", "01JE00000000000000000000AA"),
        ("bank", "pay", "01JE00000000000000000000AB"),
        ("bank", "login", "01JF00000000000000000000AC"),
    ] {
        store
            .create(&execution(project, test, id))
            .await
            .expect("create");
    }
    let get = async |project: Option<&str>, id: &str| {
        store
            .get(project, id)
            .await
            .map(|found| found.map(|e| e.id))
    };
    let last = Some("01JF00000000000000000000AC".to_owned());
    assert_eq!(get(None, "01JF00").await.expect("prefix"), last);
    assert_eq!(
        get(Some("bank"), "01jf000")
            .await
            .expect("prefix in small letters"),
        last
    );
    assert_eq!(
        get(Some("shop"), "01JF00")
            .await
            .expect("of another project"),
        None
    );
    assert_eq!(
        get(None, "01JF0").await.expect("too short to be sure"),
        None
    );
    assert_eq!(get(None, "01JZ0000").await.expect("unknown"), None);
    let ambiguous = get(None, "01JE0000").await;
    assert!(
        matches!(ambiguous, Err(StoreError::Ambiguous { executions: 2, .. })),
        "{ambiguous:?}"
    );
    let bad = get(None, "../../x").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");

    let list = async |project: Option<&str>, test: Option<&str>, limit: usize| {
        let found = store.list(project, test, limit).await.expect("list");
        assert_eq!(found.damaged, Vec::<String>::new());
        found
            .runs
            .into_iter()
            .map(|e| e.id[24..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(Some("bank"), None, 10).await,
        ["AC", "AB", "AA"],
        "newest first"
    );
    assert_eq!(list(Some("bank"), None, 2).await, ["AC", "AB"]);
    assert_eq!(list(Some("bank"), Some("login"), 10).await, ["AC", "AA"]);
    assert_eq!(list(None, None, 10).await, ["AC", "AB", "AA", "01"]);
    assert_eq!(list(Some("none"), None, 10).await, Vec::<String>::new());
    let older = async |before: &str, limit: usize| {
        let found = store.list_before(Some("bank"), None, Some(before), limit);
        let runs = found.await.expect("list_before").runs;
        let ids = runs.into_iter().map(|e| e.id[24..].to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(older("01JF00000000000000000000AC", 1).await, ["AB"]);
    assert_eq!(older("01JE00000000000000000000AB", 9).await, ["AA"]);
    assert_eq!(older("0", 9).await, Vec::<String>::new());
    assert_eq!(older("", 9).await, Vec::<String>::new());
    assert_eq!(older(&"~".repeat(5_000), 9).await, ["AC", "AB", "AA"]);
    selects(store).await;
}

/// Runs in brief: those of a project, of a test, older ones, those that a condition holds for.
async fn selects(store: &dyn RecordStore) {
    let bank = Wanted::all(Some("bank"));
    let select = async |wanted: &Wanted| {
        let found = store.select(wanted).await.expect("select");
        assert_eq!((found.damaged.len(), found.looked_to), (0, None));
        let ids = found.runs.iter().map(|run| run.id[24..].to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(select(&Wanted::all(None)).await, ["AC", "AB", "AA", "01"]);
    assert_eq!(select(&bank).await, ["AC", "AB", "AA"]);
    let before = |id: &str| Some(format!("01JF0000000000000000000{id}"));
    let of_login = Wanted {
        test: Some("login".into()),
        ..bank.clone()
    };
    assert_eq!(select(&of_login).await, ["AC", "AA"]);
    let older = Wanted {
        before: before("0AC"),
        ..of_login.clone()
    };
    assert_eq!(select(&older).await, ["AA"]);
    let one = Wanted {
        limit: 1,
        ..bank.clone()
    };
    assert_eq!(select(&one).await, ["AC"]);
    let holds: Arc<dyn Fn(&Brief) -> bool + Send + Sync> = Arc::new(|run| run.test == "pay");
    let those = Wanted {
        holds,
        limit: 1,
        ..bank
    };
    assert_eq!(select(&those).await, ["AB"]);
    let found = store.select(&those).await.expect("select");
    let whole = execution("bank", "pay", "01JE00000000000000000000AB");
    assert_eq!(*found.runs[0], Brief::from(whole));
    let older = Wanted {
        before: before("0AC"),
        ..Wanted::all(None)
    };
    assert_eq!(select(&older).await, ["AB", "AA", "01"]);
}

async fn one_of_many_updates(store: Arc<dyn RecordStore>) {
    let record = execution("race", "t", "01JG0000000000000000000000");
    store.create(&record).await.expect("create");
    let tries: Vec<_> = (0..16)
        .map(|i| {
            let (store, mut record) = (store.clone(), record.clone());
            record.status = Status::Running;
            record.warnings = vec![i.to_string()];
            tokio::spawn(async move {
                store
                    .update(&record, &[Status::Preparing])
                    .await
                    .map(|()| record)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tries {
        match task.await.expect("no panic") {
            Ok(record) => winners.push(record),
            Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1, "exactly one of 16 makes the change");
    assert_eq!(
        store.get(None, &record.id).await.expect("get"),
        winners.pop()
    );
}

async fn warnings_of_many_are_all_kept(store: Arc<dyn RecordStore>) {
    let mut record = execution("race", "t", "01JG0000000000000000000001");
    record.status = Status::Passed;
    record.warnings = vec!["stays".to_owned(), "to 3: old".to_owned()];
    let nobody = store.replace_warnings("race", &record.id, "x", &[]).await;
    assert!(
        matches!(nobody, Err(StoreError::NotFound { .. })),
        "{nobody:?}"
    );
    store.create(&record).await.expect("create");
    let writers: Vec<_> = (0..8)
        .map(|i| {
            let (store, id) = (store.clone(), record.id.clone());
            tokio::spawn(async move {
                let about = format!("to {i}: ");
                for text in ["first", "second"] {
                    let warnings = [format!("{about}{text}")];
                    let written = store.replace_warnings("race", &id, &about, &warnings);
                    written.await.expect("written");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    let found = store.get(Some("race"), &record.id).await.expect("get");
    let found = found.expect("a record");
    assert_eq!(found.warnings[0], "stays");
    let second = (0..8).map(|i| format!("to {i}: second"));
    assert_eq!(
        found.warnings[1..].iter().cloned().collect::<BTreeSet<_>>(),
        second.collect()
    );
    assert_eq!(found.warnings.len(), 9);
    let gone = store.replace_warnings("race", &record.id, "to ", &[]).await;
    gone.expect("written");
    record.warnings.truncate(1);
    let found = store.get(Some("race"), &record.id).await.expect("get");
    assert_eq!(found, Some(record), "nothing else has changed");
}

async fn keeps_an_audit_trail(store: &dyn RecordStore) {
    assert_eq!(store.audit_trail("shop").await.expect("empty trail"), []);
    let entry = |i: i64| AuditEntry {
        principal_is: Default::default(),
        at_ms: i,
        principal: "ann\n\"x\"".to_owned(),
        action: Action::Start.into(),
        execution: "01JD0000000000000000000001".to_owned(),
        version: "v".to_owned(),
        outcome: "ok".to_owned(),
        ..AuditEntry::default()
    };
    for i in 0..3 {
        store.audit("shop", &entry(i)).await.expect("audit");
    }
    store.audit("bank", &entry(9)).await.expect("audit");
    assert_eq!(
        store.audit_trail("shop").await.expect("trail"),
        [entry(0), entry(1), entry(2)]
    );
    // Within one ms, in the order of writing.
    for execution in ["C", "A", "B"] {
        let entry = AuditEntry {
            principal_is: Default::default(),
            execution: execution.to_owned(),
            ..entry(7)
        };
        store.audit("many", &entry).await.expect("audit");
    }
    let trail = store.audit_trail("many").await.expect("trail");
    let order: Vec<_> = trail.iter().map(|e| e.execution.as_str()).collect();
    assert_eq!(order, ["C", "A", "B"]);
    let bad = store.audit_log("../many").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");
}

/// 50 entries at once: each follows another one, none is lost, and pages of them fit together.
async fn entries_at_once_are_one_chain(store: Arc<dyn RecordStore>) {
    let nothing = store.audit_log("crowd").await.expect("log");
    assert_eq!(nothing, AuditLog::default());
    let entry = |n: usize| AuditEntry {
        execution: format!("run-{n}"),
        action: Action::Start.into(),
        ..AuditEntry::default()
    };
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let (store, entry) = (store.clone(), entry(n));
            tokio::spawn(async move { store.audit("crowd", &entry).await })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic").expect("audit");
    }
    let log = store.audit_log("crowd").await.expect("log");
    let found = verify("crowd", &log, &[]);
    assert_eq!((found.chained, found.findings), (50, Vec::new()));
    assert_eq!(found.head, log.head, "the head is kept");
    assert_eq!(
        verify("many", &log, &[]).findings,
        [Finding::Beginning],
        "a trail is its project's"
    );
    let mut trail = store.audit_trail("crowd").await.expect("trail");
    let said: BTreeSet<_> = trail.iter().map(|e| e.execution.clone()).collect();
    assert_eq!(said, (0..50).map(|n| entry(n).execution).collect());
    trail.reverse();
    let page = async |skip: usize, limit: usize| {
        let page = store.newest_audits("crowd", skip, limit).await;
        page.expect("a page")
    };
    assert_eq!(page(0, usize::MAX).await, trail);
    assert_eq!(page(0, 20).await, trail[..20]);
    assert_eq!(page(20, 20).await, trail[20..40]);
    assert_eq!(page(40, 20).await, trail[40..]);
    for (skip, limit) in [(50, 20), (usize::MAX, 1), (0, 0)] {
        assert_eq!(page(skip, limit).await, [], "{skip} {limit}");
    }
}

async fn knows_the_newest_test(store: &dyn RecordStore) {
    let record = |project: &str, test: &str, version: &str, created_ms: i64| TestRecord {
        project: project.to_owned(),
        test: test.to_owned(),
        version: version.repeat(64),
        created_ms,
        files: vec!["definition.yaml".to_owned(), "data/users.csv".to_owned()],
        git_revision: Some("4994569".to_owned()),
    };
    let latest = async |project: &str, test: &str| {
        store
            .latest_test(project, test)
            .await
            .expect("latest version")
    };
    assert_eq!(latest("shop", "pay").await, None);
    let (old, new) = (
        record("shop", "pay", "a", 10),
        record("shop", "pay", "b", 20),
    );
    for record in [
        &new,
        &old,
        &record("shop", "pay-later", "c", 30),
        &record("bank", "pay", "d", 40),
        // A retry.
        &new,
    ] {
        store.put_test(record).await.expect("put_test");
    }
    assert_eq!(
        latest("shop", "pay").await,
        Some(new),
        "of this test only, in whichever order they came"
    );
    let again = TestRecord {
        created_ms: 50,
        ..old
    };
    store.put_test(&again).await.expect("put_test");
    assert_eq!(
        latest("shop", "pay").await,
        Some(again),
        "what was recorded again is the newest again"
    );
    let bad = store.latest_test("shop", "pay#V").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");
}

async fn a_turn_is_passed_once(store: Arc<dyn RecordStore>) {
    let turn = async || store.schedule_turn("shop", "nightly").await.expect("turn");
    let of = |execution: &str| Turn {
        execution: Some(execution.to_owned()),
        at_ms: 7,
        ..Turn::default()
    };
    let mut from = Turn::default();
    assert_eq!(turn().await, from);
    for round in ["A", "B"] {
        let tries: Vec<_> = (0..16)
            .map(|n| {
                let (store, from, to) = (store.clone(), from.clone(), of(&format!("{round}{n}")));
                tokio::spawn(async move {
                    let passed = store.pass_turn("shop", "nightly", &from, &to).await;
                    passed.expect("pass_turn").then_some(to)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tries {
            winners.extend(task.await.expect("no panic"));
        }
        assert_eq!(winners.len(), 1, "one of 16");
        from = turn().await;
        assert_eq!(winners, [from.clone()]);
    }
    let (nobody, late) = (Turn::default(), of("C"));
    let late = store.pass_turn("shop", "nightly", &nobody, &late).await;
    assert!(!late.expect("pass_turn"), "it is another one by now");
    let other = store.schedule_turn("shop", "weekly").await.expect("turn");
    assert_eq!(other, Turn::default());
    let bad = store.schedule_turn("shop", "../nightly").await;
    assert!(matches!(bad, Err(StoreError::BadKey { .. })), "{bad:?}");
}

const MONTH: &str = "202611";

fn amount(micro_usd: u64, vu_s: u64) -> Amount {
    Amount { micro_usd, vu_s }
}

fn holding(micro_usd: u64, vu_s: u64) -> Reservation {
    Reservation {
        amount: amount(micro_usd, vu_s),
        at_ms: 1_700_000_000_000,
    }
}

fn most(micro_usd: u64) -> Limit {
    Limit {
        micro_usd: Some(micro_usd),
        vu_s: None,
    }
}

/// 50 starts at once, each told again as a retry: as many get their share as there is room for, and not one more.
async fn never_overspends(store: Arc<dyn RecordStore>) {
    let tries: Vec<_> = (0..100)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                let execution = format!("01JH00000000000000000000{:02}", i / 2);
                let limit = Limit {
                    micro_usd: Some(7_999_999),
                    vu_s: Some(100),
                };
                let got = store.reserve("race", MONTH, &execution, holding(1_000_000, 9), &limit);
                let got = got.await;
                (execution, got)
            })
        })
        .collect();
    let mut held = BTreeSet::new();
    for task in tries {
        let (execution, got) = task.await.expect("no panic");
        match got.expect("reserve") {
            Reserved::Held => _ = held.insert(execution),
            Reserved::Full(account) => assert!(account.total.micro_usd <= 7_999_999),
        }
    }
    let account = store.account("race", MONTH).await.expect("account");
    assert_eq!(account.open.keys().cloned().collect::<BTreeSet<_>>(), held);
    assert_eq!(held.len(), 7, "7 times 1,000,000 fit into 7,999,999");
    assert_eq!(account.total, amount(7_000_000, 63));
    // All end at once, at half of what they held, each told twice.
    let ends: Vec<_> = held
        .iter()
        .chain(&held)
        .map(|execution| {
            let (store, execution) = (store.clone(), execution.clone());
            tokio::spawn(async move {
                let actual = amount(500_000, 9);
                store.settle("race", MONTH, &execution, actual).await
            })
        })
        .collect();
    for end in ends {
        end.await.expect("no panic").expect("settle");
    }
    let account = store.account("race", MONTH).await.expect("account");
    assert_eq!(account.open, BTreeMap::new());
    assert_eq!(
        (account.total, account.spent()),
        (amount(3_500_000, 63), account.total)
    );
}

async fn keeps_accounts(store: &dyn RecordStore) {
    let account =
        async |project: &str, month: &str| store.account(project, month).await.expect("account");
    let reserve = async |month: &str, execution: &str, asked, limit: Limit| {
        store.reserve("shop", month, execution, asked, &limit).await
    };
    assert_eq!(account("shop", MONTH).await, Account::default());
    let nothing = store.settle("shop", MONTH, "A", amount(5, 5)).await;
    nothing.expect("nothing is held");
    assert_eq!(account("shop", MONTH).await, Account::default());

    let free = Limit::default();
    let got = reserve(MONTH, "A", holding(60, 600), free).await;
    assert_eq!(got.expect("reserve"), Reserved::Held);
    // Said again, whatever the limit is by now.
    let again = reserve(MONTH, "A", holding(60, 600), most(0)).await;
    assert_eq!(again.expect("reserve"), Reserved::Held);
    let standing = account("shop", MONTH).await;
    assert_eq!(standing.total, amount(60, 600));
    assert_eq!(standing.open["A"], holding(60, 600));
    for (asked, limit) in [
        (holding(41, 0), most(100)),
        (holding(101, 0), most(100)),
        (
            holding(0, 1),
            Limit {
                micro_usd: None,
                vu_s: Some(600),
            },
        ),
    ] {
        let full = reserve(MONTH, "B", asked, limit).await.expect("reserve");
        assert_eq!(full, Reserved::Full(standing.clone()), "{asked:?}");
    }
    let fits = reserve(MONTH, "B", holding(40, 0), most(100)).await;
    assert_eq!(fits.expect("reserve"), Reserved::Held);
    // It cost more than it held, and that counts.
    let settled = store.settle("shop", MONTH, "A", amount(70, 10)).await;
    settled.expect("settle");
    let standing = account("shop", MONTH).await;
    assert_eq!(standing.total, amount(110, 10));
    assert_eq!(
        (standing.spent(), standing.reserved()),
        (amount(70, 10), amount(40, 0))
    );
    // Months and projects are apart.
    assert_eq!(account("shop", "202612").await, Account::default());
    assert_eq!(account("bank", MONTH).await, Account::default());
    for month in ["202613", "../..", ""] {
        let bad = reserve(month, "C", holding(1, 1), free).await;
        assert!(
            matches!(bad, Err(StoreError::BadKey { .. })),
            "{month} {bad:?}"
        );
        assert!(store.account("shop", month).await.is_err(), "{month}");
    }
}
