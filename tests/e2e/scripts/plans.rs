//! What a plan of JMeter may be and still runs: with files above its folder, assertions, names of any kind, groups that do nothing.

use super::{here, tool};
use crate::support::*;
use floodgate_records::status::Status;
use floodgate_testserver::{Config, TestServer};

/// A plan of one group with four threads that asks for the path of each row of `../data/paths.csv`, and an assertion on the answer's code.
fn plan(code: &str, target: &TestServer) -> String {
    let rows = r#"<hashTree/>
        <CSVDataSet guiclass="TestBeanGUI" testclass="CSVDataSet" testname="paths">
          <stringProp name="filename">../data/paths.csv</stringProp>
          <stringProp name="variableNames">path</stringProp>
          <boolProp name="recycle">true</boolProp>
          <boolProp name="stopThread">false</boolProp>
          <stringProp name="shareMode">shareMode.all</stringProp>
        </CSVDataSet>
        <hashTree/>
        <ResponseAssertion guiclass="AssertionGui" testclass="ResponseAssertion" testname="answered">
          <collectionProp name="Asserion.test_strings"><stringProp name="0">CODE</stringProp></collectionProp>
          <stringProp name="Assertion.test_field">Assertion.response_code</stringProp>
          <intProp name="Assertion.test_type">8</intProp>
        </ResponseAssertion>
        <hashTree/>
      </hashTree>
      <ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="idle">
        <intProp name="ThreadGroup.num_threads">0</intProp>
      </ThreadGroup>
      <hashTree/>
    </hashTree>
  </hashTree>
</jmeterTestPlan>
"#;
    let text = std::fs::read_to_string(here("browse.jmx")).unwrap();
    let (head, _) = text.rsplit_once("<hashTree/>").unwrap();
    let name =
        "A group, with a name that is longer than any that a scenario of a definition may have";
    head.replace("testname=\"browse\"", &format!("testname=\"{name}\""))
        .replace("${__P(port)}", &target.addr().port().to_string())
        .replace("path\">/<", "path\">/${path}<")
        + &rows.replace("CODE", code)
}

#[test]
fn a_plan_runs_with_data_above_its_folder_and_its_assertions_are_the_verdict() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    let target = TestServer::start(Config::fast()).unwrap();
    for folder in ["plans", "data"] {
        std::fs::create_dir(bench.path(folder)).unwrap();
    }
    bench.write("data/paths.csv", "a\nb\nc\nd\n");
    let run = |code: &str| {
        bench.write("plans/plan.jmx", &plan(code, &target));
        bench.floodgate(&["run", "plans/plan.jmx", "--json", "--generators", "2"])
    };
    let held = run("200").expect(0).summary();
    assert_eq!(value(&held, "http_reqs", "count"), 100.0);
    assert_eq!(target.counters().requests(), 100);
    assert_eq!(value(&held, "checks", "rate"), 1.0);
    let idle = "idle: it has no threads or starts, and sends nothing";
    assert!(
        held.warnings.iter().any(|w| w.contains(idle)),
        "{:?}",
        held.warnings
    );
    let failed = run("201").expect(99).summary();
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(value(&failed, "checks", "rate"), 0.0);
    let said = |why: &String| why.contains("checks") && why.contains("rate==1");
    assert!(failed.reasons.iter().any(said), "{:?}", failed.reasons);
}

#[test]
fn a_plugin_that_is_missing_is_named_in_one_sentence() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    let text = std::fs::read_to_string(here("browse.jmx")).unwrap();
    let timer = "<kg.apc.NoSuchTimer testname=\"t\"/>\n<hashTree/>\n<ThreadGroup ";
    bench.write("plan.jmx", &text.replacen("<ThreadGroup ", timer, 1));
    let summary = bench
        .floodgate(&["run", "plan.jmx", "--json"])
        .expect(97)
        .summary();
    let [reason] = &summary.reasons[..] else {
        panic!("{:?}", summary.reasons);
    };
    assert!(
        reason.contains("the plan needs kg.apc.NoSuchTimer, of a plugin"),
        "{reason}"
    );
    assert!(reason.ends_with("(https://jmeter-plugins.org)"), "{reason}");
}

/// A plan that asks nothing of HTTP sends all the same.
#[test]
fn a_plan_of_other_samplers_alone_sends_something() {
    let Some(_) = tool("FLOODGATE_JMETER") else {
        return;
    };
    let bench = Bench::new();
    let text = std::fs::read_to_string(here("browse.jmx")).unwrap();
    let (head, rest) = text.split_once("<HTTPSamplerProxy").unwrap();
    let (_, tail) = rest.split_once("</HTTPSamplerProxy>").unwrap();
    let sampler = r#"<JSR223Sampler guiclass="TestBeanGUI" testclass="JSR223Sampler" testname="script">
        <stringProp name="scriptLanguage">groovy</stringProp><stringProp name="script">return</stringProp></JSR223Sampler>"#;
    bench.write("plan.jmx", &format!("{head}{sampler}{tail}"));
    let summary = bench
        .floodgate(&["run", "plan.jmx", "--json", "--generators", "2"])
        .expect(0)
        .summary();
    assert_eq!(value(&summary, "samples", "count"), 100.0);
}

/// What a plan reads travels with it: a link could carry away any file of this machine.
#[test]
fn no_link_of_a_plan_leads_out_of_its_folder() {
    let bench = Bench::new();
    let target = TestServer::start(Config::fast()).unwrap();
    for folder in ["own/plans", "own/data"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    bench.write("own/plans/plan.jmx", &plan("200", &target));
    bench.write("own/real.csv", "a\n");
    let csv = bench.path("own/data/paths.csv");
    let link = |to: &str| {
        let _ = std::fs::remove_file(&csv);
        std::os::unix::fs::symlink(to, &csv).unwrap();
    };
    link("/etc/hostname");
    for command in ["run", "validate", "inspect"] {
        let ended = bench.floodgate(&[command, "own/plans/plan.jmx"]);
        ended.refused(
            "data/paths.csv is a link that leads out of the definition's folder, to /etc/hostname",
        );
    }
    assert!(!bench.path(".floodgate").exists());
    link("../real.csv");
    bench.write(
        "own/test.yaml",
        "version: 1\ntest: t\nengine: jmeter\nscript: plans/plan.jmx\n",
    );
    bench.floodgate(&["validate", "own/test.yaml"]).expect(0);
    // A plan that is named itself is meant, wherever it lies.
    std::fs::remove_file(&csv).unwrap();
    std::os::unix::fs::symlink(bench.path("own/plans/plan.jmx"), bench.path("called.jmx")).unwrap();
    bench.floodgate(&["validate", "called.jmx"]).expect(0);
    bench.write(
        "test.yaml",
        "version: 1\ntest: t\nengine: jmeter\nscript: called.jmx\n",
    );
    bench.floodgate(&["validate", "test.yaml"]).expect(0);
}
