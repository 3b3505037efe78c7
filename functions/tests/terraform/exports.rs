//! What the function that exports may do beside reading a run: only what a stack asks for, and only there.

use crate::stack::{ACCOUNT, STACK, read, secret_arn};
use floodgate_gateway::terraform::{World, render};
use floodgate_iam::{Caller, Decision, Policy, Request, decide};
use serde_json::json;

fn policies() -> Vec<Policy> {
    let role = &STACK.roles["fg-eu-west-1-export"];
    role.policies.values().map(read).collect()
}

fn allows(action: &str, resource: &str, keys: &[(&'static str, &str)]) -> bool {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/fg-eu-west-1-export");
    let mut request = Request::new(Caller::role(&role, "fg-export"), action, resource);
    for (key, value) in keys {
        request = request.with(key, value);
    }
    let outcome = decide(&policies(), &[], &request).expect("a decision");
    outcome.decision == Decision::Allowed
}

#[test]
fn metrics_go_to_the_namespaces_that_are_named() {
    let put = |namespace| {
        let key = [("cloudwatch:namespace", namespace)];
        allows("cloudwatch:PutMetricData", "*", &key)
    };
    assert!(put("Load/Shop"));
    for other in ["Load", "Load/Shop/2", "AWS/EC2", ""] {
        assert!(!put(other), "{other}");
    }
    assert!(!allows("cloudwatch:PutMetricData", "*", &[]));
}

#[test]
fn secrets_are_those_of_projects_and_of_the_stacks_own_sinks() {
    let reads = |arn: &str| allows("secretsmanager:GetSecretValue", arn, &[]);
    for owner in ["shop", "search", "rest", "stack"] {
        assert!(reads(&secret_arn(owner, "AbCdEf")), "{owner}");
    }
    assert!(!reads(&secret_arn("other", "AbCdEf")));
}

/// Lambda makes the interfaces in the function's name, and no call of its code may.
#[test]
fn the_code_itself_makes_no_network_interface() {
    let own = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:fg-export");
    for action in ["ec2:CreateNetworkInterface", "ec2:DescribeSubnets"] {
        assert!(allows(action, "*", &[]), "{action}");
        let of_code = [("lambda:SourceFunctionArn", own.as_str())];
        assert!(!allows(action, "*", &of_code), "{action}");
    }
}

#[test]
fn a_plain_stack_has_none_of_it() {
    let world = World {
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
    };
    let plain = render(&json!({ "name": "fg" }), &world).expect("a rendering");
    let policies = &plain.roles["fg-eu-west-1-export"].policies;
    let policies = serde_json::to_string(policies).expect("JSON");
    for absent in ["cloudwatch:", "secretsmanager:", "ec2:"] {
        assert!(!policies.contains(absent), "{absent}: {policies}");
    }
    let function = &plain.resources["aws_lambda_function"]["this[\"export\"]"];
    assert!(function["vpc_config"].as_array().is_none_or(Vec::is_empty));
    let of_stack = &STACK.resources["aws_lambda_function"]["this[\"export\"]"];
    assert_eq!(of_stack["vpc_config"][0]["subnet_ids"], json!(["subnet-1"]));
}
