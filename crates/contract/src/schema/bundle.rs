//! A schema with all that it refers to, as one of JSON Schema 2020-12.
//!
//! Schemas of 3.0 are of a kind of their own (<https://spec.openapis.org/oas/v3.0.4.html#schema-object>): `nullable` adds null,
//! `exclusiveMinimum` and `exclusiveMaximum` are switches of the bounds beside them, and what stands beside `$ref` does not count.

use super::discriminator::chosen;
use crate::document::{Document, Part, Version, below, text};
use crate::error::Fault;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// How deep schemas may stand in each other.
const MAX_DEPTH: usize = 128;
/// How many schemas one may refer to.
const MAX_SCHEMAS: usize = 20_000;

/// Keys that hold a schema, a list of them, a map of them.
const ONE: [&str; 11] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
];
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAPS: [&str; 5] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];
/// Keys that say nothing of a response's validity, or name places that a bundle has no longer.
const DROPPED: [&str; 17] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

/// What is put together.
pub(super) struct Bundle<'a> {
    document: &'a Document,
    /// The numbers of schemas that are referred to, by place.
    known: HashMap<String, usize>,
    todo: Vec<(usize, Part<'a>)>,
}

impl<'a> Bundle<'a> {
    /// The schema at a place, and the places of those that it is made of, by their numbers.
    pub(super) fn of(document: &'a Document, place: &str) -> Result<(Value, Vec<String>), Fault> {
        let mut bundle = Self {
            document,
            known: HashMap::new(),
            todo: Vec::new(),
        };
        let first = bundle.reference(place, &format!("#{place}"))?;
        let mut schemas = Map::new();
        while let Some((number, part)) = bundle.todo.pop() {
            let schema = bundle.schema(&part, 0)?;
            schemas.insert(number.to_string(), schema);
        }
        let mut places = vec![String::new(); bundle.known.len()];
        for (place, number) in bundle.known {
            places[number] = place;
        }
        Ok((json!({"$ref": first, "$defs": schemas}), places))
    }

    /// What a reference is within the bundle.
    fn reference(&mut self, place: &str, reference: &str) -> Result<String, Fault> {
        let part = self.document.at(place, reference)?;
        let next = self.known.len();
        if next >= MAX_SCHEMAS {
            let problem = format!("the schema refers to more than {MAX_SCHEMAS} others");
            return Err(Fault::at(place, problem));
        }
        let number = *self.known.entry(part.place.clone()).or_insert(next);
        if number == next {
            self.todo.push((number, part));
        }
        Ok(format!("#/$defs/{number}"))
    }

    fn schema(&mut self, part: &Part<'a>, depth: usize) -> Result<Value, Fault> {
        let fail = |problem: &str| Err(Fault::at(part.place.clone(), problem));
        let Value::Object(keys) = part.value else {
            return match part.value {
                Value::Bool(all) => Ok(Value::Bool(*all)),
                _ => fail("a schema is a map"),
            };
        };
        if depth > MAX_DEPTH {
            return fail("schemas stand more than 128 levels deep in each other");
        }
        let old = self.document.version == Version::V30;
        let mut out = Map::new();
        if let Some(reference) = text(part.value, "$ref") {
            out.insert(
                "$ref".into(),
                self.reference(&part.place, reference)?.into(),
            );
            if old {
                return Ok(Value::Object(out));
            }
        }
        for key in keys.keys().filter(|key| !DROPPED.contains(&key.as_str())) {
            if key == "$ref" || key.starts_with("x-") {
                continue;
            }
            if let Some(inner) = part.get(key) {
                let value = self.value(key, &inner, depth + 1)?;
                out.insert(key.clone(), value);
            }
        }
        self.not_required(part, &mut out);
        let document = self.document;
        chosen(document, part, &mut out, |reference| {
            self.reference(&part.place, reference)
        })?;
        number_format(&mut out);
        if old {
            bounds(&mut out);
            if keys.get("nullable") == Some(&Value::Bool(true)) {
                return Ok(or_null(out));
            }
        }
        Ok(Value::Object(out))
    }

    fn value(&mut self, key: &str, part: &Part<'a>, depth: usize) -> Result<Value, Fault> {
        match part.value {
            Value::Object(_) | Value::Bool(_)
                if ONE.contains(&key) || key == "unevaluatedProperties" =>
            {
                self.schema(part, depth)
            }
            Value::Array(items) if LISTS.contains(&key) => {
                let items = items.iter().enumerate().map(|(index, value)| Part {
                    place: below(&part.place, &index.to_string()),
                    value,
                });
                let schemas = items.map(|part| self.schema(&part, depth));
                schemas.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Value::Object(entries) if MAPS.contains(&key) => {
                let mut schemas = Map::new();
                for (name, value) in entries {
                    let place = below(&part.place, name);
                    let schema = self.schema(&Part { place, value }, depth)?;
                    schemas.insert(name.clone(), schema);
                }
                Ok(Value::Object(schemas))
            }
            other => Ok(other.clone()),
        }
    }

    /// A property that only requests have is not required of a response.
    fn not_required(&self, part: &Part<'_>, out: &mut Map<String, Value>) {
        let Some(Value::Array(required)) = out.get_mut("required") else {
            return;
        };
        let properties = part.value.get("properties");
        required.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            let property = properties.and_then(|all| all.get(name));
            let behind = property
                .and_then(|property| text(property, "$ref"))
                .and_then(|reference| self.document.at(&part.place, reference).ok());
            let only = |value: &Value| value.get("writeOnly") == Some(&Value::Bool(true));
            !(property.is_some_and(only) || behind.is_some_and(|part| only(part.value)))
        });
    }
}

/// A schema that null fits as well.
fn or_null(mut schema: Map<String, Value>) -> Value {
    let composed = ["allOf", "anyOf", "oneOf", "not"];
    if !composed.iter().any(|key| schema.contains_key(*key))
        && let Some(Value::String(kind)) = schema.get("type")
    {
        let kinds = json!([kind, "null"]);
        schema.insert("type".into(), kinds);
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
        return Value::Object(schema);
    }
    json!({"anyOf": [{"type": "null"}, schema]})
}

/// Exclusive bounds of 3.0, which are switches.
fn bounds(out: &mut Map<String, Value>) {
    for (switch, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        let Some(Value::Bool(exclusive)) = out.get(switch) else {
            continue;
        };
        let exclusive = *exclusive;
        out.remove(switch);
        if exclusive && let Some(limit) = out.remove(bound) {
            out.insert(switch.into(), limit);
        }
    }
}

/// `int32` bounds a number (<https://spec.openapis.org/registry/format/int32>).
fn number_format(out: &mut Map<String, Value>) {
    if out.get("format").and_then(Value::as_str) != Some("int32") {
        return;
    }
    for (key, limit) in [("minimum", i32::MIN), ("maximum", i32::MAX)] {
        out.entry(key).or_insert_with(|| limit.into());
    }
}
