use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const PLAN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.6.3">
  <hashTree>
    <TestPlan testclass="TestPlan" testname="P" enabled="true">
      <elementProp name="TestPlan.user_defined_variables" elementType="Arguments">
        <collectionProp name="Arguments.arguments">
          <elementProp name="USERS" elementType="Argument">
            <stringProp name="Argument.name">USERS</stringProp>
            <stringProp name="Argument.value">${__P(users,${__property(more,,7)})}</stringProp>
          </elementProp>
        </collectionProp>
      </elementProp>
    </TestPlan>
    <hashTree>
      <ThreadGroup testname="a &lt;b&gt; enabled=&quot;x&quot;" testclass="ThreadGroup">
        <intProp name="ThreadGroup.num_threads">12</intProp>
        <stringProp name="empty"/>
      </ThreadGroup>
      <hashTree>
        <ResponseAssertion testname="fits" enabled="true"/>
        <hashTree/>
        <HTTPSamplerProxy testname="one" enabled="true"/>
        <hashTree>
          <ResponseAssertion testname="own" enabled="true"/>
          <hashTree/>
          <ResponseAssertion testname="off" enabled="false"/>
          <hashTree/>
        </hashTree>
        <HTTPSamplerProxy testname="two" enabled="true"/>
        <hashTree/>
      </hashTree>
      <ThreadGroup testname="off" enabled = 'false'>
        <stringProp name="ThreadGroup.num_threads">3</stringProp>
      </ThreadGroup>
      <hashTree>
        <HTTPSamplerProxy testname="three" enabled="true"/>
        <hashTree/>
      </hashTree>
      <kg.apc.jmeter.threads.UltimateThreadGroup testname="u" enabled="true">
        <collectionProp name="ultimatethreadgroupdata">
          <collectionProp name="1"><stringProp name="x">10</stringProp><stringProp name="y">0</stringProp></collectionProp>
          <collectionProp name="2"><stringProp name="x">20</stringProp><stringProp name="y">5</stringProp></collectionProp>
        </collectionProp>
      </kg.apc.jmeter.threads.UltimateThreadGroup>
      <hashTree>
        <ConstantThroughputTimer testname="t" enabled="true">
          <doubleProp>
            <name>throughput</name>
            <value>60.0</value>
            <savedValue>0.0</savedValue>
          </doubleProp>
        </ConstantThroughputTimer>
        <hashTree/>
      </hashTree>
    </hashTree>
  </hashTree>
</jmeterTestPlan>
"#;

fn plan() -> Plan {
    Plan::parse(PLAN.as_bytes()).unwrap()
}

fn named<'a>(plan: &'a Plan, name: &str) -> &'a Element {
    plan.elements.iter().find(|e| e.name == name).unwrap()
}

#[test]
fn elements_stand_in_their_trees_and_what_is_off_is_off_below() {
    let plan = plan();
    assert_eq!(plan.jmeter.as_deref(), Some("5.6.3"));
    let group = named(&plan, "a <b> enabled=\"x\"");
    assert_eq!(
        (group.text("ThreadGroup.num_threads"), group.enabled),
        ("12", true)
    );
    assert!(!named(&plan, "three").enabled);
    let one = plan.elements.iter().position(|e| e.name == "one").unwrap();
    let above: Vec<_> = plan
        .above(one)
        .map(|n| plan.elements[n].class.as_str())
        .collect();
    assert_eq!(above, ["ThreadGroup", "TestPlan"]);
    assert_eq!(named(&plan, "t").text("throughput"), "60.0");
    let rows = named(&plan, "u").rows("ultimatethreadgroupdata");
    let texts: Vec<Vec<_>> = rows
        .iter()
        .map(|r| r.iter().map(|p| p.text.as_str()).collect())
        .collect();
    assert_eq!(texts, [["10", "0"], ["20", "5"]]);
    assert_eq!(
        Group::all(&plan).iter().map(|g| g.kind).collect::<Vec<_>>(),
        [Kind::Plain, Kind::Ultimate]
    );
}

#[test]
fn assertions_apply_beside_and_below() {
    let found = checks(&plan(), |_| true);
    assert_eq!(found.of("one"), Some("fits, own"));
    assert_eq!(found.of("two"), Some("fits"));
    assert_eq!(
        found.of("three"),
        Some("assertions"),
        "it is off, so that this is another's"
    );
}

/// A Transaction Controller has a sample of its own only where it is the parent.
#[test]
fn assertions_of_transactions_and_unknown_labels_have_a_check() {
    let text = PLAN.replace(
        r#"<HTTPSamplerProxy testname="two" enabled="true"/>"#,
        r#"<TransactionController testname="flat"/><hashTree><HTTPSamplerProxy testname="${made}"/><hashTree/></hashTree>
        <TransactionController testname="parent"><boolProp name="TransactionController.parent">true</boolProp></TransactionController>"#,
    );
    let found = checks(&Plan::parse(text.as_bytes()).unwrap(), |_| true);
    assert_eq!((found.of("parent"), found.of("flat")), (Some("fits"), None));
    assert_eq!(found.of("made by a script"), Some("assertions"));
    assert!(
        !checks(&plan(), |number| plan().elements[number].class
            == "TestPlan")
        .any()
    );
}

/// JMeter reads a plan to the end of its tree, and does not look for that of the root.
#[test]
fn a_plan_without_its_last_tag_is_one() {
    let cut = PLAN.trim_end().strip_suffix("</jmeterTestPlan>").unwrap();
    assert_eq!(Plan::parse(cut.as_bytes()).unwrap(), plan());
}

