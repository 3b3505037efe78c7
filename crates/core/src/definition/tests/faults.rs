//! What malformed definitions are told: every fixture in `malformed/` has the snapshot of all its faults.

use super::*;

macro_rules! malformed {
    ($($name:ident: $file:literal;)*) => {
        $(#[test]
        fn $name() {
            let text = include_str!(concat!("malformed/", $file, ".yaml"));
            let overrides = Overrides::default();
            let source = Source { name: concat!($file, ".yaml"), text: text.as_bytes() };
            let faults = parse_with(&source, &overrides, &fake(), judge).unwrap_err();
            let places: Vec<_> = faults.0.iter().map(|fault| (fault.place.line, fault.place.column)).collect();
            assert!(places.is_sorted(), "{places:?}");
            insta::assert_snapshot!($file, faults.to_string());
        })*
    };
}

/// Stands in for the thresholds' own grammar.
fn judge(key: &str, expression: &str) -> Result<(), String> {
    if expression.contains(['<', '>']) {
        Ok(())
    } else {
        Err(format!("{key}: {expression:?} has no operator"))
    }
}

malformed! {
    unknown_keys: "keys";
    wrong_types: "types";
    impossible_schedules: "schedules";
    templates_and_references: "templates";
    external_engines: "external";
    native_engine: "native";
    yaml_structure: "structure";
    empty_values: "empty-values";
    yaml_syntax: "syntax";
}

#[test]
fn a_fault_can_be_shown_like_a_compilers() {
    let text =
        with_executor("executor: constant-arrival-rate, rat: 5, duration: 1s, preAllocatedVUs: 1");
    let faults = read(&text).unwrap_err();
    insta::assert_snapshot!("picture", format!("{faults:#}"));
    let tabs = "version: 1\ntest: t\ntags:\n  a:\t[x]\n";
    insta::assert_snapshot!("picture-of-tabs", format!("{:#}", read(tabs).unwrap_err()));
}

#[test]
fn a_threshold_is_judged_where_it_stands() {
    let text = with_top("thresholds: {http_reqs: [rate>1, {threshold: \"rate ${env:RATE}\"}]}");
    let source = Source {
        name: "d",
        text: text.as_bytes(),
    };
    let faults = parse_with(&source, &Overrides::default(), &fake(), judge).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "d:6:46: thresholds.http_reqs[1].threshold: http_reqs: \"rate 70\" has no operator (from \"rate ${env:RATE}\")"
    );
}

#[test]
fn overrides_have_places_too() {
    let text = with_executor("executor: constant-vus, duration: 1s");
    let message =
        |name: &str, value: &str| read_with(&text, &[(name, value)]).unwrap_err().to_string();
    assert_eq!(
        message("scenarios.s.duration", "10 s"),
        "--set scenarios.s.duration:1:3: scenarios.s.duration: \"10 s\" has the unknown unit \"s\"; did you mean \"s\"? allowed: a duration such as 500ms, 30s or 1m30s (a bare number is milliseconds)"
    );
    assert_eq!(
        message("rate", "5"),
        "--set rate:1:1: there is no parameter and no key \"rate\"; allowed: the path of a value, such as scenarios.NAME.rate"
    );
    assert!(
        message("scenarios.s.durtion", "5s").contains("unknown key; did you mean \"duration\"?")
    );
    assert!(message("scenarios.s.flow.7", "x").contains("no index of a list of 1"));
    assert!(message("test.x", "x").contains("no parts (line 2)"));
    assert!(message("scenarios.s.flow", "[{get: /").contains("no YAML"));
}
