//! What stands beside a definition's text: references, overrides, parameters of scripts, files, the version.

use super::*;
use floodgate_records::engine::Engine;
use serde_json::json;

#[test]
fn references_fill_in_and_fall_back() {
    let rate = |text: &str| match executor(&format!(
        "executor: constant-arrival-rate, rate: \"{text}\", duration: 1s, preAllocatedVUs: 1"
    )) {
        Executor::ConstantArrivalRate { rate, .. } => rate,
        other => panic!("{other:?}"),
    };
    assert_eq!(rate("${env:RATE}"), 70);
    assert_eq!(rate("${env:NONE:-30}"), 30);
    assert_eq!(rate("${env:EMPTY:-31}"), 31);
    assert_eq!(rate("1${env:RATE}"), 170);
}

#[test]
fn overrides_change_values_and_parameters() {
    let base = include_str!("../../../../../examples/checkout.yaml");
    let rate = |overrides: &[(&str, &str)]| match &read_with(base, overrides)
        .unwrap()
        .definition
        .scenarios[0]
        .executor
    {
        Executor::ConstantArrivalRate { rate, .. } => *rate,
        other => panic!("{other:?}"),
    };
    assert_eq!(rate(&[]), 50);
    assert_eq!(rate(&[("rate", "7")]), 7, "a parameter");
    assert_eq!(rate(&[("scenarios.browse.rate", "8")]), 8, "a path");
    assert_eq!(rate(&[("rate", "7"), ("rate", "9")]), 9, "the last wins");
    let parsed = read_with(
        base,
        &[
            ("scenarios.browse.flow.0.get", "/other"),
            ("run.max_series", "77"),
            ("http.version", "2"),
            ("scenarios.buy.stages", "[{duration: 5s, target: 3}]"),
            ("http_req_failed", "rate<0.5"),
        ][..4],
    )
    .unwrap();
    assert_eq!(parsed.definition.run.max_series, 77);
    assert_eq!(parsed.definition.http.version, HttpVersion::Http2);
    assert!(
        matches!(&parsed.definition.scenarios[1].executor, Executor::RampingVus { stages, .. } if stages.len() == 1)
    );
    let Step::Request(first) = &parsed.definition.scenarios[0].flow[0] else {
        panic!()
    };
    assert_eq!(first.url.source, "/other");
    let dotted = read_with(
        &with_top("thresholds: {\"http_reqs{name:a.b}\": rate>1}"),
        &[("thresholds.http_reqs{name:a.b}", "rate>2")],
    );
    assert_eq!(
        dotted.unwrap().definition.thresholds[0].expression,
        "rate>2"
    );
    assert_eq!(parsed.normalised["run"]["max_series"], json!(77));
    assert_eq!(
        parsed.normalised["scenarios"]["browse"]["rate"],
        json!("${param:rate}"),
        "references stay"
    );
}

