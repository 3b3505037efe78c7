//! What came of the permissions in a run of the cloud tests: what was refused, and what nobody needed.

use super::gateway::Gateway;
use crate::repo;
use crate::steps::Steps;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The list of permissions that no test can use, each with its reason.
const EXPLAINED: &str = "infra/emulator/unused-permissions.json";

/// A permission of a kind of role (`watch`, `generator`, `runner`) in any stack, for any project: role, action, resource.
type Permission = (String, String, String);

/// Notes what was refused without a test that expects it as a failure; after a `complete` run also permissions that nothing has used.
pub(crate) fn account(steps: &mut Steps, gateway: &Gateway, complete: bool) {
    let name = "cloud: permissions";
    let outcome = gateway.report().and_then(|report| {
        refusals(&report)?;
        let used = by_kind(&report);
        let kept = keep(&used)?;
        eprintln!(
            "\n── {name}: {} calls judged, {} refused as the tests want it; uses of each permission: {kept}",
            report["calls"], report["expected"]
        );
        if complete { unused(&used, &explained()?) } else { Ok(()) }
    });
    match outcome {
        Ok(()) => steps.note(name, Duration::ZERO),
        Err(why) => {
            eprintln!("\n── {name}: {why:#}");
            steps.fail(name, first_line(&format!("{why:#}")));
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn refusals(report: &Value) -> Result<()> {
    let mut all = Vec::new();
    for (kind, what) in [
        ("refused", "refused"),
        ("unknown", "not known to the gateway"),
    ] {
        let entries = report[kind].as_object().context("the gateway's report")?;
        all.extend(
            entries
                .iter()
                .map(|(text, times)| format!("{what}, {times} times: {text}")),
        );
    }
    ensure!(all.is_empty(), "calls were refused\n  {}", all.join("\n  "));
    Ok(())
}

/// How often each permission was used, all stacks and projects together.
fn by_kind(report: &Value) -> BTreeMap<Permission, u64> {
    let all: Vec<(&str, &str, &str, u64)> = report["permissions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            let times = entry["times"].as_u64().unwrap_or_default();
            (text("role"), text("action"), text("resource"), times)
        })
        .collect();
    let projects: BTreeSet<&str> = all.iter().filter_map(|(role, ..)| project(role)).collect();
    let mut sums = BTreeMap::new();
    for (role, action, resource, times) in all {
        // Stacks whose roles lack something on purpose.
        let Some((stack, kind)) = role
            .split_once(REGION)
            .filter(|(stack, _)| !stack.starts_with("refused-"))
        else {
            continue;
        };
        let kind = kind.split('_').next().unwrap_or_default();
        let kind = personal(kind).map_or(kind, |(person, _)| person);
        let resource = general(resource, stack, &projects);
        *sums
            .entry((kind.to_owned(), action.to_owned(), resource))
            .or_default() += times;
    }
    sums
}

/// Between the name of a stack and the kind of a role, in the name of a role.
const REGION: &str = "-eu-west-1-";

/// Roles of people that each project has: `runner-shop`, and `runner-all` for all of them.
const PEOPLE: [&str; 2] = ["runner", "admin"];

/// Which person's role it is, and the project.
fn personal(kind: &str) -> Option<(&str, &str)> {
    let named = kind.split_once('-');
    named.filter(|(person, _)| PEOPLE.contains(person))
}

/// The project of a role, if it is of one that is named.
fn project(role: &str) -> Option<&str> {
    let (_, kind) = role.split_once(REGION)?;
    match personal(kind) {
        Some((_, project)) => Some(project).filter(|project| *project != "all"),
        None => kind.strip_prefix("generator_"),
    }
}

/// A resource without the names of stack and project.
fn general(resource: &str, stack: &str, projects: &BTreeSet<&str>) -> String {
    let mut text = words_replaced(resource, stack, "${stack}");
    for project in projects {
        text = words_replaced(&text, &format!("_{project}"), "");
        text = text.replace(&format!("/{project}/"), "/*/");
    }
    let text = words_replaced(&text, "_scheduled", "");
    // The first part of log groups is the product's name, whatever the stack's.
    text.replace(
        "log-group:/${stack}/${stack}/",
        "log-group:/floodgate/${stack}/",
    )
}

/// Replaces what stands between characters that no name goes on with.
fn words_replaced(text: &str, what: &str, with: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(what) {
        let (before, after) = (&rest[..at], &rest[at + what.len()..]);
        let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let inside = goes_on(after.chars().next())
            || !what.starts_with('_') && goes_on(before.chars().last());
        replaced.push_str(before);
        replaced.push_str(if inside { what } else { with });
        rest = after;
    }
    replaced + rest
}

/// What the list of reasons says: of which permissions, and why.
fn explained() -> Result<Vec<Reason>> {
    let file = repo::root().join(EXPLAINED);
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {EXPLAINED}"))?;
    reasons(&serde_json::from_str(&text).with_context(|| EXPLAINED.to_owned())?)
}

/// Why some permissions of a role are there although no test uses them.
struct Reason {
    role: String,
    actions: Vec<String>,
    /// End of the resource; any without.
    resource: String,
    /// Whether it depends on how quick something was, so that a test may use it all the same.
    sometimes: bool,
}

fn reasons(list: &Value) -> Result<Vec<Reason>> {
    let entries = list.as_array().context("a list")?.iter();
    entries
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            ensure!(!text("why").is_empty(), "{EXPLAINED}: {entry} has no why");
            let actions = entry["actions"].as_array().context("actions")?.iter();
            Ok(Reason {
                role: text("role"),
                actions: actions
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
                resource: text("resource"),
                sometimes: entry["sometimes"] == true,
            })
        })
        .collect()
}

