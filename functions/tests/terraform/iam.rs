//! Whether a policy allows a request, by AWS's rules: a denial that fits wins, else a permission that fits, else nothing
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>). It knows what the runners' and the generators'
//! policies use, and panics at anything else.

use serde_json::Value;
use std::collections::BTreeMap;

/// One call, as IAM sees it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) resource: String,
    keys: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn of(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            keys: BTreeMap::new(),
        }
    }

    /// The same with a condition key.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.keys.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// Whether the policy allows it.
pub(crate) fn allows(policy: &Value, request: &Request) -> bool {
    let statements = policy["Statement"].as_array().expect("statements");
    let effects: Vec<_> = statements
        .iter()
        .filter(|statement| fits(statement, request))
        .map(|statement| statement["Effect"].as_str().expect("an effect"))
        .collect();
    effects.contains(&"Allow") && !effects.contains(&"Deny")
}

fn fits(statement: &Value, request: &Request) -> bool {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    for key in statement.as_object().expect("a statement").keys() {
        assert!(known.contains(&key.as_str()), "{key} in {statement}");
    }
    let any = |name: &str, value: &str| texts(&statement[name]).iter().any(|p| like(p, value));
    any("Action", &request.action)
        && any("Resource", &request.resource)
        && holds(&statement["Condition"], request)
}

fn holds(condition: &Value, request: &Request) -> bool {
    let operators = condition.as_object().into_iter().flatten();
    operators.into_iter().all(|(operator, keys)| {
        let keys = keys.as_object().expect("keys of a condition");
        keys.iter().all(|(key, patterns)| {
            let patterns = texts(patterns);
            let value = request.keys.get(key);
            let matches = |value: &String| patterns.iter().any(|p| like(p, value));
            match operator.as_str() {
                // Of a key that the request does not have, every value fits, and none.
                "ForAllValues:StringLike" => value.is_none_or(matches),
                "ForAnyValue:StringLike" | "StringLike" => value.is_some_and(matches),
                other => panic!("the condition {other} is not known here"),
            }
        })
    })
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => panic!("{other} is neither a text nor a list"),
    }
}

/// `*` stands for any characters, slashes and colons too, and `?` for one.
fn like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            text.char_indices().any(|(at, _)| like(rest, &text[at..])) || like(rest, "")
        }
        (Some('?'), Some(found)) => like(&pattern[1..], &text[found.len_utf8()..]),
        (Some(wanted), Some(found)) if wanted == found => {
            like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }
        _ => false,
    }
}

#[test]
fn denials_win_and_what_is_not_allowed_is_not() {
    let policy = serde_json::json!({"Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["b/projects/*"]},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "b/projects/shop/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "b",
            "Condition": {"StringLike": {"s3:prefix": ["projects/a/*"]}}},
    ]});
    let get = |key: &str| allows(&policy, &Request::of("s3:GetObject", key));
    assert!(get("b/projects/a/x/y") && !get("b/projects/shop/x") && !get("b/config/x"));
    assert!(!allows(
        &policy,
        &Request::of("s3:PutObject", "b/projects/a/x")
    ));
    let list = Request::of("s3:ListBucket", "b");
    assert!(!allows(&policy, &list));
    assert!(allows(
        &policy,
        &list.clone().with("s3:prefix", "projects/a/b")
    ));
    assert!(!allows(&policy, &list.with("s3:prefix", "projects/b/")));
    assert!(like("a-??????", "a-AbCdEf") && !like("a-??????", "a-AbCde") && like("*", ""));
}
