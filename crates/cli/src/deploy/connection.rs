//! The file that `--cloud` finds a stack by, from what the root module gives out.

use super::settings::Settings;
use crate::cloud::Named;
use serde_json::{Map, Value, json};

/// What commands with `--cloud`, and a pipeline with `jq`, read.
const KEPT: [&str; 8] = [
    "stack",
    "region",
    "bucket",
    "table",
    "state_machine_arns",
    "images",
    "runner_policy_arns",
    "version",
];

/// What stands in the file; `None` of outputs of no stack.
pub(super) fn file(outputs: &Value, settings: &Settings) -> Option<Value> {
    outputs["bucket"].as_str()?;
    let kept = KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), outputs.get(*name)?.clone())));
    let mut kept: Map<String, Value> = kept.collect();
    kept.insert("deployed".into(), json!({"state": settings.state.shown()}));
    Some(kept.into())
}

/// The stack and region that a file is about.
pub(super) fn about(text: &str) -> Option<(String, String)> {
    let named = Named::parse(text).ok()?;
    Some((named.stack?, named.region?))
}

/// Where the state of the stack that a file is about lies, as `deploy` has written it.
pub(super) fn state(text: &str) -> Option<String> {
    let file: Value = serde_json::from_str(text).ok()?;
    file["deployed"]["state"].as_str().map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_is_read_and_no_more() {
        let outputs = json!({"stack": "a", "region": "eu-west-1", "bucket": "b", "table": "t",
            "state_machine_arns": {"*": "arn"}, "nat_addresses": {}});
        let settings = Settings::new("a", "eu-west-1");
        let written = file(&outputs, &settings).unwrap();
        assert_eq!(written["state_machine_arns"]["*"], "arn");
        assert!(written.get("nat_addresses").is_none());
        let text = written.to_string();
        assert_eq!(about(&text), Some(("a".into(), "eu-west-1".into())));
        assert_eq!(state(&text), Some(String::new()));
        assert_eq!(file(&json!({}), &settings), None);
        // As `terraform output -json` has it.
        let wrapped = json!({"stack": {"value": "x"}, "region": {"value": "y"}}).to_string();
        assert_eq!(about(&wrapped), Some(("x".into(), "y".into())));
        assert_eq!(state(&wrapped), None);
    }
}
