use super::machine::{Caller, exit_code, refused};
use super::settings::{Named, Place};
use super::start::{env_names, input};
use super::*;
use crate::args::EnvArgs;
use crate::env::Environment;
use crate::load::{LoadedTest, Origin, load_text};
use floodgate_control::plain_cause;
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::keys::definition_file;
use floodgate_store::local::LocalStore;
use machine::{Machine, Stand};
use std::cell::RefCell;
use std::collections::VecDeque;

pub(super) const ID: &str = "01M8080EYWF7AW9DV1PG8JMESS";

/// A state machine that answers as it was told, and remembers what it was asked to start.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) stands: RefCell<VecDeque<Option<Stand>>>,
    pub(super) started: RefCell<Vec<(String, String)>>,
}

impl Machine for Scripted {
    async fn start(&self, name: &str, input: &str) -> Result<String> {
        self.started.borrow_mut().push((name.into(), input.into()));
        Ok(format!("arn:aws:states:eu-west-1:1:execution:fg:{name}"))
    }

    async fn look(&self, _: &str) -> Result<Option<Stand>> {
        let next = self.stands.borrow_mut().pop_front();
        Ok(next.unwrap_or(Some(Stand::Running)))
    }
}

pub(super) fn stores(folder: &Path) -> Stores {
    let store = Arc::new(LocalStore::open(folder).unwrap());
    Stores {
        objects: store.clone(),
        records: store,
    }
}

const TEST: &str = r#"
version: 1
project: shop
test: checkout
target: "http://${env:HOST:-127.0.0.1:1}/"
http: { headers: { authorization: "Bearer ${secret:token}", plain: "$${env:NOT_THIS}" } }
scenarios:
  browse:
    executor: constant-arrival-rate
    rate: 5
    duration: 10s
    preAllocatedVUs: 2
    flow: [{ get: "/${env:PATH_OF_IT}" }]
"#;

pub(super) fn environment(values: &[&str], folder: &Path) -> Environment {
    let args = EnvArgs {
        env: values.iter().map(|&v| v.to_owned()).collect(),
        env_file: None,
    };
    Environment::new(&args, folder)
        .unwrap()
        .leaving_secrets_open()
}

pub(super) fn loaded(env: &Environment, set: &[(&str, &str)]) -> LoadedTest {
    let origin = Origin {
        name: "checkout.yaml".into(),
        base_dir: ".".into(),
    };
    let set: Vec<_> = set
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    load_text(TEST.as_bytes().to_vec(), origin, &set, env).unwrap()
}

#[tokio::test]
async fn a_run_is_started_from_an_uploaded_version_with_only_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(
        &["PATH_OF_IT=cart", "NOT_THIS=1", "AWS_SECRET_ACCESS_KEY=x"],
        folder.path(),
    );
    let test = loaded(&env, &[]);
    let package = test.package();
    let machine = Scripted::default();
    let request = StartRequest {
        id: ID,
        test: &package,
        env: &env,
        trigger: Trigger {
            kind: TriggerKind::Cli.into(),
            principal: Some("arn:aws:iam::1:user/ann".into()),
            ..Trigger::default()
        },
    };
    start(&request, &stores, &machine).await.unwrap();
    // A repetition after a lost answer finds everything there.
    start(&request, &stores, &machine).await.unwrap();
    let started = machine.started.take();
    assert_eq!(started[0], started[1]);
    assert_eq!(started[0].0, ID);
    let sent: serde_json::Value = serde_json::from_str(&started[0].1).unwrap();
    assert_eq!(sent["env"], serde_json::json!({"PATH_OF_IT": "cart"}));
    assert_eq!(sent["version"], package.version);
    assert_eq!(sent["id"], ID);
    assert_eq!(sent["trigger"]["principal"], "arn:aws:iam::1:user/ann");
    assert!(sent.get("parameters").is_none(), "{sent}");
    let key = definition_file("shop", "checkout", &package.version, "definition.json");
    let stored = stores.objects.get(&key).await.unwrap().unwrap();
    assert_eq!(stored, package.normalised);
    assert!(!String::from_utf8_lossy(&stored).contains("Bearer secret"));
    // A runner may write no records: prepare registers the version.
    assert_eq!(sent["register"], true);
    let newest = stores.records.latest_test("shop", "checkout").await;
    assert_eq!(newest.unwrap(), None);
}

fn succeeded(output: &serde_json::Value) -> Option<Stand> {
    Some(Stand::Succeeded(output.to_string()))
}

