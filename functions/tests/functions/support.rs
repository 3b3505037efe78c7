//! Stores in memory that count, containers that are played, a clock that is set.

mod measured;
mod memory;
mod sink;

pub use measured::PER_SECOND;
pub use memory::{Objects, Records};
pub use sink::{Answers, Influx, Statsd};

use async_trait::async_trait;
use floodgate_control::Stores;
use floodgate_functions::*;
use floodgate_log::{Level, lines};
use floodgate_notify::{Account as Credentials, Backoff, Courier, Reach};
use floodgate_records::execution::Execution;
use floodgate_records::test::TestRecord;
use floodgate_store::RecordStore;
use floodgate_store::aws::ecr::ImageName;
use floodgate_store::aws::secret::Secret;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::instrument::WithSubscriber as _;

pub const NOW: i64 = 1_700_000_000_000;
pub const ARN: &str = "arn:aws:states:eu-west-1:1:execution:floodgate:01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
pub const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

/// What the next calls of RunTask meet with.
pub type Script = dyn Fn(u64, &RunRequest) -> std::result::Result<(), RunError> + Send + Sync;

/// Containers that run until they are told.
pub struct Played {
    pub script: Mutex<Box<Script>>,
    pub calls: AtomicU64,
    pub requests: Mutex<Vec<RunRequest>>,
    tokens: Mutex<BTreeMap<String, String>>,
    /// What was answered to tokens that no task was started for.
    without_room: Mutex<BTreeMap<String, String>>,
    pub running: Mutex<BTreeMap<String, (String, u32)>>,
    pub ended: Mutex<BTreeMap<String, String>>,
    pub stopped: Mutex<Vec<String>>,
    pub described: AtomicU64,
    /// What other runs take up, by region; one that is missing is not told.
    pub in_use: Mutex<BTreeMap<String, Vcpus>>,
}

impl Default for Played {
    fn default() -> Self {
        Self {
            script: Mutex::new(Box::new(|_, _| Ok(()))),
            calls: AtomicU64::new(0),
            requests: Mutex::default(),
            tokens: Mutex::default(),
            without_room: Mutex::default(),
            running: Mutex::default(),
            ended: Mutex::default(),
            stopped: Mutex::default(),
            described: AtomicU64::new(0),
            in_use: Mutex::new(BTreeMap::from([
                ("eu-west-1".to_owned(), Vcpus::default()),
                ("us-east-1".to_owned(), Vcpus::default()),
            ])),
        }
    }
}

impl Played {
    pub fn script(
        &self,
        script: impl Fn(u64, &RunRequest) -> std::result::Result<(), RunError> + Send + Sync + 'static,
    ) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The container of a task ends.
    pub fn end(&self, task: u32, reason: &str) {
        let mut running = self.running.lock().unwrap();
        let arn = running
            .iter()
            .find(|(_, (_, t))| *t == task)
            .unwrap()
            .0
            .clone();
        running.remove(&arn);
        self.ended.lock().unwrap().insert(arn, reason.into());
    }

    pub fn end_all(&self) {
        let all = std::mem::take(&mut *self.running.lock().unwrap());
        let mut ended = self.ended.lock().unwrap();
        ended.extend(
            all.into_keys()
                .map(|arn| (arn, "exited with code 0".to_owned())),
        );
    }

    pub fn count(&self) -> usize {
        self.running.lock().unwrap().len()
    }
}

