//! One execution of the state machine, from its start to its verdict.

use crate::stack::{Clients, Stack};
use aws_sdk_ecs::types::DesiredStatus;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use floodgate_records::execution::Execution as Record;
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::test::TestRecord;
use floodgate_store::{ObjectStore as _, RecordStore as _};
use floodgate_testserver::{Config, TestServer};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// Longer than any run here takes on a slow machine: a test that meets it has found a hang.
const PATIENCE: Duration = Duration::from_secs(150);
/// The project of all tests here.
pub(crate) const PROJECT: &str = "cloud";

/// A started execution.
pub(crate) struct Execution<'s> {
    stack: &'s Stack,
    pub arn: String,
    /// Its name in Step Functions, and the run's id.
    pub id: String,
}

/// What came of it.
pub(crate) struct Ended {
    pub status: ExecutionStatus,
    /// The name of the error; empty if it succeeded.
    pub error: String,
    pub cause: String,
    pub record: Record,
    pub summary: Option<Summary>,
    /// Requests in the merged data that the end of the run cut off.
    cut_off: u64,
}

/// A shop that answers at once.
pub(crate) fn shop() -> TestServer {
    TestServer::start(Config::prompt_service()).unwrap()
}

/// The input of an execution with an inline definition.
pub(crate) fn input(test: &str, definition: &str) -> Value {
    json!({
        "project": PROJECT,
        "test": test,
        "definition": definition,
        "trigger": {"kind": "pipeline", "principal": "ann", "build_url": "http://127.0.0.1/build/1"},
    })
}

/// A definition of `tasks` tasks that send so many requests a second for so long. VUs suffice for each task to wait for some
/// seconds on a machine that all of them share: no iteration is dropped for that.
pub(crate) fn arrivals(test: &str, url: &str, load: (u32, &str), tasks: u32, rest: &str) -> String {
    let (rate, duration) = load;
    format!(
        "version: 1\nproject: {PROJECT}\ntest: {test}\ntarget: {url}\nrun:\n  tasks: {tasks}\n  cpu: 256\n  memory: 512\n\
         {rest}\nscenarios:\n  one:\n    executor: constant-arrival-rate\n    rate: {rate}\n    duration: {duration}\n    \
         preAllocatedVUs: 10\n    maxVUs: 400\n    gracefulStop: 5s\n    flow:\n      - get: /\n        name: home\n"
    )
}

impl Stack {
    /// Starts an execution whose name is the run's id.
    pub(crate) async fn start(&self, input: &Value) -> Execution<'_> {
        let id = ulid::Ulid::generate().to_string();
        let arn = self.start_as(&id, input).await.unwrap();
        Execution {
            stack: self,
            arn,
            id,
        }
    }

    /// The same with that of all projects that have none, by whoever may start it.
    pub(crate) async fn start_unnamed(&self, input: &Value) -> Execution<'_> {
        let id = ulid::Ulid::generate().to_string();
        let states = self.as_caller("runner-all").await.states;
        let call = states
            .start_execution()
            .state_machine_arn(self.machine_of("*"));
        let call = call.name(&id).input(input.to_string());
        let arn = call.send().await.unwrap().execution_arn().to_owned();
        Execution {
            stack: self,
            arn,
            id,
        }
    }

    /// Puts a definition where a version of a test lies, and makes it the newest one.
    pub(crate) async fn register(&self, test: &str, definition: &str) {
        let key = definition_file(PROJECT, test, "v1", DEFINITION_FILE);
        let text = definition.to_owned().into();
        let Clients {
            objects, records, ..
        } = &self.administrator;
        objects.put(&key, text).await.unwrap();
        let record = TestRecord {
            project: PROJECT.into(),
            test: test.into(),
            version: "v1".into(),
            created_ms: 1,
            files: vec![DEFINITION_FILE.into()],
            git_revision: None,
        };
        records.put_test(&record).await.unwrap();
    }

    /// Starts an execution of this name; what the service says if it does not.
    pub(crate) async fn start_as(&self, name: &str, input: &Value) -> Result<String, String> {
        let call = self
            .states
            .start_execution()
            .state_machine_arn(self.state_machine())
            .name(name)
            .input(input.to_string());
        match call.send().await {
            Ok(started) => Ok(started.execution_arn().to_owned()),
            Err(error) => Err(error.into_service_error().to_string()),
        }
    }

    /// Runs to its end what must pass: the definition that `definition` makes of the URL of a target, which is new each time.
    /// It runs again, twice at most, if its reasons say that this machine held a generator back.
    pub(crate) async fn run_to_pass(
        &self,
        test: &str,
        definition: impl Fn(&str) -> String,
    ) -> (Execution<'_>, Ended, TestServer) {
        let mut tries = 0;
        loop {
            tries += 1;
            let shop = shop();
            let run = self.start(&input(test, &definition(&shop.url()))).await;
            let ended = run.end().await;
            if tries < 3 && ended.was_held_back() {
                eprintln!("again: {:?}", ended.record.reasons);
                continue;
            }
            ended.expect(Status::Passed, "");
            return (run, ended, shop);
        }
    }

    /// An execution that something else has started.
    pub(crate) fn found(&self, arn: &str, id: &str) -> Execution<'_> {
        Execution {
            stack: self,
            arn: arn.into(),
            id: id.into(),
        }
    }
}

