//! Results of runs in the cloud, handed to stores on this machine.

use crate::support::*;
use floodgate_export::Reach;
use floodgate_functions::{Function, FunctionError, handle};
use floodgate_records::execution::Execution;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Requests that a run of [`finished`] has sent.
const REQUESTS: f64 = 2.0 * 10.0 * PER_SECOND as f64;

/// A stack whose projects are named, each with secrets of its own.
pub fn stack() -> Stack {
    let stack = Stack::new();
    let secrets = |project: &str| {
        json!([format!(
            "arn:aws:secretsmanager:eu-west-1:1:secret:{project}/*"
        )])
    };
    let mut place = placement();
    place["secret_arns"] = json!([]);
    for project in ["shop", "search"] {
        place["projects"][project] = json!({"principals": ["*"], "secret_arns": secrets(project)});
    }
    stack.place(&place);
    for secret in ["shop/influx", "search/influx", "stack/influx"] {
        stack.books.secrets.lock().unwrap().push(secret.into());
        let value = format!("value-of-{secret}");
        stack
            .books
            .values
            .lock()
            .unwrap()
            .insert(secret.into(), value);
    }
    stack
}

/// A run with these exports, prepared.
async fn prepared(stack: &Stack, exports: Value) -> std::result::Result<Value, FunctionError> {
    let mut test = definition(2, 10);
    test["export"] = exports;
    stack.prepare_of("shop", json!({"definition": test})).await
}

/// The same while it goes on, and what was called to be exported meanwhile.
async fn running(stack: &Stack, exports: Value) -> (Value, Vec<Value>) {
    let run = prepared(stack, exports).await.unwrap();
    let run = stack.call(Function::Launch, run).await.unwrap();
    stack.ready(0..2);
    let run = stack.call(Function::Watch, run).await.unwrap();
    assert_eq!(run["phase"], "running");
    (run, calls(stack))
}

/// Carries out a run whose tasks have written everything until there is nothing left but its verdict.
async fn carried_out(stack: &Stack, mut run: Value) -> Value {
    stack.pass(Duration::from_secs(15));
    stack.tasks.end_all();
    while run["phase"] != "ended" {
        run = stack.call(Function::Watch, run).await.unwrap();
    }
    let merge = json!({"op": "plan", "run": run});
    stack.call(Function::Merge, merge).await.unwrap()
}

/// A run of these exports until there is nothing left but its verdict.
pub async fn merged(stack: &Stack, exports: Value) -> Value {
    let (run, _) = running(stack, exports).await;
    for task in 0..2 {
        stack.measured(task, 10);
    }
    carried_out(stack, run).await
}

/// Tells the verdict: the calls of the function that exports.
async fn judged(stack: &Stack, run: Value) -> Vec<Value> {
    let run = stack.call(Function::Finish, run).await.unwrap();
    assert_eq!(run["status"], "passed", "{run}");
    calls(stack)
}

/// A run of these exports, from its beginning to its verdict.
async fn finished(stack: &Stack, exports: Value) -> Vec<Value> {
    let run = merged(stack, exports).await;
    judged(stack, run).await
}

/// What was called later, and is not known to have been done.
fn calls(stack: &Stack) -> Vec<Value> {
    let mut calls = stack.books.calls.lock().unwrap();
    let calls = std::mem::take(calls.as_mut().unwrap());
    let of_exports = calls
        .into_iter()
        .filter(|(function, _)| function == "floodgate-export");
    of_exports.map(|(_, payload)| payload).collect()
}

/// One try, by a function that is given so long.
async fn try_for(stack: &Stack, payload: &Value, stay: Duration) -> Result<Value, FunctionError> {
    let mut app = stack.app(Function::Export);
    app.stay = stay;
    handle(&app, payload.clone()).await
}

async fn export(stack: &Stack, payload: &Value) -> Result<Value, FunctionError> {
    try_for(stack, payload, Duration::from_secs(20)).await
}

fn warnings(execution: &Execution) -> Vec<&String> {
    let all = execution.warnings.iter();
    all.filter(|warning| warning.contains("export")).collect()
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    floodgate_engines::port::free(|port| std::net::TcpListener::bind(("127.0.0.1", port))).unwrap()
}