#[async_trait]
impl Tasks for Played {
    async fn run(&self, request: &RunRequest) -> std::result::Result<StartedTask, RunError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        self.requests.lock().unwrap().push(request.clone());
        // What was answered to a token is answered again.
        let mut without_room = self.without_room.lock().unwrap();
        if let Some(text) = without_room.get(&request.client_token) {
            return Err(RunError::Capacity(text.clone().into()));
        }
        let scripted = (self.script.lock().unwrap())(call, request);
        if let Err(RunError::Capacity(text)) = &scripted {
            without_room.insert(request.client_token.clone(), text.to_string());
        }
        scripted?;
        let mut tokens = self.tokens.lock().unwrap();
        let fresh = !tokens.contains_key(&request.client_token);
        let next = tokens.len();
        let arn = tokens
            .entry(request.client_token.clone())
            .or_insert_with(|| format!("arn:aws:ecs:{}:1:task/{next}", request.region))
            .clone();
        if fresh {
            let number = request
                .environment
                .iter()
                .find(|(k, _)| k == "FLOODGATE_TASK");
            let task = number.unwrap().1.parse().unwrap();
            let place = (request.region.clone(), task);
            self.running.lock().unwrap().insert(arn.clone(), place);
        }
        Ok(StartedTask { arn })
    }

    async fn describe(
        &self,
        region: &str,
        _: &str,
        arns: &[String],
    ) -> std::result::Result<Vec<TaskStatus>, RunError> {
        let here = format!("arn:aws:ecs:{region}:");
        assert!(
            arns.iter().all(|arn| arn.starts_with(&here)),
            "{region}: {arns:?}"
        );
        self.described
            .fetch_add(arns.len().div_ceil(100) as u64, Ordering::Relaxed);
        let running = self.running.lock().unwrap();
        let ended = self.ended.lock().unwrap();
        let status = |arn: &String| TaskStatus {
            arn: arn.clone(),
            task: running.get(arn).map(|(_, task)| *task),
            capacity: "FARGATE".into(),
            stopped: ended.contains_key(arn),
            reason: ended.get(arn).cloned().unwrap_or_default(),
        };
        Ok(arns.iter().map(status).collect())
    }

    async fn started_by(
        &self,
        region: &str,
        _: &str,
        execution: &str,
    ) -> std::result::Result<Vec<String>, RunError> {
        assert_eq!(execution, ID);
        let running = self.running.lock().unwrap();
        let here = running.iter().filter(|(_, (r, _))| r == region);
        Ok(here.map(|(arn, _)| arn.clone()).collect())
    }

    async fn in_use(&self, region: &str, _: &str) -> std::result::Result<Vcpus, RunError> {
        let in_use = self.in_use.lock().unwrap().get(region).copied();
        in_use.ok_or_else(|| RunError::Service("ECS is away".into()))
    }

    async fn stop(
        &self,
        region: &str,
        _: &str,
        arn: &str,
        _: &str,
    ) -> std::result::Result<(), RunError> {
        assert!(arn.contains(region), "{region}: {arn}");
        if self.running.lock().unwrap().remove(arn).is_some() {
            self.stopped.lock().unwrap().push(arn.into());
        }
        Ok(())
    }
}

/// An account with a quota, some secrets, and a list of what was started.
#[derive(Default)]
pub struct Books {
    pub quota: Mutex<Option<f64>>,
    pub secrets: Mutex<Vec<String>>,
    /// Values of secrets, by their names.
    pub values: Mutex<BTreeMap<String, String>>,
    /// The functions that were called, and with what; `None`: Lambda is away.
    pub calls: Mutex<Option<Vec<(String, Value)>>>,
    pub started: Mutex<Vec<(String, String)>>,
    /// The machines that were started.
    pub machines: Mutex<Vec<String>>,
    /// The processors of each image that is there, by repository and reference; `None`: nobody may ask.
    pub images: Mutex<Option<BTreeMap<String, Vec<String>>>>,
    /// What Step Functions knows of executions, by their ARNs.
    pub executions: Mutex<BTreeMap<String, Described>>,
}

#[async_trait]
impl Account for Books {
    async fn vcpu_quota(&self, _: &str, _: &str) -> std::result::Result<f64, Refused> {
        let quota = *self.quota.lock().unwrap();
        quota.ok_or_else(|| Refused::Unknown("AccessDenied".into()))
    }
    async fn secret(&self, reference: &str) -> std::result::Result<String, Refused> {
        if self.secrets.lock().unwrap().iter().any(|s| s == reference) {
            let arn = format!("arn:aws:secretsmanager:eu-west-1:1:secret:{reference}-AbCdEf");
            Ok(arn)
        } else {
            Err(Refused::Missing("there is no such secret".into()))
        }
    }
    async fn read_secret(&self, reference: &str) -> std::result::Result<Secret, Refused> {
        let arn = self.secret(reference).await?;
        let text = self.values.lock().unwrap()[reference].clone();
        Ok(Secret { arn, text })
    }
    async fn call_later(
        &self,
        function: &str,
        payload: &Value,
    ) -> std::result::Result<(), Refused> {
        let mut calls = self.calls.lock().unwrap();
        let calls = calls.as_mut();
        let calls = calls.ok_or_else(|| Refused::Unknown("ServiceException: away".into()))?;
        calls.push((function.to_owned(), payload.clone()));
        Ok(())
    }
    async fn image(&self, name: &ImageName) -> std::result::Result<Vec<String>, Refused> {
        let images = self.images.lock().unwrap();
        let images = images.as_ref();
        let images = images.ok_or_else(|| Refused::Unknown("AccessDeniedException: no".into()))?;
        let found = images.get(&format!("{}:{}", name.repository, name.reference));
        found
            .cloned()
            .ok_or_else(|| Refused::Missing("there is no such image".into()))
    }
    async fn start(
        &self,
        machine: &str,
        name: &str,
        input: &str,
    ) -> std::result::Result<StartOutcome, Refused> {
        let mut started = self.started.lock().unwrap();
        if started.iter().any(|(n, _)| n == name) {
            return Ok(StartOutcome::Before);
        }
        started.push((name.into(), input.into()));
        self.machines.lock().unwrap().push(machine.into());
        Ok(StartOutcome::Now)
    }
    async fn execution(&self, arn: &str) -> std::result::Result<Described, Refused> {
        let found = self.executions.lock().unwrap().get(arn).cloned();
        found.ok_or_else(|| Refused::Missing("there is no such execution".into()))
    }
}

