use super::*;
use crate::command::{Cli, Command};
use clap::Parser;

fn args(line: &str) -> Args {
    let words = ["floodgate", "hit"]
        .into_iter()
        .chain(line.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Hit(args) => args,
        other => panic!("{other:?}"),
    }
}

fn scenario(line: &str) -> Value {
    let definition = args(line).definition().unwrap().definition;
    let mut scenario = definition["scenarios"]["hit"].clone();
    scenario.as_object_mut().unwrap().remove("flow");
    scenario
}

#[test]
fn the_loop_follows_from_the_arguments() {
    let closed = |vus: u64, duration: &str| json!({ "executor": "constant-vus", "vus": vus, "duration": duration });
    assert_eq!(scenario("localhost"), closed(64, "10s"));
    assert_eq!(scenario("localhost -c 8 -d 20"), closed(8, "20s"));
    assert_eq!(scenario("localhost -c 8 -d 1m30s"), closed(8, "1m30s"));
    let counted = |vus: u64, n: u64, max: &str| json!({ "executor": "shared-iterations", "vus": vus, "iterations": n, "maxDuration": max });
    assert_eq!(scenario("localhost -n 1000"), counted(64, 1_000, "10m"));
    assert_eq!(
        scenario("localhost -n 5 -c 50 -d 30s"),
        counted(5, 5, "30s")
    );
    let open = |rate: u64, pre: u64, max: u64| json!({ "executor": "constant-arrival-rate", "rate": rate, "duration": "10s", "preAllocatedVUs": pre, "maxVUs": max });
    assert_eq!(scenario("localhost -r 2000"), open(2_000, 64, 2_000));
    assert_eq!(scenario("localhost -r 5"), open(5, 5, 64));
    assert_eq!(scenario("localhost -r 2000 -c 100"), open(2_000, 100, 100));
    assert_eq!(
        scenario("localhost -r 2000 -c 100 --max-vus 300"),
        open(2_000, 100, 300)
    );
    assert_eq!(scenario("localhost -r 90000"), open(90_000, 64, 10_000));
    // The rate goes on as it is written, and is exact: no share of a request is rounded.
    for (rate, pre) in [("0.5", 1), ("2.5", 3), ("1/3s", 1), ("90/m", 2)] {
        let mut open = open(0, pre, 64);
        open["rate"] = json!(rate);
        assert_eq!(scenario(&format!("localhost -r {rate} -z 10s")), open);
    }
}

