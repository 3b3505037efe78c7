//! The JSON Schema of a definition (<https://json-schema.org/draft/2020-12>), from the parser's own tables.

use super::keys::DEFINITION;
use super::shape::{EXTENSION, Key, Shape, Table, Text};
use serde_json::{Map, Value, json};

/// The schema's name, which others may refer to. There is nothing to be had at that address.
const ID: &str = "https://github.com/floodgate-load/floodgate/definition.schema.json";

/// A text that `${env:…}` and the like resolve to something else.
const REFERENCE: &str = r"\$\{(env|secret|param):[^}]+\}";

/// The JSON Schema 2020-12 of a definition. What depends on several values at once (an executor's maxVUs against its
/// preAllocatedVUs, variables of templates, files) only the parser knows.
pub fn schema() -> Value {
    let mut defs = Map::new();
    defs.insert("reference".to_owned(), json!({
        "description": "resolved when the definition is read: an environment variable, a secret or a parameter",
        "type": "string",
        "pattern": REFERENCE,
    }));
    let root = object(&DEFINITION, &mut defs);
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("$id".to_owned(), json!(ID));
    schema.insert("title".to_owned(), json!("Floodgate test definition"));
    if let Value::Object(root) = root {
        schema.extend(root);
    }
    schema.insert(
        "patternProperties".to_owned(),
        json!({ format!("^{EXTENSION}"): true }),
    );
    defs.sort_keys();
    schema.insert("$defs".to_owned(), Value::Object(defs));
    Value::Object(schema)
}

/// A `$ref` to a table, which is written on the way if it is the first.
fn reference(table: &'static Table, defs: &mut Map<String, Value>) -> Value {
    if !defs.contains_key(table.name) {
        // The place is taken first: tables hold themselves.
        defs.insert(table.name.to_owned(), Value::Null);
        let value = object(table, defs);
        defs.insert(table.name.to_owned(), value);
    }
    json!({ "$ref": format!("#/$defs/{}", table.name) })
}

fn object(table: &'static Table, defs: &mut Map<String, Value>) -> Value {
    let properties: Map<_, _> = table
        .all()
        .map(|key| (key.name.to_owned(), property(key, defs)))
        .collect();
    let others = table.others.map(|(_, shape)| value(shape, defs));
    let mut object = json!({
        "description": table.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": others.unwrap_or(json!(false)),
    });
    let required: Vec<_> = table
        .all()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    let requires = |name: &&str| json!({ "required": [name] });
    if !table.one_of.is_empty() {
        object["oneOf"] = table.one_of.iter().map(requires).collect();
    }
    if table.at_most_one.len() > 1 {
        let pairs = table
            .at_most_one
            .iter()
            .enumerate()
            .flat_map(|(index, first)| {
                table.at_most_one[index + 1..]
                    .iter()
                    .map(move |second| json!({ "not": { "required": [first, second] } }))
            });
        object["allOf"] = pairs.collect();
    }
    object
}

fn property(key: &Key, defs: &mut Map<String, Value>) -> Value {
    let mut value = value(key.shape, defs);
    value["description"] = json!(key.about);
    if let Some(default) = key.default {
        value["default"] = serde_json::from_str(default).unwrap_or(Value::Null);
    }
    value
}

fn value(shape: &Shape, defs: &mut Map<String, Value>) -> Value {
    let or_reference =
        |schema: Value| json!({ "anyOf": [schema, { "$ref": "#/$defs/reference" }] });
    match shape {
        Shape::Any => json!({}),
        Shape::Text(Text {
            names: Some(names), ..
        }) => text(Some(names.pattern), &["string", "number"], None),
        Shape::Text(Text { max, .. }) => {
            json!({ "type": ["string", "integer", "boolean"], "maxLength": max })
        }
        Shape::Integer { min, max } => {
            or_reference(json!({ "type": "integer", "minimum": min, "maximum": max }))
        }
        Shape::Number { min, max } => {
            or_reference(json!({ "type": "number", "minimum": min, "maximum": max }))
        }
        Shape::Boolean => or_reference(json!({ "type": "boolean" })),
        Shape::Choice(words) => or_reference(json!({ "enum": words })),
        Shape::Grammar(grammar) => text(grammar.pattern, grammar.types, Some(grammar.said)),
        Shape::List { of, min } => {
            let mut list = json!({ "type": "array", "items": value(of, defs) });
            if *min > 0 {
                list["minItems"] = json!(min);
            }
            list
        }
        Shape::Map { keys, of, min } => {
            let mut names = json!({ "pattern": keys.pattern });
            if !keys.reserved.is_empty() {
                names["not"] = json!({ "enum": keys.reserved.iter().map(|(name, _)| *name).collect::<Vec<_>>() });
            }
            let mut map = json!({ "type": "object", "propertyNames": names, "additionalProperties": value(of, defs) });
            if *min > 0 {
                map["minProperties"] = json!(min);
            }
            map
        }
        Shape::Object(table) => reference(table, defs),
        Shape::Tagged { tag, variants } => tagged(tag, variants, defs),
        Shape::Leading(tables) => {
            let branches: Vec<_> = tables.iter().map(|table| reference(table, defs)).collect();
            json!({ "anyOf": branches })
        }
        Shape::Either(shapes) => {
            let branches: Vec<_> = shapes.iter().map(|shape| value(shape, defs)).collect();
            json!({ "anyOf": branches })
        }
    }
}

/// A scalar that JSON may write as one of the types.
fn text(pattern: Option<&str>, types: &[&str], title: Option<&str>) -> Value {
    let mut schema = json!({ "type": types });
    if let Some(pattern) = pattern {
        schema["pattern"] = json!(format!("({pattern})|({REFERENCE})"));
    }
    if let Some(title) = title {
        schema["title"] = json!(title);
    }
    schema
}

fn tagged(tag: &str, variants: &'static [Table], defs: &mut Map<String, Value>) -> Value {
    let words: Vec<_> = variants.iter().map(|table| table.name).collect();
    let branches: Vec<_> = variants
        .iter()
        .map(|table| {
            json!({ "if": { "properties": { tag: { "const": table.name } } }, "then": reference(table, defs) })
        })
        .collect();
    let choice = json!({ "anyOf": [{ "enum": words }, { "$ref": "#/$defs/reference" }] });
    json!({ "type": "object", "required": [tag], "properties": { tag: choice }, "allOf": branches })
}
