//! Input that means harm, or no sense at all.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn refused(text: &str, part: &str) {
    let message = faults(text);
    assert!(message.contains(part), "expected {part:?} in: {message}");
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{before}"); 10].join(", ")
        ));
    }
    refused(&bomb, "too many values");
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(200_000),
        vec!["*a"; 60].join(", ")
    );
    refused(&long, "too much text");
    refused("a: &a [*a]\n", "within its own anchor");
    refused("a: *b\n", "unknown anchor");
    // Aliases that stay within the bounds are fine.
    good(&with_top("x-one: &one {executor: constant-vus}\ndata: []"));
}

/// HTTP bounds neither headers nor tokens nor URLs: a server's own bound is worth a test.
#[test]
fn what_is_sent_may_be_as_long_as_any_text() {
    let long = "x".repeat(MAX_SCALAR);
    good(&with_top(&format!(
        "http: {{headers: {{X-Long: {long}}}, auth: {{bearer: {long}}}, userAgent: {long}}}"
    )));
    refused(
        &with_top(&format!("http: {{headers: {{X-Long: {long}x}}}}")),
        "too long",
    );
}

#[test]
fn deep_large_and_odd_texts_are_refused() {
    for depth in [MAX_DEPTH + 1, 5_000, 400_000] {
        refused(&"[".repeat(depth), "nested too deep");
        refused(&"{a: ".repeat(depth.min(250_000)), "nested too deep");
        refused(&"- ".repeat(depth), "nested too deep");
    }
    refused(&"x".repeat(MAX_SIZE + 1), "is larger than 1 MiB");
    refused(&format!("a: {}\n", "x".repeat(MAX_SCALAR + 1)), "too long");
    refused(
        &format!("a: [{}]\n", "1,".repeat(MAX_NODES + 1)),
        "too many values",
    );
    refused("", "empty");
    refused("# nothing\n", "empty");
    refused("version: 1\n---\nversion: 1\n", "2:1: a second document");
    refused("a: [1, 2\nb: 3\n", "not YAML");
    refused("a: \"x\n", "not YAML");
    refused("- 1\n", "a list of 1");
    refused("text\n", "\"text\"");
    let deep_alias = format!(
        "a: &a {}1{}\nb: {}*a{}\n",
        "[".repeat(40),
        "]".repeat(40),
        "[".repeat(40),
        "]".repeat(40)
    );
    refused(&deep_alias, "nested too deep");
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let source = Source {
        name: "d.yaml",
        text: b"version: 1\ntest: \xc3\xa9\xff\n",
    };
    let faults = parse(&source, &Overrides::default(), &fake()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "d.yaml:2:8: the byte 0xff is not UTF-8; save the file as UTF-8"
    );
}

#[test]
fn as_many_faults_are_shown_as_anyone_reads() {
    let many: String = (0..5_000).map(|n| format!("key{n}: 1\n")).collect();
    let faults = read(&many).unwrap_err();
    assert_eq!(faults.0.len(), 101);
    assert!(
        faults.0[100].problem.contains("more faults"),
        "{}",
        faults.0[100]
    );
}

#[test]
fn what_a_reference_gives_is_never_read_again() {
    let parsed = good(&with_flow("- {get: /, body: \"a ${env:TRICKY} ${vu}\"}"));
    let Step::Request(request) = &parsed.definition.scenarios[0].flow[0] else {
        panic!()
    };
    let Body::Text(body) = &request.body else {
        panic!()
    };
    use crate::template::{Part, Variable};
    assert_eq!(
        body.parts,
        [
            Part::Literal("a ${vu} {{ ]  ".trim_end().to_owned() + " "),
            Part::Variable(Variable::Vu)
        ]
    );
    assert_eq!(body.source, "a ${env:TRICKY} ${vu}");
}

