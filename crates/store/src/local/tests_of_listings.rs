//! How much of a large folder a listing opens.

use super::*;
use crate::conformance::execution;

const RECORDS_IN_ALL: usize = 400;

fn id(n: usize) -> String {
    format!("01JD{n:022}")
}

fn record_path(store: &LocalStore, n: usize) -> PathBuf {
    store.record_path("p", &id(n)).unwrap()
}

/// A folder of many executions that have ended; each hundredth is of the test `rare`.
fn many() -> (tempfile::TempDir, LocalStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::open(dir.path()).unwrap();
    for n in 0..RECORDS_IN_ALL {
        let test = if n % 100 == 0 { "rare" } else { "often" };
        let mut record = execution("p", test, &id(n));
        record.status = Status::Passed;
        record.started_ms = Some(1);
        let json = to_json(&record.id, &record, true).unwrap();
        files::create(&record_path(&store, n), &record.id, &json).unwrap();
        let folder = format!("projects/p/executions/{}", record.id);
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    (dir, store)
}

/// Makes records unreadable: whatever opens one of them says so.
fn damage(store: &LocalStore, which: impl Fn(usize) -> bool) {
    for n in (0..RECORDS_IN_ALL).filter(|&n| which(n)) {
        std::fs::write(record_path(store, n), "{").unwrap();
    }
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing.runs.iter().map(|run| run.id.as_str()).collect()
}

#[tokio::test]
async fn the_newest_are_listed_without_opening_the_others() {
    let (_dir, store) = many();
    damage(&store, |n| n < RECORDS_IN_ALL - 20);
    let listed = RecordStore::list(&store, None, None, 20).await.unwrap();
    assert_eq!((listed.runs.len(), listed.damaged.len()), (20, 0));
}

#[tokio::test]
async fn those_of_one_test_are_listed_without_opening_the_others_once_they_are_known() {
    let (dir, store) = many();
    let rare = async || {
        RecordStore::list(&store, None, Some("rare"), 20)
            .await
            .unwrap()
    };
    let first = rare().await;
    assert_eq!(ids(&first), [300, 200, 100, 0].map(id));
    damage(&store, |n| n % 100 != 0);
    assert_eq!(rare().await, first);

    // What is known can be cut off, or be gone: then the records are opened again.
    let index = dir.path().join(".records/p/.index");
    let whole = std::fs::read(&index).unwrap();
    std::fs::write(&index, &whole[..whole.len() / 2]).unwrap();
    let listed = rare().await;
    assert_eq!(listed.runs, first.runs);
    let opened = listed.damaged.len();
    assert!((100..300).contains(&opened), "{opened}");
    std::fs::remove_file(&index).unwrap();
    assert_eq!(rare().await.damaged.len(), RECORDS_IN_ALL - 4);
}

#[tokio::test]
async fn those_that_were_deleted_are_passed_over_unopened_once_they_are_known() {
    let (dir, store) = many();
    let newest = async || RecordStore::list(&store, None, None, 20).await.unwrap();
    for n in 10..RECORDS_IN_ALL {
        let folder = dir.path().join(format!("projects/p/executions/{}", id(n)));
        std::fs::remove_dir(folder).unwrap();
    }
    let first = newest().await;
    assert_eq!(first.runs.len(), 10);
    // The very newest is what shows that some are gone.
    damage(&store, |n| (10..RECORDS_IN_ALL - 1).contains(&n));
    assert_eq!(newest().await, first);
}

#[tokio::test]
async fn what_may_still_change_is_not_remembered() {
    let (_dir, store) = many();
    let mut record = execution("p", "rare", &id(RECORDS_IN_ALL));
    record.status = Status::Running;
    store.create(&record).await.unwrap();
    let listed = async || {
        RecordStore::list(&store, None, Some("rare"), 20)
            .await
            .unwrap()
    };
    assert_eq!(listed().await.runs.len(), 5);
    record.status = Status::Passed;
    record.started_ms = Some(1);
    store.update(&record, &[Status::Running]).await.unwrap();
    assert_eq!(listed().await.runs.len(), 4, "it has no folder");
}
