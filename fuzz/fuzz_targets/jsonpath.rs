//! The first line as a check and as a JSONPath, the rest as the body of a response: parsed alone, then evaluated by the
//! flow as check and extraction.
#![no_main]

use floodgate_core::check::{Check, parse_json_path};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|input: &str| {
    let (text, body) = input.split_once('\n').unwrap_or((input, "{}"));
    let check = Check::parse(text).ok();
    if let Some(check) = &check {
        assert_eq!(check.name, text);
    }
    let path = parse_json_path(text).ok();
    if let (Some(path), Ok(body)) = (&path, serde_json::from_str(body)) {
        let _ = path.query(&body).first();
    }
    let checks = check.map(|_| vec![text]).unwrap_or_default();
    let extract = path.map_or(json!({}), |_| json!({ "v": text }));
    let definition = json!({
        "version": 1, "project": "p", "test": "t", "target": "http://127.0.0.1:1",
        "scenarios": { "one": {
            "executor": "per-vu-iterations",
            "flow": [
                { "get": "/", "name": "a", "checks": checks, "extract": extract },
                { "get": "/", "name": "b", "checks": checks },
            ],
        } },
    });
    let text = serde_json::to_vec(&definition).expect("JSON");
    if let Some(parsed) = floodgate_fuzz::definition(&text) {
        assert_eq!(floodgate_fuzz::iterate(&parsed, body.as_bytes()).len(), 2);
    }
});