#[tokio::test]
async fn a_dry_run_asks_for_an_estimate_and_starts_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(&["PATH_OF_IT=cart"], folder.path());
    let test = loaded(&env, &[]);
    let package = test.package();
    let request = StartRequest {
        id: ID,
        test: &package,
        env: &env,
        trigger: Trigger::default(),
    };
    let ask = async |dry, answer| {
        let machine = Scripted::default();
        machine
            .stands
            .replace([Some(Stand::Running), answer].into());
        let asked = estimate(&request, dry, &stores, &machine, Duration::ZERO).await;
        let input: serde_json::Value = serde_json::from_str(&machine.started.take()[0].1).unwrap();
        assert_eq!(input["dry_run"], true);
        (asked, input["register"].clone())
    };
    let known = floodgate_records::estimate::Estimate {
        tasks: 3,
        ..Default::default()
    };
    let output = serde_json::to_value(&known).unwrap();
    for (dry, registers) in [(Dry::Estimated, false), (Dry::Registered, true)] {
        let (asked, register) = ask(dry, succeeded(&output)).await;
        assert_eq!(
            (asked.unwrap(), register),
            (known.clone(), registers.into())
        );
    }
    let key = definition_file("shop", "checkout", &package.version, "definition.json");
    assert!(stores.objects.get(&key).await.unwrap().is_some());
    // What a run would be refused for is the error, with its exit code.
    let mut refused = output;
    refused["refused"] =
        serde_json::json!({"error": "Floodgate.InvalidDefinition", "reason": "no flow"});
    let error = ask(Dry::Estimated, succeeded(&refused))
        .await
        .0
        .unwrap_err();
    assert_eq!(error.exit_code(), 104);
    assert!(error.to_string().contains("no flow"), "{error}");
    // A stack of an earlier version refuses the unknown key.
    let failed = Some(Stand::Failed {
        error: "Floodgate.InvalidDefinition".into(),
        cause: "input: unknown field `dry_run`".into(),
    });
    let error = ask(Dry::Estimated, failed).await.0.unwrap_err();
    assert!(
        error.to_string().contains("unknown field `dry_run`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_trial_with_overrides_does_not_become_what_schedules_run() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(&["PATH_OF_IT=cart"], folder.path());
    let test = loaded(&env, &[("scenarios.browse.rate", "50")]);
    let package = test.package();
    let request = StartRequest {
        id: ID,
        test: &package,
        env: &env,
        trigger: Trigger::default(),
    };
    start(&request, &stores, &Scripted::default())
        .await
        .unwrap();
    assert_eq!(input(&request)["register"], false);
    assert_eq!(input(&request)["version"], package.version);
}

#[test]
fn the_variables_of_a_definition_are_found_and_literals_are_not() {
    let text = br#"{"a": ["${env:ONE}x${env:TWO:-d}", {"b": "$${env:NO} ${secret:S} ${env:ONE}"}], "${env:KEY}": 1}"#;
    let names: Vec<_> = env_names(text).into_iter().collect();
    assert_eq!(names, ["ONE", "TWO"]);
    assert!(env_names(b"no json").is_empty());
}

#[test]
fn a_target_that_only_the_cloud_knows_is_no_fault_and_one_that_is_known_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let load = |target: &str, values: &[&str]| {
        let text = TEST.replace("http://${env:HOST:-127.0.0.1:1}/", target);
        let origin = Origin {
            name: "checkout.yaml".into(),
            base_dir: ".".into(),
        };
        let env = environment(values, folder.path());
        load_text(text.into_bytes(), origin, &[], &env)
    };
    let path = "PATH_OF_IT=cart";
    let loaded = load("${secret:where}", &[path]).unwrap();
    let open: Vec<_> = loaded
        .parsed()
        .open
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(open, ["${secret:token}", "${secret:where}"]);
    // The word does not reach the cloud.
    let stored = String::from_utf8_lossy(&loaded.package().normalised).into_owned();
    assert!(
        stored.contains("${secret:where}") && !stored.contains("invalid"),
        "{stored}"
    );
    let known = load("${secret:where}", &[path, "FLOODGATE_SECRET_WHERE=no URL"]);
    assert!(known.unwrap_err().to_string().contains("is not valid here"));
    load("${env:WHERE}", &[path, "WHERE=http://127.0.0.1:1"]).unwrap();
    // Variables are sent from here: one that is not set is a fault.
    let unset = load("${env:WHERE}", &[path]).unwrap_err().to_string();
    assert!(unset.contains("\"WHERE\" is not set"), "{unset}");
}

fn caller() -> Caller {
    Caller {
        arn: "arn:aws:sts::123456789012:assumed-role/ci/x".into(),
        account: "123456789012".into(),
        partition: "aws".into(),
    }
}

#[test]
fn a_stack_is_found_by_its_name_alone() {
    let named = Named {
        stack: Some("fg".into()),
        ..Named::default()
    };
    let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:fg".to_owned();
    let place = Place::of(named.clone(), None, "eu-west-1", &caller()).unwrap();
    assert_eq!(
        place,
        Place {
            bucket: "fg-123456789012-eu-west-1".into(),
            table: "fg".into(),
            state_machines: vec![machine.clone()],
        }
    );
    // Whether a project has one of its own only a try tells.
    let place = Place::of(named, Some("shop"), "eu-west-1", &caller()).unwrap();
    assert_eq!(place.state_machines, [format!("{machine}_shop"), machine]);
    let error = Place::of(Named::default(), None, "eu-west-1", &caller()).unwrap_err();
    assert_eq!(error.exit_code(), 104);
    assert!(error.to_string().contains("--stack"), "{error}");
}

