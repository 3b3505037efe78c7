//! What Terraform deploys against what the functions' code reads, calls and writes.

use crate::module::{self, Module, attribute, keys, label, object, read, string, walk};
use crate::policy;
use hcl::expr::Expression;
use std::collections::{BTreeMap, BTreeSet};

/// The functions by name, each with the environment variables that it alone reads; and those that all read.
struct Config {
    own: BTreeMap<String, BTreeSet<String>>,
    common: BTreeSet<String>,
}

/// From the source: the table of names, the table of own variables, and every variable that is named at all.
fn config() -> Config {
    let source = read("functions/src/config.rs");
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let arms = || {
        code.lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "))
    };
    let mut own: BTreeMap<String, BTreeSet<String>> = arms()
        .filter(|(_, value)| value.starts_with('"'))
        .map(|(_, value)| (literals(value).into_iter().collect(), BTreeSet::new()))
        .collect();
    for (variant, value) in arms().filter(|(_, value)| value.starts_with("&[\"")) {
        own.insert(
            variant.to_lowercase(),
            literals(value).into_iter().collect(),
        );
    }
    let mut common: BTreeSet<String> = literals(code)
        .into_iter()
        .filter(|literal| literal.starts_with("FLOODGATE_"))
        .collect();
    common.retain(|variable| !own.values().any(|variables| variables.contains(variable)));
    assert_eq!(own.len(), 8, "{:?}", own.keys());
    assert!(common.contains("FLOODGATE_FUNCTION"), "{common:?}");
    Config { own, common }
}

/// The texts between quotation marks, of code that escapes none.
fn literals(code: &str) -> Vec<String> {
    code.lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

fn set<T: Into<String>>(items: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    items.into_iter().map(Into::into).collect()
}

#[test]
fn every_function_of_the_code_is_deployed() {
    let module = Module::load("modules/functions");
    assert_eq!(
        set(keys(module.local("functions"))),
        set(config().own.into_keys())
    );
    assert_eq!(
        set(keys(module.local("statements"))),
        set(keys(module.local("functions")))
    );
}

#[test]
fn functions_get_the_variables_that_they_read() {
    let module = Module::load("modules/functions");
    let lambda = module.resource("aws_lambda_function", "this");
    let environment = lambda
        .body()
        .blocks()
        .find(|block| block.identifier() == "environment")
        .expect("an environment");
    // merge({ FLOODGATE_FUNCTION = each.key }, local.environment, …)
    let mut given = set(keys(module.local("environment")));
    walk(
        attribute(environment, "variables").expect("variables"),
        &mut |inner| given.extend(keys(inner)),
    );
    // The SDK reads it, where there is an emulator.
    assert!(given.remove("AWS_ENDPOINT_URL"));
    let config = config();
    assert_eq!(given, config.common);

    let own = object(module.local("environment_of"));
    for (function, variables) in config.own {
        let given = own
            .get(&function)
            .map(|variables| set(keys(variables)))
            .unwrap_or_default();
        assert_eq!(given, variables, "{function}");
    }
}

#[test]
fn every_placeholder_of_the_state_machine_is_given_and_no_more() {
    let module = Module::load("modules/orchestration");
    let definition = attribute(
        module.resource("aws_sfn_state_machine", "this"),
        "definition",
    )
    .expect("a definition")
    .clone();
    let Expression::FuncCall(call) = &definition else {
        panic!("the definition is not templatefile(…)");
    };
    let path = string(&call.args[0]).expect("a path");
    assert!(
        path.contains("../../../infra/state-machine.asl.json"),
        "{path}"
    );
    let template = read("infra/state-machine.asl.json");
    let placeholders = template
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name);
    assert_eq!(set(keys(&call.args[1])), set(placeholders));
    // The other thing that templatefile would take for its own.
    assert!(
        !template.contains("%{"),
        "a directive of Terraform's templates in the state machine"
    );
}

/// The time-outs of tasks that call functions, by function.
fn task_timeouts(states: &serde_json::Value, found: &mut Vec<(String, u64)>) {
    for state in states
        .as_object()
        .into_iter()
        .flat_map(|states| states.values())
    {
        if let Some(called) = state["Arguments"]["FunctionName"].as_str() {
            let function = called.trim_start_matches("${").trim_end_matches("_arn}");
            found.push((
                function.to_owned(),
                state["TimeoutSeconds"]
                    .as_u64()
                    .expect("a time-out in seconds"),
            ));
        }
        task_timeouts(&state["ItemProcessor"]["States"], found);
    }
}

