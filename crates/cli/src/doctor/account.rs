//! The account and the stack in it, one question after the other; what cannot be asked is said.

use super::permissions::{self, Place as Reach};
use super::quota::{self, Region};
use crate::args::CloudArgs;
use crate::args::DEFAULT_PROJECT;
use crate::cloud::{self, Caller, Place};
use crate::error::CliError;
use floodgate_core::cost::Capacity;
use floodgate_records::architecture::Architecture;
use floodgate_records::word::Words;
use floodgate_report::doctor::{Area, Check, State};
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::ecr::{self, ImageName};
use floodgate_store::s3::S3Store;
use floodgate_store::{ObjectStore as _, StoreError};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What the functions know of the stack.
const PLACEMENT: &str = "config/placement.json";
/// What there is to do without a stack.
const DEPLOY: &str = "floodgate deploy deploys one and writes .floodgate/cloud.json; for an existing stack pass --stack NAME, or \
     write that file with terraform output -json";

fn said(name: &str, found: impl Into<String>) -> Check {
    Check::ok(Area::Account, name, found)
}

fn blocked(name: &str, error: &CliError, remedy: &str) -> Check {
    said(name, error.to_string()).but(State::Blocked, remedy)
}

/// Why AWS does not say who is calling. Where no credentials were found, the SDK lists at length where it has looked.
fn no_credentials(error: &CliError) -> Check {
    const LOG_IN: &str =
        "log in (aws sso login), name a profile in AWS_PROFILE, or give the pipeline a role";
    let (problem, remedy) = match error {
        CliError::Cloud { source, remedy, .. } => (source.to_string(), remedy.as_str()),
        _ => (String::new(), LOG_IN),
    };
    let problem = problem.split("Attempted:").next().unwrap_or_default();
    let problem = problem.lines().next().unwrap_or_default().trim();
    let problem = if problem.is_empty() {
        error.to_string()
    } else {
        problem.to_owned()
    };
    let remedy = if remedy.is_empty() { LOG_IN } else { remedy };
    said("credentials", problem).but(State::Blocked, remedy)
}

/// What was not even asked, because of what is missing before it.
fn unasked(names: &[&str], without: &str) -> Vec<Check> {
    let names = names.iter();
    names
        .map(|name| {
            said(name, format!("not looked at without {without}"))
                .but(State::Unknown, "as above, then again")
        })
        .collect()
}

/// Looks at everything.
pub(crate) async fn account(args: &CloudArgs, project: Option<&str>, out: &Path) -> Vec<Check> {
    const AFTER: [&str; 5] = ["connection", "stack", "images", "quota", "permissions"];
    let named = match cloud::Named::find(args, out) {
        Ok(named) => named,
        Err(error) => return vec![blocked("connection", &error, DEPLOY)],
    };
    let config = cloud::config(named.region.as_deref()).await;
    let region = match cloud::region(&config) {
        Ok(region) => region,
        Err(error) => {
            let mut checks = vec![blocked(
                "region",
                &error,
                "pass --region, or set AWS_REGION",
            )];
            checks.extend(unasked(&["credentials"], "a region"));
            checks.extend(unasked(&AFTER, "a region"));
            return checks;
        }
    };
    let mut checks = vec![said("region", &region)];
    let caller = match cloud::caller(&config).await {
        Ok(caller) => caller,
        Err(error) => {
            checks.push(no_credentials(&error));
            checks.extend(unasked(&AFTER, "credentials"));
            return checks;
        }
    };
    checks.push(said("credentials", &caller.arn));
    let project = project.unwrap_or(DEFAULT_PROJECT);
    let place = match Place::of(named.clone(), Some(project), &region, &caller) {
        Ok(place) => place,
        Err(error) => {
            checks.push(blocked("connection", &error, DEPLOY));
            checks.extend(unasked(&AFTER[1..], "a stack"));
            return checks;
        }
    };
    let stack = named.stack.as_deref().unwrap_or("(by its parts)");
    checks.push(said(
        "connection",
        format!(
            "stack {stack}: bucket {}, table {}",
            place.bucket, place.table
        ),
    ));
    let (mut found, placement) = placement(&config, &place).await;
    checks.append(&mut found);
    let calls = Calls::new(&config);
    checks.extend(images(&calls, placement.as_ref()).await);
    checks.extend(quotas(&calls, placement.as_ref()).await);
    checks.push(permissions(&calls, &caller, &place, &region, project).await);
    checks
}

