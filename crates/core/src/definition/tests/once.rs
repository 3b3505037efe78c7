//! Setup and teardown.

use super::*;

fn with(setup: &str, flow: &str) -> String {
    format!(
        "{HEAD}data: [{{file: users.csv}}]\nsetup: {setup}\nteardown: [{{get: '/bye/${{token}}'}}]\nscenarios:\n  s:\n    executor: constant-vus\n    duration: 1s\n    http: {{headers: {{X-Token: '${{token}}'}}}}\n    flow: {flow}\n"
    )
}

#[test]
fn what_setup_gives_is_known_to_all_flows() {
    let setup = "[{get: /login, extract: {token: $.token}}]";
    let parsed = good(&with(setup, "[{get: '/a/${token}'}]"));
    let definition = parsed.definition;
    assert_eq!((definition.setup.len(), definition.teardown.len()), (1, 1));
    let once = definition.once("setup", &definition.setup);
    assert_eq!(once.scenarios.len(), 1);
    assert_eq!(once.scenarios[0].flow, definition.setup);
}

#[test]
fn setup_and_teardown_are_refused_with_their_places() {
    let setup = "[{get: /login, extract: {token: $.token}}]";
    let k6 = format!("{HEAD}engine: k6\nscript: a.js\nsetup: [{{get: /}}]\n");
    for (text, said) in [
        (
            with("[{get: /}]", "[{get: /}]"),
            "unknown variable \"token\"",
        ),
        (
            with(setup, "[{set: {token: x}}, {get: /}]"),
            "scenarios.s.flow[0].set.token: \"token\" is set by setup, for all iterations; give it another name",
        ),
        (
            with(setup, "[{get: /, extract: {token: $.a}}]"),
            "\"token\" is set by setup",
        ),
        (
            with(
                setup,
                "[{get: /}, {each: '$.a[*]', as: token, steps: [{get: /}]}]",
            ),
            "\"token\" is set by setup",
        ),
        (
            with(
                "[{get: '/${data.user}', extract: {token: $.token}}]",
                "[{get: /}]",
            ),
            "unknown data source \"data\"; allowed: none: setup and teardown are done once",
        ),
        (with("[]", "[{get: /}]"), "setup: the list is empty"),
        (
            k6,
            "6:8: setup: this engine runs its script, not a flow; remove setup, or write engine: http",
        ),
        (with_top("before: [{get: /}]"), "unknown key; write setup"),
    ] {
        let message = faults(&text);
        assert!(message.contains(said), "{text}\n{message}");
    }
}
