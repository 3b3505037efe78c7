//! Budgets in a stack: set by an admin of the project, held by prepare, settled by finish and reap, and the switches.

use super::cli::{expect, floodgate, floodgate_as, output};
use super::shop;
use crate::execution::{PROJECT, arrivals};
use crate::stack::Stack;
use floodgate_records::budget::{Account, month_of};
use floodgate_store::RecordStore as _;
use serde_json::Value;
use std::path::Path;

/// In the name of one of the stack's policies.
async fn budget(stack: &Stack, role: &str, folder: &Path, arguments: &[&str]) -> String {
    let arguments = [&["budget"], arguments].concat();
    expect(
        &output(floodgate_as(role, stack, folder, &arguments)).await,
        0,
    )
}

/// Of the month in which the tests run, or of the one before if that has just ended.
async fn account(stack: &Stack) -> Account {
    let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let month = month_of(now_ms);
    stack.records.account(PROJECT, &month).await.unwrap()
}

#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn a_budget_that_an_admin_sets_bounds_what_a_runner_starts() {
    let stack = Stack::own("budgets", &[]).await;
    let (shop, folder) = (shop(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let definition = arrivals("bounded", &shop.url(), (20, "2s"), 1, "");
    std::fs::write(folder.join("test.yaml"), definition).unwrap();
    let run = async || output(floodgate(&stack, folder, &["run", "test.yaml", "--json"])).await;
    let admin = format!("admin-{PROJECT}");
    let of = ["--project", PROJECT];
    let tiny = [&["set", "--month-vu-hours", "0.0001"], &of[..]].concat();
    budget(&stack, &admin, folder, &tiny).await;
    let refused = run().await;
    assert_eq!(refused.status.code(), Some(97));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("of this month's") && said.contains("--month-vu-hours"),
        "{said}"
    );
    assert_eq!(account(&stack).await, Account::default());

    let room = [
        &["set", "--month-vu-hours", "100", "--month-usd", "10"],
        &of[..],
    ]
    .concat();
    budget(&stack, &admin, folder, &room).await;
    expect(&run().await, 0);
    let settled = account(&stack).await;
    assert!(settled.open.is_empty(), "{settled:?}");
    let spent = settled.spent();
    assert!(spent.micro_usd > 0 && spent.vu_s > 0, "{settled:?}");
    // Whoever starts runs sees it, too.
    let show = [&["show", "--json"], &of[..]].concat();
    let shown = budget(&stack, &format!("runner-{PROJECT}"), folder, &show).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["a_month"]["usd"], 10.0);
    assert!(shown["spent"]["usd"].as_f64().unwrap() > 0.0, "{shown}");

    budget(
        &stack,
        &admin,
        folder,
        &[&["halt", "--why", "the bill"], &of[..]].concat(),
    )
    .await;
    let refused = run().await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("halted it (the bill)"), "{said}");
    budget(&stack, &admin, folder, &[&["resume"], &of[..]].concat()).await;
    budget(&stack, "operator", folder, &["halt", "--all"]).await;
    let refused = run().await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("nothing starts in any project"), "{said}");
    budget(&stack, "operator", folder, &["resume", "--all"]).await;
    budget(&stack, "operator", folder, &[&["clear"], &of[..]].concat()).await;
    budget(&stack, "operator", folder, &[&["halt"], &of[..]].concat()).await;
    budget(&stack, "operator", folder, &[&["resume"], &of[..]].concat()).await;
    expect(&run().await, 0);
}
