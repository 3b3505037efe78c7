//! Loops, conditions and choices.

use super::*;
use crate::check::{Comparison, Subject, Test};
use crate::template::Variable;

fn flow(flow: &str) -> Vec<Step> {
    good(&with_flow(flow)).definition.scenarios.remove(0).flow
}

#[test]
fn loops_conditions_and_choices_are_read() {
    let steps = flow(
        "- {get: /a, extract: {role: $.role}}\n- repeat: 3\n  steps: [{think: 1s}]\n- repeat: {while: 'status == 202', max: 9}\n  steps: [{get: /b}]\n- if: '${role} == \"admin\"'\n  steps: [{get: /c}]\n  else: [{stop: iteration}]\n- choose: [{weight: 7, steps: [{get: /d}]}, {steps: [{get: /e}]}]\n- each: $.items[*].id\n  steps: [{get: '/items/${item}'}]",
    );
    let [_, thrice, while_, branch, choice, each] = steps.as_slice() else {
        panic!("{steps:#?}")
    };
    let Step::Repeat(thrice) = thrice else {
        panic!("{thrice:?}")
    };
    assert_eq!((thrice.most, &thrice.condition), (3, &None));
    let Step::Repeat(while_) = while_ else {
        panic!("{while_:?}")
    };
    let condition = while_.condition.as_ref().unwrap();
    assert_eq!((while_.most, condition.name.as_str()), (9, "status == 202"));
    assert_eq!(condition.test, Test::Number(Comparison::Eq, 202.0));
    let Step::If(branch) = branch else {
        panic!("{branch:?}")
    };
    let subject = &branch.condition.subject;
    assert_eq!(*subject, Subject::Value(Variable::Local("role".into())));
    assert_eq!(branch.condition.name, "${role} == \"admin\"");
    assert_eq!(branch.otherwise, [Step::Stop]);
    let Step::Choose(ways) = choice else {
        panic!("{choice:?}")
    };
    assert_eq!(ways.iter().map(|w| w.weight).collect::<Vec<_>>(), [7, 1]);
    let Step::Each(each) = each else {
        panic!("{each:?}")
    };
    assert_eq!((each.variable.as_str(), each.most), ("item", 100));
}

#[test]
fn what_a_reference_gives_stands_in_a_condition() {
    let steps = flow("- {set: {n: '5'}}\n- if: '${n} >= ${env:RATE}'\n  steps: [{get: /}]");
    let Step::If(branch) = &steps[1] else {
        panic!("{steps:?}")
    };
    let seventy = crate::decimal::Decimal::from(70);
    assert_eq!(
        branch.condition.test,
        Test::Decimal(Comparison::Ge, seventy)
    );
    assert_eq!(branch.condition.name, "${n} >= ${env:RATE}");
}

#[test]
fn faults_have_their_places() {
    let get = "- {get: /}\n";
    let deep = format!(
        "{}[{{get: /}}]{}",
        "[{group: g, steps: ".repeat(21),
        "}]".repeat(21)
    );
    for (flow, said) in [
        // Line 9 is the first of the flow.
        (
            "- {if: 'status == 200', steps: [{get: /}]}".to_owned(),
            "9:14: scenarios.s.flow[0].if: no request stands before this step",
        ),
        (
            "- {each: '$.a[*]', steps: [{get: /}]}".to_owned(),
            "9:16: scenarios.s.flow[0].each: no request stands before this step",
        ),
        (
            format!("{get}- {{if: 'statsu == 200', steps: [{{get: /}}]}}"),
            "10:15: scenarios.s.flow[1].if: unknown subject \"statsu\"; did you mean \"status\"?",
        ),
        (
            format!("{get}- {{if: '${{rle}} == 1', steps: [{{get: /}}]}}"),
            "10:17: scenarios.s.flow[1].if: unknown variable \"rle\"",
        ),
        (
            format!("{get}- {{if: '${{vu}} = 1', steps: [{{get: /}}]}}"),
            "10:21: scenarios.s.flow[1].if: \"=\" is not a valid operator; did you mean \"==\"?",
        ),
        (
            format!("{get}- {{if: 'status == ${{vu}}', steps: [{{get: /}}]}}"),
            "a variable can stand only at the beginning of a condition",
        ),
        (
            format!("{get}- {{repeat: 0, steps: [{{get: /}}]}}"),
            "a whole number from 1 to 10000",
        ),
        (
            format!("{get}- {{repeat: {{while: status == 200}}, steps: [{{get: /}}]}}"),
            "the key \"max\" is missing",
        ),
        (
            "- {repeat: 10000, steps: [{repeat: 101, steps: [{get: /}]}]}".to_owned(),
            "an iteration would do these steps 1010000 times; allowed: at most 1000000 times",
        ),
        (
            "- {choose: [{weight: 0, steps: [{get: /}]}]}".to_owned(),
            "a whole number from 1 to 1000000",
        ),
        (
            "- {choose: [{weight: 1}]}".to_owned(),
            "the key \"steps\" is missing",
        ),
        (
            "- {get: /, if: status == 200}".to_owned(),
            "scenarios.s.flow[0].if: request does not take this key; it belongs to if",
        ),
        (
            "- {stop: run}".to_owned(),
            "\"run\" is not known; allowed: iteration",
        ),
        (
            format!("{get}- {{if: status == 200, then: [{{get: /}}]}}"),
            "unknown key; write steps",
        ),
        (
            "- {get: /, loop: 3}".to_owned(),
            "write repeat: N with steps",
        ),
        (
            format!("- {}", deep.trim_start_matches('[').trim_end_matches(']')),
            "steps are nested deeper than 20 levels",
        ),
    ] {
        let message = faults(&with_flow(&flow));
        assert!(message.contains(said), "{flow}\n{message}\n{said}");
    }
}
