//! A definition as everybody may see it who may see the run's report.

use crate::definition::without_credentials;
use crate::execution::redact::{MASK, is_confidential, is_confidential_field};
use floodgate_records::figures::{DefinitionText, Figures};
use serde_json::Value;

/// A stored definition with what looks secret masked: values of the headers, parameters and fields that are left out of samples of failures,
/// too, and those that `run.redact` names; users and passwords in URLs. References such as `${secret:…}` stay as they are written. `None` for
/// bytes that are not JSON.
pub fn definition_text(stored: &[u8]) -> Option<DefinitionText> {
    let mut definition: Value = serde_json::from_slice(stored).ok()?;
    let own: Vec<String> = definition["run"]["redact"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| Some(name.as_str()?.to_ascii_lowercase()))
        .collect();
    mask(&mut definition, &own, false);
    let mut json = serde_json::to_string_pretty(&definition).ok()?;
    let cut = json.len() > Figures::MAX_DEFINITION;
    if cut {
        let mut end = Figures::MAX_DEFINITION;
        while !json.is_char_boundary(end) {
            end -= 1;
        }
        json.truncate(end);
    }
    Some(DefinitionText { json, cut })
}

fn mask(value: &mut Value, own: &[String], secret: bool) {
    match value {
        Value::String(text) if secret && !is_reference(text) => MASK.clone_into(text),
        Value::Number(_) if secret => *value = MASK.into(),
        Value::String(text) => *text = shown(text, own),
        Value::Array(all) => all.iter_mut().for_each(|one| mask(one, own, secret)),
        Value::Object(fields) => {
            for (name, value) in fields {
                mask(value, own, secret || is_secret(name, own));
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str, own: &[String]) -> bool {
    is_confidential(name) || is_confidential_field(name) || own.contains(&name.to_ascii_lowercase())
}

/// Whether all of it stands for something else: it says where a value comes from, not what it is.
fn is_reference(text: &str) -> bool {
    let inner = text
        .trim()
        .strip_prefix("${")
        .and_then(|t| t.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(['{', '}']) && !inner.contains(":-"))
}

/// A text with no credentials in its URL, and no values of confidential parameters: in a query, in a form, in JSON.
fn shown(text: &str, own: &[String]) -> String {
    let mut text = match text.contains("://") {
        true => without_credentials(text),
        false => text.to_owned(),
    };
    if let Ok(mut body @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(&text) {
        mask(&mut body, own, false);
        return body.to_string();
    }
    let is_start = |c: char| matches!(c, '?' | '&' | ';');
    let parts: Vec<_> = text.split_inclusive(is_start).map(str::to_owned).collect();
    if parts.iter().any(|part| part.contains('=')) {
        text = parts.iter().map(|part| parameter(part, own)).collect();
    }
    text
}

/// `name=value` with what stands behind it, up to the next parameter.
fn parameter(part: &str, own: &[String]) -> String {
    match part.split_once('=') {
        Some((name, rest)) if is_secret(name.trim(), own) => {
            let end = rest.find(['&', ';', '#', ' ']).unwrap_or(rest.len());
            match is_reference(&rest[..end]) {
                true => part.to_owned(),
                false => format!("{name}={MASK}{}", &rest[end..]),
            }
        }
        _ => part.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_looks_secret_is_masked_and_references_stay() {
        let stored = json!({
            "target": "https://ann:pw1@shop.example/",
            "run": { "redact": ["X-Tenant"] },
            "scenarios": { "buy": { "flow": [{
                "post": "/login?access_token=pw2&page=1",
                "headers": { "Authorization": "Bearer pw3", "X-Tenant": "pw4", "Cookie": "${secret:cookie}", "Accept": "text/html" },
                "json": { "user": "ann", "password": "pw5", "pin": 7, "nested": { "token": ["pw6", 12345] } },
                "body": "{\"api_key\": \"pw7\", \"n\": 1}",
                "form": "client_secret=pw8&a=b",
            }] } },
        });
        let text = definition_text(stored.to_string().as_bytes()).unwrap();
        assert!(!text.cut && !text.json.contains("pw"), "{}", text.json);
        assert!(!text.json.contains("12345"), "{}", text.json);
        for kept in [
            "${secret:cookie}",
            "https://***@shop.example/",
            "/login?access_token=***&page=1",
            "text/html",
            "client_secret=***&a=b",
            "\"ann\"",
        ] {
            assert!(text.json.contains(kept), "{kept}: {}", text.json);
        }
        assert_eq!(definition_text(b"version: 1"), None);
    }

    #[test]
    fn a_long_definition_is_cut() {
        let stored = json!({ "body": "é".repeat(Figures::MAX_DEFINITION) });
        let text = definition_text(stored.to_string().as_bytes()).unwrap();
        assert!(text.cut && text.json.len() <= Figures::MAX_DEFINITION);
    }
}
