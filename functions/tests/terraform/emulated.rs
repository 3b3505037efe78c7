//! What `infra/emulator/deploy.py` takes from the Terraform code instead of saying it again.

use crate::stack::{ACCOUNT, STACK};
use floodgate_gateway::terraform::{World, render};
use serde_json::{Value, json};

fn made(kind: &str, name: &str) -> &'static Value {
    let of_kind = STACK.resources.get(kind);
    of_kind
        .and_then(|named| named.get(name))
        .unwrap_or_else(|| panic!("{kind}.{name} is not rendered"))
}

#[test]
fn functions_have_their_settings() {
    for which in [
        "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
    ] {
        let function = made("aws_lambda_function", &format!("this[{which:?}]"));
        assert_eq!(function["function_name"], format!("fg-{which}"));
        assert_eq!(
            function["role"],
            format!("arn:aws:iam::{ACCOUNT}:role/fg-eu-west-1-{which}")
        );
        for argument in ["runtime", "handler", "memory_size", "architectures"] {
            assert!(!function[argument].is_null(), "{which}: {argument}");
        }
        let log = &function["logging_config"][0];
        assert_eq!(log["log_group"], format!("/floodgate/fg/{which}"));
        let variables = &function["environment"][0]["variables"];
        assert_eq!(variables["FLOODGATE_FUNCTION"], which);
        assert_eq!(variables["FLOODGATE_TABLE"], "fg");
        let machine = format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:fg");
        let expected = if which == "reap" {
            json!(machine)
        } else {
            Value::Null
        };
        assert_eq!(variables["FLOODGATE_STATE_MACHINE"], expected, "{which}");
        let calls_notify = ["prepare", "finish", "reap"].contains(&which);
        let expected = if calls_notify {
            json!("fg-notify")
        } else {
            Value::Null
        };
        assert_eq!(variables["FLOODGATE_NOTIFY"], expected, "{which}");
    }
}

#[test]
fn the_table_has_its_keys() {
    let table = made("aws_dynamodb_table", "this");
    assert_eq!(
        (&table["hash_key"], &table["range_key"]),
        (&json!("PK"), &json!("SK"))
    );
    let attributes = table["attribute"].as_array().map(Vec::len);
    assert_eq!(attributes, Some(6), "{table}");
    let second = &table["global_secondary_index"][1];
    assert_eq!(second["name"], "GSI2");
    assert_eq!(second["key_schema"][1]["attribute_name"], "GSI2SK");
}

#[test]
fn state_machines_are_whole() {
    for (project, name) in [
        ("*", "fg"),
        ("shop", "fg_shop"),
        ("*/scheduled", "fg__scheduled"),
        ("shop/scheduled", "fg_shop_scheduled"),
    ] {
        let machine = made("aws_sfn_state_machine", &format!("this[{project:?}]"));
        assert_eq!(machine["name"], name);
        let definition = machine["definition"].as_str().unwrap_or_default();
        let states: Value = serde_json::from_str(definition).unwrap_or_default();
        assert!(states["States"].is_object(), "{project}: {definition}");
        let reap = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:fg-reap");
        assert!(definition.contains(&reap), "{project}");
    }
}

#[test]
fn the_rule_calls_reap() {
    let rule = made("aws_cloudwatch_event_rule", "ended");
    let watched = rule["event_pattern"]["detail"]["stateMachineArn"].as_array();
    assert_eq!(watched.map(Vec::len), Some(6), "{rule}");
    let target = made("aws_cloudwatch_event_target", "reap");
    assert_eq!(target["rule"], rule["name"]);
    let reap = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:fg-reap");
    assert_eq!(target["arn"], reap);
    let input = &target["input_transformer"][0];
    assert_eq!(input["input_paths"]["arn"], "$.detail.executionArn");
}

/// Without a word on it a stack has nothing that notifies.
#[test]
fn notifications_are_asked_for() {
    let world = World {
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
    };
    let plain = render(&json!({ "name": "fg" }), &world).expect("a rendering");
    assert!(!plain.roles.contains_key("fg-eu-west-1-notify"));
    let rules = &plain.resources["aws_cloudwatch_event_rule"];
    assert_eq!(rules.keys().collect::<Vec<_>>(), ["ended"]);
    let finish = &plain.resources["aws_lambda_function"]["this[\"finish\"]"];
    assert_eq!(
        finish["environment"][0]["variables"]["FLOODGATE_NOTIFY"],
        ""
    );
    let policies = serde_json::to_string(&plain.roles["fg-eu-west-1-finish"].policies);
    assert!(!policies.expect("JSON").contains("function:fg-notify"));

    let rule = made("aws_cloudwatch_event_rule", "notify[\"0\"]");
    assert_eq!(rule["schedule_expression"], "rate(5 minutes)");
    let target = made("aws_cloudwatch_event_target", "notify[\"0\"]");
    assert_eq!(target["rule"], rule["name"]);
    assert_eq!(target["input"], json!({ "sweep": true }));
}
