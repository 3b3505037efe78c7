//! Any text as a template, alone and in the places of a request, filled in by an iteration.
#![no_main]

use floodgate_core::template::{Part, Template};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else {
        return;
    };
    assert_eq!(template.source, text);
    let empty = |part: &Part| matches!(part, Part::Literal(text) if text.is_empty());
    assert!(!template.parts.iter().any(empty));
    let definition = json!({
        "version": 1, "project": "p", "test": "t", "target": "http://127.0.0.1:1/base",
        "scenarios": { "one": {
            "executor": "per-vu-iterations",
            "flow": [
                { "set": { "x": text } },
                { "post": format!("/{text}"), "name": "post", "params": { "q": text }, "headers": { "X-A": text }, "body": text },
                { "put": "/", "name": "json", "json": { "a": text, "b": [format!("x{text}"), "${x}"] } },
                { "put": "/", "name": "form", "form": { "a": text, "b": "${x}" } },
            ],
        } },
    });
    let text = serde_json::to_vec(&definition).expect("JSON");
    let Some(parsed) = floodgate_fuzz::definition(&text) else {
        return;
    };
    for request in floodgate_fuzz::iterate(&parsed, b"") {
        let path = &request.path_and_query;
        assert!(
            path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()),
            "{path:?}"
        );
        for (name, value) in &request.headers {
            let bad = |b: &u8| matches!(b, b'\r' | b'\n' | 0);
            assert!(!value.iter().any(bad), "{name}: {value:?}");
        }
        if &*request.method == "PUT" && request.body.starts_with(b"{") {
            serde_json::from_slice::<serde_json::Value>(&request.body)
                .expect("whatever is filled in, it is JSON");
        }
    }
});
