//! Whether the gateway's rendering of the policies is Terraform's.
//!
//! Stacks of the tests get the policies that the gateway renders, so that permissions can be enforced without Terraform. Where Terraform itself
//! has applied the modules, its state says what they really are.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Policies by `KIND NAME`, and of an inline one `KIND ROLE NAME`.
type Policies = BTreeMap<String, Value>;

/// Of Terraform's state, as it lies in its file.
///
/// # Errors
/// If it is not a state, or a policy in it is not JSON.
pub(super) fn applied(state: &Value) -> Result<Policies> {
    let mut policies = Policies::new();
    let resources = state["resources"].as_array().context("no resources")?;
    for resource in resources {
        let kind = resource["type"].as_str().unwrap_or_default();
        for instance in resource["instances"].as_array().into_iter().flatten() {
            let text = |key: &str| instance["attributes"][key].as_str().unwrap_or_default();
            let (key, document) = match kind {
                "aws_iam_role" => (format!("trust {}", text("name")), "assume_role_policy"),
                "aws_iam_role_policy" => {
                    (format!("role {} {}", text("role"), text("name")), "policy")
                }
                "aws_iam_policy" => (format!("managed {}", text("name")), "policy"),
                "aws_s3_bucket_policy" => (format!("bucket {}", text("bucket")), "policy"),
                _ => continue,
            };
            let document = serde_json::from_str(text(document)).with_context(|| key.clone())?;
            policies.insert(key, canonical(document));
        }
    }
    Ok(policies)
}

/// Of what `floodgate-gateway render` prints.
pub(super) fn rendered(rendering: &Value) -> Policies {
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut policies = Policies::new();
    for (name, role) in entries(&rendering["roles"]) {
        policies.insert(format!("trust {name}"), canonical(role["trust"].clone()));
        for (policy, document) in entries(&role["policies"]) {
            policies.insert(format!("role {name} {policy}"), canonical(document));
        }
    }
    for (kind, group) in [("managed", "managed"), ("bucket", "buckets")] {
        for (name, document) in entries(&rendering[group]) {
            policies.insert(format!("{kind} {name}"), canonical(document));
        }
    }
    policies
}

/// # Errors
/// The first policy that only one of them has, or that they have differently.
pub(super) fn agree(applied: &Policies, rendered: &Policies) -> Result<()> {
    ensure!(!applied.is_empty(), "Terraform's state has no policies");
    for name in applied.keys().chain(rendered.keys()) {
        let (theirs, ours) = (applied.get(name), rendered.get(name));
        ensure!(
            theirs == ours,
            "{name}: Terraform applied {}, and the gateway renders {}",
            shown(theirs),
            shown(ours)
        );
    }
    Ok(())
}

/// The inputs of a root module from its `*.auto.tfvars.json`, the later file first, as Terraform has it.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn inputs(module: &Path) -> Result<Value> {
    let mut files: Vec<_> = fs::read_dir(module)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".auto.tfvars.json"))
        .collect();
    files.sort();
    let mut inputs = Map::new();
    for file in files {
        let text = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let more: Map<String, Value> = serde_json::from_slice(&text)?;
        inputs.extend(more);
    }
    Ok(Value::Object(inputs))
}

/// IAM takes a list of one for its element, and lists that name actions and the like in any order.
fn canonical(document: Value) -> Value {
    match document {
        Value::Array(mut list) if list.len() == 1 => canonical(list.remove(0)),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(canonical).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(map) => {
            // Sorted by key, since lists of objects are sorted by their text.
            let map: BTreeMap<String, Value> = map
                .into_iter()
                .map(|(key, v)| (key, canonical(v)))
                .collect();
            Value::Object(map.into_iter().collect())
        }
        other => other,
    }
}

fn shown(policy: Option<&Value>) -> String {
    policy.map_or_else(|| "nothing".to_owned(), |policy| format!("{policy:#}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(action: &Value) -> Value {
        let first = json!({"Resource": "*", "Effect": "Allow", "Action": action});
        let policy = json!({"Statement": [first, {"Effect": "Deny", "Resource": ["b"]}]});
        json!({"resources": [
            {"type": "aws_iam_role", "instances": [{"attributes": {"name": "r", "assume_role_policy": "{}"}}]},
            {"type": "aws_iam_role_policy", "instances": [{"attributes": {"role": "r", "name": "p", "policy": policy.to_string()}}]},
            {"type": "aws_s3_bucket", "instances": [{"attributes": {"bucket": "b"}}]},
        ]})
    }

    fn rendering(action: &Value) -> Value {
        let first = json!({"Action": action, "Effect": "Allow", "Resource": ["*"]});
        let policy = json!({"Statement": [{"Resource": "b", "Effect": "Deny"}, first]});
        json!({"roles": {"r": {"trust": {}, "policies": {"p": policy}}}, "managed": {}, "buckets": {}})
    }

    #[test]
    fn what_iam_takes_for_the_same_is_the_same() {
        let theirs = applied(&state(&json!(["s3:GetObject", "s3:PutObject"]))).unwrap();
        let ours = rendered(&rendering(&json!(["s3:PutObject", "s3:GetObject"])));
        agree(&theirs, &ours).unwrap();
    }

    #[test]
    fn what_differs_or_is_missing_is_named() {
        let theirs = applied(&state(&json!("s3:GetObject"))).unwrap();
        let other = rendered(&rendering(&json!("s3:*")));
        let said = agree(&theirs, &other).unwrap_err().to_string();
        assert!(said.starts_with("role r p: Terraform applied"), "{said}");
        for (theirs, ours) in [(&theirs, &Policies::new()), (&Policies::new(), &theirs)] {
            agree(theirs, ours).unwrap_err();
        }
        let mut more = theirs.clone();
        more.insert("managed m".to_owned(), json!({}));
        assert!(
            agree(&theirs, &more)
                .unwrap_err()
                .to_string()
                .contains("managed m")
        );
    }
}
