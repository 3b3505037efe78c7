//! The published examples, the schema, and the tables.

use super::*;
use serde_json::{Value, json};

const EXAMPLES: &[(&str, &str)] = &[
    ("hello", include_str!("../../../../../examples/hello.yaml")),
    (
        "checkout",
        include_str!("../../../../../examples/checkout.yaml"),
    ),
    (
        "journeys",
        include_str!("../../../../../examples/journeys.yaml"),
    ),
    (
        "ramping",
        include_str!("../../../../../examples/ramping.yaml"),
    ),
    ("spike", include_str!("../../../../../examples/spike.yaml")),
    (
        "tls-http2",
        include_str!("../../../../../examples/tls-http2.yaml"),
    ),
    (
        "thresholds",
        include_str!("../../../../../examples/thresholds.yaml"),
    ),
    ("full", include_str!("full.yaml")),
];

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

#[test]
fn examples_parse_without_a_warning_and_fit_the_schema() {
    let validator = validator();
    for (name, text) in EXAMPLES {
        let parsed = good(text);
        assert_eq!(parsed.warnings, [], "{name}");
        let errors: Vec<_> = validator
            .iter_errors(&parsed.normalised)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_normalised_form_reads_back_as_the_same_definition() {
    for (name, text) in EXAMPLES {
        let first = good(text);
        for json in [
            first.normalised.to_string(),
            serde_json::to_string_pretty(&first.normalised).unwrap(),
        ] {
            let second = good(&json);
            assert_eq!(second.definition, first.definition, "{name}");
            assert_eq!(second.normalised, first.normalised, "{name}");
            assert_eq!(second.files, first.files, "{name}");
        }
    }
}

#[test]
fn the_starter_is_a_sound_definition() {
    for (name, test) in [
        ("Checkout Flow", "checkout-flow"),
        ("", "my-test"),
        ("---", "my-test"),
        ("é1", "1"),
        ("2024", "2024"),
    ] {
        let parsed = good(&starter(name));
        assert_eq!(parsed.definition.test, test, "{name}");
        assert_eq!(parsed.warnings, []);
        assert!(validator().is_valid(&parsed.normalised));
    }
}

#[test]
fn the_schema_is_a_schema() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

/// Every object of the schema that has properties, by its name.
fn objects(schema: &Value) -> Vec<(String, &serde_json::Map<String, Value>)> {
    let defs = schema["$defs"].as_object().unwrap().iter();
    let mut objects: Vec<_> = defs
        .filter_map(|(name, def)| Some((name.clone(), def.get("properties")?.as_object()?)))
        .collect();
    objects.push((
        "definition".to_owned(),
        schema["properties"].as_object().unwrap(),
    ));
    objects
}

/// The table of the schema that each map of a definition is read by, with the keys that it uses.
fn used(
    value: &Value,
    shape: &shape::Shape,
    seen: &mut std::collections::BTreeSet<(String, String)>,
) {
    use shape::Shape;
    match (shape, value) {
        (Shape::List { of, .. }, Value::Array(items)) => {
            items.iter().for_each(|item| used(item, of, seen));
        }
        (Shape::Map { of, .. }, Value::Object(map)) => {
            map.values().for_each(|value| used(value, of, seen));
        }
        (Shape::Either(shapes), _) => shapes.iter().for_each(|shape| used(value, shape, seen)),
        (Shape::Object(table), Value::Object(map)) => table_used(map, table, seen),
        (Shape::Tagged { tag, variants }, Value::Object(map)) => {
            let table = variants
                .iter()
                .find(|table| map[*tag] == table.name)
                .unwrap();
            table_used(map, table, seen);
        }
        (Shape::Leading(tables), Value::Object(map)) => {
            let table = tables
                .iter()
                .find(|table| table.one_of.iter().any(|key| map.contains_key(*key)))
                .unwrap();
            table_used(map, table, seen);
        }
        _ => {}
    }
}

fn table_used(
    map: &serde_json::Map<String, Value>,
    table: &shape::Table,
    seen: &mut std::collections::BTreeSet<(String, String)>,
) {
    let own = |name: &str| table.others.is_none() || table.key(name).is_some();
    for (name, value) in map.iter().filter(|(name, _)| own(name)) {
        let key = table
            .key(name)
            .unwrap_or_else(|| panic!("{} has no key {name}", table.name));
        seen.insert((table.name.to_owned(), name.clone()));
        used(value, key.shape, seen);
    }
}

#[test]
fn parser_and_schema_know_the_same_keys() {
    let schema = schema();
    let published: std::collections::BTreeSet<_> = objects(&schema)
        .into_iter()
        .flat_map(|(name, keys)| {
            keys.keys()
                .map(move |key| (name.clone(), key.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    // full.yaml and its variants use every key, and the parser takes them.
    let mut seen = std::collections::BTreeSet::new();
    for text in [
        include_str!("full.yaml"),
        include_str!("full-k6.yaml"),
        include_str!("full-turns.yaml"),
        include_str!("full-capacity.yaml"),
        include_str!("full-over-time.yaml"),
    ] {
        used(
            &good(text).normalised,
            &shape::Shape::Object(&keys::DEFINITION),
            &mut seen,
        );
    }
    let unused: Vec<_> = published.difference(&seen).collect();
    assert!(unused.is_empty(), "no fixture uses {unused:?}");
    let unpublished: Vec<_> = seen.difference(&published).collect();
    assert!(unpublished.is_empty(), "the schema lacks {unpublished:?}");
}

#[test]
fn parser_and_schema_refuse_the_same_maps() {
    // A key too many in each map of the full definition: neither of them may let one pass.
    fn paths(value: &Value, path: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                out.push(path.to_owned());
                map.iter().for_each(|(key, value)| {
                    paths(
                        value,
                        &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                        out,
                    );
                });
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| paths(item, &format!("{path}/{i}"), out)),
            _ => {}
        }
    }
    let full = good(include_str!("full.yaml")).normalised;
    let validator = validator();
    let mut all = Vec::new();
    paths(&full, "", &mut all);
    let free = [
        "/parameters",
        "/tags",
        "/params",
        "/headers",
        "/form",
        "/extract",
        "/set",
        "/dimensions",
        "/json",
        "/scenarios",
        "/thresholds",
    ];
    let mut compared = 0;
    for path in all.iter().filter(|path| {
        !free
            .iter()
            .any(|free| path.ends_with(free) || path.contains("/json"))
    }) {
        let mut bad = full.clone();
        bad.pointer_mut(path)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert("zzqq".to_owned(), json!(1));
        assert!(
            !validator.is_valid(&bad),
            "the schema takes an unknown key at {path}"
        );
        let message = faults(&bad.to_string());
        assert!(message.contains("zzqq"), "{path}: {message}");
        compared += 1;
    }
    assert!(compared > 30, "only {compared} maps");
}

#[test]
fn published_defaults_are_the_real_ones() {
    // Writing a default out must change nothing.
    let bases = [
        ("http", with_top(""), "/http"),
        ("run", with_top(""), "/run"),
        ("definition", with_top(""), ""),
        (
            "shared-iterations",
            with_executor("executor: shared-iterations"),
            "/scenarios/s",
        ),
        (
            "per-vu-iterations",
            with_executor("executor: per-vu-iterations"),
            "/scenarios/s",
        ),
        (
            "constant-vus",
            with_executor("executor: constant-vus, duration: 1s"),
            "/scenarios/s",
        ),
        (
            "ramping-vus",
            with_executor("executor: ramping-vus, stages: [{duration: 1s, target: 2}]"),
            "/scenarios/s",
        ),
        (
            "constant-arrival-rate",
            with_executor(
                "executor: constant-arrival-rate, rate: 1, duration: 1s, preAllocatedVUs: 1",
            ),
            "/scenarios/s",
        ),
        (
            "ramping-arrival-rate",
            with_executor(
                "executor: ramping-arrival-rate, stages: [{duration: 1s, target: 2}], preAllocatedVUs: 1",
            ),
            "/scenarios/s",
        ),
        ("data", with_top("data: [{file: a.csv}]"), "/data/0"),
        (
            "baseline",
            with_top("baseline: {metrics: [\"http_reqs rate\"]}"),
            "/baseline",
        ),
        (
            "threshold",
            with_top("thresholds: {http_reqs: [{threshold: rate>1}]}"),
            "/thresholds/http_reqs/0",
        ),
        (
            "region",
            with_top("run: {regions: [{region: eu-west-1}]}"),
            "/run/regions/0",
        ),
        (
            "notify",
            with_top("notify: [{webhook: \"https://a.example\"}]"),
            "/notify/0",
        ),
    ];
    let schema = schema();
    let mut compared = 0;
    for (table, text, pointer) in bases {
        let parsed = good(&text);
        let keys = objects(&schema)
            .into_iter()
            .find(|(name, _)| name == table)
            .unwrap()
            .1;
        for (key, default) in keys
            .iter()
            .filter_map(|(key, value)| Some((key, value.get("default")?)))
        {
            let mut explicit = parsed.normalised.clone();
            if explicit.pointer(pointer).is_none() {
                explicit[pointer.trim_start_matches('/')] = json!({});
            }
            explicit.pointer_mut(pointer).unwrap()[key] = default.clone();
            assert_eq!(
                good(&explicit.to_string()).definition,
                parsed.definition,
                "{table}.{key}"
            );
            compared += 1;
        }
    }
    assert!(compared > 40, "only {compared} defaults");
}
