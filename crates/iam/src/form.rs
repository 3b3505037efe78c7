//! The forms that values in a policy have.

use crate::error::Error;
use serde_json::{Map, Value};

/// An object that has no other keys than these.
pub(crate) fn object<'v>(
    value: &'v Value,
    what: &'static str,
    known: &[&str],
) -> Result<&'v Map<String, Value>, Error> {
    let Value::Object(entries) = value else {
        return Err(Error::Form(what, value.to_string(), "an object"));
    };
    match entries.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(Error::Element(unknown.clone(), what)),
        None => Ok(entries),
    }
}

/// One text, or a list of some.
pub(crate) fn texts(what: &'static str, value: &Value) -> Result<Vec<String>, Error> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(Error::Form(
            what,
            value.to_string(),
            "a text or a list of texts",
        )),
    };
    match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(text).collect(),
        // IAM refuses an empty list.
        Value::Array(_) => Err(Error::Form(what, "an empty list".into(), "at least one")),
        one => Ok(vec![text(one)?]),
    }
}
