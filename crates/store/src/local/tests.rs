#![allow(clippy::unwrap_used)]

use super::*;
use crate::conformance::{self, execution};
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
        "records and locks are no objects: {listed:?}"
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
        "a folder is no object"
    );
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
        at_ms: 1,
        principal,
        action: "start".into(),
        execution: record.id.clone(),
        version: "v".into(),
        outcome: "ok".into(),
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
            "live"
        ]
    );
    assert_eq!(
        ObjectStore::get(&store, "a/live").await.unwrap().unwrap(),
        "old"
    );
}
