#![allow(clippy::unwrap_used)]

use super::*;
use crate::chain;
use crate::conformance::{self, execution};
use floodgate_records::audit::Action;
use std::process::Command;
use std::sync::Arc;

fn store() -> (tempfile::TempDir, LocalStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path().join("new/.floodgate")).unwrap();
    (folder, store)
}

/// All files below a folder, hidden ones too.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn objects_conform() {
    let (_folder, store) = store();
    conformance::objects(Arc::new(store.clone())).await;
    assert_eq!(
        files_below(store.root()),
        Vec::<PathBuf>::new(),
        "no leftovers"
    );
}

#[tokio::test]
async fn records_conform() {
    let (_folder, store) = store();
    conformance::records(Arc::new(store)).await;
}

#[tokio::test]
async fn objects_are_files_at_their_keys() {
    let (_folder, store) = store();
    store
        .put("projects/p/x.json", Bytes::from_static(b"{}"))
        .await
        .unwrap();
    assert_eq!(
        std::fs::read(store.root().join("projects/p/x.json")).unwrap(),
        b"{}"
    );
    assert_eq!(
        store.path("projects/p/x.json").unwrap(),
        store.root().join("projects/p/x.json")
    );
    store
        .create(&execution("p", "t", "01JD0000000000000000000001"))
        .await
        .unwrap();
    let listed = ObjectStore::list(&store, "").await.unwrap();
    assert_eq!(
        listed.len(),
        1,
        "records and locks are not objects: {listed:?}"
    );
    let below = store
        .put("projects/p/x.json/y", Bytes::new())
        .await
        .unwrap_err();
    assert!(
        below.to_string().starts_with("write projects/p/x.json/y: "),
        "{below}"
    );
    assert_eq!(
        ObjectStore::get(&store, "projects/p/x.json/y")
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        ObjectStore::get(&store, "projects").await.unwrap(),
        None,
        "a folder is not an object"
    );
}

