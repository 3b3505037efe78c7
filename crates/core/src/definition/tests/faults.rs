//! What malformed definitions are told: every fixture in `malformed/` has the snapshot of all its faults.

use super::*;

macro_rules! malformed {
    ($($name:ident: $file:literal;)*) => {
        $(#[test]
        fn $name() {
            let text = include_str!(concat!("malformed/", $file, ".yaml"));
            let overrides = Overrides::default();
            let source = Source { name: concat!($file, ".yaml"), text: text.as_bytes() };
            let faults = parse(&source, &overrides, &fake()).unwrap_err();
            let places: Vec<_> = faults.0.iter().map(|fault| (fault.place.line, fault.place.column)).collect();
            assert!(places.is_sorted(), "{places:?}");
            insta::assert_snapshot!($file, faults.to_string());
        })*
    };
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

/// The warnings of a definition, a line each.
fn doubts(text: &str) -> Vec<String> {
    let warnings = good(text).warnings;
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_other_tools_would_fill_in_is_doubted() {
    for (value, found) in [
        (
            "/u/{{ user }}",
            "\"{{ user }}\" is sent as it stands; what is filled in is written ${user}",
        ),
        ("/u/{{user.id}}/x", "${user.id}"),
        ("/u/#{user}", "\"#{user}\""),
        ("/u/%{user}", "${user}"),
    ] {
        let said = doubts(&with_flow(&format!("- {{post: /, body: \"{value}\"}}")));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(found), "{said:?}");
        let said = doubts(&with_flow(&format!(
            "- {{post: /, json: {{a: [\"{value}\"]}}}}"
        )));
        assert_eq!(said.len(), 1, "{said:?}");
    }
    let none = "- {post: /, body: '{\"a\":{\"b\":{}}} {{ }} {{# if x }} 100%{'}";
    assert_eq!(doubts(&with_flow(none)), [""; 0]);
}

#[test]
fn lengths_of_lists_are_doubted() {
    for check in [
        "$.items.length > 0",
        "$.items['length'] == 3",
        "$.items.size >= 1",
    ] {
        let said = doubts(&with_flow(&format!("- {{get: /, checks: [\"{check}\"]}}")));
        assert_eq!(said.len(), 1, "{check}: {said:?}");
        assert!(
            said[0].contains("for at least one item write $.items[0] exists"),
            "{said:?}"
        );
    }
    let said = doubts(&with_flow("- {get: /, extract: {n: $.items.length}}"));
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn a_few_milliseconds_are_doubted_and_too_few_refused() {
    let said = doubts(&with_flow(
        "- {get: /, timeout: 30}\n- think: 1..3\n- think: 500\n- think: 0",
    ));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("30 is 30ms, since a bare number is milliseconds; write 30s or 30ms"),
        "{said:?}"
    );
    let message = faults(&with_executor("executor: constant-vus, duration: 10"));
    assert!(
        message.contains("10 is 10ms, which is too short; did you mean \"10s\"? allowed: at least 1s; a bare number is milliseconds"),
        "{message}"
    );
}

#[test]
fn keys_of_other_tools_have_ours_for_an_answer() {
    for (key, remedy) in [
        (
            "insecureSkipTLSVerify: true",
            "write http: {insecure: true}",
        ),
        ("userAgent: x", "below http"),
        ("setupTimeout: 1m", "as long as the start of the tasks"),
        ("rps: 5", "constant-arrival-rate"),
        ("sleep: 1", "think: 1s"),
    ] {
        let message = faults(&with_top(key));
        assert!(message.contains(remedy), "{key}: {message}");
    }
    for (step, remedy) in [
        ("- sleep: 1", "think: 1s"),
        ("- {get: /, sleep: 1}", "think: 1s"),
        ("- loop: [{get: /}]", "write repeat: N"),
    ] {
        let message = faults(&with_flow(step));
        assert!(message.contains(remedy), "{step}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    for tabs in [
        "version: 1\n\ttest: t\n",
        "scenarios:\n\ts:\n\t\tvus: 1\n",
        "a:\n  b:\n\t  c: 1\n",
    ] {
        let message = faults(tabs);
        assert!(
            message.contains("a line begins with a tab: YAML is indented with spaces"),
            "{message}"
        );
    }
}

#[test]
fn rates_may_be_fractions() {
    let executor = |keys: &str| {
        good(&with_executor(keys)).definition.scenarios[0]
            .executor
            .clone()
    };
    let constant = |rate: &str| match executor(&format!(
        "executor: constant-arrival-rate, duration: 4s, preAllocatedVUs: 2, rate: {rate}"
    )) {
        Executor::ConstantArrivalRate {
            rate, time_unit, ..
        } => (rate, time_unit.as_millis()),
        other => panic!("{other:?}"),
    };
    assert_eq!(constant("0.5"), (1, 2_000));
    assert_eq!(constant("2.5, timeUnit: 1m"), (5, 120_000));
    assert_eq!(constant("1/3s"), (1, 3_000));
    assert_eq!(constant("10/s"), (10, 1_000));
    assert_eq!(constant("50"), (50, 1_000));
    let ramping = executor(
        "executor: ramping-arrival-rate, startRate: 0.5, preAllocatedVUs: 2, stages: [{duration: 3s, target: 1/3s}, {duration: 1s, target: 2}]",
    );
    let Executor::RampingArrivalRate {
        start_rate,
        time_unit,
        stages,
        ..
    } = ramping
    else {
        panic!("{ramping:?}")
    };
    assert_eq!((start_rate, time_unit.as_secs()), (3, 6));
    assert_eq!((stages[0].target, stages[1].target), (2, 12));
    let text = with_executor(
        "executor: constant-arrival-rate, rate: 10/s, timeUnit: 1m, duration: 4s, preAllocatedVUs: 2",
    );
    assert!(doubts(&text)[0].contains("timeUnit has no effect"));
}

#[test]
fn a_threshold_is_judged_where_it_stands() {
    let text = with_top("thresholds: {http_reqs: [rate>1, {threshold: \"rate ${env:RATE}\"}]}");
    let source = Source {
        name: "d",
        text: text.as_bytes(),
    };
    let faults = parse(&source, &Overrides::default(), &fake()).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "d:6:46: thresholds.http_reqs[1].threshold: there is no operator (from \"rate ${env:RATE}\"); allowed: < <= > >= == === !="
    );
}

#[test]
fn a_caret_stands_under_the_very_characters() {
    let caret = |text: &str| {
        let faults = read(text).unwrap_err();
        let error = |fault: &&Fault| fault.severity == Severity::Error;
        let picture = format!("{:#}", faults.0.iter().find(error).unwrap());
        let lines: Vec<_> = picture.lines().collect();
        let line = lines.iter().rposition(|line| line.contains('^')).unwrap();
        let from = lines[line].find('^').unwrap();
        let under: String = lines[line - 1].chars().skip(from).collect();
        let width = lines[line].matches('^').count();
        under.chars().take(width).collect::<String>()
    };
    for (key, expression, under) in [
        ("http_req_duration", "p(95)<500sec", "sec"),
        ("http_req_duration", "p(101) < 5", "101"),
        ("http_req_duration", "p95 < 5", "p95"),
        ("http_req_duration", "p(95) =< 5", "=<"),
        ("http_req_duration", "rate < 5", "rate"),
        ("http_req_failed", "rate < 10%", "10%"),
        ("http_reqs", "count > 5 ms", "5 ms"),
        ("http_req_duraton{name:x}", "p(95)<500", "http_req_duraton"),
        ("http_reqs{name:x,status}", "count>5", "status"),
        ("1st{name:x}", "count>5", "1st"),
    ] {
        let quoted = format!("thresholds: {{\"{key}\": \"{expression}\"}}");
        assert_eq!(caret(&with_top(&quoted)), under, "{key}: {expression}");
        let listed = format!("thresholds:\n  {key}: ['{expression}']");
        if !key.contains(',') {
            assert_eq!(caret(&with_top(&listed)), under, "{key}: {expression}");
        }
    }
    for (step, under) in [
        ("- {get: /, checks: ['sttus == 200']}", "sttus"),
        ("- {get: /, checks: ['status = 200']}", "="),
        ("- {get: /, checks: ['status == abc']}", "abc"),
        ("- {get: /, checks: ['duration < 8sec']}", "sec"),
        ("- {get: '/a/${uid()}/b'}", "uid()"),
        ("- {get: '/a/${nobody}/b'}", "nobody"),
        ("- {get: '/a/${env:NOBODY}/b'}", "env:NOBODY"),
        ("- think: 1s..3sec", "sec"),
        ("- {get: /, timeout: 1m5sec}", "sec"),
        ("- {get: /, extract: {a: 'regex:('}}", "("),
        ("- {get: /, name: 'a ${vu} b'}", "${vu}"),
    ] {
        assert_eq!(caret(&with_flow(step)), under, "{step}");
    }
    assert_eq!(
        caret(&with_top("baseline: {metrics: [http_reqs p(95)]}")),
        "p(95)"
    );
    for (keys, under) in [
        ("method: compare, tolerance: 5%", "tolerance"),
        ("min_effect: 5%, tolerance: 5%", "tolerance"),
        ("method: tolerance, undecided: pass", "undecided"),
        ("method: tolerance, compare: {rolling: 10}", "{"),
        ("min_effect: 0%", "0%"),
        ("confidence: 100%", "100%"),
        ("method: compar", "compar"),
        ("compare: pined", "pined"),
        ("compare: {rolling: 4}", "4"),
    ] {
        let text = with_top(&format!("baseline: {{metrics: [http_reqs rate], {keys}}}"));
        assert_eq!(caret(&text), under, "{keys}");
    }
    let target = |url: &str| caret(&with_top("").replace("http://127.0.0.1:8080", url));
    assert_eq!(target("http://a b"), " ");
    assert_eq!(target("http://a:x/b"), "x");
    assert_eq!(target("http://u:p@a/b"), "u:p@");
}

#[test]
fn overrides_have_places_too() {
    let text = with_executor("executor: constant-vus, duration: 1s");
    let message =
        |name: &str, value: &str| read_with(&text, &[(name, value)]).unwrap_err().to_string();
    assert_eq!(
        message("scenarios.s.duration", "10 s"),
        "--set scenarios.s.duration:1:3: scenarios.s.duration: \"10 s\" has a space in it; did you mean \"10s\"? allowed: a duration such as 500ms, 30s or 1m30s (a bare number is milliseconds)"
    );
    assert_eq!(
        message("rate", "5"),
        "--set rate:1:1: there is no parameter and no key \"rate\"; allowed: the path of a value, such as scenarios.NAME.rate"
    );
    assert!(
        message("scenarios.s.durtion", "5s").contains("unknown key; did you mean \"duration\"?")
    );
    assert!(message("scenarios.s.flow.7", "x").contains("not an index of a list of 1"));
    assert!(message("test.x", "x").contains("no parts (line 2)"));
    assert!(message("scenarios.s.flow", "[{get: /").contains("not YAML"));
}

/// Of a fault and what it entails, the fault alone is told.
#[test]
fn a_consequence_is_not_reported_beside_its_cause() {
    let mut wrong = Vec::new();
    let flow = |flow: &str| with_flow(flow).replace("flow:", "flow: ");
    let asks = "thresholds:\n  \"http_reqs{name:home}\": rate>0\n  \"http_reqs{group:::cart}\": rate>0\n  \"checks{check:status == 200}\": rate>0\n";
    let named =
        "- {get: /, name: home, checks: [status == 200]}\n- {group: cart, steps: [{get: /}]}";
    for (text, problem) in [
        // Thresholds on tags of what is faulty.
        (
            format!(
                "{}{asks}",
                flow(named).replace("executor: constant-vus", "executor: constant-vu")
            ),
            "\"constant-vu\" is not known",
        ),
        (
            format!(
                "{}{asks}",
                flow(
                    "- {get: /, nam: home, checks: [status == 200]}\n- {group: cart, steps: [{get: /}]}"
                )
            ),
            "unknown key",
        ),
        (
            format!(
                "{}{asks}",
                flow(
                    "- {get: /, name: home, checks: [status = 200]}\n- {group: cart, steps: [{get: /}]}"
                )
            ),
            "\"=\" is not a valid operator",
        ),
        (
            format!("{}{asks}", with_flow("- get: /").replace("flow:", "flwo:")),
            "unknown key",
        ),
        (
            format!(
                "{}{asks}",
                with_flow("- get: /").replace("scenarios:", "scenario:")
            ),
            "unknown key",
        ),
        (format!("{HEAD}scenarios: []\n{asks}"), "is not a map"),
        // What stands or falls with the engine.
        (
            format!("{HEAD}engine: gattling\nscript: a.jar\n"),
            "\"gattling\"",
        ),
        (format!("{HEAD}enigne: k6\nscript: a.js\n"), "unknown key"),
        (format!("{HEAD}engine: k6\nscirpt: a.js\n"), "unknown key"),
        (
            with_flow("- get: /").replace("target:", "taget:"),
            "unknown key",
        ),
        // Variables and rows of what is faulty.
        (flow("- sett: {a: 1}\n- get: /${a}"), "unknown key"),
        (
            flow("- {get: /, extract: [a]}\n- get: /${a}"),
            "is not a map",
        ),
        (
            flow("- {get: /, extrct: {a: $.a}}\n- get: /${a}"),
            "unknown key",
        ),
        (
            flow("- {get: /, extrct: {a: $.a}, onMissing: continue}\n"),
            "unknown key",
        ),
        (
            format!("dat: [{{file: a.csv}}]\n{}", flow("- get: /${data.a}")),
            "unknown key",
        ),
        (
            format!(
                "data: [{{file: a.csv, nmae: users}}]\n{}",
                flow("- get: /${users.a}")
            ),
            "unknown key",
        ),
        (
            format!("data: [{{name: users}}]\n{}", flow("- get: /${users.a}")),
            "\"file\" is missing",
        ),
        // Parameters.
        (
            format!("parameter: {{a: 1}}\n{}", flow("- get: /${param:a}")),
            "unknown key",
        ),
        (
            format!("parameters: [a]\n{}", flow("- get: /${param:a}")),
            "is not a map",
        ),
        (
            format!("parameters: {{a: [1]}}\n{}", flow("- get: /${param:a}")),
            "is not valid here",
        ),
        // Values that are compared.
        (
            with_top("http: {timeout: never, connectTimeout: 90s}"),
            "never",
        ),
        (with_top("http: {cert: a.pem, kei: b.pem}"), "unknown key"),
        (
            with_executor("executor: shared-iterations, vus: 5, iterations: many"),
            "many",
        ),
        (
            with_executor("executor: shared-iterations, vus: many, iterations: 5"),
            "many",
        ),
    ] {
        let said = faults(&text);
        if said.lines().count() != 1 || !said.contains(problem) {
            wrong.push(format!("{problem}: {said}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_has_nothing_to_do_with_a_fault_is_reported_beside_it() {
    let text = format!(
        "{}thresholds:\n  \"http_reqs{{name:hom}}\": rate>0\n  \"http_reqs{{scenario:t}}\": rate>0\n",
        with_flow("- {get: /, name: home}\n- get: /${b}").replace("1s", "soon")
    );
    let found = faults(&text);
    for part in [
        "soon",
        "unknown variable \"b\"",
        "no step has the scenario \"t\"",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    // The second step has a fault, and might be the one that is meant.
    assert!(!found.contains("\"hom\""), "{found}");
    let text = text.replace("${b}", "b");
    assert!(faults(&text).contains("no step has the name \"hom\""));
}

#[test]
fn exports_are_urls_whose_secrets_are_references() {
    for (item, said) in [
        ("elsewhere://h/db", "there is no export to \"elsewhere\":"),
        ("influxd://h/db", "did you mean \"influxdb\"?"),
        ("no-url", "is not a valid URL of an export"),
        ("\"influxdb://h/my db\"", "write %20"),
        ("influxdb://ann:hunter2@h/db", "write {to: URL, password:"),
        (
            "influxdb://h/db?token=hunter2",
            "a password or token stands in the URL",
        ),
        (
            "{to: \"influxdb://h/db\", token: hunter2}",
            "the token itself stands in the definition",
        ),
        (
            "{to: \"influxdb://${secret:token}/db\"}",
            "a secret cannot stand here",
        ),
        ("{password: \"${secret:token}\"}", "\"to\" is missing"),
    ] {
        let faults = read(&with_top(&format!("export: [{item}]"))).unwrap_err();
        assert_eq!(faults.0.len(), 1, "{item}: {faults}");
        let told = faults.to_string();
        assert!(told.contains(said), "{item}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let parsed = good(&with_top(
        "export: [\"file:a.csv\", {to: \"influxdb://h/db\", token: \"${secret:token}\"}]",
    ));
    let shown = format!("{:?}{}", parsed.definition.export, parsed.normalised);
    assert!(parsed.definition.export[1].token.is_some());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn text_that_is_not_yaml_has_a_remedy_of_its_own() {
    for (text, place, remedy) in [
        (
            "a:\n  b: constant-vus\n\trate: 5\n",
            "3:1: ",
            "indented with spaces",
        ),
        (
            "a: *nobody\n",
            "1:4: ",
            "*NAME stands for what &NAME marks before it",
        ),
        ("version: 1\ntest: \"x\0y\"\n", "2:9: ", "remove it"),
        (
            "rate:\t10/s\nb: 1\n",
            "1:7: ",
            "write a space after the \":\", not a tab",
        ),
        ("a: \"x\n", "1:4: ", "close the quotes"),
        ("a: \"\\q\"\n", "1:4: ", "single quotes"),
        ("{\"a\": \"\\ud83d\"}", "1:7: ", "are halves of one"),
        ("{\n\t\"a\": 1,\n\t\"b\": @\n}", "3:7: ", "into quotes"),
        ("a: @x\n", "1:4: ", "put text that has any of"),
    ] {
        let message = faults(text);
        assert!(
            message.starts_with(place) && message.contains(remedy),
            "{text:?}: {message}"
        );
    }
}

#[test]
fn json_may_have_escapes_of_surrogates() {
    let json = |test: &str| {
        format!(
            r#"{{"version": 1, "test": "{test}", "x-a": "\ud83d\ude00", "scenarios": {{"s": {{"executor": "constant-vus", "duration": "1s", "flow": [
                {{"post": "http://h/", "name": "\ud83d\ude00", "body": "\uD83D\uDE00 a", "tmeout": "\ud83d\ude00 1x"}}]}}}}}}"#
        )
    };
    let message = faults(&json("t"));
    let line = json("t");
    let line = line.lines().nth(1).unwrap();
    let column = line[..line.find("\"tmeout").unwrap()].chars().count() + 1;
    assert!(message.starts_with(&format!("2:{column}: ")), "{message}");
    let parsed = good(&json("t").replace("tmeout\": \"\\ud83d\\ude00 1x", "timeout\": \"1s"));
    let Step::Request(request) = &parsed.definition.scenarios[0].flow[0] else {
        panic!("no request");
    };
    assert_eq!(request.name, "\u{1f600}");
}

#[test]
fn a_caret_stands_under_wide_characters() {
    use unicode_width::UnicodeWidthStr as _;
    for (name, value) in [("日本語é", "soon"), ("a", "\u{1f600}10")] {
        let text = with_flow(&format!("- {{get: /, name: {name}, timeout: {value}}}"));
        let picture = format!("{:#}", read(&text).unwrap_err());
        let lines: Vec<_> = picture.lines().collect();
        let at = lines.iter().position(|line| line.contains('^')).unwrap();
        let (row, caret) = (lines[at - 1], lines[at]);
        let before = row[..row.rfind(value).unwrap()].width();
        assert_eq!(caret.find('^').unwrap(), before, "{picture}");
        assert_eq!(caret.matches('^').count(), value.width(), "{picture}");
    }
}
