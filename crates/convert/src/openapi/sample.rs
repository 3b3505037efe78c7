//! A value that a schema allows: what the document gives as an example, else what its keywords ask for. Strings are templates.

use super::document::Document;
use crate::draft::literal;
use serde_json::{Map, Value, json};

/// How deep a value may be; what is optional ends earlier, and so do schemas that contain themselves.
const MAX_DEPTH: usize = 10;
/// How deep optional members go.
const MAX_OPTIONAL_DEPTH: usize = 3;
/// The most values of a sample.
const MAX_VALUES: usize = 1_000;
/// The longest text that is made up.
const MAX_TEXT: usize = 256;

/// Makes samples.
pub(super) struct Sampler<'a> {
    document: &'a Document,
    /// References that lead to where it is: one that is optional and leads there again ends here.
    open: Vec<String>,
    values: usize,
    /// Whether something was made up that the document does not show.
    pub(super) made_up: bool,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self {
            document,
            open: Vec::new(),
            values: 0,
            made_up: false,
        }
    }

    /// A value of a media type or a parameter: its own example, else its schema's.
    pub(super) fn of(&mut self, holder: &Value) -> Value {
        if let Some(example) = self.example(holder) {
            return example;
        }
        match holder.get("schema") {
            Some(schema) => self.schema(schema, "", 0),
            None => json!("string"),
        }
    }

    /// `example`, or the first of `examples`: a map of values, or in a schema a list.
    fn example(&self, holder: &Value) -> Option<Value> {
        if let Some(example) = holder.get("example") {
            return Some(escaped(example));
        }
        match holder.get("examples")? {
            Value::Object(all) => {
                let first = self.document.resolve(all.values().next()?);
                first.get("value").map(escaped)
            }
            Value::Array(all) => all.first().map(escaped),
            _ => None,
        }
    }

    /// A value of a schema that is called so.
    pub(super) fn schema(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let is_known =
            reference.is_some_and(|reference| self.open.iter().any(|known| known == reference));
        if is_known {
            return Value::Null;
        }
        self.open.extend(reference.map(str::to_owned));
        let value = self.resolved(self.document.resolve(schema), name, depth);
        if reference.is_some() {
            self.open.pop();
        }
        value
    }

    fn resolved(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        self.values += 1;
        let given = self
            .example(schema)
            .or_else(|| schema.get("default").or(schema.get("const")).map(escaped));
        if let Some(given) = given.filter(|given| !given.is_null()) {
            return given;
        }
        if let Some(first) = schema
            .get("enum")
            .and_then(Value::as_array)
            .and_then(|all| all.iter().find(|value| !value.is_null()))
        {
            return escaped(first);
        }
        if depth > MAX_DEPTH || self.values > MAX_VALUES {
            return Value::Null;
        }
        for keyword in ["oneOf", "anyOf"] {
            let ways = schema
                .get(keyword)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            let is_null =
                |way: &&Value| self.document.resolve(way).get("type") == Some(&json!("null"));
            if let Some(first) = ways
                .iter()
                .find(|way| !is_null(way))
                .filter(|_| schema.get("properties").is_none())
            {
                return self.schema(first, name, depth + 1);
            }
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(schema, all, name, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(number(schema, true) as i64),
            "number" => {
                let n = number(schema, false);
                if n.fract() == 0.0 && n.abs() < 1e15 {
                    json!(n as i64)
                } else {
                    json!(n)
                }
            }
            "boolean" => json!(true),
            "null" => Value::Null,
            _ => self.string(schema, name),
        }
    }

    fn all_of(&mut self, schema: &Value, all: &[Value], name: &str, depth: usize) -> Value {
        let mut merged = Map::new();
        let mut other = None;
        for part in all {
            match self.schema(part, name, depth + 1) {
                Value::Object(map) => merged.extend(map),
                Value::Null => {}
                value => other = Some(value),
            }
        }
        if let Value::Object(own) = self.object(schema, depth) {
            merged.extend(own);
        }
        match other {
            Some(value) if merged.is_empty() => value,
            _ => Value::Object(merged),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut map = Map::new();
        for (name, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let resolved = self.document.resolve(property);
            let is_optional = !required.contains(&name.as_str());
            let is_read_only = resolved.get("readOnly") == Some(&Value::Bool(true));
            if is_read_only
                || is_optional && depth >= MAX_OPTIONAL_DEPTH
                || self.values > MAX_VALUES
            {
                continue;
            }
            let value = self.schema(property, name, depth + 1);
            // What ends a cycle is better left out than null or empty.
            let ends = value.is_null() || value == json!([]) && resolved.get("items").is_some();
            if !(ends && is_optional) {
                map.insert(name.clone(), value);
            }
        }
        Value::Object(map)
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let Some(items) = schema.get("items").filter(|items| items.is_object()) else {
            return json!([]);
        };
        let least = schema
            .get("minItems")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .clamp(1, 10);
        let item = self.schema(items, name, depth + 1);
        if item.is_null() {
            return json!([]);
        }
        Value::Array(vec![item; usize::try_from(least).unwrap_or(1)])
    }

    fn string(&mut self, schema: &Value, name: &str) -> Value {
        let by_format = match schema.get("format").and_then(Value::as_str).unwrap_or("") {
            "uuid" => "${uuid()}",
            "date-time" => "${isoNow()}",
            "date" => "${dateAdd(1d, \"%Y-%m-%d\")}",
            "time" => "12:00:00Z",
            "duration" => "PT1H",
            "email" | "idn-email" => "load.test.${vu}@example.com",
            "uri" | "url" | "iri" | "uri-reference" => "https://example.com/",
            "hostname" => "example.com",
            "ipv4" => "192.0.2.1",
            "ipv6" => "2001:db8::1",
            "byte" => "dGVzdA==",
            _ => "",
        };
        if !by_format.is_empty() {
            return json!(by_format);
        }
        self.made_up = true;
        let length = |key| {
            schema
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        let mut text = if name.is_empty() || schema.get("pattern").is_some() {
            "string".to_owned()
        } else {
            name.to_owned()
        };
        while text.chars().count() < length("minLength").unwrap_or(0).min(MAX_TEXT) {
            text.push('x');
        }
        let most = length("maxLength").unwrap_or(MAX_TEXT).min(MAX_TEXT);
        json!(literal(&text.chars().take(most).collect::<String>()))
    }
}

/// A type; of a list (3.1) the first that is not null, else what the keywords tell.
pub(super) fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        _ => None,
    };
    named.unwrap_or(match () {
        () if schema.get("properties").is_some()
            || schema.get("additionalProperties").is_some() =>
        {
            "object"
        }
        () if schema.get("items").is_some() => "array",
        () => "string",
    })
}