/// What a program that was cut off, a full disk, another version or a careless hand leaves among records.
#[tokio::test]
async fn one_damaged_record_hides_no_other() {
    let (_folder, store) = store();
    let [first, broken, last] = [1, 2, 3].map(|n| format!("01JD000000000000000000000{n}"));
    for id in [&first, &broken, &last] {
        store.create(&execution("p", "t", id)).await.unwrap();
    }
    let path = |id: &str| store.root().join(format!(".records/p/{id}.json"));
    let whole = std::fs::read(path(&broken)).unwrap();
    let later = String::from_utf8(whole.clone()).unwrap();
    let later = later.replacen("\"schema\": 1", "\"schema\": 99", 1);
    for (damage, said) in [
        (&b""[..], "no record of an execution"),
        (&whole[..120], "no record of an execution"),
        (b"hello", "no record of an execution"),
        (b"\xff\xfe\0", "no record of an execution"),
        (later.as_bytes(), "has layout 99, this program reads 1"),
        (&std::fs::read(path(&first)).unwrap(), "another execution"),
    ] {
        std::fs::write(path(&broken), damage).unwrap();
        let listed = RecordStore::list(&store, None, None, 9).await.unwrap();
        let ids: Vec<_> = listed.runs.iter().map(|run| &run.id).collect();
        assert_eq!(ids, [&last, &first]);
        let [sentence] = &listed.damaged[..] else {
            panic!("{listed:?}");
        };
        assert!(
            sentence.contains(said) && sentence.contains(&broken),
            "{sentence}"
        );
        let found = RecordStore::get(&store, None, &first).await.unwrap();
        assert_eq!(found.unwrap().id, first);
        let error = RecordStore::get(&store, None, &broken).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
    // Whoever knows where the run stands may say so again.
    let sound = execution("p", "t", &broken);
    store.update(&sound, &[Status::Running]).await.unwrap();
    assert_eq!(
        RecordStore::get(&store, None, &broken).await.unwrap(),
        Some(sound)
    );
}

#[tokio::test]
async fn what_is_no_record_at_all_is_named() {
    let (_folder, store) = store();
    let id = "01JD0000000000000000000001";
    store.create(&execution("p", "t", id)).await.unwrap();
    let records = store.root().join(".records");
    std::fs::create_dir(records.join("p/01JD0000000000000000000002.json")).unwrap();
    std::fs::write(records.join("p/.hidden.json"), b"").unwrap();
    std::fs::write(records.join("p/a\\b.json"), b"{}").unwrap();
    std::fs::write(records.join("notes.txt"), b"").unwrap();
    let listed = RecordStore::list(&store, None, None, 9).await.unwrap();
    assert_eq!(listed.runs.len(), 1);
    assert_eq!(listed.damaged.len(), 2, "{:?}", listed.damaged);
}

#[tokio::test]
async fn an_execution_whose_folder_was_deleted_is_not_listed() {
    let (_folder, store) = store();
    let [kept, deleted, never] = [1, 2, 3].map(|n| format!("01JD000000000000000000000{n}"));
    for id in [&kept, &deleted, &never] {
        let mut record = execution("p", "t", id);
        record.started_ms = (id != &never).then_some(1);
        store.create(&record).await.unwrap();
    }
    for id in [&kept, &deleted] {
        let key = format!("projects/p/executions/{id}/plan.json");
        store.put(&key, Bytes::new()).await.unwrap();
    }
    let folder = store.root().join("projects/p/executions").join(&deleted);
    std::fs::remove_dir_all(folder).unwrap();
    let listed = RecordStore::list(&store, None, None, 2).await.unwrap();
    let ids: Vec<_> = listed.runs.iter().map(|run| &run.id).collect();
    // One that came to no folder is there for its reasons.
    assert_eq!(ids, [&never, &kept], "and the limit counts what is listed");
}

#[test]
fn the_work_on_an_execution_is_shared_or_alone() {
    let (_folder, store) = store();
    let id = "01JD0000000000000000000001";
    let alone = || store.alone("p", id).unwrap();
    assert!(matches!(alone(), Alone::Unknown));
    assert!(store.join("p", id).unwrap().is_none());
    let coordinator = store.begin("p", id).unwrap();
    let generator = store.join("p", id).unwrap().unwrap();
    assert!(matches!(alone(), Alone::Held));
    drop(coordinator);
    assert!(matches!(alone(), Alone::Held), "a generator still writes");
    drop(generator);
    let Alone::Free(finisher) = alone() else {
        panic!("nobody holds it");
    };
    assert!(store.join("p", id).unwrap().is_none(), "it comes too late");
    assert!(matches!(alone(), Alone::Held), "one finishes at a time");
    finisher.end();
    assert!(matches!(alone(), Alone::Unknown));
}

#[tokio::test]
async fn a_line_of_the_trail_that_was_cut_off_takes_no_other_with_it() {
    let (_folder, store) = store();
    let entry = AuditEntry {
        principal_is: Default::default(),
        at_ms: 1,
        principal: "ann".into(),
        action: Action::Start.into(),
        execution: "01JD0000000000000000000001".into(),
        version: "v".into(),
        outcome: "ok".into(),
        ..AuditEntry::default()
    };
    store.audit("p", &entry).await.unwrap();
    let path = store.root().join(".records/p/audit.jsonl");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole, &whole[..20]].concat()).unwrap();
    store.audit("p", &entry).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let read = |line: &str| serde_json::from_str::<AuditEntry>(line).unwrap();
    assert_eq!((lines.len(), read(lines[0])), (3, read(lines[2])));
    let found = chain::verify("p", &store.audit_log("p").await.unwrap(), &[]);
    assert_eq!(found.findings, [chain::Finding::Unreadable { line: 2 }]);
    assert_eq!(found.chained, 2);
}

