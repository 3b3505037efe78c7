//! JSON that PostgreSQL takes.

use serde_json::Value;

/// PostgreSQL has no NUL in texts: the replacement character stands for it.
pub(super) fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(all) => all.into_iter().map(without_nul).collect(),
        Value::Object(all) => {
            let all = all.into_iter();
            all.map(|(key, value)| (key.replace('\0', "\u{fffd}"), without_nul(value)))
                .collect()
        }
        other => other,
    }
}
