//! The audit trail of a stack, as who may read it sees it, and who may not write it.

use super::cli::{expect, floodgate, floodgate_as, output};
use super::{permissions::refused, shop};
use crate::execution::{PROJECT, arrivals, input};
use crate::stack::Stack;
use floodgate_records::audit::{Action, AuditEntry};
use floodgate_records::status::Status;
use floodgate_store::RecordStore as _;
use floodgate_store::chain::verify;

/// A runner lists, exports and verifies what its project's runs did, and nobody but the functions that note something appends.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_runner_verifies_the_trail_of_its_project() {
    let (stack, shop, folder) = (Stack::shared().await, shop(), tempfile::tempdir().unwrap());
    let thresholds = "thresholds:\n  http_reqs: [count>0]";
    let definition = arrivals("trailed", &shop.url(), (50, "2s"), 1, thresholds);
    let runs = [
        stack.start(&input("trailed", &definition)).await,
        stack.start(&input("trailed", &definition)).await,
    ];
    for run in &runs {
        run.end().await.expect(Status::Passed, "");
    }
    let ask = async |arguments: &[&str]| {
        let all = [&["audit"], arguments, &["--project", PROJECT]].concat();
        expect(&output(floodgate(&stack, folder.path(), &all)).await, 0)
    };
    // Others append meanwhile: an entry that was there stays.
    let whole = ask(&["verify"]).await;
    assert!(whole.contains("entries, whole\n"), "{whole}");
    let head = whole.split("head ").nth(1).unwrap().trim();
    ask(&["verify", "--head", head]).await;
    let exported = ask(&["export"]).await;
    std::fs::write(folder.path().join("trail.jsonl"), &exported).unwrap();
    ask(&["verify", "--file", "trail.jsonl", "--head", head]).await;
    let listed = ask(&["list", "--limit", "1000"]).await;
    for run in &runs {
        let of = |text: &str| text.lines().filter(|line| line.contains(&run.id)).count();
        assert_eq!((of(&listed), of(&exported)), (2, 2), "{listed}");
    }
    assert!(listed.contains("hold, 0 breached"), "{listed}");
    // What somebody changes in the copy is found.
    let changed = exported.replacen("\"started\"", "\"stopped\"", 1);
    assert_ne!(changed, exported);
    std::fs::write(folder.path().join("trail.jsonl"), changed).unwrap();
    let of_copy = [
        "audit",
        "verify",
        "--file",
        "trail.jsonl",
        "--project",
        PROJECT,
    ];
    let found = output(floodgate(&stack, folder.path(), &of_copy)).await;
    assert!(expect(&found, 99).contains("was changed"));
    // Whoever looks after the stack verifies the trail of any project.
    let of_another = ["audit", "verify", "--project", "nobodys"];
    let verified = output(floodgate_as("operator", &stack, folder.path(), &of_another)).await;
    assert_eq!(expect(&verified, 0), "nobodys: 0 entries, whole\n");

    let entry = AuditEntry {
        action: Action::Start.into(),
        ..AuditEntry::default()
    };
    for role in [
        "runner-cloud",
        "runner-all",
        "admin-cloud",
        "operator",
        "watch",
        "export",
    ] {
        let theirs = stack.as_caller(&format!("{role}~refused")).await.records;
        refused(role, theirs.audit(PROJECT, &entry).await);
    }
    let log = stack.records.audit_log(PROJECT).await.unwrap();
    assert_eq!(verify(PROJECT, &log, &[]).findings, []);
}