#[test]
fn terraforms_outputs_are_read_as_they_are() {
    let text = r#"{
        "bucket": {"sensitive": false, "type": "string", "value": "b"}, "table": {"value": "t"},
        "region": {"value": "eu-north-1"}, "function_names": {"value": {"prepare": "p"}},
        "state_machine_arn": {"value": "arn:aws:states:eu-north-1:1:stateMachine:fg"}}"#;
    let terraform = Named::parse(text).unwrap();
    let plain = Named::parse(
        r#"{"bucket": "b", "table": "t", "region": "eu-north-1", "state_machine": "arn:aws:states:eu-north-1:1:stateMachine:fg"}"#,
    );
    assert_eq!(terraform, plain.unwrap());
    let place = Place::of(terraform, None, "eu-north-1", &caller()).unwrap();
    assert_eq!((place.bucket.as_str(), place.table.as_str()), ("b", "t"));
}

#[test]
fn each_project_has_the_state_machine_that_terraform_names() {
    let text = r#"{"stack": {"value": "fg"}, "state_machine_arns": {"value": {"*": "m", "shop": "m_shop"}}}"#;
    let of = |project| {
        let named = Named::parse(text).unwrap();
        let place = Place::of(named, project, "eu-north-1", &caller());
        place.unwrap().state_machines
    };
    assert_eq!(of(Some("shop")), ["m_shop"]);
    assert_eq!(of(Some("search")), ["m"]);
    assert_eq!(of(None), ["m", "m_shop"]);
}

#[test]
fn flags_come_before_the_file_and_another_stacks_file_is_not_heeded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("cloud.json"),
        r#"{"stack": "fg", "bucket": "b", "table": "t", "state_machine": "arn:aws:states:eu-north-1:1:stateMachine:fg"}"#,
    )
    .unwrap();
    let find = |args: &CloudArgs| Named::find(args, folder.path()).unwrap();
    let of_file = find(&CloudArgs::default());
    assert_eq!(of_file.region.as_deref(), Some("eu-north-1"));
    let flagged = find(&CloudArgs {
        bucket: Some("mine".into()),
        region: Some("us-east-1".into()),
        ..CloudArgs::default()
    });
    assert_eq!(flagged.bucket.as_deref(), Some("mine"));
    assert_eq!(flagged.region.as_deref(), Some("us-east-1"));
    assert_eq!(flagged.table.as_deref(), Some("t"));
    let other = find(&CloudArgs {
        stack: Some("other".into()),
        ..CloudArgs::default()
    });
    assert_eq!((other.bucket, other.table), (None, None));
    std::fs::write(folder.path().join("cloud.json"), "{").unwrap();
    let error = Named::find(&CloudArgs::default(), folder.path()).unwrap_err();
    assert!(error.to_string().contains("terraform output"), "{error}");
    assert_eq!(error.exit_code(), 104);
}

#[test]
fn refusals_name_the_remedy() {
    let texts: Vec<_> = [
        ("", "no providers in chain provided credentials", true),
        (
            "ExpiredTokenException",
            "expired (ExpiredTokenException)",
            false,
        ),
        (
            "AccessDeniedException",
            "not authorized (AccessDeniedException)",
            false,
        ),
        (
            "StateMachineDoesNotExist",
            "does not exist (StateMachineDoesNotExist)",
            false,
        ),
        (
            "ExecutionAlreadyExists",
            "exists (ExecutionAlreadyExists)",
            false,
        ),
        ("", "connection refused", true),
        (
            "ThrottlingException",
            "slow down (ThrottlingException)",
            false,
        ),
    ]
    .into_iter()
    .map(|(code, problem, lost)| {
        let error = refused("start it", code, problem.into(), lost);
        format!("{} {} {error}", error.exit_code(), error.is_temporary())
    })
    .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn errors_of_the_state_machine_have_the_exit_codes_of_statuses() {
    let codes = [
        "Floodgate.InvalidDefinition",
        "Floodgate.ThresholdsFailed",
        "Floodgate.Inconclusive",
        "Floodgate.Aborted",
        "ABORTED",
        "Floodgate.Errored",
        "Floodgate.Placement",
        "TIMED_OUT",
    ]
    .map(exit_code);
    assert_eq!(codes, [104, 99, 98, 105, 105, 97, 97, 97]);
    assert_eq!(
        plain_cause(r#"{"errorType": "Floodgate.InvalidDefinition", "errorMessage": "a fault"}"#),
        "a fault"
    );
    assert_eq!(plain_cause("said so"), "said so");
}
