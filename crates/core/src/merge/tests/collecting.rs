//! What the tasks of a run wrote, collected.

use super::*;

/// Shards of a run as they lie in a store, and the manifests beside them.
struct Run {
    objects: BTreeMap<(u32, u32), Vec<u8>>,
    manifests: BTreeMap<u32, Manifest>,
}

impl Run {
    /// `tasks` tasks with two shards of two requests each.
    fn new(tasks: u32) -> Self {
        let mut run = Self {
            objects: BTreeMap::new(),
            manifests: BTreeMap::new(),
        };
        for task in 0..tasks {
            let mut shards = Vec::new();
            for seq in 0..2 {
                let second = i64::from(seq) * 10;
                let rows = rows(&[(second, 1, 100), (second + 1, 1, 900)]);
                let bytes = encode(&meta(task, seq), &rows).unwrap();
                let (size, sha256) = (bytes.len() as u64, sha256_hex(&bytes));
                shards.push(ShardEntry {
                    seq,
                    rows: rows.len() as u64,
                    bytes: size,
                    sha256,
                });
                run.objects.insert((task, seq), bytes);
            }
            let manifest = Manifest {
                schema: Manifest::SCHEMA,
                execution: EXECUTION.into(),
                task,
                outcome: TaskOutcome::Completed,
                planned_start_ms: 0,
                start_skew_us: 0,
                ended_ms: 20_000,
                connections: Default::default(),
                shards,
                unwritten: None,
                totals: TaskTotals {
                    http_reqs: 4,
                    ..TaskTotals::default()
                },
                durations: Vec::new(),
                script: Default::default(),
                kept_tags: Vec::new(),
                health: Health::default(),
                warnings: Vec::new(),
            };
            run.manifests.insert(task, manifest);
        }
        run
    }

    fn collect(&self, tasks: &[u32]) -> Collected<Vec<u8>> {
        let found: Vec<_> = self.objects.keys().copied().collect();
        let mut collector =
            Collector::new(EXECUTION, tasks, &self.manifests, &found, Vec::new()).unwrap();
        for wanted in collector.wanted() {
            let object = self
                .objects
                .get(&(wanted.task, wanted.seq))
                .map(Vec::as_slice);
            collector.supply(&wanted, Ok(object)).unwrap();
        }
        collector.finish().unwrap()
    }
}

fn requests(collected: &Collected<Vec<u8>>) -> u64 {
    collected
        .merged
        .totals
        .sum_of("http_reqs", &Tags::new())
        .map_or(0, |all| all.count)
}

#[test]
fn a_complete_run_is_complete() {
    let collected = Run::new(3).collect(&[0, 1, 2]);
    let c = &collected.completeness;
    assert_eq!(
        (
            c.tasks_expected,
            c.tasks_reported,
            c.shards_expected,
            c.shards_merged
        ),
        (3, 3, 6, 6)
    );
    assert_eq!((c.missing_ratio(), requests(&collected)), (0.0, 12));
    assert!(
        c.shards_excluded.is_empty() && c.tasks_lost.is_empty() && collected.warnings.is_empty()
    );
    let rows = decode(&collected.merged.out).unwrap().rows;
    assert_eq!(rows.len(), 8, "four windows of two series");
}

#[test]
fn damaged_missing_and_swapped_shards_are_left_out_and_named() {
    let mut run = Run::new(3);
    run.objects.get_mut(&(0, 0)).unwrap()[100] ^= 1;
    run.objects.remove(&(1, 1));
    let other = run.objects[&(2, 1)].clone();
    run.manifests.get_mut(&2).unwrap().shards[0].sha256 = sha256_hex(&other);
    run.objects.insert((2, 0), other);
    let collected = run.collect(&[0, 1, 2]);
    let c = &collected.completeness;
    assert_eq!(
        (c.shards_expected, c.shards_merged, requests(&collected)),
        (6, 3, 6)
    );
    let excluded: Vec<_> = c
        .shards_excluded
        .iter()
        .map(|e| (e.task, e.seq, e.reason.as_str()))
        .collect();
    assert_eq!(excluded.len(), 3);
    assert!(excluded[0].2.starts_with("has SHA-256 ") && (excluded[0].0, excluded[0].1) == (0, 0));
    assert_eq!(excluded[1], (2, 0, "says that it is the shard 2:1"));
    assert_eq!(excluded[2], (1, 1, "missing"));
    assert!((c.missing_ratio() - 0.5).abs() < 1e-9);
}

#[test]
fn a_killed_task_is_lost_and_its_shards_still_count() {
    let mut run = Run::new(3);
    run.manifests.remove(&1);
    run.manifests.get_mut(&2).unwrap().execution = "another".into();
    run.objects.remove(&(2, 0));
    let collected = run.collect(&[0, 1, 2]);
    let c = &collected.completeness;
    assert_eq!(
        (c.tasks_reported, c.tasks_lost.as_slice()),
        (1, &[1, 2][..])
    );
    assert_eq!(
        (c.shards_expected, c.shards_merged, requests(&collected)),
        (6, 5, 10)
    );
    assert_eq!(
        (c.shards_excluded[0].task, c.shards_excluded[0].seq),
        (2, 0),
        "a gap in the numbers is a lost shard"
    );
    assert!(collected.warnings[0].contains("manifest of task 2 is that of task 2 of \"another\""));
    // Without a manifest the checksum in the file is what tells damage.
    run.objects.get_mut(&(1, 0)).unwrap()[100] ^= 1;
    let collected = run.collect(&[0, 1, 2]);
    assert_eq!(requests(&collected), 8);
    assert!(
        collected
            .completeness
            .shards_excluded
            .iter()
            .any(|e| e.task == 1 && e.reason.contains("damaged"))
    );
}

#[test]
fn what_does_not_add_up_is_said() {
    let mut run = Run::new(2);
    run.manifests.get_mut(&0).unwrap().totals.http_reqs = 5;
    assert_eq!(
        run.collect(&[0, 1]).completeness.disagreements,
        ["the manifests account for 9 requests, the shards for 8"]
    );
    run.objects.insert((7, u32::MAX), Vec::new());
    assert!(run.collect(&[0, 1]).warnings[0].contains("the plan has no such task"));
    assert_eq!(run.collect(&[]).completeness.shards_expected, 0);
}

/// A reader of an engine's output adds zeros, so that there is a series to make a threshold on.
#[test]
fn a_zero_is_no_request() {
    let requests = key("http_reqs", MetricKind::Counter, "home");
    let rows = [
        flat(&requests, 0, 3, 2.0, (0.0, 1.0)),
        flat(
            &key("http_reqs", MetricKind::Counter, "never"),
            0,
            1,
            0.0,
            (0.0, 0.0),
        ),
    ];
    let shard = decode(&encode(&meta(0, 0), &rows).unwrap()).unwrap();
    let totals = merge([&shard]).totals;
    let complete = Completeness::default();
    let stated = |requests, iterations| Stated {
        requests,
        iterations,
        dropped: 0,
    };
    let of = |stated: Stated| stated.disagreements(&complete, &totals);
    assert_eq!(of(stated(2, 0)), [""; 0]);
    assert_eq!(
        of(stated(4, 1)),
        [
            "the manifests account for 4 requests, the shards for 2",
            "the manifests account for 1 iterations, the shards for 0"
        ]
    );
    let incomplete = Completeness {
        shards_expected: 1,
        ..Completeness::default()
    };
    assert_eq!(stated(4, 1).disagreements(&incomplete, &totals), [""; 0]);
}
