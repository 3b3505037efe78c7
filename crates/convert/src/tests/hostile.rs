//! Sources that are broken, or meant to break something.

use super::*;

fn har(entries: &str) -> Vec<u8> {
    format!("{{\"log\": {{\"version\": \"1.2\", \"entries\": [{entries}]}}}}").into_bytes()
}

const GOOD: &str = r#"{"request": {"method": "GET", "url": "http://a.example/x", "headers": []}, "response": {"status": 200}}"#;

fn error(source: &[u8]) -> String {
    convert(source, &named("x")).unwrap_err().to_string()
}

#[test]
fn what_is_no_source_says_what_it_may_be() {
    for (source, part) in [
        (&b""[..], "it is empty"),
        (b"  \n", "it is empty"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"PK\x03\x04", "compressed"),
        (b"<html>", "HTML"),
        (b"swagger: '2.0'\n", "OpenAPI 2"),
        (b"{\"swagger\": \"2.0\"}", "OpenAPI 2"),
        (b"{\"info\": {\"_postman_id\": 1}, \"item\": []}", "Postman"),
        (b"{\"a\": 1}", "--from says what it is"),
        (b"hello", "--from says what it is"),
        (b"openapi: 4.0.0\npaths: {}\n", "\"4.0.0\" is not supported"),
        (b"openapi: 3.0.0\npaths: {}\n", "no operations"),
        (b"openapi: [\n", "this is not YAML"),
        (b"openapi: 3.0.0\nx: &a [*a]\n", "an alias is within"),
        (b"{\"openapi\": \"3.0.0\", \"paths\"", "cannot be read"),
        (b"curl", "command 1 (line 1): it has no URL"),
        (
            b"\ncurl 'http://a.example",
            "line 2: the quote ' is not closed",
        ),
        (b"curl -H", "-H has no value"),
        (b"curl ftp://a.example", "is not an http:// or https:// URL"),
        (b"curl http://[x", "is not valid"),
    ] {
        let message = error(source);
        assert!(
            message.contains(part),
            "{:?}: {message}",
            String::from_utf8_lossy(source)
        );
    }
}

#[test]
fn an_archive_that_breaks_off_names_the_entry() {
    let whole = har(&[GOOD, GOOD, GOOD].join(","));
    let message = error(&whole[..whole.len() - 60]);
    assert!(
        message.starts_with("entry 3 of the HAR cannot be read: EOF")
            && message.ends_with("export it again"),
        "{message}"
    );
    assert!(
        error(b"{\"log\": {\"entries\": {}}}").contains("log.entries is an object, not a list")
    );
    assert!(error(b"{\"log\": {}}").contains("no log.entries"));
    assert!(error(b"{\"log\": []}").contains("a list stands where a HAR has an object"));
    assert!(error(&har("")).contains("the source has no requests"));
}

#[test]
fn nesting_that_is_too_deep_is_an_error_and_no_crash() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let message = error(&har(&format!("{GOOD},{{\"request\": {deep}}}")));
    assert!(
        message.starts_with("entry 2 of the HAR cannot be read: recursion limit"),
        "{message}"
    );
    let yaml = format!("openapi: 3.0.0\nx: {deep}\n");
    assert!(error(yaml.as_bytes()).contains("nested too deep"));
}

#[test]
fn entries_that_make_no_sense_are_left_out_and_named() {
    let bad = [
        "null",
        "7",
        "\"x\"",
        "[]",
        "{}",
        r#"{"request": null}"#,
        r#"{"request": {"method": "GE T", "url": "http://a.example/"}}"#,
        r#"{"request": {"method": "GET"}}"#,
        r#"{"request": {"method": "GET", "url": "nonsense"}}"#,
    ];
    let made = converted(&har(&format!("{GOOD},{}", bad.join(","))), &named("x"));
    assert_eq!(made.text.matches("- get:").count(), 1, "{}", made.text);
    assert!(
        made.text
            .contains("# entry 2 is left out: it has no request"),
        "{}",
        made.text
    );
    assert!(
        made.text.contains("4 more entries could not be read"),
        "{}",
        made.text
    );
}

