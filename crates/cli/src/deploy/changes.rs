//! What Terraform's plan would do, from `terraform show -json PLAN`. Nothing is looked at here.

use serde_json::Value;
use std::collections::BTreeMap;

/// What holds what nobody can make again.
const KEEPERS: [&str; 2] = ["aws_s3_bucket", "aws_dynamodb_table"];

/// A plan in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) add: usize,
    pub(super) change: usize,
    pub(super) remove: usize,
    /// Addresses of what holds results and would be removed, or removed and made anew.
    pub(super) lost: Vec<String>,
    /// How many there will be of each type.
    pub(super) after: BTreeMap<String, usize>,
}

impl Changes {
    /// From the plan as JSON (<https://developer.hashicorp.com/terraform/internals/json-format#plan-representation>).
    pub(super) fn of(plan: &Value) -> Self {
        let mut changes = Self::default();
        let listed = plan["resource_changes"].as_array().into_iter().flatten();
        for resource in listed.filter(|resource| resource["mode"] == "managed") {
            let actions = resource["change"]["actions"].as_array();
            let does =
                |action: &str| actions.is_some_and(|all| all.iter().any(|found| found == action));
            changes.add += usize::from(does("create"));
            changes.change += usize::from(does("update"));
            changes.remove += usize::from(does("delete"));
            let kind = resource["type"].as_str().unwrap_or_default();
            if does("delete") && KEEPERS.contains(&kind) {
                let address = resource["address"].as_str().unwrap_or(kind);
                changes.lost.push(address.to_owned());
            }
            if !does("delete") || does("create") {
                *changes.after.entry(kind.to_owned()).or_default() += 1;
            }
        }
        changes
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.all() == 0
    }

    /// How many steps Terraform will take.
    pub(super) fn all(&self) -> usize {
        self.add + self.change + self.remove
    }

    /// `98 to add`, `2 to change, 1 to remove`.
    pub(super) fn shown(&self) -> String {
        let parts = [
            (self.add, "to add"),
            (self.change, "to change"),
            (self.remove, "to remove"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match parts.is_empty() {
            true => "nothing to change".to_owned(),
            false => parts.join(", "),
        }
    }
}

/// What a line of `terraform apply -json` tells (<https://developer.hashicorp.com/terraform/internals/machine-readable-ui>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApplyEvent {
    /// One more resource is done.
    Done,
    /// An error, with its explanation.
    Error(String),
    /// Anything else.
    Nothing,
}

impl ApplyEvent {
    pub(super) fn of(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        match line["type"].as_str() {
            Some("apply_complete") => Self::Done,
            Some("diagnostic") if line["diagnostic"]["severity"] == "error" => {
                let diagnostic = &line["diagnostic"];
                let text = |key: &str| {
                    diagnostic[key]
                        .as_str()
                        .unwrap_or_default()
                        .trim()
                        .to_owned()
                };
                let parts = [text("address"), text("summary"), text("detail")];
                let parts = parts.into_iter().filter(|part| !part.is_empty());
                Self::Error(parts.collect::<Vec<_>>().join(": "))
            }
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(address: &str, kind: &str, actions: &[&str]) -> Value {
        json!({"address": address, "mode": "managed", "type": kind, "change": {"actions": actions}})
    }

    #[test]
    fn a_plan_is_counted_and_what_holds_results_is_named() {
        let plan = json!({"resource_changes": [
            resource("a", "aws_cloudwatch_metric_alarm", &["create"]),
            resource("b", "aws_cloudwatch_metric_alarm", &["no-op"]),
            resource("c", "aws_lambda_function", &["update"]),
            resource("d", "aws_nat_gateway", &["delete"]),
            resource("module.storage.aws_s3_bucket.this", "aws_s3_bucket", &["delete", "create"]),
            json!({"address": "data.x", "mode": "data", "type": "x", "change": {"actions": ["read"]}}),
        ]});
        let changes = Changes::of(&plan);
        assert_eq!(changes.shown(), "2 to add, 1 to change, 2 to remove");
        assert_eq!(changes.lost, ["module.storage.aws_s3_bucket.this"]);
        assert_eq!(changes.after["aws_cloudwatch_metric_alarm"], 2);
        assert_eq!(changes.after.get("aws_nat_gateway"), None);
        assert_eq!(changes.after["aws_s3_bucket"], 1);
        assert_eq!(Changes::of(&json!({})).shown(), "nothing to change");
    }

    #[test]
    fn lines_of_terraform_are_understood() {
        let done = "{\"@level\":\"info\",\"type\":\"apply_complete\",\"hook\":{}}";
        assert_eq!(ApplyEvent::of(done), ApplyEvent::Done);
        let error = json!({"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "no", "detail": "not you", "address": "a.b"}});
        assert_eq!(
            ApplyEvent::of(&error.to_string()),
            ApplyEvent::Error("a.b: no: not you".into())
        );
        assert_eq!(ApplyEvent::of("plain words"), ApplyEvent::Nothing);
    }
}
