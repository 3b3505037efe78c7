//! Bodies of requests.

use super::*;

#[test]
fn json_bodies_take_numbers_and_text() {
    let template = JsonTemplate::Object(vec![
        ("vu".into(), JsonTemplate::String(t("${vu}"))),
        (
            "both".into(),
            JsonTemplate::String(t("\"${vu}\\${scenario}")),
        ),
        ("name\"".into(), JsonTemplate::String(t("${scenario}"))),
        (
            "list".into(),
            JsonTemplate::Array(vec![
                JsonTemplate::Literal(json!(1.5)),
                JsonTemplate::Literal(json!(null)),
            ]),
        ),
        ("empty".into(), JsonTemplate::Object(vec![])),
        ("id".into(), JsonTemplate::String(t("${uuid()}"))),
        ("at".into(), JsonTemplate::String(t("${isoNow()}"))),
        ("ms".into(), JsonTemplate::String(t("${now()}"))),
        ("dice".into(), JsonTemplate::String(t("${randomInt(1,6)}"))),
        ("code".into(), JsonTemplate::String(t("${randomString(8)}"))),
    ]);
    let request = sent(post("/", Body::Json(template)));
    assert_eq!(header(&request, "content-type"), ["application/json"]);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        (&body["vu"], &body["both"]),
        (&json!(7), &json!("\"7\\browse"))
    );
    assert_eq!(
        (&body["name\""], &body["list"], &body["empty"]),
        (&json!("browse"), &json!([1.5, null]), &json!({}))
    );
    assert_eq!(body["id"].as_str().unwrap().len(), 36);
    assert!(
        body["at"].as_str().unwrap().ends_with('Z')
            && body["ms"].as_u64().unwrap() > 1_700_000_000_000
    );
    assert!((1..=6).contains(&body["dice"].as_u64().unwrap()));
    assert_eq!(body["code"].as_str().unwrap().len(), 8);
}

#[test]
fn a_literal_body_is_fixed_and_typed() {
    let text = sent(post("/", Body::Text(t("hällo"))));
    assert_eq!(
        (text.body.as_ref(), header(&text, "content-type")),
        ("hällo".as_bytes(), vec!["text/plain; charset=utf-8"])
    );
    let own = RequestStep {
        headers: pairs(&[("content-type", "text/csv"), ("Content-Length", "9")]),
        ..post("/", Body::Text(t("a")))
    };
    let own = sent(own);
    assert_eq!(
        (
            header(&own, "content-type"),
            header(&own, "content-length").len()
        ),
        (vec!["text/csv"], 0)
    );
}

#[test]
fn files_are_sent_as_they_are() {
    let file = Body::File {
        path: "a.bin".into(),
        content_type: Some("image/png".into()),
    };
    let definition = definition(vec![step(post("/", file))]);
    let files = with_files(&[("a.bin", b"\x00\xff")], &definition);
    let request = World::of(&definition, 0, &files).unwrap().one();
    assert_eq!(
        (request.body.as_ref(), header(&request, "content-type")),
        (&b"\x00\xff"[..], vec!["image/png"])
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    for (path, expected) in [
        ("missing.bin", "missing.bin: No such file"),
        ("folder", "folder is not a regular file"),
    ] {
        let flow = definition(vec![step(post(
            "/",
            Body::File {
                path: path.into(),
                content_type: None,
            },
        ))]);
        let error = Files::load(&flow, dir.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let large = std::fs::File::create(dir.path().join("large.pem")).unwrap();
    large.set_len(crate::flow::MAX_PEM_BYTES + 1).unwrap();
    let mut flow = definition(vec![step(get("/"))]);
    flow.scenarios[0].http.ca = Some("large.pem".into());
    let error = Files::load(&flow, dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("large.pem has 4194305 bytes, more than the 4194304 allowed"),
        "{error}"
    );
}

/// The parts of a multipart body: disposition, type, content.
pub(super) fn parts(body: &[u8], boundary: &str) -> Vec<(String, Option<String>, Vec<u8>)> {
    let find =
        |haystack: &[u8], needle: &[u8]| haystack.windows(needle.len()).position(|w| w == needle);
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = [b"\r\n", body].concat();
    let mut out = Vec::new();
    loop {
        assert!(rest.starts_with(delimiter.as_bytes()));
        rest.drain(..delimiter.len());
        if rest == b"--\r\n" {
            return out;
        }
        let head = find(&rest, b"\r\n\r\n").unwrap();
        let end = find(&rest[head + 2..], delimiter.as_bytes()).unwrap() + head + 2;
        let lines = String::from_utf8(rest[2..head].to_vec()).unwrap();
        let mut lines = lines.split("\r\n");
        let disposition = lines.next().unwrap().to_owned();
        let content_type = lines.next().map(str::to_owned);
        out.push((disposition, content_type, rest[head + 4..end].to_vec()));
        rest.drain(..end);
    }
}

#[test]
fn multipart_bodies_hold_text_and_files() {
    let text = |value: &str| PartContent::Text(t(value));
    let part = |name: &str, content: PartContent| Part {
        name: name.into(),
        content,
        content_type: None,
    };
    let file = PartContent::File {
        path: "a.bin".into(),
        file_name: "ä\".bin".into(),
    };
    for value in ["${vu}", "fixed"] {
        let list = vec![
            part("a\"\r\n", text(value)),
            part("file", file.clone()),
            Part {
                content_type: Some("application/json".into()),
                ..part("j", text("{}"))
            },
        ];
        let definition = definition(vec![step(post("/", Body::Multipart(list)))]);
        let files = with_files(&[("a.bin", b"\r\n--x\xff")], &definition);
        let request = World::of(&definition, 0, &files).unwrap().one();
        let content_type = header(&request, "content-type")[0];
        let boundary = content_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        assert!(boundary.len() <= 70, "RFC 2046 §5.1.1");
        let parts = parts(&request.body, boundary);
        assert_eq!(
            parts[0].0,
            "Content-Disposition: form-data; name=\"a%22%0D%0A\""
        );
        assert_eq!(
            parts[0].2,
            if value == "fixed" {
                b"fixed".to_vec()
            } else {
                b"7".to_vec()
            }
        );
        assert_eq!(
            parts[1].0,
            "Content-Disposition: form-data; name=\"file\"; filename=\"ä%22.bin\""
        );
        assert_eq!(
            parts[1].1.as_deref(),
            Some("Content-Type: application/octet-stream")
        );
        assert_eq!(parts[1].2, b"\r\n--x\xff");
        assert_eq!(
            (parts[2].1.as_deref(), parts[2].2.as_slice()),
            (Some("Content-Type: application/json"), &b"{}"[..])
        );
        assert_eq!(parts.len(), 3);
    }
}