/// A number within its bounds.
fn number(schema: &Value, whole: bool) -> f64 {
    let bound = |key| {
        schema
            .get(key)
            .and_then(Value::as_f64)
            .filter(|n: &f64| n.is_finite() && n.abs() < 1e15)
    };
    // In 3.0 `exclusiveMinimum` is a switch, in 3.1 a number.
    let is_exclusive = |key| schema.get(key) == Some(&Value::Bool(true));
    let step = bound("multipleOf")
        .filter(|step| *step > 0.0)
        .unwrap_or(if whole { 1.0 } else { 0.5 });
    let (least, above) = match bound("exclusiveMinimum") {
        Some(least) => (Some(least), true),
        None => (bound("minimum"), is_exclusive("exclusiveMinimum")),
    };
    let most = bound("exclusiveMaximum")
        .map(|most| most - step)
        .or(bound("maximum").map(|most| {
            if is_exclusive("exclusiveMaximum") {
                most - step
            } else {
                most
            }
        }));
    let start = least.unwrap_or_else(|| most.map_or(1.0, |most| most.min(1.0)));
    let mut n = match bound("multipleOf").filter(|step| *step > 0.0) {
        Some(step) => (start / step).ceil() * step,
        None => start,
    };
    if above && least.is_some_and(|least| n <= least) {
        n += step;
    }
    if whole { n.ceil() } else { n }
}

/// A value of the document as a template.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(literal(text)),
        Value::Array(items) => items.iter().map(escaped).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), escaped(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sample(schema: &str) -> Value {
        let text = format!(
            "openapi: 3.1.0\ncomponents: {{schemas: {{Node: {{type: object, properties: {{id: {{type: integer}}, next: {{$ref: '#/components/schemas/Node'}}}}}}, Loop: {{$ref: '#/components/schemas/Loop'}}}}}}\nx: {schema}\n"
        );
        let document = Document::read(&text).unwrap();
        let schema = document.get("x").clone();
        Sampler::new(&document).schema(&schema, "field", 0)
    }

    #[test]
    fn keywords_make_values() {
        for (schema, expected) in [
            ("{type: integer, minimum: 5}", json!(5)),
            (
                "{type: integer, minimum: 5, exclusiveMinimum: true}",
                json!(6),
            ),
            (
                "{type: integer, exclusiveMinimum: 5, multipleOf: 4}",
                json!(8),
            ),
            ("{type: [\"null\", integer], maximum: -3}", json!(-3)),
            ("{type: number, minimum: 0.25}", json!(0.25)),
            ("{type: string, enum: [red, blue]}", json!("red")),
            ("{type: string, format: uuid}", json!("${uuid()}")),
            ("{type: string, minLength: 8}", json!("fieldxxx")),
            ("{type: string, maxLength: 2}", json!("fi")),
            ("{type: string, example: \"${x}\"}", json!("$${x}")),
            (
                "{type: array, items: {type: boolean}, minItems: 2}",
                json!([true, true]),
            ),
            (
                "{anyOf: [{type: 'null'}, {type: string, default: a}]}",
                json!("a"),
            ),
            (
                "{allOf: [{properties: {a: {type: integer}}}, {properties: {b: {type: boolean}}}]}",
                json!({"a": 1, "b": true}),
            ),
            (
                "{properties: {id: {type: integer, readOnly: true}, n: {type: integer, example: 1.50}}}",
                json!({"n": 1.5}),
            ),
            ("{$ref: '#/components/schemas/Loop'}", json!("field")),
        ] {
            assert_eq!(sample(schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let text = sample("{$ref: '#/components/schemas/Node'}").to_string();
        assert!(text == "{\"id\":1}", "{text}");
    }
}