#[tokio::test]
async fn what_was_measured_arrives_whole_at_every_sink() {
    let (influx, statsd) = (Influx::start([]).await, Statsd::start().await);
    let stack = stack();
    let token = format!("influxdb://127.0.0.1:{}/load?org=shop", influx.port);
    let calls = finished(
        &stack,
        json!([
            {"to": token, "token": "${secret:shop/influx}"},
            format!("statsd+tcp://127.0.0.1:{}", statsd.port),
        ]),
    )
    .await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    for call in &calls {
        export(&stack, call).await.unwrap();
    }
    let metrics = &stack.objects.json(&stack.key("summary.json"))["metrics"];
    let summed = |metric: &str, value: &str| metrics[metric]["values"][value].as_f64().unwrap();
    assert_eq!(summed("http_reqs", "count"), REQUESTS);
    assert_eq!(influx.sum("http_reqs", "value"), REQUESTS);
    assert_eq!(
        influx.sum("iterations", "value"),
        summed("iterations", "count")
    );
    let times = "http_req_response_time";
    assert_eq!(influx.sum(times, "count"), summed(times, "count"));
    let mean = influx.sum(times, "sum") / influx.sum(times, "count");
    assert!((mean - summed(times, "avg")).abs() < 1e-9, "{mean}");
    let samples = influx.sum("http_req_failed", "count");
    assert_eq!(samples, REQUESTS);
    assert_eq!(statsd.counter("http_reqs", REQUESTS).await, REQUESTS);
    let sent = "authorization: token value-of-shop/influx";
    assert!(influx.heads().iter().all(|head| head.contains(sent)));
    let record = stack.record().await;
    assert!(warnings(&record).is_empty(), "{:?}", record.warnings);
    // What proves who writes is nowhere but with the sink.
    let log = format!("{:?} {record:?}", stack.log());
    assert!(!log.contains("value-of"), "{log}");
}