/// Somebody else's doing while a function sleeps.
type Meanwhile = Box<dyn Fn(i64) + Send + Sync>;

/// A clock that only sleeping moves.
pub struct SetClock {
    pub now_ms: AtomicI64,
    pub meanwhile: Mutex<Option<Meanwhile>>,
}

#[async_trait]
impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }
    async fn sleep(&self, time: Duration) {
        let ms = time.as_millis() as i64;
        let now = self.now_ms.fetch_add(ms, Ordering::Relaxed) + ms;
        if let Some(meanwhile) = &*self.meanwhile.lock().unwrap() {
            meanwhile(now);
        }
    }
}

/// A stack.
pub struct Stack {
    pub objects: Arc<Objects>,
    pub records: Arc<Records>,
    pub tasks: Arc<Played>,
    pub books: Arc<Books>,
    pub clock: Arc<SetClock>,
    pub out: Arc<Mutex<Vec<u8>>>,
    /// Whether it notifies.
    pub notifies: bool,
    /// Where receivers may be: on loopback, where those of the tests are.
    pub reach: Reach,
}

/// Does not wait for a receiver that is away.
const HASTY: Backoff = Backoff {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(1),
    total: Duration::ZERO,
    attempt: Duration::from_secs(20),
};

impl Stack {
    pub fn new() -> Self {
        let stack = Self {
            objects: Arc::default(),
            records: Arc::default(),
            tasks: Arc::default(),
            books: Arc::default(),
            clock: Arc::new(SetClock {
                now_ms: AtomicI64::new(NOW),
                meanwhile: Mutex::default(),
            }),
            out: Arc::default(),
            notifies: true,
            reach: Reach::Anywhere,
        };
        *stack.books.quota.lock().unwrap() = Some(4_000.0);
        *stack.books.calls.lock().unwrap() = Some(Vec::new());
        stack.place(&placement());
        stack
    }

    pub fn place(&self, placement: &Value) {
        self.objects
            .set("config/placement.json", placement.to_string());
    }

    pub fn app(&self, function: Function) -> App {
        let variable = |name: &str| {
            Some(match name {
                "FLOODGATE_FUNCTION" => function.name().into(),
                "FLOODGATE_STACK" => "floodgate".into(),
                "FLOODGATE_BUCKET" => "bucket".into(),
                "FLOODGATE_BUCKET_REGION" => "eu-west-1".into(),
                "FLOODGATE_TABLE" => "floodgate".into(),
                "FLOODGATE_NOTIFY" if self.notifies => "floodgate-notify".into(),
                "FLOODGATE_CONSOLE_URL" => "https://console.example".into(),
                "FLOODGATE_STATE_MACHINE" => {
                    "arn:aws:states:eu-west-1:1:stateMachine:floodgate".into()
                }
                _ => return None,
            })
        };
        App {
            config: Config::read(variable).unwrap(),
            stores: Stores {
                objects: self.objects.clone(),
                records: self.records.clone(),
            },
            tasks: self.tasks.clone(),
            account: self.books.clone(),
            courier: Arc::new(Courier::new(Credentials::OfEnvironment, self.reach, HASTY)),
            clock: self.clock.clone(),
            out: self.out.clone(),
            stay: App::STAY,
            reach: self.reach,
        }
    }

    pub async fn call(
        &self,
        function: Function,
        payload: Value,
    ) -> std::result::Result<Value, FunctionError> {
        let program = Map::from_iter([("function".to_owned(), function.name().into())]);
        let log = lines(Level::Debug, program, self.out.clone());
        let app = self.app(function);
        handle(&app, payload).with_subscriber(log).await
    }

    pub async fn prepare(&self, input: Value) -> std::result::Result<Value, FunctionError> {
        let run = json!({"arn": ARN, "name": ID, "started_at": "2023-11-14T22:13:20.000Z"});
        self.call(Function::Prepare, json!({"input": input, "run": run}))
            .await
    }