/// Functions that others have called, which do not wait for them.
const CALLED_LATER: [&str; 2] = ["notify", "export"];

/// Else the state machine gives up on a call that is still at work, and starts it a second time beside the first.
#[test]
fn functions_end_before_the_state_machine_gives_up() {
    let machine: serde_json::Value =
        serde_json::from_str(&read("infra/state-machine.asl.json")).expect("JSON");
    let mut timeouts = Vec::new();
    task_timeouts(&machine["States"], &mut timeouts);
    let mut waited_for = set(config().own.into_keys());
    for function in CALLED_LATER {
        assert!(waited_for.remove(function), "{function}");
    }
    assert_eq!(
        set(timeouts.iter().map(|(function, _)| function.as_str())),
        waited_for
    );
    let module = Module::load("modules/functions");
    let functions = object(module.local("functions"));
    for (function, waits_s) in timeouts {
        let settings = object(functions[&function]);
        let Expression::Number(timeout_s) = settings["timeout_s"] else {
            panic!("{function}: no timeout_s");
        };
        let timeout_s = timeout_s.as_u64().expect("whole seconds");
        assert!(
            timeout_s < waits_s,
            "{function} may take {timeout_s} s, and its task waits {waits_s} s"
        );
    }
}

/// An action on a resource, and whether only under a condition.
type Grants = BTreeMap<(String, String), bool>;

/// What the code of each function calls, as functions/permissions.json says.
fn needed() -> BTreeMap<String, Grants> {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        let items = value.as_array().expect("a list").iter();
        items
            .map(|item| item.as_str().expect("a text").to_owned())
            .collect()
    };
    let file: serde_json::Value =
        serde_json::from_str(&read("functions/permissions.json")).expect("JSON");
    let functions = file["functions"]
        .as_object()
        .expect("an object by function")
        .iter();
    let by_function = functions.map(|(function, entries)| {
        let mut grants = Grants::new();
        for entry in entries.as_array().expect("a list") {
            for action in texts(&entry["actions"]) {
                for resource in texts(&entry["resources"]) {
                    grants.insert((action.clone(), resource), entry["condition"].is_string());
                }
            }
        }
        (function.clone(), grants)
    });
    by_function.collect()
}

/// A resource as functions/permissions.json names it.
fn placeholder(module: &Module, resource: &str) -> String {
    let local = |name: &str| string(module.local(name)).expect("a text");
    match resource {
        "var.bucket_arn" => return "${bucket}".into(),
        "var.table_arn" => return "${table}".into(),
        "var.state_machine_arns" => return "${state_machine}".into(),
        "var.execution_arns" => return "${state_machine_executions}".into(),
        "var.secret_arns" => return "${secrets}".into(),
        "var.task_role_arns" => return "${roles}".into(),
        "var.secret_kms_key_arns" => return "${secret_keys}".into(),
        "var.topic_arns" => return "${topics}".into(),
        "var.event_bus_arns" => return "${event_buses}".into(),
        "var.ses_identity_arns" => return "${ses_identities}".into(),
        _ if resource.ends_with(":function:${var.name}-notify") => return "${notify}".into(),
        "local.exported_secrets" => return "${secrets}".into(),
        _ if resource == local("export_function") => return "${export_function}".into(),
        _ if resource == local("tasks") => return "${task}".into(),
        _ if resource == local("repositories") => return "${repositories}".into(),
        _ if resource == local("generators") => return "${task_definition}".into(),
        _ => {}
    }
    let resource = resource.replace("${local.executions}", &local("executions"));
    resource
        .replace("${var.bucket_arn}", "${bucket}")
        .replace("${var.table_arn}", "${table}")
}

