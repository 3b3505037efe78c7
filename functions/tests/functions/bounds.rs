//! A thousand tasks over eight hours on a clock that is set: history, requests, writes and sizes stay within the bounds that
//! `docs/aws-bounds.md` states.

use crate::support::*;
use floodgate_functions::{EVENTS_A_TURN, Function};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

const TASKS: u32 = 1_000;
const SECONDS: u64 = 8 * 3_600;
/// A shard a minute.
const SHARDS: u32 = 480;

fn of(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The largest resident set of this process so far, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1_024
}

/// Every task writes its live object.
fn live(stack: &Stack) {
    static FLUSH: AtomicI64 = AtomicI64::new(0);
    let flush = FLUSH.fetch_add(1, Ordering::Relaxed);
    for task in 0..TASKS {
        let key = stack.key(&format!("live/{task:04}.parquet"));
        stack.objects.flush(&key, flush as u64);
    }
}

fn wait(stack: &Stack, run: &Value) {
    stack.pass(Duration::from_secs(run["wait_s"].as_u64().unwrap()) + Duration::from_millis(200));
}

#[tokio::test]
async fn a_thousand_tasks_over_eight_hours_stay_within_bounds() {
    let stack = Stack::new();
    let mut test = definition(TASKS, SECONDS);
    test["scenarios"]["browse"]["rate"] = json!(1_000_000);
    let mut run = stack.prepare(json!({"definition": test})).await.unwrap();
    let plan = stack.objects.json(&stack.key("plan.json"));
    assert_eq!(plan["flush_interval_ms"], 60_000);
    let estimate = stack.record().await.cost.unwrap().estimate_usd.unwrap();

    let mut launches = 0;
    while run["phase"] == "launching" {
        run = stack.call(Function::Launch, run).await.unwrap();
        launches += 1;
        wait(&stack, &run);
    }
    let launched_s = (stack.now() - NOW) / 1_000;
    stack.ready(0..TASKS);
    live(&stack);
    let (puts, gets, lists) = (
        of(&stack.objects.puts),
        of(&stack.objects.gets),
        of(&stack.objects.lists),
    );
    run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "running");
    let start_ms = stack.objects.json(&stack.key("control/start.json"))["start_ms"]
        .as_i64()
        .unwrap();
    let end_ms = start_ms + 1_000 * SECONDS as i64;

    let mut largest_state = 0;
    while stack.now() < end_ms {
        wait(&stack, &run);
        live(&stack);
        run = stack.call(Function::Watch, run).await.unwrap();
        assert_eq!(run["phase"], "running");
        largest_state = largest_state.max(stack.objects.size(&stack.key("control/watch.json")));
    }
    assert!(stack.now() - end_ms < 30_000, "the planned end was missed");
    let shards: Vec<Value> = (0..SHARDS)
        .map(|seq| json!({"seq": seq, "rows": 1_000, "bytes": 20_000, "sha256": "ab".repeat(32)}))
        .collect();
    for task in 0..TASKS {
        stack.manifest(task, json!(shards));
        for seq in 0..SHARDS {
            stack.objects.set(
                &stack.key(&format!("shards/{task:04}/{seq:06}.parquet")),
                "x",
            );
        }
    }
    run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "ended");
    let turns = run["turn"].as_u64().unwrap();
    let watch_puts = of(&stack.objects.puts) - puts;
    let watch_gets = of(&stack.objects.gets) - gets;
    let watch_lists = of(&stack.objects.lists) - lists;
    let writes = of(&stack.records.writes);

    let before_mib = peak_mib();
    let (gets, lists) = (of(&stack.objects.gets), of(&stack.objects.lists));
    let run = stack
        .call(Function::Merge, json!({"op": "plan", "run": run}))
        .await
        .unwrap();
    let parts = run["parts"].as_u64().unwrap();
    let plan_mib = peak_mib() - before_mib;
    let plan_gets = of(&stack.objects.gets) - gets;
    let plan_lists = of(&stack.objects.lists) - lists;
    let list = stack.objects.size(&stack.key("merge/0000.list.json"));
    // Start, Route, Prepare, the merge and the end take about 60 events.
    let events = (turns + launches) * u64::from(EVENTS_A_TURN) + 60;

    println!("launch: {launches} invocations, {launched_s} s");
    println!("watch: {turns} turns, {events} history events of 25,000 in all");
    println!("watch: {watch_puts} PUT, {watch_gets} GET, {watch_lists} LIST");
    println!("watch: {largest_state} bytes of state at most");
    println!("DynamoDB: {writes} writes until the end of the watch");
    println!("merge: {parts} parts; plan: {plan_gets} GET, {plan_lists} LIST, {plan_mib} MiB more");
    println!("merge: {list} bytes of a part's list");
    println!("estimate: ${estimate:.2}");

    assert!(launched_s < 90, "{launched_s}");
    assert!(events < 20_000, "{events}");
    assert!(watch_puts <= turns * 2 + 10, "{watch_puts}");
    assert!(watch_gets <= turns * 8 + 100, "{watch_gets}");
    assert!(watch_lists <= turns * 4 + 200, "{watch_lists}");
    assert!(largest_state < 250_000, "{largest_state}");
    assert!(writes < 20, "{writes}");
    assert_eq!(parts, u64::from(TASKS * SHARDS / 10_000));
    assert!(
        plan_gets < 1_100 && plan_lists < 500,
        "{plan_gets} {plan_lists}"
    );
    assert!(plan_mib < 1_024, "{plan_mib}");
}
