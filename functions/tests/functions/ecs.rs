//! The client of ECS against a service that speaks its protocol: what it answers is scripted.

use crate::support::*;
use aws_config::Region;
use floodgate_functions::{EcsTasks, Function, Tasks, handle};
use floodgate_store::aws;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The reason that RunTask gives when Fargate has no room
/// (<https://repost.aws/knowledge-center/ecs-fargate-runtask-capacity>).
const NO_ROOM: &str = "Capacity is unavailable at this time. Please try again later or in a different availability zone";

/// An operation and its input; status and answer.
type Answer = dyn Fn(&str, &Value, usize) -> (u16, Value) + Send + Sync;

/// A service on a port of its own, for as long as the process lives.
struct Ecs {
    at: SocketAddr,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Ecs {
    fn start(answer: impl Fn(&str, &Value, usize) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let calls: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (seen, answer): (_, Arc<Answer>) = (calls.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &seen, answer.as_ref()));
            }
        });
        Self { at, calls }
    }

    async fn tasks(&self) -> EcsTasks {
        let credentials = aws_sdk_ecs::config::Credentials::new("test", "test", None, None, "test");
        let config = aws::loader()
            .endpoint_url(format!("http://{}", self.at))
            .region(Region::new("eu-west-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        EcsTasks::new(&config)
    }

    /// Inputs of an operation, in order.
    fn inputs(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        let of = calls.iter().filter(|(o, _)| o == operation);
        of.map(|(_, input)| input.clone()).collect()
    }
}

/// One request a connection.
fn serve(stream: TcpStream, seen: &Mutex<Vec<(String, Value)>>, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "x-amz-target" => {
                    operation = value.trim().rsplit('.').next().unwrap().to_owned();
                }
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let input: Value = serde_json::from_slice(&body).unwrap();
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push((operation.clone(), input.clone()));
        seen.iter().filter(|(o, _)| *o == operation).count() - 1
    };
    let (status, said) = answer(&operation, &input, before);
    let said = said.to_string();
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        said.len()
    );
    let mut stream = stream;
    let _ = stream.write_all(format!("{head}{said}").as_bytes());
}

fn provider(input: &Value) -> &str {
    input["capacityProviderStrategy"][0]["capacityProvider"]
        .as_str()
        .unwrap()
}

fn started(input: &Value) -> Value {
    let token = input["clientToken"].as_str().unwrap();
    json!({"tasks": [{"taskArn": format!("arn:aws:ecs:eu-west-1:1:task/floodgate/{token}"),
        "lastStatus": "PROVISIONING"}], "failures": []})
}

/// Launches so many tasks on Spot with a fallback; the run after it and what was placed.
async fn launched(ecs: &Ecs, tasks: u32, fallback: bool) -> (Value, Value) {
    let stack = Stack::new();
    let mut place = placement();
    place["capacity"] = json!({"provider": "FARGATE_SPOT", "fallback": fallback});
    place["start_timeout_s"] = json!(60);
    stack.place(&place);
    let mut run = stack
        .prepare(json!({"definition": definition(tasks, 60)}))
        .await
        .unwrap();
    let mut app = stack.app(Function::Launch);
    app.tasks = Arc::new(ecs.tasks().await);
    for _ in 0..50 {
        run = handle(&app, run).await.unwrap();
        if run["phase"] != "launching" {
            let placed = stack.objects.json(&stack.key("control/placed.json"));
            return (run, placed);
        }
        let wait = run["wait_s"].as_u64().unwrap();
        stack.pass(std::time::Duration::from_secs(wait));
    }
    panic!("launching does not end");
}

fn capacities(placed: &Value) -> Vec<&str> {
    let tasks = placed["tasks"].as_array().unwrap().iter();
    let mut capacities: Vec<&str> = tasks.map(|t| t["capacity"].as_str().unwrap()).collect();
    capacities.sort_unstable();
    capacities
}

