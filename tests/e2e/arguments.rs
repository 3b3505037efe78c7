//! What is refused before any load is sent, and how.

use crate::support::*;

#[test]
fn arguments_that_make_no_sense_exit_with_104() {
    let bench = Bench::new();
    for args in [
        &["frobnicate"][..],
        &["run"],
        &["run", "x.yaml", "--generators", "0"],
        &["hit", "http://x", "-c", "0"],
        &[],
    ] {
        let ended = bench.floodgate(args);
        assert_eq!(ended.code(), Some(104), "{args:?}: {}", ended.stderr());
        assert!(ended.stdout().is_empty());
    }
    assert!(
        bench
            .floodgate(&["--help"])
            .expect(0)
            .stdout()
            .contains("Exit codes")
    );
    assert!(
        bench
            .floodgate(&["--version"])
            .expect(0)
            .stdout()
            .starts_with("floodgate ")
    );
}

#[test]
fn every_fault_of_a_definition_is_named_with_its_place() {
    let bench = Bench::new();
    bench.write(
        "bad.yaml",
        &arrivals(
            "http://127.0.0.1:1",
            10,
            "1s",
            "    grateful: 1\nthreshold:\n  http_reqs: [\"rate>\"]\n",
        ),
    );
    for command in ["validate", "run"] {
        let ended = bench.floodgate(&[command, "bad.yaml"]);
        let said = ended.expect(104).stderr();
        assert!(
            said.contains("bad.yaml:16:5") && said.contains("grateful"),
            "{said}"
        );
        assert!(
            said.contains("bad.yaml:17:1") && said.contains("\"thresholds\""),
            "{said}"
        );
    }
    assert!(
        files(&bench.path(".floodgate"), "").is_empty(),
        "nothing is recorded of a run that never was"
    );
}

#[test]
fn a_hostile_definition_is_refused_quickly() {
    let bench = Bench::new();
    let bomb: String = (0..20)
        .map(|i| {
            if i == 0 {
                "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".into()
            } else {
                format!(
                    "a{i}: &a{i} [{}]\n",
                    vec![format!("*a{}", i - 1); 9].join(",")
                )
            }
        })
        .collect();
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text) in [
        ("bomb.yaml", bomb),
        ("deep.yaml", deep),
        ("long.yaml", "x".repeat(20 << 20)),
        ("empty.yaml", String::new()),
    ] {
        bench.write(name, &text);
        bench.floodgate(&["validate", name]).expect(104);
    }
    std::fs::write(bench.path("bytes.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    bench.floodgate(&["validate", "bytes.yaml"]).expect(104);
}

#[test]
fn a_wrong_file_name_gets_the_right_one() {
    let bench = Bench::new();
    bench.write("checkout.yaml", "");
    let said = bench
        .floodgate(&["run", "chekout.yaml"])
        .expect(104)
        .stderr();
    assert!(said.contains("did you mean checkout.yaml?"), "{said}");
    assert!(
        bench
            .floodgate(&["run", "."])
            .expect(104)
            .stderr()
            .contains("is a folder")
    );
}

#[test]
fn a_missing_data_file_is_a_fault_of_the_definition() {
    let bench = Bench::new();
    bench.write(
        "test.yaml",
        &arrivals(
            "http://127.0.0.1:1",
            10,
            "1s",
            "data:\n  - file: users.csv\n",
        ),
    );
    let said = bench
        .floodgate(&["validate", "test.yaml"])
        .expect(104)
        .stderr();
    assert!(said.contains("users.csv"), "{said}");
}

#[test]
fn a_definition_is_valid_whatever_its_references_stand_for_elsewhere() {
    let bench = Bench::new();
    for target in [
        "${secret:SHOP_URL}",
        "${env:SHOP_URL}",
        "https://${env:SHOP_URL}/a",
    ] {
        bench.write("test.yaml", &arrivals(target, 10, "1s", ""));
        let said = bench
            .floodgate(&["validate", "test.yaml"])
            .expect(0)
            .stderr();
        assert!(said.contains("SHOP_URL} has no value here"), "{said}");
        // A run needs them.
        let said = bench.floodgate(&["run", "test.yaml"]).expect(104).stderr();
        assert!(said.contains("SHOP_URL"), "{said}");
    }
    // What is known is checked.
    bench.write("test.yaml", &arrivals("${env:SHOP_URL}", 10, "1s", ""));
    let said = bench
        .floodgate(&["validate", "test.yaml", "--env", "SHOP_URL=ftp"])
        .expect(104)
        .stderr();
    assert!(said.contains("ftp"), "{said}");
}

#[test]
fn the_starter_is_valid_and_so_is_the_schema() {
    let bench = Bench::new();
    bench.floodgate(&["init", "first.yaml"]).expect(0);
    bench.floodgate(&["validate", "first.yaml"]).expect(0);
    bench.floodgate(&["init", "first.yaml"]).expect(104);
    for args in [&["schema"][..], &["schema", "--summary"]] {
        let schema: serde_json::Value =
            serde_json::from_str(&bench.floodgate(args).expect(0).stdout()).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{args:?}");
    }
}

#[test]
fn an_unknown_execution_and_an_empty_folder_are_told_apart() {
    let bench = Bench::new();
    for args in [
        &["show", "01JD7Q3W5Z8X9Y0A1B2C3D4E5F"][..],
        &["abort", "01JD7Q3W5Z8X9Y0A1B2C3D4E5F"],
    ] {
        assert!(
            bench
                .floodgate(args)
                .expect(104)
                .stderr()
                .contains(".floodgate"),
            "{args:?}"
        );
    }
    bench.floodgate(&["runs"]).expect(0);
    assert_eq!(
        bench
            .floodgate(&["runs", "--json"])
            .expect(0)
            .stdout()
            .trim(),
        "[]"
    );
    assert!(
        !bench.path(".floodgate").exists(),
        "looking leaves nothing behind"
    );
}

#[test]
fn a_script_that_is_not_there_is_a_fault_with_its_place() {
    let bench = Bench::new();
    bench.write(
        "k6.yaml",
        "version: 1\ntest: k6\nengine: k6\nscript: load.js\n",
    );
    for command in ["run", "validate", "inspect"] {
        let said = bench.floodgate(&[command, "k6.yaml"]).expect(104).stderr();
        assert!(
            said.contains("k6.yaml:4:9") && said.contains("\"load.js\" does not exist"),
            "{command}: {said}"
        );
    }
    assert!(files(&bench.path(".floodgate"), "executions").is_empty());
    let said = bench.floodgate(&["run", "laod.js"]);
    bench.write("load.js", "");
    assert_eq!(said.code(), Some(104));
    let said = bench.floodgate(&["run", "laod.js"]).stderr();
    assert!(said.contains("did you mean load.js?"), "{said}");
}