#[test]
fn secrets_stand_in_no_message_and_in_no_normalised_form() {
    let text = with_top(
        "run: {max_cost_usd: \"${secret:odd}\", tasks: \"${secret:odd}\", max_series: \"${secret:odd}\"}\nbaseline: {compare: \"${secret:odd}\", metrics: [\"${secret:odd}\"]}\nnotify: [{sns: \"${secret:odd}\", on: [\"${secret:odd}\"]}]\nproject: \"${secret:odd}\"",
    );
    let faults = read(&text).unwrap_err();
    assert!(faults.0.len() >= 6, "{faults}");
    assert!(
        !format!("{faults}{faults:#}").contains("s3cr3t"),
        "{faults}"
    );
    let parsed = good(&with_flow(
        "- {get: /, auth: {bearer: \"${secret:token}\"}, checks: ['body contains \"${secret:token}\"']}",
    ));
    assert!(!parsed.normalised.to_string().contains("s3cr3t"));
    let Step::Request(request) = &parsed.definition.scenarios[0].flow[0] else {
        panic!()
    };
    assert_eq!(request.checks[0].name, "body contains \"${secret:token}\"");
    assert!(format!("{:?}", request.checks[0].test).contains("s3cr3t"));
}

#[test]
fn secrets_are_refused_where_results_would_show_them() {
    for text in [
        with_flow("- {get: /, name: \"${secret:token}\"}"),
        with_flow("- {get: /, tags: {t: \"a ${secret:token}\"}}"),
        with_flow("- {group: \"${secret:token}\", steps: [{get: /}]}"),
        with_flow("- {post: /, file: \"${secret:token}.json\"}"),
        with_top("tags: {t: \"${secret:token}\"}"),
        with_top("data: [{file: \"${secret:token}.csv\"}]"),
        with_top("thresholds: {http_reqs: \"count>${secret:token}\"}"),
        with_top("parameters: {p: \"${secret:token}\"}\ntags: {t: \"${param:p}\"}"),
        with_top("project: \"${secret:token}\""),
    ] {
        let message = faults(&text);
        assert!(message.contains("a secret cannot stand here"), "{message}");
        assert!(!message.contains("s3cr3t"), "{message}");
    }
}

#[test]
fn minified_json_is_read_in_linear_time() {
    // One line of a mebibyte: places must not be found by counting from its start each time.
    for item in ["\"é0123456789\"", "\"0123456789\""] {
        let text = format!("{{\"x-a\":[{}]}}", vec![item; 60_000].join(","));
        let faults = read(&text).unwrap_err();
        assert!(
            faults.to_string().contains("\"version\" is missing"),
            "{faults}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&Source { name: "d", text: &bytes }, &Overrides::default(), &fake());
    }

    #[test]
    fn yaml_like_texts_never_panic(text in "[-a-c:\\[\\]{}&*!|>%@`\"'#,? \n\t~<$0-9.é]{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn a_changed_byte_of_a_full_definition_never_panics(at in 0..4_000_usize, byte in any::<u8>()) {
        let mut bytes = include_bytes!("full.yaml").to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        match parse(&Source { name: "d", text: &bytes }, &Overrides::default(), &fake()) {
            Ok(parsed) => prop_assert!(parsed.warnings.iter().all(|fault| fault.severity == Severity::Warning)),
            Err(faults) => {
                prop_assert!(faults.0.iter().any(|fault| fault.severity == Severity::Error));
                let lines = bytes.iter().filter(|b| **b == b'\n').count() as u32 + 2;
                for fault in &faults.0 {
                    prop_assert!(fault.place.line >= 1 && fault.place.line <= lines && fault.place.column >= 1, "{}", fault);
                    let _ = format!("{fault:#}");
                }
            }
        }
    }

    #[test]
    fn overrides_never_panic(name in "[a-z.\\[\\]0-9]{0,20}|(scenarios|parameters|run|http)\\.[a-z0-9.]{0,12}", value in "\\PC{0,20}") {
        let _ = read_with(include_str!("full.yaml"), &[(&name, &value)]);
    }
}
