//! What is known is believed as long as it is true.

use super::*;
use crate::conformance::execution;
use crate::{RecordStore as _, StoreError};
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;

const ID: &str = "01JD0000000000000000000001";
const NEXT: &str = "01JD0000000000000000000002";

/// A store that believes files from the start, and the same folder as another process sees it.
struct Bench {
    store: LocalStore,
    other: LocalStore,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let other = LocalStore::open(dir.path()).unwrap();
        let mut store = other.clone();
        store.known = Arc::new(Known {
            settled: Duration::ZERO,
            records: RwLock::default(),
        });
        Self { store, other, dir }
    }

    /// Written by the other process.
    async fn put(&self, id: &str, status: Status) -> Execution {
        let mut record = execution("p", "home", id);
        record.status = status;
        match self.other.create(&record).await {
            Err(StoreError::Exists { .. }) => {
                let before = self.other.get(Some("p"), id).await.unwrap().unwrap();
                self.other.update(&record, &[before.status]).await.unwrap();
            }
            created => created.unwrap(),
        }
        record
    }

    async fn listed(&self) -> Vec<(String, Status)> {
        let found = self.store.select(&Wanted::all(None)).await.unwrap();
        assert_eq!(found.damaged, Vec::<String>::new());
        let runs = found.runs.iter();
        runs.map(|run| (run.id[25..].to_owned(), run.status))
            .collect()
    }

    /// Makes what is known of a record another thing than the file says: whoever reads the file doesn't say so.
    fn mark(&self, id: &str) {
        let mut known = self.store.known.records.write().unwrap();
        let (_, read) = known.get_mut("p").unwrap().get_mut(id).unwrap();
        let mut brief = Brief::clone(&read.brief);
        brief.status = Status::Errored;
        read.brief = Arc::new(brief);
    }

    /// Waits until a file that is written gets another time than this one has.
    fn wait_for_another_time(&self, path: &std::path::Path) {
        let changed = |path: &std::path::Path| Stamp::of(&rustix::fs::stat(path).unwrap()).changed;
        let probe = self.dir.path().join("probe");
        loop {
            std::fs::write(&probe, "x").unwrap();
            if changed(&probe) > changed(path) {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        let known = self.store.known.records.read().unwrap();
        known.values().map(HashMap::len).sum()
    }
}

fn of(id: &str, status: Status) -> (String, Status) {
    (id[25..].to_owned(), status)
}

#[tokio::test]
async fn a_record_that_has_not_changed_is_not_read_again() {
    let bench = Bench::new();
    bench.put(ID, Status::Passed).await;
    assert_eq!(bench.listed().await, [of(ID, Status::Passed)]);
    bench.mark(ID);
    assert_eq!(bench.listed().await, [of(ID, Status::Errored)]);
}

#[tokio::test]
async fn what_another_process_changes_shows_at_once() {
    let bench = Bench::new();
    for status in [
        Status::Preparing,
        Status::Running,
        Status::Merging,
        Status::Failed,
    ] {
        bench.put(ID, status).await;
        assert_eq!(bench.listed().await, [of(ID, status)]);
    }
    bench.put(NEXT, Status::Passed).await;
    let both = [of(NEXT, Status::Passed), of(ID, Status::Failed)];
    assert_eq!(bench.listed().await, both);
}

#[tokio::test]
async fn what_an_editor_changes_in_place_shows_at_once() {
    let bench = Bench::new();
    bench.put(ID, Status::Passed).await;
    bench.listed().await;
    let path = bench.store.record_path("p", ID).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replace("\"passed\"", "\"failed\"");
    assert_ne!(text, changed);
    let before = std::fs::metadata(&path).unwrap();
    bench.wait_for_another_time(&path);
    // The same length, and the time of the last change put back.
    std::fs::write(&path, changed).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(bench.listed().await, [of(ID, Status::Failed)]);
}

#[tokio::test]
async fn a_record_that_is_gone_or_damaged_is_not_shown_and_then_forgotten() {
    let bench = Bench::new();
    bench.put(ID, Status::Passed).await;
    bench.put(NEXT, Status::Passed).await;
    bench.listed().await;
    let path = bench.store.record_path("p", NEXT).unwrap();
    std::fs::write(&path, "{").unwrap();
    let found = bench.store.select(&Wanted::all(Some("p"))).await.unwrap();
    assert_eq!((found.runs.len(), found.damaged.len()), (1, 1));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bench.listed().await, [of(ID, Status::Passed)]);
    assert_eq!(bench.count(), 1);
}

#[tokio::test]
async fn a_run_whose_folder_is_gone_is_not_listed_though_its_record_is_known() {
    let bench = Bench::new();
    let mut record = bench.put(ID, Status::Running).await;
    record.started_ms = Some(1);
    bench
        .other
        .update(&record, &[Status::Running])
        .await
        .unwrap();
    let folder = bench.dir.path().join("projects/p/executions").join(ID);
    std::fs::create_dir_all(&folder).unwrap();
    assert_eq!(bench.listed().await, [of(ID, Status::Running)]);
    std::fs::remove_dir(&folder).unwrap();
    assert_eq!(bench.listed().await, []);
}

#[tokio::test]
async fn of_many_runs_too_those_are_left_out_whose_folder_is_gone() {
    let bench = Bench::new();
    let id = |n: usize| format!("01JD{n:022}");
    for n in 0..MANY + 10 {
        let mut record = execution("p", "home", &id(n));
        record.started_ms = Some(1);
        let path = bench.store.record_path("p", &id(n)).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, serde_json::to_vec(&record).unwrap()).unwrap();
        if n % 2 == 0 {
            let folder = bench.dir.path().join("projects/p/executions").join(id(n));
            std::fs::create_dir_all(folder).unwrap();
        }
    }
    let found = bench.store.select(&Wanted::all(None)).await.unwrap();
    assert_eq!(found.runs.len(), MANY / 2 + 5);
    assert!(
        found
            .runs
            .iter()
            .all(|run| run.id.ends_with(['0', '2', '4', '6', '8']))
    );
}

#[tokio::test]
async fn a_file_is_not_believed_as_long_as_it_is_new() {
    let bench = Bench::new();
    bench.put(ID, Status::Passed).await;
    bench.other.select(&Wanted::all(None)).await.unwrap();
    let known = bench.other.known.records.read().unwrap();
    assert!(known.is_empty(), "{known:?}");
}

#[tokio::test]
async fn no_more_are_looked_through_than_anybody_waits_for() {
    let bench = Bench::new();
    let folder = bench.dir.path().join(".records/p");
    std::fs::create_dir_all(&folder).unwrap();
    for n in 0..LOOKED_THROUGH + 5 {
        let record = execution("p", "home", &format!("01JD{n:022}"));
        let json = serde_json::to_vec(&record).unwrap();
        std::fs::write(folder.join(format!("{}.json", record.id)), json).unwrap();
    }
    let none = Wanted {
        holds: Arc::new(|_| false),
        ..Wanted::all(None)
    };
    let found = bench.store.select(&none).await.unwrap();
    let last = format!("01JD{:022}", 5);
    assert_eq!(
        (found.runs.len(), found.looked_to.as_ref()),
        (0, Some(&last))
    );
    let rest = Wanted {
        before: Some(last),
        ..Wanted::all(None)
    };
    let found = bench.store.select(&rest).await.unwrap();
    assert_eq!((found.runs.len(), found.looked_to), (5, None));
}