#[test]
fn values_that_refer_to_others_are_these() {
    let text = PLAN.replace(
        r#"<stringProp name="x">20</stringProp>"#,
        r#"<stringProp reference="../../collectionProp/stringProp"/>"#,
    );
    let plan = Plan::parse(&resolved(text.as_bytes())).unwrap();
    let rows = named(&plan, "u").rows("ultimatethreadgroupdata");
    let threads: Vec<_> = rows.iter().map(|row| row[0].text.as_str()).collect();
    assert_eq!(threads, ["10", "10"]);
}

#[test]
fn parameters_are_evaluated_with_their_defaults() {
    let plan = plan();
    let of = |parameters: &[(&str, &str)]| {
        let parameters = parameters
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        Values::new(&plan, &parameters)
    };
    assert_eq!(of(&[]).whole("${USERS}"), Ok(7));
    assert_eq!(of(&[("more", "8")]).whole(" ${USERS} "), Ok(8));
    assert_eq!(
        of(&[("users", "9"), ("more", "8")])
            .evaluate("a${USERS}b${__P(none)}")
            .unwrap(),
        "a9b1"
    );
    assert_eq!(
        of(&[]).whole("${__groovy(1+1)}"),
        Err("${__groovy(1+1)}".to_owned())
    );
    assert_eq!(of(&[]).whole("ten"), Err("\"ten\"".to_owned()));
    assert_eq!(of(&[]).evaluate(r"${__P(x,a\,b)}").unwrap(), "a,b");
    let expected = BTreeMap::from([
        ("more".to_owned(), Some("7".to_owned())),
        (
            "users".to_owned(),
            Some("${__property(more,,7)}".to_owned()),
        ),
    ]);
    assert_eq!(parameters(&plan), expected);
}

#[test]
fn a_change_touches_nothing_else() {
    let plan = plan();
    let group = named(&plan, "a <b> enabled=\"x\"");
    let mut edits = Edits::default();
    edits.set(
        group.prop("ThreadGroup.num_threads").unwrap(),
        "3",
        PLAN.as_bytes(),
    );
    edits.set(group.prop("empty").unwrap(), "a<b", PLAN.as_bytes());
    edits.set(
        named(&plan, "t").prop("throughput").unwrap(),
        "15",
        PLAN.as_bytes(),
    );
    edits.turn_off(group);
    edits.turn_off(named(&plan, "one"));
    let changed = String::from_utf8(edits.apply(PLAN.as_bytes())).unwrap();
    let expected = PLAN
        .replace("num_threads\">12<", "num_threads\">3<")
        .replace(
            "<stringProp name=\"empty\"/>",
            "<stringProp name=\"empty\">a&lt;b</stringProp>",
        )
        .replace("<value>60.0<", "<value>15<")
        .replace(
            "<ThreadGroup testname=\"a",
            "<ThreadGroup enabled=\"false\" testname=\"a",
        )
        .replace(
            "testname=\"one\" enabled=\"true\"",
            "testname=\"one\" enabled=\"false\"",
        );
    assert_eq!(changed, expected);
    let again = Plan::parse(changed.as_bytes()).unwrap();
    assert!(!named(&again, "two").enabled);
}

#[test]
fn what_is_no_plan_is_said() {
    let cases = [
        ("<a/>", "<a> where <jmeterTestPlan> is expected"),
        (
            "<jmeterTestPlan><hashTree>",
            "the file ends within <hashTree>",
        ),
        ("<jmeterTestPlan></hashTree>", "</hashTree> closes nothing"),
        (
            "<jmeterTestPlan><hashTree/></jmeterTestPlan>",
            "no <TestPlan>",
        ),
        ("<!DOCTYPE x>", "a document type"),
    ];
    for (text, expected) in cases {
        let error = Plan::parse(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let deep = "<jmeterTestPlan>".to_owned() + &"<hashTree>".repeat(600);
    assert!(
        Plan::parse(deep.as_bytes())
            .unwrap_err()
            .contains("512 deep")
    );
    assert!(Plan::parse(b"\xff").unwrap_err().contains("not UTF-8"));
}

#[test]
fn the_recorded_plan_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jmeter/plans/everything.jmx");
    let plan = Plan::parse(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(Group::all(&plan).len(), 4);
    assert_eq!(
        checks(&plan, |_| true).of("gold"),
        Some("has gold, has hello")
    );
    assert_eq!(
        parameters(&plan),
        BTreeMap::from([("port".to_owned(), Some("8080".to_owned()))])
    );
}

proptest! {
    #[test]
    fn expressions_of_any_shape_are_evaluated_or_refused(text in "[$_P{}(),a\\\\ ]{0,40}") {
        let _ = Values::default().evaluate(&text);
    }

    #[test]
    fn damaged_plans_are_read_or_refused(at in 0..PLAN.len(), with in "[<>/\"= a]{0,3}", until in 0..40_usize) {
        let end = (at + until).min(PLAN.len());
        let text = [&PLAN.as_bytes()[..at], with.as_bytes(), &PLAN.as_bytes()[end..]].concat();
        if let Ok(plan) = Plan::parse(&text) {
            for element in &plan.elements {
                let mut edits = Edits::default();
                edits.turn_off(element);
                element.props.iter().for_each(|prop| edits.set(prop, "1", &text));
                edits.apply(&text);
            }
        }
    }
}