impl Execution<'_> {
    fn keys(&self) -> ExecutionKeys {
        ExecutionKeys::new(PROJECT, &self.id)
    }

    /// Its record.
    pub(crate) async fn record(&self) -> Option<Record> {
        self.stack
            .records
            .get(Some(PROJECT), &self.id)
            .await
            .unwrap()
    }

    /// An object that is written after the record: of a run that was stopped, by a function that nobody waits for.
    async fn written(&self, begun: Instant, key: &str) -> Vec<u8> {
        loop {
            if let Some(found) = self.stack.objects.get(key).await.unwrap() {
                return found.to_vec();
            }
            assert!(begun.elapsed() < PATIENCE, "{key} is not there");
            pause().await;
        }
    }

    /// Waits for the state machine, then for the record and for the tasks, which are not part of it when it was stopped.
    pub(crate) async fn end(&self) -> Ended {
        let begun = Instant::now();
        let described = self.described(begun).await;
        let record = loop {
            match self.record().await {
                Some(record) if record.status.is_final() => break record,
                other => assert!(
                    begun.elapsed() < PATIENCE,
                    "the record of {}: {other:?}",
                    self.id
                ),
            }
            pause().await;
        };
        self.no_task_is_left(begun).await;
        let objects = &self.stack.objects;
        let summary = objects.get(&self.keys().summary()).await.unwrap();
        let merged = objects.get(&self.keys().merged()).await.unwrap();
        if summary.is_some() {
            // The role of finish may write both.
            let page = self.written(begun, &self.keys().report()).await;
            assert!(page.starts_with(b"<!doctype html>"));
            self.written(begun, &self.keys().figures()).await;
        }
        Ended {
            status: described.status().clone(),
            error: described.error().unwrap_or_default().to_owned(),
            cause: described.cause().unwrap_or_default().to_owned(),
            record,
            summary: summary.map(|json| serde_json::from_slice(&json).unwrap()),
            cut_off: merged.map_or(0, |merged| cut_off(&merged)),
        }
    }

    /// Waits for the state machine alone: the name of its error, and the cause.
    pub(crate) async fn failure(&self) -> (String, String) {
        let described = self.described(Instant::now()).await;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (text(described.error()), text(described.cause()))
    }

    async fn described(&self, begun: Instant) -> DescribeExecutionOutput {
        loop {
            // Those of other projects, too.
            let call = self
                .stack
                .administrator
                .states
                .describe_execution()
                .execution_arn(&self.arn);
            let described = call.send().await.unwrap();
            if *described.status() != ExecutionStatus::Running {
                return described;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{} does not end; {:?}",
                self.arn,
                self.record().await
            );
            pause().await;
        }
    }

    /// Neither ECS nor Docker knows a task of it that runs.
    async fn no_task_is_left(&self, begun: Instant) {
        loop {
            let call = self
                .stack
                .ecs
                .list_tasks()
                .cluster(self.stack.cluster())
                .started_by(&self.id)
                .desired_status(DesiredStatus::Running);
            let listed = call.send().await.unwrap();
            let containers = self.containers().await;
            if listed.task_arns().is_empty() && containers.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "tasks of {} are left: {:?}, containers {containers:?}",
                self.id,
                listed.task_arns()
            );
            pause().await;
        }
    }

    /// The ARNs of the tasks that were started, by number.
    pub(crate) async fn placed(&self) -> Vec<String> {
        let placed = self.stack.objects.get(&self.keys().placed()).await.unwrap();
        let placed: Value = serde_json::from_slice(&placed.unwrap_or_default()).unwrap_or_default();
        let tasks = placed["tasks"].as_array().cloned().unwrap_or_default();
        let arns = tasks.iter().filter_map(|task| task["arn"].as_str());
        arns.map(str::to_owned).collect()
    }

    /// The containers of it that run.
    async fn containers(&self) -> Vec<String> {
        let arns = self.placed().await;
        arns.iter().filter_map(|arn| container(arn)).collect()
    }

    /// Does something with the container of one task.
    pub(crate) async fn docker(&self, arguments: &[&str], task: usize) {
        let arns = self.placed().await;
        let container = container(&arns[task]).unwrap();
        let done = Command::new("docker")
            .args(arguments)
            .arg(container)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "docker {arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

impl Ended {
    /// Panics with everything that is known unless the verdict is this.
    #[track_caller]
    pub(crate) fn expect(&self, status: Status, error: &str) -> &Self {
        let said = || format!("{}: {}\n{:#?}", self.error, self.cause, self.record);
        let succeeded = self.status == ExecutionStatus::Succeeded;
        assert_eq!(succeeded, status == Status::Passed, "{}", said());
        assert_eq!(self.error, error, "{}", said());
        assert_eq!(self.record.status, status, "{}", said());
        self
    }

    /// Whether the machine gave a generator too little time for a verdict.
    fn was_held_back(&self) -> bool {
        let reasons = self.record.reasons.iter();
        self.record.status == Status::Inconclusive
            && reasons.clone().all(|reason| {
                ["stood still", "had no CPU left"]
                    .iter()
                    .any(|said| reason.contains(said))
            })
    }

    #[track_caller]
    pub(crate) fn summary(&self) -> &Summary {
        self.summary.as_ref().unwrap()
    }

    /// Requests in the merged data.
    #[track_caller]
    pub(crate) fn requests(&self) -> u64 {
        let requests = self
            .summary()
            .metrics
            .get("http_reqs")
            .map(|metric| metric.values["count"]);
        requests.unwrap_or(0.0) as u64
    }

    /// Panics unless the merged data hold what the target counted: each request of it, and besides those only some that
    /// the end of the run cut off before the target had them.
    #[track_caller]
    pub(crate) fn expect_requests_of(&self, target: &floodgate_testserver::Counters) {
        let (merged, counted) = (self.requests(), target.requests());
        assert!(
            (counted..=counted + self.cut_off).contains(&merged),
            "{merged} requests in the merged data, {} of them cut off; the target counted {counted}",
            self.cut_off
        );
    }
}

/// The requests in a merged shard that were cut off.
fn cut_off(merged: &[u8]) -> u64 {
    let shard = floodgate_core::shard::decode(merged).unwrap();
    let rows = shard.rows.iter().filter(|row| {
        let error = row.key.tags.0.get("error_code");
        row.key.metric == "http_reqs" && error.is_some_and(|code| code == "interrupted")
    });
    rows.map(|row| row.count).sum()
}

/// The running (or paused) container of a task.
fn container(task_arn: &str) -> Option<String> {
    let filter = format!("label=com.amazonaws.ecs.task-arn={task_arn}");
    let listed = Command::new("docker")
        .args(["ps", "-q", "--filter", &filter])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.split_whitespace().next().map(str::to_owned)
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What becomes of an execution of a state machine, which ends a moment after its run's record.
pub(crate) async fn settled(states: &aws_sdk_sfn::Client, arn: &str) -> DescribeExecutionOutput {
    let begun = Instant::now();
    loop {
        let described = states.describe_execution().execution_arn(arn).send().await;
        let described = described.unwrap();
        if *described.status() != ExecutionStatus::Running {
            return described;
        }
        assert!(begun.elapsed() < PATIENCE, "{arn} does not end");
        pause().await;
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}
