//! A run whose tasks are made of hand-written objects.

use floodgate_control::watch::{Next, Watch, WatchOptions};
use floodgate_control::{
    Finished, PlanOptions, Prepared, Result, Stores, TestPackage, finish, prepare,
};
use floodgate_core::definition::model::*;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::{Content, Row, ShardMeta, Sources, encode, sha256_hex};
use floodgate_core::template::Template;
use floodgate_records::control::Ready;
use floodgate_records::engine::Engine;
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::manifest::{
    GeneratorLimits, Health, Manifest, ShardEntry, TaskOutcome, Totals,
};
use floodgate_records::metric::{Builtin, SeriesKey, Tags};
use floodgate_store::local::LocalStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// When tests happen, Unix ms.
pub const NOW: i64 = 1_700_000_000_000;
/// When their runs start: after the lead.
pub const START: i64 = NOW + 1_000;
pub const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
pub const OTHER_ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5G";

/// Ten requests a second for ten seconds, with these thresholds.
pub fn definition(thresholds: &[(&str, &str)]) -> Definition {
    let request = RequestStep {
        method: "GET".into(),
        url: Template::literal("/"),
        name: "/".into(),
        params: Vec::new(),
        headers: Vec::new(),
        body: Body::Empty,
        auth: None,
        timeout: None,
        max_redirects: None,
        expected_statuses: Vec::new(),
        tags: BTreeMap::new(),
        checks: Vec::new(),
        extract: Vec::new(),
        on_missing: Default::default(),
        retry: None,
        record: Vec::new(),
    };
    let scenario = Scenario {
        name: "browse".into(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::from_secs(30),
        share: None,
        side: None,
        pace: None,
        executor: Executor::ConstantArrivalRate {
            rate: 10,
            time_unit: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            pre_allocated_vus: 5,
            max_vus: 10,
            max_lateness: Duration::from_secs(10),
        },
        tags: BTreeMap::new(),
        flow: vec![Step::Request(Box::new(request))],
        http: HttpOptions::default(),
    };
    let spec = |(key, expression): &(&str, &str)| ThresholdSpec::new(*key, *expression);
    Definition {
        project: "shop".into(),
        test: "checkout".into(),
        target: Some("http://127.0.0.1:1".into()),
        against: None,
        engine: Engine::Http,
        script: None,
        script_files: Vec::new(),
        parameters: Default::default(),
        scenarios: vec![scenario],
        data: Vec::new(),
        thresholds: thresholds.iter().map(spec).collect(),
        baseline: None,
        capacity: None,
        warmup: Duration::ZERO,
        run: RunOptions::default(),
        http: HttpOptions::default(),
        tags: BTreeMap::new(),
        observe: Vec::new(),
        export: Vec::new(),
        notify: Vec::new(),
        setup: Vec::new(),
        teardown: Vec::new(),
        contract: None,
        tier: None,
    }
}

/// A folder of runs.
pub struct Folder {
    _dir: tempfile::TempDir,
    pub store: Arc<LocalStore>,
    pub stores: Stores,
}

impl Folder {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(dir.path()).unwrap());
        Self {
            _dir: dir,
            stores: Stores {
                objects: store.clone(),
                records: store.clone(),
            },
            store,
        }
    }

    pub async fn prepare(&self, id: &str, definition: &Definition, tasks: u32) -> Result<Prepared> {
        let options = PlanOptions::local(tasks, None);
        self.prepare_as(id, definition, &options).await
    }

    pub async fn prepare_as(
        &self,
        id: &str,
        definition: &Definition,
        options: &PlanOptions,
    ) -> Result<Prepared> {
        let test = TestPackage {
            definition,
            target: Some("${env:TARGET}".into()),
            normalised: "{}".into(),
            version: "ab".repeat(32),
            files: vec![("users.csv".into(), "user\nann\n".into())],
            inspection: None,
            parameters: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let trigger = Trigger {
            kind: TriggerKind::Cli.into(),
            principal: Some("ann".into()),
            ..Trigger::default()
        };
        prepare(&self.stores, id, &test, trigger, options, NOW).await
    }

    pub async fn run(&self, id: &str, definition: Definition, tasks: u32) -> Run<'_> {
        let prepared = self.prepare(id, &definition, tasks).await.unwrap();
        let options = WatchOptions {
            lead: Duration::from_secs(1),
            ..WatchOptions::local()
        };
        let watch = Watch::new(
            self.stores.clone(),
            prepared.clone(),
            definition.clone(),
            options,
            NOW,
        );
        Run {
            folder: self,
            keys: ExecutionKeys::new("shop", id),
            prepared,
            definition,
            watch,
        }
    }
}