impl Reason {
    fn is_of(&self, (role, action, resource): &Permission) -> bool {
        self.role == *role && self.actions.contains(action) && resource.ends_with(&self.resource)
    }
}

/// Fails for permissions that are neither used nor explained, and for explanations of what is used or not granted.
fn unused(used: &BTreeMap<Permission, u64>, reasons: &[Reason]) -> Result<()> {
    let mut faults = Vec::new();
    for (permission, times) in used {
        let (role, action, resource) = permission;
        if *times == 0 && !reasons.iter().any(|reason| reason.is_of(permission)) {
            faults.push(format!("{role} may {action} on {resource}, and no test needs it: remove it, or explain it in {EXPLAINED}"));
        }
    }
    for reason in reasons {
        for action in &reason.actions {
            let of = |permission: &&Permission| permission.1 == *action && reason.is_of(permission);
            let found: Vec<&Permission> = used.keys().filter(of).collect();
            let role = &reason.role;
            if found.is_empty() {
                faults.push(format!(
                    "{EXPLAINED} explains {action} of {role}, which nothing grants"
                ));
            } else if !reason.sometimes && found.iter().all(|permission| used[*permission] > 0) {
                faults.push(format!(
                    "{EXPLAINED} explains {action} of {role}, which the tests use"
                ));
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "{} permissions are not accounted for\n  {}",
        faults.len(),
        faults.join("\n  ")
    )
}

/// Writes the counts where whoever looks into them finds them.
fn keep(used: &BTreeMap<Permission, u64>) -> Result<String> {
    let file = repo::target_dir()?.join("permissions.txt");
    let lines = used.iter().map(|((role, action, resource), times)| {
        format!("{times:>6} {role} {action} {resource}\n")
    });
    std::fs::write(&file, lines.collect::<String>())
        .with_context(|| format!("write {}", file.display()))?;
    Ok(file.display().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(role: &str, action: &str, resource: &str, times: u64) -> Value {
        json!({"role": role, "sid": "x", "action": action, "resource": resource, "times": times})
    }

    fn report() -> Value {
        let objects = |stack: &str, project: &str| {
            format!(
                "arn:aws:s3:::{stack}-000000000000-eu-west-1/projects/{project}/executions/*/plan.json"
            )
        };
        json!({"calls": 9, "refused": {}, "unknown": {}, "expected": 0, "permissions": [
            entry("floodgate-eu-west-1-generator", "s3:GetObject", &objects("floodgate", "*"), 0),
            entry("parts-eu-west-1-generator_cloud", "s3:GetObject", &objects("parts", "cloud"), 3),
            entry("parts-eu-west-1-runner-cloud", "states:StartExecution", "arn:aws:states:eu-west-1:0:stateMachine:parts_cloud", 0),
            entry("parts-eu-west-1-runner-all", "states:StartExecution", "arn:aws:states:eu-west-1:0:stateMachine:parts", 1),
            entry("parts-eu-west-1-admin-cloud", "s3:PutObject", &objects("parts", "cloud"), 2),
            entry("parts-eu-west-1-admin-all", "s3:PutObject", &objects("parts", "*"), 0),
            entry("parts-eu-west-1-reap", "states:StartExecution", "arn:aws:states:eu-west-1:0:stateMachine:parts_cloud_scheduled", 0),
            entry("floodgate-eu-west-1-watch", "logs:PutLogEvents", "arn:aws:logs:eu-west-1:0:log-group:/floodgate/floodgate/watch:*", 0),
            entry("parts-eu-west-1-watch", "logs:PutLogEvents", "arn:aws:logs:eu-west-1:0:log-group:/floodgate/parts/watch:*", 2),
            entry("refused-x-eu-west-1-reap", "s3:PutObject", "*", 0),
        ]})
    }

    #[test]
    fn stacks_and_projects_are_taken_together() {
        let used = by_kind(&report());
        let of = |role: &str, action: &str| -> Vec<(&str, u64)> {
            let own = used
                .iter()
                .filter(|((r, a, _), _)| r == role && a == action);
            own.map(|((_, _, resource), times)| (resource.as_str(), *times))
                .collect()
        };
        let plan = "arn:aws:s3:::${stack}-000000000000-eu-west-1/projects/*/executions/*/plan.json";
        assert_eq!(of("generator", "s3:GetObject"), [(plan, 3)]);
        let machine = "arn:aws:states:eu-west-1:0:stateMachine:${stack}";
        assert_eq!(of("runner", "states:StartExecution"), [(machine, 1)]);
        assert_eq!(of("reap", "states:StartExecution"), [(machine, 0)]);
        assert_eq!(of("admin", "s3:PutObject"), [(plan, 2)]);
        let logs = "arn:aws:logs:eu-west-1:0:log-group:/floodgate/${stack}/watch:*";
        assert_eq!(of("watch", "logs:PutLogEvents"), [(logs, 2)]);
        assert_eq!(used.len(), 5, "{used:?}");
        assert_eq!(
            words_replaced("arn:parts:counterparts/parts-1", "parts", "x"),
            "arn:x:counterparts/x-1"
        );
    }

    #[test]
    fn what_nobody_uses_is_explained_or_a_fault_and_so_is_an_old_explanation() {
        let used = by_kind(&report());
        let says = |list: Value| {
            unused(&used, &reasons(&list).unwrap())
                .err()
                .map(|why| why.to_string())
        };
        let reap = |actions: Value| json!({"role": "reap", "actions": actions, "why": "it has to"});
        assert!(
            says(json!([]))
                .unwrap()
                .contains("reap may states:StartExecution on arn:")
        );
        assert_eq!(says(json!([reap(json!(["states:StartExecution"]))])), None);
        let why = says(json!([reap(json!([
            "states:StartExecution",
            "s3:GetObject"
        ]))]))
        .unwrap();
        assert!(
            why.contains("s3:GetObject of reap, which nothing grants"),
            "{why}"
        );
        let sometimes = json!({"role": "generator", "actions": ["s3:GetObject"], "sometimes": true, "why": "x"});
        assert_eq!(
            says(json!([reap(json!(["states:StartExecution"])), sometimes])),
            None
        );
        let generator = json!({"role": "generator", "actions": ["s3:GetObject"], "why": "x"});
        let why = says(json!([reap(json!(["states:StartExecution"])), generator])).unwrap();
        assert!(why.contains("which the tests use"), "{why}");
        assert!(reasons(&json!([{"role": "reap", "actions": []}])).is_err());
    }

    #[test]
    fn a_refusal_that_no_test_expects_is_a_fault() {
        let mut report = report();
        refusals(&report).unwrap();
        report["refused"] = json!({"User: watch is not authorized": 2});
        report["unknown"] = json!({"ecs: CreateCluster by watch": 1});
        let why = refusals(&report).unwrap_err().to_string();
        assert!(
            why.contains("refused, 2 times: User: watch")
                && why.contains("not known to the gateway, 1 times"),
            "{why}"
        );
    }
}