#[test]
fn merge_keys_and_anchors_work() {
    let text = format!(
        "{HEAD}x-base: &base {{executor: constant-vus, vus: 3, duration: 1s, flow: [{{get: /}}]}}\nscenarios:\n  a: {{<<: *base, vus: 5}}\n  b: *base\n"
    );
    let parsed = good(&text);
    let vus: Vec<_> = parsed
        .definition
        .scenarios
        .iter()
        .map(|scenario| match scenario.executor {
            Executor::ConstantVus { vus, .. } => vus,
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(vus, [5, 3]);
    assert!(parsed.normalised.get("x-base").is_none());
}

#[test]
fn the_version_is_of_the_meaning() {
    let hash = |text: &str| version(&good(text).normalised, []);
    let plain = "version: 1\ntest: t\nengine: k6\nscript: a.js\n";
    assert_eq!(
        hash(plain),
        hash("# a comment\n{version: 1, \"test\": 't', engine: k6,\n script: a.js}")
    );
    assert_ne!(hash(plain), hash(&plain.replace("a.js", "b.js")));
    let value = json!({});
    fn file<'a>(name: &'a str, text: &'a str) -> (&'a str, &'a [u8]) {
        (name, text.as_bytes())
    }
    let both = version(&value, [file("a", "1"), file("b", "2")]);
    assert_eq!(
        both,
        version(&value, [file("b", "2"), file("a", "1")]),
        "the order of files does not matter"
    );
    assert_ne!(both, version(&value, [file("a", "1b2")]));
    assert_eq!(both.len(), 64);
}

#[test]
fn external_engines_need_no_scenarios() {
    let definition = good(include_str!("full-k6.yaml")).definition;
    assert_eq!(
        (definition.engine, definition.script.as_deref()),
        (Engine::K6, Some("load.js"))
    );
    assert_eq!(definition.project, "default");
    let text = "version: 1\ntest: t\nengine: jmeter\nscript: p.jmx\nfiles: [rows.csv]\n\
                parameters: {threads: 5, host: \"${env:HOST}\"}\n";
    let parsed = good(text);
    assert_eq!(parsed.files, ["p.jmx", "rows.csv"]);
    assert_eq!(parsed.definition.script_files, ["rows.csv"]);
    let parameters: Vec<_> = parsed.definition.parameters.into_iter().collect();
    let expected = [("host", "shop.example"), ("threads", "5")];
    assert_eq!(
        parameters,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_script_takes_parameters_that_its_definition_does_not_list() {
    let plain = "version: 1\ntest: t\nengine: k6\nscript: load.js\n";
    let of = |text: &str, overrides: &[(&str, &str)]| {
        let parsed = read_with(text, overrides).unwrap();
        let all = parsed.definition.parameters.into_iter();
        all.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    // A name with dots is one name; what looks like a path of a key is one only where the key is known.
    let given = [
        ("BASE_URL", "http://127.0.0.1:1"),
        ("my.prop", "007"),
        ("parameters.target", "${env:HOST}"),
        ("hosts", "x"),
    ];
    let all = [
        "BASE_URL=http://127.0.0.1:1",
        "hosts=x",
        "my.prop=007",
        "target=shop.example",
    ];
    assert_eq!(of(plain, &given), all);
    let listed = format!("{plain}parameters: {{users: 5, other: a}}\n");
    assert_eq!(
        of(&listed, &[("users", "6"), ("more", "b")]),
        ["more=b", "other=a", "users=6"]
    );
    // The definition's own keys come first, misspelt ones are told, and the native engine has no script to give parameters to.
    let target = read_with(plain, &[("target", "http://127.0.0.1:2")]).unwrap();
    assert_eq!(
        target.definition.target.as_deref(),
        Some("http://127.0.0.1:2")
    );
    let misspelt = read_with(plain, &[("thersholds.checks", "rate==1")]).unwrap_err();
    assert!(
        misspelt
            .to_string()
            .contains("did you mean \"thresholds\"?"),
        "{misspelt}"
    );
    let native = read_with(&with_top(""), &[("BASE_URL", "x")]).unwrap_err();
    assert!(native.to_string().contains("no parameter and no key"));
}

#[test]
fn a_file_cannot_take_the_place_of_the_definition() {
    let text = "version: 1\ntest: t\nengine: k6\nscript: definition.json\n";
    let faults = read(text).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "d.yaml:4:9: script: \"definition.json\" is the name of a file of ours; call the file otherwise: both are stored in one folder"
    );
}

#[test]
fn what_a_local_run_does_not_heed() {
    let list =
        |text: &str| -> Vec<String> { good(text).local.iter().map(ToString::to_string).collect() };
    let script = "version: 1\ntest: t\nengine: k6\nscript: load.js\nhttp: {insecure: true}\n";
    assert_eq!(
        list(script),
        ["d.yaml:5:1: http: has no effect with an engine that runs a script"]
    );
    let unheeded = list(include_str!("full.yaml"));
    for (line, path) in unheeded.iter().zip([
        "run.tasks",
        "run.cpu",
        "run.memory",
        "run.regions",
        "run.max_cost_usd",
    ]) {
        assert!(
            line.ends_with(&format!(": {path}: {LOCAL_ONLY}")),
            "{path}: {line}"
        );
    }
    assert_eq!(unheeded.len(), 5, "{unheeded:#?}");
    assert_eq!(list(&with_flow("- get: http://x/")), [""; 0]);
}

#[test]
fn a_shown_target_has_all_but_secrets_resolved() {
    for (target, shown) in [
        ("http://${env:HOST}/$${x", "http://shop.example/${x"),
        (
            "http://${env:HOST}/${secret:token}",
            "http://shop.example/${secret:token}",
        ),
        ("${param:plain}/${param:hidden}", "http://a/${param:hidden}"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    ] {
        let text = with_top("parameters: { plain: http://a, hidden: \"${secret:token}\" }");
        let parsed = good(&text.replace("http://127.0.0.1:8080", &format!("\"{target}\"")));
        assert_eq!(parsed.shown_target.as_deref(), Some(shown));
    }
}

#[test]
fn warnings_do_not_stop() {
    let parsed = good(&format!(
        "parameters: {{unused: 1}}\n{}",
        with_top("http: {insecure: true, ca: a.pem, timeout: 1s, connectTimeout: 2s}")
    ));
    let warnings: Vec<_> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    assert!(
        warnings[0].starts_with("d.yaml:1:14: parameters.unused: the parameter is never used"),
        "{}",
        warnings[0]
    );
}

#[test]
fn references_are_found_as_they_are_resolved() {
    let definition = json!({
        "target": "${env:ONE}x${env:TWO:-d}",
        "scenarios": [{"${env:KEY}": "$${env:NO} ${secret:a/b} ${env:ONE} ${vu} ${param:p}"}],
        "parameters": {"p": "${secret:arn:aws:x}"},
        "broken": "${env:OPEN",
        "x-notes": "${env:UNREAD}",
    });
    let found = References::of(&definition);
    assert_eq!(found.env.into_iter().collect::<Vec<_>>(), ["ONE", "TWO"]);
    // A default makes it optional.
    assert_eq!(found.required_env.into_iter().collect::<Vec<_>>(), ["ONE"]);
    assert_eq!(
        found.secrets.into_iter().collect::<Vec<_>>(),
        ["a/b", "arn:aws:x"]
    );
}

#[test]
fn a_secret_that_is_not_valid_has_a_remedy_and_is_not_shown() {
    let resolver = Fake {
        secrets: [("odd", "pl4nt\"ed")].into(),
        ..Fake::default()
    };
    for (step, remedy) in [
        (
            "- {get: /, checks: ['body contains \"${secret:odd}\"']}",
            "look for quotes and other signs",
        ),
        (
            "- {get: /, timeout: \"${secret:odd}\"}",
            "correct the secret",
        ),
    ] {
        let text = with_flow(step);
        let source = Source {
            name: "d",
            text: text.as_bytes(),
        };
        let said = parse(&source, &Overrides::default(), &resolver).unwrap_err();
        let said = format!("{said}{said:#}");
        assert!(
            said.contains("${secret:odd}") && said.contains(" is not valid here"),
            "{said}"
        );
        assert!(said.contains(remedy) && !said.contains("pl4nt"), "{said}");
    }
}