#[test]
fn what_no_text_can_have_is_replaced_or_left_out() {
    let mut source = har(&GOOD.replace("a.example/x", "a.example/x?q=\u{1}")
        .replace("\"headers\": []", r#""headers": [{"name": "X-A", "value": "a\u0000b"}, {"name": "b d", "value": "1"}, {"name": "X-C"}, {"value": "x"}, 5],
        "postData": {"mimeType": "application/json", "text": "{\"a\\u0000\": \"\\u001b[31m\", \"b\": \"BAD\"}"}"#));
    let at = source.windows(3).position(|w| w == b"BAD").unwrap();
    source[at] = 0xff;
    let made = converted(&source, &named("x"));
    assert!(
        made.text.contains("The header \\\"X-A\\\" is left out")
            || made.text.contains("The header \"X-A\" is left out"),
        "{}",
        made.text
    );
    assert!(
        made.text.contains("1 characters that are not valid"),
        "{}",
        made.text
    );
}

#[test]
fn a_title_cannot_leave_its_comment_or_its_group() {
    let entry = |page: &str| GOOD.replacen('{', &format!("{{\"pageref\": \"{page}\", "), 1);
    let source = format!(
        r#"{{"log": {{"creator": {{"name": "x\ninjected: true"}}, "pages": [{{"id": "p", "title": "a: \"b\" ::c\n- get: /evil ${{vu}}"}}, {{"id": "q", "title": ""}}], "entries": [{}, {}]}}}}"#,
        entry("p"),
        entry("q")
    );
    let made = converted(source.as_bytes(), &named("../x: y"));
    assert!(
        !made.text.contains("\ninjected") && made.text.contains("test: x-y\n"),
        "{}",
        made.text
    );
}

#[test]
fn numbers_of_entries_and_bytes_are_bounded() {
    let many: Vec<_> = (0..700)
        .map(|n| GOOD.replace("/x", &format!("/x/{n}")))
        .collect();
    let made = converted(&har(&many.join(",")), &named("x"));
    assert_eq!(made.text.matches("- get:").count(), 500);
    assert!(made.text.contains("Only the first 500 of 700 requests"));
    let long = "x".repeat(40_000);
    let posts: Vec<_> = (0..30)
        .map(|n| {
            let body = format!(
                "\"postData\": {{\"mimeType\": \"text/plain\", \"text\": \"{n}{}\"}}",
                &long[..if n % 2 == 0 { 30_000 } else { 40_000 }]
            );
            GOOD.replace("\"GET\"", "\"POST\"")
                .replace("\"headers\": []", &format!("\"headers\": [], {body}"))
        })
        .collect();
    let made = converted(&har(&posts.join(",")), &named("x"));
    assert!(
        made.text.len() < 600 << 10 && made.files.len() >= 15,
        "{}",
        made.files.len()
    );
}

#[test]
fn a_known_secret_is_written_nowhere() {
    const TOKEN: &str = "PLANTED5abcdef0123456789";
    const COOKIE: &str = "SEEDED77fedcba98";
    // Before the request that says what it is, and behind it.
    let commands = format!(
        "# for {TOKEN}\n\
         curl https://a.example/first/{TOKEN}/x?{TOKEN}\n\
         curl https://a.example/a -H 'Authorization: Bearer {TOKEN}' -H 'Cookie: sid={COOKIE}; theme=dark'\n\
         curl 'https://a.example/b/x-{TOKEN}?q=is%20{TOKEN}&{TOKEN}=1&c={COOKIE}' -H 'X-Note: for {TOKEN}' -H 'X-{TOKEN}: 1'\n\
         curl https://a.example/c --json '{{\"note\": \"has {TOKEN}\", \"{TOKEN}\": [1]}}'\n\
         curl https://a.example/d -d 'note=a+{TOKEN}&{TOKEN}=2'\n\
         curl https://a.example/e -H 'Content-Type: text/plain' -d 'plain {TOKEN} text'\n\
         curl https://a.example/f -F 'note=part {TOKEN}' -F '{TOKEN}=3'\n\
         curl https://{TOKEN}@other.example/g -X 'A'\n\
         curl https://a.example/h -u 'ann:p&ss w0rd%' -d 'p=p%26ss+w0rd%25'\n\
         curl 'https://a.example/i/p%26ss%20w0rd%25' -H 'Content-Type: text/plain' -d 'p%26ss%20w0rd%25'\n"
    );
    let made = converted(commands.as_bytes(), &named("x"));
    for secret in [TOKEN, COOKIE, "p&ss", "p%26ss"] {
        assert!(!made.text.contains(secret), "{secret}\n{}", made.text);
        assert!(!made.notes.iter().any(|note| note.contains(secret)));
    }
    for kept in [
        "get: /first/${secret:token}/x\n",
        "get: /b/x-${secret:token}\n",
        "params: { q: \"is ${secret:token}\", c: \"${secret:sid}\" }",
        "for ${secret:token}",
        "has ${secret:token}",
        "plain ${secret:token} text",
        "part ${secret:token}",
        "post: /i/${secret:password-2}",
        "PASSWORD_2   password of POST /h, encoded",
    ] {
        assert!(made.text.contains(kept), "{kept}\n{}", made.text);
    }
    // A recording with the same, and a body that would be a file.
    let url = |path: &str, more: &str| {
        format!(
            r#"{{"request": {{"method": "POST", "url": "http://a.example/{path}", "headers": [{{"name": "X-A", "value": "1"}}{more}}}, "response": {{"status": 200}}}}"#
        )
    };
    let long = format!("{TOKEN}{}", "x".repeat(40 << 10));
    let entries = [
        url(&format!("b/{TOKEN}"), "]"),
        url(
            "a",
            &format!(r#", {{"name": "Authorization", "value": "Bearer {TOKEN}"}}]"#),
        ),
        url(
            "c",
            &format!(r#"], "postData": {{"mimeType": "text/plain", "text": "{long}"}}"#),
        ),
    ];
    let made = converted(&har(&entries.join(",")), &named("x"));
    assert!(!made.text.contains(TOKEN), "{}", made.text);
    assert!(
        made.text.contains("post: /b/${secret:token}"),
        "{}",
        made.text
    );
    assert!(made.files.is_empty() && made.text.contains("must not be written to a file"));
}

#[test]
fn a_recording_is_read_however_it_was_saved() {
    let text = String::from_utf8(har(GOOD)).unwrap();
    let plain = converted(text.as_bytes(), &named("x")).text;
    let marked = format!("\u{feff}{text}");
    let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for saved in [marked.as_bytes(), &utf16] {
        assert_eq!(converted(saved, &named("x")).text, plain);
    }
}

#[test]
fn a_command_that_makes_no_sense_is_left_out() {
    let made = converted(
        b"curl http://a.example/1\ncurl ftp://ann:hunter22@x/y?token=abc\ncurl -X\ncurl http://a.example/2\n",
        &named("x"),
    );
    for (note, part) in [
        (
            0,
            "command 2 (line 2): the URL \"ftp://***@x/y\" is not an http",
        ),
        (1, "command 3 (line 3): -X has no value"),
    ] {
        assert!(made.notes[note].contains(part), "{:?}", made.notes);
    }
    assert!(made.text.contains("get: /1") && made.text.contains("get: /2"));
    assert!(
        !made.text.contains("hunter22") && !made.text.contains("abc"),
        "{}",
        made.text
    );
}