/// What the functions read, and which version wrote it.
async fn placement(config: &aws_config::SdkConfig, place: &Place) -> (Vec<Check>, Option<Value>) {
    let objects = S3Store::new(config, place.bucket.clone()).outside();
    let read = objects.get(PLACEMENT).await;
    let text = match read {
        Ok(Some(text)) => text,
        Ok(None) => {
            let what = format!("{PLACEMENT} in bucket {}", place.bucket);
            return (
                vec![unread(&StoreError::NotFound { what }, &place.bucket)],
                None,
            );
        }
        Err(error) => return (vec![unread(&error, &place.bucket)], None),
    };
    let placement: Value = match serde_json::from_slice(&text) {
        Ok(placement) => placement,
        Err(error) => {
            let check = said("stack", format!("{PLACEMENT} cannot be read: {error}"));
            return (
                vec![check.but(
                    State::Blocked,
                    "apply the Terraform module again, or floodgate deploy",
                )],
                None,
            );
        }
    };
    (
        vec![version(placement["version"].as_str())],
        Some(placement),
    )
}

fn unread(error: &StoreError, bucket: &str) -> Check {
    let check = said("stack", error.to_string());
    match error {
        StoreError::Denied { .. } => check.but(
            State::Unknown,
            format!("runners may not read {PLACEMENT} of bucket {bucket}: whoever deployed the stack can look"),
        ),
        StoreError::NotFound { .. } | StoreError::Refused { .. } => check.but(State::Blocked, DEPLOY),
        _ => check.but(State::Unknown, "check the network and AWS_ENDPOINT_URL, then again"),
    }
}

/// The stack's version against this program's.
fn version(found: Option<&str>) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    match found {
        Some(found) if found == own => said("stack", format!("version {found}, as this program")),
        Some(found) => said("stack", format!("version {found}, and this program is {own}")).but(
            State::Warning,
            "bring both to one version: floodgate deploy for the stack, a release of the stack's version for the program",
        ),
        None => said("stack", "does not say its version, and is older than this program")
            .but(State::Warning, "bring it up to date: floodgate deploy, or terraform apply with the modules of this version"),
    }
}

/// The processors that tasks of an engine may have, as Docker names them.
fn processors(placement: &Value, engine: &str) -> BTreeSet<&'static str> {
    let regions = placement["regions"].as_object().into_iter().flatten();
    let definitions =
        regions.filter_map(|(_, region)| region["task_definitions"][engine].as_object());
    let names = definitions.flat_map(|definitions| definitions.keys());
    names
        .map(|name| Architecture::parse(name).unwrap_or(Architecture::X86_64))
        .map(Architecture::container)
        .collect()
}

async fn images(calls: &Calls, placement: Option<&Value>) -> Vec<Check> {
    let Some(placement) = placement else {
        return unasked(&["images"], PLACEMENT);
    };
    let mut checks = Vec::new();
    for (engine, name) in placement["images"].as_object().into_iter().flatten() {
        let text = name.as_str().unwrap_or_default();
        let found = match ImageName::parse(text) {
            Some(name) => ecr::find(calls, &name)
                .await
                .map_err(|error| error.to_string()),
            None => Err("it lies in no repository of ECR".to_owned()),
        };
        let found = found.map(|image| image.map(|image| image.architectures));
        checks.push(image(engine, text, &processors(placement, engine), found));
    }
    let others = placement["regions"].as_object().into_iter().flatten();
    let others =
        others.flat_map(|(_, region)| region["task_definitions"].as_object().into_iter().flatten());
    let others = others.map(|(engine, _)| engine.as_str());
    let others = others.filter(|engine| placement["images"].get(engine).is_none());
    for engine in others.collect::<BTreeSet<_>>() {
        let name = format!("image of {engine}");
        let check = said(&name, "lies in no repository of the stack's");
        checks.push(check.but(
            State::Unknown,
            "check that its registry contains it and that the execution role may pull it",
        ));
    }
    checks
}

