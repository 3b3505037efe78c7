//! Whatever a source says, what comes out is a valid definition, or there is a reason.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that is awkward somewhere: in YAML, in templates, in URLs, in headers, in forms.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,8}",
        2 => prop::sample::select(vec![
            "", " ", "~", "null", "true", "1", "1.10", "007", "-", "- a", "a: b", "#x", "${", "${vu}", "$${x}", "{}", "[", "*a", "&b", "!t", "%20", "a&b=c", "<<",
            "o-17", "3f2b8c1e-9a47-4a0e-8b6e-2f1d7c9a5b10", "line\nline", "line\r\n  b\n", " lead", "trail ", "'", "\"", "\\", "é", "😀", "\u{0}", "\u{1b}[0m",
            "\u{2028}", "::", "../x", "${secret:x}", "${env:HOME}", "password", "token", "id", "vu", "a\tb", "|", ">", "? x", "@", "`", "---", "...", "${number:1.0}",
        ]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| text.chars().take(40).collect()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::String),
        any::<i32>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        Just(json!(true)),
        Just(Value::Null)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

fn headers() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "Accept",
            "Cookie",
            "Authorization",
            "X-Api-Key",
            "X-Id",
            "Content-Type",
            "Origin",
            "Set-Cookie",
            "Location",
            "x-request-id"
        ])
        .prop_map(str::to_owned),
        text(),
    ];
    let value = prop_oneof![
        text(),
        prop::sample::select(vec![
            "Bearer abc",
            "Basic YTpi",
            "a=b; c=d",
            "session=12345678ab; Path=/",
            "/x/1",
            "text/plain"
        ])
        .prop_map(str::to_owned)
    ];
    prop::collection::vec((name, value), 0..5).prop_map(|all| {
        all.into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    })
}

fn body() -> impl Strategy<Value = Option<Value>> {
    let mime = prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=b",
        "application/vnd.api+json; charset=x",
        "",
        "image/png",
    ]);
    let content = prop_oneof![
        value().prop_map(|value| json!({"text": value.to_string()})),
        text().prop_map(|text| json!({"text": text})),
        (text(), text()).prop_map(|(a, b)| json!({"text": format!("{a}={b}&{b}={a}&x=1")})),
        (text(), text()).prop_map(|(a, b)| json!({"params": [{"name": a, "value": b}, {"name": b, "fileName": a, "contentType": b}]})),
        (text(), text()).prop_map(|(a, b)| json!({"text": format!("--b\r\nContent-Disposition: form-data; name=\"{a}\"; filename=\"{b}\"\r\n\r\n{a}\r\n--b--")})),
        Just(json!({"text": "AAEC/w==", "encoding": "base64"})),
    ];
    prop::option::of((mime, content).prop_map(|(mime, mut content)| {
        content["mimeType"] = json!(mime);
        content
    }))
}

fn entry() -> impl Strategy<Value = Value> {
    let url = prop_oneof![
        (text(), text(), text()).prop_map(|(a, b, c)| format!("http://a.example/{a}/{b}?{c}={a}")),
        text().prop_map(|a| format!("https://b.example:81/{a}")),
        prop::sample::select(vec![
            "http://u:p@a.example/",
            "http://a.example",
            "http://[::1]:8/x#y",
            "http://ä.example/ö?ü"
        ])
        .prop_map(str::to_owned),
    ];
    let method = prop::sample::select(vec!["GET", "POST", "put", "DELETE", "PURGE", "HEAD"]);
    let status = prop::sample::select(vec![200, 201, 204, 302, 304, 404, 500]);
    let content = prop_oneof![
        value().prop_map(|value| value.to_string()),
        text().prop_map(|text| format!(
            "<input type=hidden name=\"{text}\" value=\"{text}1234567890\">"
        ))
    ];
    (url, method, headers(), body(), status, headers(), content, 0..40_000_u32).prop_map(|(url, method, sent, body, status, received, content, at)| {
        let started = format!("2026-11-20T10:00:{:02}.{:03}Z", at / 1_000, at % 1_000);
        let mime = if content.starts_with('<') { "text/html" } else { "application/json" };
        let mut entry = json!({
            "startedDateTime": started, "time": at % 700, "pageref": format!("p{}", at % 3),
            "request": {"method": method, "url": url, "headers": sent},
            "response": {"status": status, "headers": received, "content": {"mimeType": mime, "text": content}},
        });
        if let Some(body) = body {
            entry["request"]["postData"] = body;
        }
        entry
    })
}