#[test]
fn a_request_says_all_that_was_asked_for() {
    let mut hit = args(
        "https://shop.example/a?b=${c} -m put -b ${x} --http2 --insecure -t 5 -H A:1 -H a:2 -H X-Y:z:${q} -H A:3",
    );
    hit.headers[0].1.push(' ');
    let hit = hit.definition().unwrap();
    insta::assert_json_snapshot!(hit.definition, @r#"
    {
      "version": 1,
      "project": "local",
      "test": "hit",
      "http": {
        "timeout": "5s",
        "version": "2",
        "insecure": true,
        "headers": {
          "A": [
            "1 ",
            "2",
            "3"
          ],
          "X-Y": "z:$${q}"
        }
      },
      "scenarios": {
        "hit": {
          "executor": "constant-vus",
          "vus": 64,
          "duration": "10s",
          "flow": [
            {
              "name": "https://shop.example/a?b=$${c}",
              "request": {
                "method": "PUT",
                "url": "https://shop.example/a?b=$${c}"
              },
              "body": "$${x}"
            }
          ]
        }
      }
    }
    "#);
}

#[test]
fn a_body_file_is_looked_for_where_it_lies() {
    let hit = args("localhost -b @some/where/body.json")
        .definition()
        .unwrap();
    let request = &hit.definition["scenarios"]["hit"]["flow"][0];
    assert_eq!(
        (
            request["file"].as_str(),
            request["request"]["method"].as_str()
        ),
        (Some("body.json"), Some("POST"))
    );
    assert_eq!(hit.base_dir, Path::new("some/where"));
    assert_eq!(
        args("localhost -b @body.json")
            .definition()
            .unwrap()
            .base_dir,
        Path::new(".")
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |line: &str| {
        Cli::try_parse_from(
            ["floodgate", "hit"]
                .into_iter()
                .chain(line.split_whitespace()),
        )
        .is_err()
    };
    for line in [
        "",
        "u -c 0",
        "u -r 0",
        "u -r 5 -n 5",
        "u -r often",
        "u -r 1/0s",
        "u -r 10000001",
        "u -d 0s",
        "u -d soon",
        "u -H nocolon",
        "u -H :x",
        "u --max-vus 5",
        "u -n 0",
        "u -t -1s",
    ] {
        assert!(refused(line), "{line}");
    }
    for url in ["HTTP://127.0.0.1:80/x", "hTTps://h"] {
        assert!(args(url).definition().is_ok(), "{url}");
    }
    for url in ["ftp://x", "http://", "http:///path", "https://:80"] {
        assert!(
            matches!(args(url).definition(), Err(CliError::Usage(_))),
            "{url}"
        );
    }
}

#[test]
fn every_kind_of_hit_is_a_valid_definition() {
    let out = tempfile::tempdir().unwrap();
    std::fs::write(out.path().join("body.json"), "{}").unwrap();
    let env = Environment::new(&crate::args::EnvArgs::default(), out.path()).unwrap();
    let body = format!("localhost -b @{}", out.path().join("body.json").display());
    let lines = [
        "localhost",
        "localhost:8080/x -n 10",
        "http://[::1]/ -r 100",
        "https://a.example/${x} -m PURGE --http2 --insecure -H A:${b}",
        "http://ann:s3${c}@h/ -x http://u:p@proxy:1 -H Cookie:a=${b}",
        "localhost -u ann:s3${c} --digest",
        "h/?token=${x}&a=1 -b password=${y}&b=${z} -H X-Secret:${s}",
        &body,
    ];
    for line in lines {
        let Hit {
            definition,
            base_dir,
            secrets,
        } = args(line).definition().unwrap();
        let origin = Origin {
            name: "hit".into(),
            base_dir,
        };
        let env = secrets
            .into_iter()
            .fold(env.clone(), |env, (name, value)| env.with(name, value));
        let test = load_text(definition.to_string().into_bytes(), origin, &[], &env);
        assert!(test.is_ok(), "{line}: {}", test.err().unwrap());
    }
}

#[test]
fn credentials_are_sent_and_not_shown() {
    let line = "http://ann:s3cr3t@h/ -H authorization:s3cr3t -H X-Own:seen -x http://u:s3cr3t@p:1";
    let hit = args(line).definition().unwrap();
    let step = &hit.definition["scenarios"]["hit"]["flow"][0];
    assert_eq!(step["name"], "http://***@h/");
    assert_eq!(step["request"]["url"], "http://${secret:hit-1}@h/");
    let text = hit.definition.to_string();
    assert!(text.contains("seen") && !text.contains("s3cr3t"), "{text}");
    let kept: Vec<_> = hit.secrets.values().map(String::as_str).collect();
    assert_eq!(kept, ["ann:s3cr3t", "http://u:s3cr3t@p:1", "s3cr3t"]);
    let hit = args("localhost -u ann:a:b --digest").definition().unwrap();
    let auth = &hit.definition["http"]["auth"]["digest"];
    assert_eq!(auth["username"], "ann");
    assert!(hit.secrets.values().eq(["a:b"]), "{auth}");
    let debug = format!("{:?}", args("localhost -u ann:s3cr3t"));
    assert!(!debug.contains("s3cr3t"), "{debug}");
}

#[test]
fn what_is_confidential_by_its_name_is_sent_and_not_stored() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
    let mut hit = args(&format!(
        "http://h/x/{jwt}?api_key=s3cr3t1&page=2&token=s3cr3t2 -H X-Custom-Secret:s3cr3t3 -H X-Own:seen -H X-J:{jwt}"
    ));
    let body = r#"{"password": "s3cr3t4 \"q", "n": 1.10, "auth": {"pin": 98765}, "text": "${x}"}"#;
    hit.body = Some(body.to_owned());
    let shown = hit.shown_url();
    assert_eq!(shown, "http://h/x/***?api_key=***&page=2&token=***");
    let made = hit.definition().unwrap();
    let text = made.definition.to_string();
    for secret in ["s3cr3t", "98765", jwt] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("seen") && text.contains("1.10"), "{text}");
    // What is sent is what was given.
    let resolved = |text: &Value| {
        let mut text = text.as_str().unwrap().to_owned();
        for (name, value) in &made.secrets {
            let n = name.rsplit('_').next().unwrap();
            text = text.replace(&format!("${{secret:hit-{n}}}"), value);
        }
        text.replace("$${", "${")
    };
    let step = &made.definition["scenarios"]["hit"]["flow"][0];
    assert_eq!(step["name"], shown);
    assert_eq!(resolved(&step["request"]["url"]), hit.url);
    assert_eq!(resolved(&step["body"]), body);
}

#[test]
fn a_saturated_closed_loop_has_done_what_was_asked() {
    let summary = |change: fn(&mut Summary)| {
        let mut summary: Summary = serde_json::from_value(json!({
            "schema": 1, "execution": "x", "project": "local", "test": "hit", "version": "",
            "status": "inconclusive", "reasons": [], "started_ms": 0, "duration_s": 1.0,
            "completeness": { "tasks_expected": 1, "tasks_reported": 1, "tasks_lost": [], "shards_expected": 1, "shards_merged": 1, "shards_excluded": [] },
            "planned": { "max_vus": 1, "duration_ms": 1, "max_duration_ms": 1 },
            "applied": { "iterations": 5, "dropped_iterations": 0, "http_reqs": 5, "ratio": null },
            "requests": [{ "name": "x", "names": 1, "count": 5, "failed": 0, "responses": 5, "outcomes": {}, "times": {} }],
            "metrics": {}, "checks": [], "errors": {}, "warnings": [],
            "infrastructure": { "kind": "local", "tasks": 1, "regions": [], "cpu": 0, "memory": 0, "engine_version": "" }, "cost": null,
        }))
        .unwrap();
        change(&mut summary);
        summary
    };
    assert_eq!(exit_code(&summary(|_| {}), true, 0.95), 0);
    assert_eq!(
        exit_code(&summary(|_| {}), false, 0.95),
        98,
        "a rate was asked for"
    );
    type Change = fn(&mut Summary);
    let changes: [(Change, u8); 6] = [
        (|s| s.completeness.shards_merged = 0, 98),
        (|s| s.applied.http_reqs = 0, 98),
        (|s| s.applied.ratio = Some(0.5), 98),
        (|s| s.applied.ratio = Some(1.0), 0),
        (|s| s.status = Status::Aborted, 105),
        (|s| s.status = Status::Errored, 97),
    ];
    for (index, (change, code)) in changes.into_iter().enumerate() {
        assert_eq!(
            exit_code(&summary(change), true, 0.95),
            code,
            "change {index}"
        );
    }
}