#[tokio::test]
async fn a_run_is_exported_while_it_goes_on_and_the_rest_after_its_verdict() {
    let (live, late) = (Influx::start([]).await, Influx::start([]).await);
    let url = |store: &Influx| format!("influxdb://127.0.0.1:{}/load", store.port);
    let (stack, a_second) = (stack(), 2.0 * PER_SECOND as f64);
    let exports = json!([{"to": url(&live), "live": true}, url(&late)]);
    let (run, begun) = running(&stack, exports).await;
    let [call] = &begun[..] else {
        panic!("{begun:?}")
    };
    assert_eq!(
        (&call["to"], &call["live"]),
        (&json!(url(&live)), &json!(true))
    );
    // One that has to end before the run does has itself called again.
    for task in 0..2 {
        stack.shard(task, 0, 0..4);
    }
    stack.shard(0, 1, 4..8);
    let short = Duration::from_millis(500);
    try_for(&stack, call, short).await.unwrap();
    assert_eq!(live.sum("http_reqs", "value"), 4.0 * a_second);
    assert_eq!(calls(&stack), begun);
    // It goes on where it stood, and another call leaves that to it.
    let following = async {
        try_for(&stack, call, Duration::from_secs(20))
            .await
            .unwrap();
    };
    let meanwhile = async {
        let marks = || stack.objects.below(&stack.key("exports/"));
        while !marks()[0].1.contains("\"left\":false") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut other = call.clone();
        other["call"] = json!("other");
        let said = export(&stack, &other).await.unwrap();
        assert_eq!(said["rows"], 0);
        stack.shard(1, 1, 4..8);
        while live.sum("http_reqs", "value") < 8.0 * a_second {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for task in 0..2 {
            stack.measured_in_parts(task, &[4, 8, 10]);
        }
        let run = carried_out(&stack, run).await;
        judged(&stack, run).await
    };
    let ((), calls) = tokio::join!(following, meanwhile);
    assert_eq!(calls.len(), 2, "{calls:?}");
    for call in &calls {
        export(&stack, call).await.unwrap();
    }
    for store in [&live, &late] {
        assert_eq!(store.sum("http_reqs", "value"), REQUESTS);
        let (all, different) = store.lines();
        assert_eq!(all, different, "nothing is sent twice");
    }
    assert_eq!(live.lines(), late.lines());
    assert!(warnings(&stack.record().await).is_empty());
}

#[tokio::test]
async fn the_export_after_a_verdict_goes_on_where_a_live_one_was_cut_off() {
    let port = free_port();
    let stack = stack();
    let url = format!("influxdb://127.0.0.1:{port}/load");
    let (run, begun) = running(&stack, json!([{"to": url, "live": true}])).await;
    for task in 0..2 {
        stack.shard(task, 0, 0..4);
    }
    // A store that is down meanwhile has nothing, and is tried on and on.
    let following = try_for(&stack, &begun[0], Duration::from_secs(20));
    let cut_off = tokio::time::timeout(Duration::from_secs(3), following).await;
    assert!(cut_off.is_err(), "{cut_off:?}");
    let marks = stack.objects.below(&stack.key("exports/"));
    let mark: Value = serde_json::from_str(&marks[0].1).unwrap();
    assert_eq!(
        (&mark["left"], &mark["until_ms"]),
        (&json!(false), &Value::Null)
    );

    let influx = Influx::at(port, []).await;
    for task in 0..2 {
        stack.measured_in_parts(task, &[4, 10]);
    }
    let run = carried_out(&stack, run).await;
    let calls = judged(&stack, run).await;
    let silent_from_ms = stack.clock.now_ms.load(Ordering::Relaxed);
    export(&stack, &calls[0]).await.unwrap();
    assert_eq!(influx.sum("http_reqs", "value"), REQUESTS);
    let waited_ms = stack.clock.now_ms.load(Ordering::Relaxed) - silent_from_ms;
    assert!(waited_ms <= 61_000, "{waited_ms}");
    assert!(warnings(&stack.record().await).is_empty());
}

#[tokio::test]
async fn a_sink_that_is_down_changes_no_verdict_and_gets_everything_later() {
    let port = free_port();
    let stack = stack();
    let url = format!("influxdb://127.0.0.1:{port}/load");
    let calls = finished(&stack, json!([url])).await;
    let before = stack.record().await;
    let error = try_for(&stack, &calls[0], Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    let record = stack.record().await;
    let warned = warnings(&record);
    assert_eq!(warned.len(), 1, "{:?}", record.warnings);
    let start = format!("export to {url} lacks ");
    let command = format!("again: floodgate export {ID} --cloud --to '{url}'");
    assert!(
        warned[0].starts_with(&start) && warned[0].ends_with(&command),
        "{warned:?}"
    );
    // Nothing but that was changed.
    let mut without = record.clone();
    without.warnings.retain(|warning| warning != warned[0]);
    assert_eq!(without, before);
    // It says the same once, however often it is tried.
    try_for(&stack, &calls[0], Duration::from_secs(1))
        .await
        .unwrap_err();
    assert_eq!(warnings(&stack.record().await).len(), 1);

    let influx = Influx::at(port, [Answers::Full, Answers::Taken]).await;
    export(&stack, &calls[0]).await.unwrap();
    assert_eq!(influx.sum("http_reqs", "value"), REQUESTS);
    assert_eq!(stack.record().await, before);
}

#[tokio::test]
async fn each_sample_arrives_once_however_often_it_is_asked_for() {
    let (influx, statsd) = (Influx::start([]).await, Statsd::start().await);
    let stack = stack();
    let urls = [
        format!("influxdb://127.0.0.1:{}/load", influx.port),
        format!("statsd+tcp://127.0.0.1:{}", statsd.port),
    ];
    let calls = finished(&stack, json!(urls)).await;
    // The same call twice, as Lambda may; and finish once more, which calls once more.
    let (run, again) = {
        for call in calls.iter().chain(&calls) {
            export(&stack, call).await.unwrap();
        }
        let run = json!({"project": "shop", "execution": ID, "engine": "http", "phase": "ended",
            "wait_s": 0, "tasks": 2, "placed": 2, "parts": 0, "status": null, "turn": 3});
        let run = stack.call(Function::Finish, run).await.unwrap();
        (run, self::calls(&stack))
    };
    assert_eq!((&run["status"], again.len()), (&json!("passed"), 2));
    for call in &again {
        export(&stack, call).await.unwrap();
    }
    let requests = influx.heads().len();
    assert_eq!(requests, 1, "the second and third call have sent nothing");
    assert_eq!(influx.sum("http_reqs", "value"), REQUESTS);
    assert_eq!(statsd.counter("http_reqs", REQUESTS).await, REQUESTS);
    assert!(warnings(&stack.record().await).is_empty());
}

#[tokio::test]
async fn what_counts_twice_is_not_sent_again_after_a_try_that_was_cut_off() {
    let statsd = Statsd::start().await;
    let stack = stack();
    let url = format!("statsd+tcp://127.0.0.1:{}", statsd.port);
    let calls = finished(&stack, json!([url])).await;
    // The first try is cut off before it says how it ended: only its beginning is noted.
    export(&stack, &calls[0]).await.unwrap();
    assert_eq!(statsd.counter("http_reqs", REQUESTS).await, REQUESTS);
    let marks = stack.objects.below(&stack.key("exports/"));
    let done = marks.iter().find(|(key, _)| key.ends_with(".done.json"));
    stack.objects.remove(&done.unwrap().0);
    // Another call leaves it to the first.
    let mut other = calls[0].clone();
    other["call"] = json!("other");
    export(&stack, &other).await.unwrap();
    assert!(warnings(&stack.record().await).is_empty());
    // Lambda's own retry says that nobody knows.
    export(&stack, &calls[0]).await.unwrap();
    let record = stack.record().await;
    let warned = warnings(&record);
    assert_eq!(warned.len(), 1, "{:?}", record.warnings);
    assert!(
        warned[0].contains("was cut off") && warned[0].contains("--cloud --to"),
        "{warned:?}"
    );
    assert_eq!(statsd.sum("http_reqs"), REQUESTS);
}

#[tokio::test]
async fn a_sink_that_hangs_holds_up_no_other_one() {
    let (hangs, takes) = (
        Influx::start(std::iter::repeat_n(Answers::Never, 100)).await,
        Influx::start([]).await,
    );
    let stack = stack();
    let urls = [hangs.port, takes.port].map(|port| format!("influxdb://127.0.0.1:{port}/load"));
    let calls = finished(&stack, json!(urls)).await;
    let (hung, taken) = tokio::join!(
        try_for(&stack, &calls[0], Duration::from_secs(1)),
        export(&stack, &calls[1])
    );
    assert!(
        hung.unwrap_err()
            .to_string()
            .contains("did not take a batch")
    );
    taken.unwrap();
    assert_eq!(takes.sum("http_reqs", "value"), REQUESTS);
    assert_eq!(hangs.sum("http_reqs", "value"), 0.0);
    let record = stack.record().await;
    let warned = warnings(&record);
    assert_eq!(warned.len(), 1, "{:?}", record.warnings);
    assert!(warned[0].contains(&urls[0]), "{warned:?}");
}

#[tokio::test]
async fn a_project_exports_with_its_own_secrets_alone() {
    let influx = Influx::start([]).await;
    let url = format!("influxdb://127.0.0.1:{}/load", influx.port);
    let with = |secret: &str| json!([{"to": url, "token": format!("${{secret:{secret}}}")}]);
    let stack = stack();
    let refused = prepared(&stack, with("search/influx")).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("not a secret of project \"shop\""),
        "{refused}"
    );

    // Whoever may write definitions changes the one of a run that was let in.
    let stack = self::stack();
    let other = format!("{url}?testid=other");
    let mut exports = with("shop/influx");
    exports.as_array_mut().unwrap().push(json!(other));
    let calls = finished(&stack, exports).await;
    let version = stack.record().await.version;
    let key = format!("projects/shop/definitions/checkout/{version}/definition.json");
    let mut definition = stack.objects.json(&key);
    definition["export"][0]["token"] = json!("${secret:search/influx}");
    stack.objects.set(&key, definition.to_string());
    let error = export(&stack, &calls[0]).await.unwrap_err().to_string();
    assert!(
        error.contains("not a secret of project \"shop\""),
        "{error}"
    );
    assert!(influx.heads().is_empty());
    let record = stack.record().await;
    let warned = warnings(&record);
    assert!(warned[0].contains("not a secret of project"), "{warned:?}");
    // That is nothing to the other sink.
    export(&stack, &calls[1]).await.unwrap();
    assert_eq!(influx.sum("http_reqs", "value"), REQUESTS);
    assert!(!format!("{record:?} {:?}", stack.log()).contains("value-of"));
}

#[tokio::test]
async fn a_sink_of_the_stack_gets_the_runs_of_its_projects() {
    let (all, ours, theirs) = (
        Influx::start([]).await,
        Influx::start([]).await,
        Influx::start([]).await,
    );
    let url = |store: &Influx| format!("influxdb://127.0.0.1:{}/load?org=all", store.port);
    let stack = stack();
    let mut place = stack.objects.json("config/placement.json");
    place["exports"] = json!([
        {"to": url(&all), "token_secret_arn": "stack/influx", "password_secret_arn": null, "projects": null},
        {"to": url(&ours), "projects": ["shop"]},
        {"to": url(&theirs), "projects": ["search"]},
    ]);
    stack.place(&place);
    // A definition that names a sink of the stack's gets no more of it than others.
    let own = json!([{"to": url(&all), "token": "${secret:shop/influx}"}]);
    let calls = finished(&stack, own).await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    for call in &calls {
        export(&stack, call).await.unwrap();
    }
    assert_eq!(all.sum("http_reqs", "value"), REQUESTS);
    assert_eq!(ours.sum("http_reqs", "value"), REQUESTS);
    assert!(theirs.heads().is_empty());
    let sent = "authorization: token value-of-stack/influx";
    assert!(all.heads().iter().all(|head| head.contains(sent)));
    assert!(!ours.heads()[0].contains("authorization"));
}

#[tokio::test]
async fn the_function_does_not_export_to_itself() {
    let influx = Influx::start([]).await;
    let stack = stack();
    let url = format!("influxdb://127.0.0.1:{}/load", influx.port);
    let calls = finished(&stack, json!([url])).await;
    let mut app = stack.app(Function::Export);
    app.reach = Reach::Elsewhere;
    let error = handle(&app, calls[0].clone()).await.unwrap_err();
    assert!(error.to_string().contains("other machines"), "{error}");
    assert!(influx.heads().is_empty());
}

#[tokio::test]
async fn a_call_that_lambda_does_not_take_is_told_and_nothing_else_changes() {
    let stack = stack();
    let url = "influxdb://store.example:8086/load";
    let run = merged(&stack, json!([url])).await;
    *stack.books.calls.lock().unwrap() = None;
    let run = stack.call(Function::Finish, run).await.unwrap();
    assert_eq!(run["status"], "passed", "{run}");
    let record = stack.record().await;
    let warned = warnings(&record);
    assert_eq!(warned.len(), 1, "{:?}", record.warnings);
    assert!(
        warned[0].contains("was not begun") && warned[0].contains(&format!("--cloud --to '{url}'")),
        "{warned:?}"
    );
}

#[tokio::test]
async fn a_run_that_measured_nothing_exports_nothing() {
    let stack = stack();
    let url = format!("influxdb://127.0.0.1:{}/load", free_port());
    let calls = finished(&stack, json!([url])).await;
    stack.objects.remove(&stack.key("merged.parquet"));
    export(&stack, &calls[0]).await.unwrap();
    assert!(warnings(&stack.record().await).is_empty());
    // Nor is anything exported to where nobody wanted it.
    let mut elsewhere = calls[0].clone();
    elsewhere["to"] = json!("influxdb://evil.example/load");
    let error = export(&stack, &elsewhere).await.unwrap_err().to_string();
    assert!(
        error.contains("neither the definition nor the stack"),
        "{error}"
    );
}

#[tokio::test]
async fn exports_that_the_cloud_does_not_have_are_refused_before_anything_starts() {
    for (to, part) in [
        (
            "file:run.csv",
            "export[1]: file:run.csv: a run in the cloud has no disk",
        ),
        ("metrics://0.0.0.0:9464", "has no port to be asked at"),
        (
            "postgres://h/db?sslrootcert=/etc/ca.pem",
            "sslrootcert names a file",
        ),
        (
            "influxdb://h/db?points=none",
            "export[1]: influxdb://h/db?points=none",
        ),
        ("influxdb://h/db?interval=3s", "interval=3s"),
        ("statsd://h?tag=1", "no option \"tag\""),
        (
            "cloudwatch://Load",
            "does not write to the namespace \"Load\" (to none); add it to cloudwatch_namespaces",
        ),
    ] {
        let exports = json!(["influxdb://h/db", to]);
        let error = prepared(&stack(), exports).await.unwrap_err();
        assert_eq!(error.name(), "Floodgate.InvalidDefinition", "{error}");
        assert!(error.to_string().contains(part), "{to}: {error}");
    }
    let live = json!([{"to": "statsd://h", "live": true}]);
    let error = prepared(&stack(), live).await.unwrap_err().to_string();
    assert!(
        error.contains("export[0]: statsd://h: live: this sink adds up"),
        "{error}"
    );
    let stack = stack();
    let mut place = stack.objects.json("config/placement.json");
    place["cloudwatch_namespaces"] = json!(["Load"]);
    stack.place(&place);
    prepared(&stack, json!(["cloudwatch://Load?resolution=1"]))
        .await
        .unwrap();
}