#[tokio::test]
async fn tasks_without_room_on_spot_are_topped_up_on_demand() {
    let ecs = Ecs::start(|operation, input, call| match (operation, call) {
        ("ListTasks", _) => (200, json!({"taskArns": []})),
        // Two find room; On-Demand has none at first, either.
        ("RunTask", 0 | 1) => (200, started(input)),
        ("RunTask", _) if provider(input) == "FARGATE_SPOT" => {
            (200, json!({"tasks": [], "failures": [{"reason": NO_ROOM}]}))
        }
        ("RunTask", 5) => (
            400,
            json!({"__type": "ClientException", "message": NO_ROOM}),
        ),
        ("RunTask", _) => (200, started(input)),
        other => panic!("{other:?}"),
    });
    let (run, placed) = launched(&ecs, 5, true).await;
    assert_eq!(
        (&run["phase"], &run["placed"]),
        (&json!("waiting"), &json!(5))
    );
    assert_eq!(
        capacities(&placed),
        [
            "FARGATE",
            "FARGATE",
            "FARGATE",
            "FARGATE_SPOT",
            "FARGATE_SPOT"
        ]
    );
    assert_eq!(
        (&placed["fallback"], &placed["failed"]),
        (&json!(true), &json!([]))
    );
    let calls = ecs.inputs("RunTask");
    for call in &calls {
        assert_eq!(
            (&call["count"], &call["startedBy"]),
            (&json!(1), &json!(ID))
        );
        // The container's limit is the task's: it would be that of the task definition else.
        let overrides = &call["overrides"];
        let container = &overrides["containerOverrides"][0];
        assert_eq!(overrides["memory"], container["memory"].to_string());
        let task = &container["environment"];
        let task = task
            .as_array()
            .unwrap()
            .iter()
            .find(|v| v["name"] == "FLOODGATE_TASK");
        let task = task.unwrap()["value"].as_str().unwrap();
        // Each was answered, so that each has a token of its own.
        let same = calls
            .iter()
            .filter(|c| c["clientToken"] == call["clientToken"]);
        assert_eq!(same.count(), 1, "task {task}");
    }
}

#[tokio::test]
async fn without_a_fallback_what_finds_no_room_is_given_up_honestly() {
    let ecs = Ecs::start(|operation, input, call| match (operation, call) {
        ("ListTasks", _) => (200, json!({"taskArns": []})),
        ("RunTask", 0) => (200, started(input)),
        _ => (200, json!({"tasks": [], "failures": [{"reason": NO_ROOM}]})),
    });
    let (run, placed) = launched(&ecs, 2, false).await;
    assert_eq!(
        (&run["phase"], &run["placed"]),
        (&json!("waiting"), &json!(1))
    );
    assert_eq!(capacities(&placed), ["FARGATE_SPOT"]);
    let reason = placed["failed"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("in time") && reason.contains("Capacity is unavailable"),
        "{reason}"
    );
    assert!(
        ecs.inputs("RunTask")
            .iter()
            .all(|c| provider(c) == "FARGATE_SPOT")
    );
}

#[tokio::test]
async fn a_quota_that_is_met_after_all_is_waited_for() {
    let ecs = Ecs::start(|operation, input, call| match (operation, call) {
        ("ListTasks", _) => (200, json!({"taskArns": []})),
        ("RunTask", 0..3) => (
            400,
            json!({"__type": "ClientException",
                "message": "You've reached the limit on the number of vCPUs you can run concurrently"}),
        ),
        _ => (200, started(input)),
    });
    let (run, placed) = launched(&ecs, 1, false).await;
    assert_eq!((&run["placed"], &placed["failed"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn what_runs_is_summed_over_all_pages_by_capacity() {
    let ecs = Ecs::start(|operation, input, _| {
        assert_eq!(input["cluster"], "floodgate");
        match (operation, input["nextToken"].as_str()) {
            ("ListTasks", None) => (200, json!({"taskArns": ["a", "b"], "nextToken": "2"})),
            ("ListTasks", Some("2")) => (200, json!({"taskArns": [], "nextToken": "3"})),
            ("ListTasks", _) => (200, json!({"taskArns": ["c"]})),
            ("DescribeTasks", _) => {
                let task = |arn: &Value| match arn.as_str().unwrap() {
                    "a" => {
                        json!({"taskArn": "a", "cpu": "4096", "capacityProviderName": "FARGATE_SPOT"})
                    }
                    // Started by somebody with a launch type; its size was overridden.
                    "b" => {
                        json!({"taskArn": "b", "cpu": "256", "overrides": {"cpu": "2048"}, "launchType": "FARGATE"})
                    }
                    _ => json!({"taskArn": "c", "cpu": "512", "capacityProviderName": "FARGATE"}),
                };
                let tasks: Vec<Value> = input["tasks"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(task)
                    .collect();
                (200, json!({"tasks": tasks, "failures": []}))
            }
            other => panic!("{other:?}"),
        }
    });
    let used = ecs
        .tasks()
        .await
        .in_use("eu-west-1", "floodgate")
        .await
        .unwrap();
    assert_eq!((used.spot, used.on_demand), (4.0, 2.5));
}
