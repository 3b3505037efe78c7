//! A document and its references.

use super::MAX_BYTES;
use crate::error::ConvertError;
use floodgate_core::definition::{Bounds, Source, tree};
use serde_json::Value;

/// How many references may lead to each other.
const MAX_HOPS: usize = 32;

/// What the values of an OpenAPI document may be at most.
const BOUNDS: Bounds = Bounds {
    size: MAX_BYTES,
    nodes: 4_000_000,
    scalar: 4 << 20,
    text: 64 << 20,
};

#[derive(Debug)]
pub(super) struct Document {
    root: Value,
}

impl Document {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// Neither, or another version.
    pub(super) fn read(text: &str) -> Result<Self, ConvertError> {
        let json = text
            .trim_start()
            .starts_with('{')
            .then(|| serde_json::from_str(text));
        let root = match json {
            Some(Ok(root)) => root,
            Some(Err(source)) if !source.is_syntax() => {
                return Err(ConvertError::Json {
                    place: "the OpenAPI document cannot be read".into(),
                    source,
                    remedy: "check that it is whole",
                });
            }
            // Braces begin YAML, too.
            _ => numbers(
                tree(
                    &Source {
                        name: "the OpenAPI document",
                        text: text.as_bytes(),
                    },
                    BOUNDS,
                )
                .map_err(ConvertError::Yaml)?,
            ),
        };
        let version = match root.get("openapi") {
            Some(Value::String(version)) => version.clone(),
            Some(Value::Number(version)) => version.to_string(),
            _ if root.get("swagger").is_some() => {
                return Err(ConvertError::unsupported(
                    "the document is OpenAPI 2 (Swagger)",
                    "convert it to OpenAPI 3 first, for example with swagger2openapi",
                ));
            }
            _ => {
                return Err(ConvertError::unsupported(
                    "the document has no key openapi",
                    "name its format with --from, if it is another one",
                ));
            }
        };
        if !version.starts_with("3.") && version != "3" {
            return Err(ConvertError::unsupported(
                format!(
                    "OpenAPI {} is not supported",
                    floodgate_records::printable::quoted(&version)
                ),
                "3.0 and 3.1 are",
            ));
        }
        Ok(Self { root })
    }

    pub(super) fn title(&self) -> String {
        let info = |key| {
            self.root
                .get("info")
                .and_then(|info| info.get(key))
                .and_then(Value::as_str)
                .unwrap_or("")
                .trim()
        };
        let title: String = info("title").chars().take(80).collect();
        let version: String = info("version").chars().take(20).collect();
        format!(
            "{}{}",
            if title.is_empty() {
                "without a title"
            } else {
                &title
            },
            if version.is_empty() {
                String::new()
            } else {
                format!(" {version}")
            }
        )
    }

    /// A key at the top.
    pub(super) fn get(&self, key: &str) -> &Value {
        self.root.get(key).unwrap_or(&Value::Null)
    }

    /// What a value is, behind references to places in this document; null for one that leads nowhere or out of it.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..MAX_HOPS {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return value;
            };
            value = self.at(reference).unwrap_or(&Value::Null);
        }
        &Value::Null
    }

    fn at(&self, reference: &str) -> Option<&Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_encoding::percent_decode_str(pointer)
            .decode_utf8()
            .ok()?;
        self.root.pointer(&pointer)
    }

    /// A member, resolved.
    pub(super) fn member<'a>(&'a self, value: &'a Value, key: &str) -> &'a Value {
        value
            .get(key)
            .map_or(&Value::Null, |inner| self.resolve(inner))
    }
}

/// Numbers that kept their digits, as numbers.
fn numbers(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let digits = text
                .strip_prefix("${number:")
                .and_then(|text| text.strip_suffix('}'));
            let number = digits
                .and_then(|digits| digits.parse::<f64>().ok())
                .and_then(serde_json::Number::from_f64);
            number.map_or(Value::String(text), Value::Number)
        }
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, numbers(value)))
            .collect(),
        other => other,
    }
}