/// A run under watch.
pub struct Run<'a> {
    pub folder: &'a Folder,
    pub keys: ExecutionKeys,
    pub prepared: Prepared,
    pub definition: Definition,
    pub watch: Watch,
}

/// What a task measures: so many requests a second, all of one response time.
#[derive(Clone, Copy)]
pub struct Load {
    pub per_s: u64,
    pub response_us: u64,
    pub failed_per_s: u64,
}

impl Load {
    pub const GOOD: Self = Self {
        per_s: 5,
        response_us: 20_000,
        failed_per_s: 0,
    };
    pub const SLOW: Self = Self {
        per_s: 5,
        response_us: 900_000,
        failed_per_s: 0,
    };
}

impl Run<'_> {
    pub async fn step(&mut self, now_ms: i64) -> Next {
        self.watch.step(now_ms).await.unwrap()
    }

    pub async fn put(&self, key: &str, bytes: impl Into<bytes::Bytes>) {
        self.folder
            .stores
            .objects
            .put(key, bytes.into())
            .await
            .unwrap();
    }

    pub async fn exists(&self, key: &str) -> bool {
        self.folder.stores.objects.get(key).await.unwrap().is_some()
    }

    pub async fn ready(&self, tasks: impl IntoIterator<Item = u32>) {
        for task in tasks {
            let ready = Ready {
                task,
                at_ms: NOW,
                host: "1".into(),
                warnings: Vec::new(),
            };
            self.put(&self.keys.ready(task), serde_json::to_vec(&ready).unwrap())
                .await;
        }
    }

    /// All tasks ready, the start set.
    pub async fn start(&mut self) {
        let tasks = self.prepared.plan.tasks.len() as u32;
        self.ready(0..tasks).await;
        self.step(NOW).await;
        assert_eq!(self.watch.state().start_ms, Some(START));
    }

    /// A live object after so many seconds.
    pub async fn live(&self, task: u32, load: Load, seconds: u64) {
        let rows = rows(load, START, seconds, seconds as u32);
        let bytes = encode(
            &self.meta(Content::Live, task, seconds as u32, 0..seconds),
            &rows,
        )
        .unwrap();
        self.put(&self.keys.live(task), bytes).await;
    }

    pub fn meta(
        &self,
        content: Content,
        task: u32,
        seq: u32,
        seconds: std::ops::Range<u64>,
    ) -> ShardMeta {
        ShardMeta {
            content,
            execution: self.prepared.plan.execution.clone(),
            segment: "1/2".into(),
            sources: Sources::one(task, seq),
            start_ms: START + seconds.start as i64 * 1_000,
            end_ms: START + seconds.end as i64 * 1_000,
        }
    }

    /// Two shards over ten seconds in all; returns their entries for a manifest.
    pub async fn shards(&self, task: u32, load: Load) -> Vec<ShardEntry> {
        let mut entries = Vec::new();
        for (seq, seconds) in [(0, 0..5), (1, 5..10)] {
            let windows = seconds
                .clone()
                .flat_map(|s| rows(load, START + s as i64 * 1_000, 1, 1));
            let rows: Vec<Row> = windows.collect();
            let bytes = encode(&self.meta(Content::Shard, task, seq, seconds), &rows).unwrap();
            entries.push(ShardEntry {
                seq,
                rows: rows.len() as u64,
                bytes: bytes.len() as u64,
                sha256: sha256_hex(&bytes),
            });
            self.put(&self.keys.shard(task, seq), bytes).await;
        }
        entries
    }

    pub fn manifest(
        &self,
        task: u32,
        load: Load,
        shards: Vec<ShardEntry>,
        outcome: TaskOutcome,
    ) -> Manifest {
        let seconds = shards.len() as u64 * 5;
        Manifest {
            schema: Manifest::SCHEMA,
            execution: self.prepared.plan.execution.clone(),
            task,
            outcome,
            planned_start_ms: START,
            start_skew_us: 100 * i64::from(task),
            ended_ms: START + 10_000,
            connections: Default::default(),
            totals: Totals {
                http_reqs: load.per_s * seconds,
                iterations: load.per_s * seconds,
                scheduled_iterations: Some(load.per_s * seconds),
                ..Totals::default()
            },
            shards,
            unwritten: None,
            durations: Vec::new(),
            script: Default::default(),
            kept_tags: Vec::new(),
            health: Health {
                limits: GeneratorLimits {
                    cpus: 1.0,
                    ..GeneratorLimits::default()
                },
                measured_seconds: 10,
                ..Health::default()
            },
            warnings: Vec::new(),
        }
    }

    /// Shards and manifest: what a task leaves that ran to its end.
    pub async fn complete(&self, task: u32, load: Load) {
        let shards = self.shards(task, load).await;
        self.write_manifest(&self.manifest(task, load, shards, TaskOutcome::Completed))
            .await;
    }

    pub async fn write_manifest(&self, manifest: &Manifest) {
        self.put(
            &self.keys.manifest(manifest.task),
            serde_json::to_vec(manifest).unwrap(),
        )
        .await;
    }

    pub async fn finish(&self, now_ms: i64) -> Finished {
        let lost = self.watch.lost();
        let Prepared { plan, .. } = &self.prepared;
        finish(
            &self.folder.stores,
            plan,
            &self.definition,
            &lost,
            &[],
            now_ms,
        )
        .await
        .unwrap()
    }
}

