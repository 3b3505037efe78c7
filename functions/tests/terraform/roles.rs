//! What roles may do that are not the functions' own: as functions/permissions.json says, and no more.

use crate::module::read as file;
use crate::stack::{ACCOUNT, STACK};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An action on a resource, and whether only under a condition.
type Grants = BTreeMap<(String, String), BTreeSet<bool>>;

fn items(value: &Value) -> Vec<&str> {
    let items = value.as_array().expect("a list").iter();
    items.map(|item| item.as_str().expect("a text")).collect()
}

/// What the file says of some roles together.
fn needed(roles: &[&str]) -> Grants {
    let all: Value = serde_json::from_str(&file("functions/permissions.json")).expect("JSON");
    let mut grants = Grants::new();
    for role in roles {
        for entry in all["roles"][role].as_array().expect("a list") {
            for action in items(&entry["actions"]) {
                for resource in items(&entry["resources"]) {
                    let conditional = entry["condition"].is_string();
                    let key = (action.to_owned(), resource.to_owned());
                    grants.entry(key).or_default().insert(conditional);
                }
            }
        }
    }
    grants
}

/// A resource as the file names it, for a role of this project.
fn placeholder(resource: &str, project: &str) -> String {
    let named = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{rest}");
    for (start, name) in [
        (named("states", "stateMachine:"), "${state_machine}"),
        (named("states", "execution:"), "${state_machine_executions}"),
        (named("secretsmanager", "secret:"), "${secrets}"),
        (named("lambda", "function:fg-"), "${functions}"),
        (named("ecr", "repository/fg/generator-"), "${repository}"),
        (named("kms", "key/stack"), "${key}"),
        (named("kms", "key/secrets"), "${secret_key}"),
        (named("sqs", "fg-dead-letters"), "${dead_letters}"),
        (named("logs", "log-group:/floodgate/fg/"), "${log_group}:*"),
    ] {
        if resource.starts_with(&start) {
            return name.to_owned();
        }
    }
    resource
        .replace(&format!("arn:aws:s3:::fg-{ACCOUNT}-eu-west-1"), "${bucket}")
        .replace(&named("dynamodb", "table/fg"), "${table}")
        .replace(&format!("/projects/{project}/"), "/projects/${project}/")
        .replace(
            &format!("/notifications/{project}/"),
            "/notifications/${project}/",
        )
}

/// What policies allow, for a role of this project.
fn granted(policies: &[&Value], project: &str) -> Grants {
    let mut grants = Grants::new();
    for policy in policies {
        for statement in policy["Statement"].as_array().expect("statements") {
            if statement["Effect"] == "Deny" {
                continue;
            }
            for action in items(&statement["Action"]) {
                for resource in items(&statement["Resource"]) {
                    let key = (action.to_owned(), placeholder(resource, project));
                    let conditional = statement["Condition"].is_object();
                    grants.entry(key).or_default().insert(conditional);
                }
            }
        }
    }
    grants
}

fn of_role(name: &str) -> Vec<&'static Value> {
    STACK.roles[&format!("fg-eu-west-1-{name}")]
        .policies
        .values()
        .collect()
}

fn of_policy(name: &str) -> Vec<&'static Value> {
    vec![&STACK.managed[&format!("fg-eu-west-1-{name}")]]
}

#[track_caller]
fn same(who: &str, policies: &[&Value], project: &str, roles: &[&str]) {
    assert_eq!(
        granted(policies, project),
        needed(roles),
        "{who}: granted on the left, needed on the right"
    );
}

#[test]
fn generators_may_do_what_their_code_does_and_no_more() {
    same(
        "a generator",
        &of_role("generator_shop"),
        "shop",
        &["generator"],
    );
    same(
        "a generator of the rest",
        &of_role("generator"),
        "*",
        &["generator"],
    );
    same(
        "the agent",
        &of_role("generator-execution"),
        "",
        &["generator_execution"],
    );
}

#[test]
fn whoever_starts_runs_may_do_what_that_takes_and_no_more() {
    same("the runner", &of_policy("runner-shop"), "shop", &["runner"]);
    same("the admin", &of_policy("admin-shop"), "shop", &["admin"]);
    same("the operator", &of_policy("operator"), "", &["operator"]);
    same("the scheduler", &of_role("schedules"), "", &["schedules"]);
    same("the API", &of_role("api"), "", &["api", "every_function"]);
    same(
        "the state machine",
        &of_role("state-machine"),
        "",
        &["state_machine"],
    );
    // That of the rest has no bound on records but the denials, which the matrix of tenants holds.
    let mut rest = needed(&["runner"]);
    for ((action, _), conditional) in &mut rest {
        if action.starts_with("dynamodb:") {
            *conditional = [false].into();
        }
    }
    assert_eq!(granted(&of_policy("runner-all"), "*"), rest);
}

#[test]
fn lambda_may_log_in_a_functions_name() {
    for function in [
        "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
    ] {
        let role = &STACK.roles[&format!("fg-eu-west-1-{function}")];
        let roles: &[&str] = match function {
            "reap" | "notify" => &["every_function", "called_later_platform"],
            "export" => &["every_function", "called_later_platform", "export_platform"],
            _ => &["every_function"],
        };
        same(function, &[&role.policies["platform"]], "", roles);
        // Its own log group, and nobody else's.
        let text = role.policies["platform"].to_string();
        assert!(
            text.contains(&format!("log-group:/floodgate/fg/{function}:*")),
            "{text}"
        );
    }
}

/// Who may take a role: the one service that works in its name.
#[test]
fn roles_are_taken_by_the_service_that_they_are_for() {
    for (role, found) in &STACK.roles {
        let kind = role.trim_start_matches("fg-eu-west-1-");
        let service = match kind {
            "state-machine" => "states",
            "schedules" => "scheduler",
            kind if kind.starts_with("generator") => "ecs-tasks",
            _ => "lambda",
        };
        let statements = found.trust["Statement"].as_array().expect("statements");
        assert_eq!(statements.len(), 1, "{role}");
        let principal = &statements[0]["Principal"]["Service"];
        assert_eq!(*principal, format!("{service}.amazonaws.com"), "{role}");
        let account = &statements[0]["Condition"]["StringEquals"]["aws:SourceAccount"];
        assert_eq!(*account, ACCOUNT, "{role}");
    }
}