/// Threads and processes take turns by the same lock.
#[tokio::test]
async fn entries_of_many_writers_are_one_chain() {
    let (folder, _) = store();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            // Each with a store of its own, as processes have.
            let store = LocalStore::open(folder.path()).unwrap();
            tokio::spawn(async move {
                for n in 0..10 {
                    let entry = AuditEntry {
                        execution: format!("{writer}-{n}"),
                        ..AuditEntry::default()
                    };
                    store.audit("p", &entry).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let store = LocalStore::open(folder.path()).unwrap();
    let log = store.audit_log("p").await.unwrap();
    let found = chain::verify("p", &log, &[]);
    assert_eq!((found.chained, found.findings.len()), (80, 0));
    assert_eq!(found.head, log.head);
    assert_eq!(store.projects().unwrap(), ["p"]);
    // Cut off, it does not become whole by what is written next.
    let path = folder.path().join(".records/p/audit.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let cut: String = text.split_inclusive('\n').take(70).collect();
    std::fs::write(&path, cut).unwrap();
    store.audit("p", &AuditEntry::default()).await.unwrap();
    let found = chain::verify("p", &store.audit_log("p").await.unwrap(), &[]);
    let removed = chain::Finding::Removed {
        first: 71,
        last: 80,
    };
    assert_eq!(found.findings, [removed]);
}

#[tokio::test]
async fn damaged_records_are_named() {
    let (_folder, store) = store();
    let id = "01JD0000000000000000000001";
    store.create(&execution("p", "t", id)).await.unwrap();
    let path = store.root().join(".records/p").join(format!("{id}.json"));
    std::fs::write(&path, b"{\"schema\":").unwrap();
    let error = RecordStore::get(&store, None, id).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { key, .. } if key.ends_with("0001.json")),
        "{error}"
    );
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.is::<serde_json::Error>(), "{source}");
    assert_eq!(error.to_string().matches(&source.to_string()).count(), 1);
    std::fs::write(store.root().join(".records/p/audit.jsonl"), b"{}\n").unwrap();
    let error = store.audit_trail("p").await.unwrap_err();
    assert!(
        error.to_string().contains("line 1: missing field"),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let (folder, _) = store();
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let error = LocalStore::open(folder.path().join("file/store")).unwrap_err();
    assert!(error.to_string().starts_with("create "), "{error}");
}

/// Stands in for a full disk: this test starts itself in a process whose files may have 64 KiB at most.
#[tokio::test]
async fn a_full_disk_is_an_error_and_leaves_the_old_object() {
    const CHILD: &str = "FLOODGATE_TEST_FILE_LIMIT";
    if std::env::var_os(CHILD).is_none() {
        let script =
            "trap '' XFSZ; ulimit -f 128 || exit 9; exec \"$0\" --exact \"$1\" --nocapture";
        let test = "local::tests::a_full_disk_is_an_error_and_leaves_the_old_object";
        let mut child = Command::new("sh");
        child
            .arg("-c")
            .arg(script)
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env(CHILD, "1");
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
        return;
    }
    let (_folder, store) = store();
    let large = Bytes::from(vec![1; 1 << 20]);
    store
        .put("a/live", Bytes::from_static(b"old"))
        .await
        .unwrap();
    for error in [
        store.put("a/live", large.clone()).await,
        store.put_new("a/shard", large).await,
    ] {
        assert!(
            matches!(
                error,
                Err(StoreError::Io {
                    operation: "write",
                    ..
                })
            ),
            "{error:?}"
        );
    }
    let mut record = execution("p", "t", "01JD0000000000000000000001");
    store.create(&record).await.unwrap();
    record.warnings = vec!["x".repeat(1 << 20)];
    store
        .update(&record, &[Status::Preparing])
        .await
        .unwrap_err();
    assert_eq!(
        RecordStore::get(&store, None, &record.id)
            .await
            .unwrap()
            .unwrap()
            .warnings,
        Vec::<String>::new()
    );
    let entry = |principal: String| AuditEntry {
        principal_is: Default::default(),
        at_ms: 1,
        principal,
        action: Action::Start.into(),
        execution: record.id.clone(),
        version: "v".into(),
        outcome: "ok".into(),
        ..AuditEntry::default()
    };
    store.audit("p", &entry("ann".into())).await.unwrap();
    store
        .audit("p", &entry("x".repeat(1 << 20)))
        .await
        .unwrap_err();
    assert_eq!(store.audit_trail("p").await.unwrap(), [entry("ann".into())]);
    let mut left: Vec<_> = files_below(store.root())
        .iter()
        .map(|p| p.file_name().unwrap().to_owned())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            ".lock",
            "01JD0000000000000000000001.json",
            "audit.jsonl",
            "live",
            "p.json"
        ]
    );
    assert_eq!(
        ObjectStore::get(&store, "a/live").await.unwrap().unwrap(),
        "old"
    );
}