/// One window of each metric, over so many seconds.
pub fn rows(load: Load, time_ms: i64, seconds: u64, window_s: u32) -> Vec<Row> {
    let row = |metric: Builtin, count: u64, sum: u64, value: u64| {
        let tags = Tags::new().with("scenario", "browse").with("name", "/");
        let key = SeriesKey {
            metric: metric.name().into(),
            kind: metric.kind(),
            tags,
        };
        let mut histogram = Histogram::new();
        histogram.record_n(value, count);
        let mut bytes = Vec::new();
        histogram.encode_v2(&mut bytes);
        let trend = metric.kind() == floodgate_records::metric::MetricKind::Trend;
        let (min, max) = match metric.kind() {
            floodgate_records::metric::MetricKind::Rate => (
                if sum == count { 1.0 } else { 0.0 },
                if sum > 0 { 1.0 } else { 0.0 },
            ),
            _ => (value as f64, value as f64),
        };
        Row {
            time_ms,
            window_s,
            key: Arc::new(key),
            count,
            sum: if trend {
                histogram.sum() as f64
            } else {
                sum as f64
            },
            min,
            max,
            histogram: trend.then(|| bytes.into()),
        }
    };
    let requests = load.per_s * seconds;
    vec![
        row(Builtin::HttpReqs, requests, requests, 1),
        row(Builtin::Iterations, requests, requests, 1),
        row(
            Builtin::HttpReqFailed,
            requests,
            load.failed_per_s * seconds,
            0,
        ),
        row(Builtin::HttpReqDuration, requests, 0, load.response_us),
        row(Builtin::HttpReqResponseTime, requests, 0, load.response_us),
    ]
}