fn image(
    engine: &str,
    name: &str,
    wanted: &BTreeSet<&'static str>,
    found: Result<Option<Vec<String>>, String>,
) -> Check {
    let of = format!("image of {engine}");
    let push = format!(
        "push it with floodgate deploy --engine {engine} (beside the engines that there are), or with docker"
    );
    match found {
        Err(problem) => said(&of, format!("{name} cannot be looked for: {problem}")).but(
            State::Unknown,
            "ask for ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on it",
        ),
        Ok(None) => said(&of, format!("{name} is not in its repository")).but(State::Blocked, push),
        Ok(Some(has)) => {
            let lacks: Vec<_> = wanted
                .iter()
                .filter(|p| !has.iter().any(|found| found == *p))
                .copied()
                .collect();
            let found = said(&of, format!("{name} for {}", has.join(", ")));
            match lacks.is_empty() {
                true => found,
                false => found.but(
                    State::Blocked,
                    format!("tasks also have {}: {push}", lacks.join(", ")),
                ),
            }
        }
    }
}

async fn quotas(calls: &Calls, placement: Option<&Value>) -> Vec<Check> {
    let Some(placement) = placement else {
        return unasked(&["quota"], PLACEMENT);
    };
    let mut checks = Vec::new();
    for (name, region) in placement["regions"].as_object().into_iter().flatten() {
        if placement["launch_type"].is_string() {
            checks.push(said(
                &format!("quota in {name}"),
                "none: tasks do not run on Fargate",
            ));
            continue;
        }
        let region = Region {
            name: name.clone(),
            cluster: region["cluster"].as_str().unwrap_or_default().to_owned(),
            given: region["vcpu_quota"].as_f64(),
            capacity: Capacity::of_provider(
                placement["capacity"]["provider"]
                    .as_str()
                    .unwrap_or_default(),
            ),
        };
        checks.push(quota::check(calls, &region).await);
    }
    checks
}

async fn permissions(
    calls: &Calls,
    caller: &Caller,
    place: &Place,
    region: &str,
    project: &str,
) -> Check {
    let reach = Reach {
        partition: &caller.partition,
        account: &caller.account,
        region,
        bucket: &place.bucket,
        table: &place.table,
        machine: place.state_machines.first().map_or("", String::as_str),
        project,
    };
    permissions::check(calls, &caller.arn, &permissions::needs(&reach)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn missing_credentials_are_told_in_a_line() {
        let error = CliError::Cloud {
            what: "ask AWS who is calling".into(),
            source: "no providers in chain provided credentials. Attempted:\n  Environment: no\n"
                .into(),
            remedy: "log in".into(),
            temporary: false,
            code: 97,
        };
        let check = no_credentials(&error);
        assert_eq!(check.found, "no providers in chain provided credentials.");
        assert_eq!(
            (check.state, check.remedy.as_deref()),
            (State::Blocked, Some("log in"))
        );
    }

    #[test]
    fn versions_are_compared() {
        assert_eq!(version(Some(env!("CARGO_PKG_VERSION"))).state, State::Ok);
        assert_eq!(version(Some("0.0.1")).state, State::Warning);
        assert_eq!(version(None).state, State::Warning);
    }

    #[test]
    fn an_image_has_to_be_there_for_every_processor() {
        let placement = json!({"regions": {
            "a": {"task_definitions": {"http": {"arm64": "x", "x86_64": "y"}}},
            "b": {"task_definitions": {"http": {"x86_64": "y"}}},
        }});
        let wanted = processors(&placement, "http");
        assert_eq!(wanted, BTreeSet::from(["amd64", "arm64"]));
        let state = |found| image("http", "x:1", &wanted, found).state;
        let has = |names: &[&str]| Ok(Some(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(state(has(&["arm64", "amd64"])), State::Ok);
        assert_eq!(state(has(&["arm64"])), State::Blocked);
        assert_eq!(state(Ok(None)), State::Blocked);
        assert_eq!(state(Err("no".into())), State::Unknown);
    }

    #[test]
    fn what_runners_may_not_read_is_unknown() {
        let denied = StoreError::Denied {
            operation: "read",
            key: PLACEMENT.into(),
            code: "AccessDenied".into(),
            message: "no".into(),
            remedy: "ask",
        };
        assert_eq!(unread(&denied, "b").state, State::Unknown);
        let missing = StoreError::NotFound {
            what: PLACEMENT.into(),
        };
        assert_eq!(unread(&missing, "b").state, State::Blocked);
    }
}
