//! A stack with everything that gives a permission, as Terraform renders its policies.

use floodgate_gateway::terraform::{Rendering, World, render};
use floodgate_iam::Policy;
use std::sync::LazyLock;

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn secret_arn(project: &str, letters: &str) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:{project}/token-{letters}")
}

/// Named `fg`, with the projects `shop`, `search` and all others, schedules, keys and tracing.
pub(crate) static STACK: LazyLock<Rendering> = LazyLock::new(|| {
    let secrets =
        |project: &str| serde_json::json!({ "secret_arns": [secret_arn(project, "??????")] });
    let nightly = |project: &str| serde_json::json!({ "expression": "rate(1 day)", "project": project, "test": "soak" });
    let inputs = serde_json::json!({
        "name": "fg",
        "projects": { "*": secrets("rest"), "search": secrets("search"), "shop": secrets("shop") },
        "kms_key_arn": format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/stack"),
        "secret_kms_key_arns": [format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/secrets")],
        "tracing": true,
        "exports": [{ "to": "influxdb://store:8086/db", "token_secret_arn": secret_arn("stack", "AbCdEf") }],
        "export_network": { "subnets": ["subnet-1"], "security_groups": ["sg-1"] },
        "cloudwatch_namespaces": ["Load/Shop"],
        "api": { "package": "" },
        "notifications": {
            "topic_arns": [format!("arn:aws:sns:eu-west-1:{ACCOUNT}:load-tests")],
            "event_bus_arns": [format!("arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default")],
            "ses_identity_arns": [format!("arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com")],
        },
        "schedules": { "a": nightly("shop"), "b": nightly("search"), "c": nightly("rest") },
    });
    let world = World {
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
    };
    render(&inputs, &world).unwrap_or_else(|error| panic!("{error:#}"))
});

pub(crate) fn read(document: &serde_json::Value) -> Policy {
    Policy::of_identity(document).unwrap_or_else(|error| panic!("{error}: {document}"))
}