#[test]
fn functions_may_do_what_their_code_does_and_no_more() {
    let module = Module::load("modules/functions");
    let statements = object(module.local("statements"));
    let needed = needed();
    assert_eq!(
        set(needed.keys().map(String::as_str)),
        set(statements.keys().map(String::as_str))
    );
    for (function, needed) in needed {
        let mut granted = Grants::new();
        for statement in policy::statements(&module, statements[&function]) {
            assert_eq!(statement.effect, "Allow", "{function}");
            for action in &statement.actions {
                for resource in &statement.resources {
                    granted.insert(
                        (action.clone(), placeholder(&module, resource)),
                        statement.conditional,
                    );
                }
            }
        }
        let pairs = |grants: &Grants| grants.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(
            pairs(&granted),
            pairs(&needed),
            "{function}: granted on the left, needed on the right"
        );
        for (what, conditional) in needed {
            assert!(
                granted[&what] || !conditional,
                "{function}: {what:?} is granted without its condition"
            );
        }
    }
}

/// The fields of a struct in the source.
fn fields(source: &str, name: &str) -> BTreeSet<String> {
    let (_, rest) = source
        .split_once(&format!("pub struct {name} {{"))
        .unwrap_or_else(|| panic!("no struct {name}"));
    let (body, _) = rest.split_once("\n}").expect("a struct ends");
    set(body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "))
        .map(|(field, _)| field))
}

/// What a value is written as in `key = { for … : … => { … } }`: the object that has these keys, wherever it stands.
fn inner_keys(expression: &Expression, of: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(expression, &mut |inner| {
        if let Some(value) = object(inner).get(of) {
            let mut first = None;
            walk(value, &mut |inner| {
                first = first
                    .take()
                    .or_else(|| Some(keys(inner)).filter(|keys| !keys.is_empty()));
            });
            found.extend(first.unwrap_or_default());
        }
    });
    found
}

#[test]
fn placement_has_the_keys_that_functions_read() {
    let source = read("functions/src/stack_config.rs");
    let root = Module::load(".");
    let placement = root.local("placement");
    assert_eq!(set(keys(placement)), fields(&source, "StackConfig"));
    assert_eq!(
        inner_keys(placement, "regions"),
        fields(&source, "RegionConfig")
    );
    assert_eq!(
        inner_keys(placement, "capacity"),
        fields(&source, "Capacity")
    );

    // Projects are handed on as they were given.
    let projects = root
        .blocks("variable")
        .find(|block| label(block, 0) == "projects")
        .expect("the variable projects");
    let mut given = BTreeSet::new();
    walk(attribute(projects, "type").expect("a type"), &mut |inner| {
        given.extend(keys(inner));
    });
    assert_eq!(given, fields(&source, "ProjectRules"));

    // Networks come from two modules: those made, and those that were there before.
    let network = Module::load("modules/network");
    let made = network
        .blocks("output")
        .find(|block| label(block, 0) == "networks")
        .expect("the output networks");
    let mut given = BTreeSet::new();
    walk(attribute(made, "value").expect("a value"), &mut |inner| {
        given.extend(keys(inner));
    });
    assert_eq!(given, fields(&source, "Network"));
}

/// What is deployed without a word on its version is of this one.
#[test]
fn the_modules_version_is_that_of_the_programs() {
    let root = Module::load(".");
    let own = env!("CARGO_PKG_VERSION");
    assert_eq!(string(root.local("version")).as_deref(), Some(own));
    let engines = read("terraform/variables.tf");
    let tag = format!("tag           = optional(string, \"{own}\")");
    assert!(
        engines.contains(&tag),
        "the default of engines.tag is not {own}"
    );
}

#[test]
fn alarms_watch_metrics_that_functions_write() {
    let mut source = String::new();
    let folder = module::repository().join("functions/src");
    for entry in std::fs::read_dir(&folder).expect("functions/src") {
        let file = entry.expect("readable").path();
        if file.is_file() {
            source += &std::fs::read_to_string(&file).expect("readable");
        }
    }
    let module = Module::load("modules/alarms");
    let mut ours = 0;
    walk(module.local("alarms"), &mut |inner| {
        let alarm = object(inner);
        let text = |key: &str| alarm.get(key).and_then(|value| string(value));
        if text("namespace").as_deref() == Some("Floodgate") {
            ours += 1;
            let metric = text("metric").expect("a metric's name");
            for kind in ["count", "amount", "seconds"] {
                if source.contains(&format!(".{kind}(\"{metric}\"")) {
                    return;
                }
            }
            panic!("no function writes {metric}");
        }
    });
    assert!(ours >= 3, "{ours}");
}