    /// Prepares a run as the state machine of a project does.
    pub async fn prepare_of(
        &self,
        project: &str,
        input: Value,
    ) -> std::result::Result<Value, FunctionError> {
        let arn = format!("arn:aws:states:eu-west-1:1:execution:floodgate_{project}:{ID}");
        let run = json!({"arn": arn, "name": ID, "started_at": "2023-11-14T22:13:20.000Z"});
        let payload = json!({"input": input, "run": run, "project": project});
        self.call(Function::Prepare, payload).await
    }

    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn pass(&self, time: Duration) {
        self.clock
            .now_ms
            .fetch_add(time.as_millis() as i64, Ordering::Relaxed);
    }

    /// Puts the version `v1` of the test `checkout` of the project `shop`, as `floodgate register` does.
    pub async fn register(&self) {
        let text = definition(1, 60).to_string();
        let key = "projects/shop/definitions/checkout/v1/definition.json";
        self.objects.set(key, text);
        let record = TestRecord {
            project: "shop".into(),
            test: "checkout".into(),
            version: "v1".into(),
            created_ms: NOW,
            files: vec!["definition.json".into()],
            git_revision: None,
        };
        self.records.put_test(&record).await.unwrap();
    }

    pub async fn record(&self) -> Execution {
        self.records.get(None, ID).await.unwrap().unwrap()
    }

    pub fn log(&self) -> Vec<Value> {
        let out = String::from_utf8(self.out.lock().unwrap().clone()).unwrap();
        out.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    pub fn key(&self, rest: &str) -> String {
        format!("projects/shop/executions/{ID}/{rest}")
    }

    /// Marks of tasks that could start.
    pub fn ready(&self, tasks: std::ops::Range<u32>) {
        for task in tasks {
            let ready = json!({"task": task, "at_ms": self.now(), "host": "x", "warnings": []});
            self.objects.set(
                &self.key(&format!("control/ready/{task:04}")),
                ready.to_string(),
            );
        }
    }

    /// The manifest of a task that sent nothing and wrote no shard.
    pub fn manifest(&self, task: u32, shards: Value) {
        let manifest = json!({
            "schema": 1, "execution": ID, "task": task, "outcome": {"kind": "completed"},
            "planned_start_ms": self.now(), "start_skew_us": 0, "ended_ms": self.now(),
            "shards": shards,
            "totals": {"http_reqs": 0, "iterations": 0, "interrupted_iterations": 0,
                "dropped_iterations": 0, "scheduled_iterations": 0, "clamped_values": 0,
                "folded_samples": 0},
            "health": {"cpus": 1.0, "cpu_mean": 0.1, "cpu_max": 0.2, "saturated_seconds": 0,
                "measured_seconds": 10, "throttled_seconds": 0, "lag_p99_us": 0, "lag_max_us": 0,
                "open_files_limit": 1024, "local_ports": 1000, "exhausted": 0,
                "peak_rss_bytes": 1000},
            "warnings": [],
        });
        self.objects.set(
            &self.key(&format!("tasks/{task:04}.json")),
            manifest.to_string(),
        );
    }
}

pub fn placement() -> Value {
    let region = json!({
        "cluster": "floodgate",
        "task_definitions": {"http": {"arm64": "floodgate-generator-http"}},
        "networks": {"default":
            {"subnets": ["subnet-1"], "security_groups": ["sg-1"], "assign_public_ip": false}},
        "vcpu_quota": null,
    });
    json!({
        "schema": 1,
        "regions": {"eu-west-1": region, "us-east-1": region},
        "capacity": {"provider": "FARGATE", "fallback": false},
        "launch_type": null,
        "projects": {"*": {"max_tasks": 1000, "max_cost_usd": null, "principals": ["*"]}},
        "image_digest": {"http": "sha256:abc"},
        "max_tasks_per_execution": 1000,
    })
}

/// A definition with so many tasks that sends 10 requests a second for so many seconds.
pub fn definition(tasks: u32, seconds: u64) -> Value {
    json!({
        "version": 1, "project": "shop", "test": "checkout", "target": "http://127.0.0.1:1",
        "scenarios": {"browse": {
            "executor": "constant-arrival-rate", "rate": 10, "duration": format!("{seconds}s"),
            "preAllocatedVUs": 5, "maxVUs": 2_000, "flow": [{"get": "/"}],
        }},
        "thresholds": {"http_req_failed": ["rate<0.01"]},
        "run": {"tasks": tasks},
    })
}