fn valid_or_nothing(source: &[u8], options: &Options<'_>) -> Result<(), TestCaseError> {
    match convert(source, options) {
        Ok(made) => drop(validated(&made)),
        Err(ConvertError::Unwritable(faults)) => {
            prop_assert!(false, "{}\n{}", faults, String::from_utf8_lossy(source));
        }
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_recording(entries in prop::collection::vec(entry(), 1..12), title in text(), keep_static in any::<bool>(), files in any::<bool>()) {
        let pages = json!([{"id": "p0", "title": title}, {"id": "p1", "title": "http://x"}]);
        let har = json!({"log": {"version": "1.2", "creator": {"name": title}, "pages": pages, "entries": entries}});
        let options = Options { keep_static, files, ..named(&title) };
        valid_or_nothing(har.to_string().as_bytes(), &options)?;
    }

    #[test]
    fn any_commands(words in prop::collection::vec(prop_oneof![
        text(),
        prop::sample::select(vec!["-H", "-d", "--data-raw", "-F", "-u", "-b", "-X", "-x", "-G", "-k", "-L", "--json", "-T", "--url-query", "--data-urlencode", "\n", "\ncurl", "http://a.example/x", "'a: b'", "$'\\u00e9\\x41'", "a=b", "'a=@x;type=t'", "--next", "-m", "^\"", "^\n", "\\\n", "|"]).prop_map(str::to_owned),
    ], 0..14)) {
        let text = format!("curl http://a.example/{} {}", words.len(), words.join(" "));
        valid_or_nothing(text.as_bytes(), &Options { exists: &|path| !path.contains('x'), ..named("c") })?;
    }

    #[test]
    fn any_document(body in value(), schema in schema(), path in text(), name in text(), example in value(), place in prop::sample::select(vec!["query", "header", "cookie", "path"])) {
        let document = json!({
            "openapi": "3.1.0", "info": {"title": name, "version": 1}, "servers": [{"url": format!("http://a.example/{path}")}],
            "paths": {
                format!("/{path}/{{{name}}}"): {"get": {"tags": [name], "parameters": [
                    {"name": name, "in": "path", "schema": schema}, {"name": name, "in": place, "required": true, "example": example}
                ], "responses": {"200": {}}}},
                format!("/{path}"): {"post": {"summary": name, "requestBody": {"content": {"application/json": {"schema": schema, "example": body}}},
                    "responses": {"201": {"content": {"application/json": {"schema": {"properties": {name.clone(): {"type": "string"}, "id": {"type": "integer"}}}}}}}}},
                "/form": {"post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}}},
                "/raw": {"put": {"requestBody": {"content": {"application/json": {"schema": schema}}}}},
            },
        });
        valid_or_nothing(document.to_string().as_bytes(), &named(&name))?;
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), lead in prop::sample::select(vec!["", "{\"log\":{\"entries\":[", "curl ", "openapi: 3.0.0\n"])) {
        let source = [lead.as_bytes(), &bytes].concat();
        valid_or_nothing(&source, &named("b"))?;
    }
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["string", "integer", "number", "boolean", "null", "odd"]).prop_map(|kind| json!({"type": kind})),
        prop::sample::select(vec!["uuid", "date", "date-time", "email", "binary", "x"]).prop_map(|format| json!({"type": "string", "format": format})),
        (any::<i32>(), any::<i32>()).prop_map(|(a, b)| json!({"type": ["integer", "null"], "minimum": a, "maximum": b, "multipleOf": 7})),
        value().prop_map(|value| json!({"example": value})),
        value().prop_map(|value| json!({"enum": [value]})),
        Just(json!({"$ref": "#/paths"})),
        Just(json!({"$ref": "other.yaml#/x"})),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec((text(), inner.clone()), 0..4).prop_map(|all| json!({"type": "object", "properties": all.into_iter().collect::<serde_json::Map<_, _>>()})),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "minItems": 2})),
            prop::collection::vec(inner, 0..3).prop_map(|all| json!({"allOf": all})),
        ]
    })
}
