//! Thresholds on tags that no step gives a sample: they would have no data at the end of the run, and be inconclusive.

use crate::definition::fault::Sink;
use crate::definition::keys::root;
use crate::definition::model::{Definition, Scenario, Step};
use crate::definition::tree::Node;
use crate::syntax::SyntaxError;
use crate::threshold::parse_key;
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// The values that a definition gives to the tags which thresholds mostly ask for.
type Values = BTreeMap<&'static str, BTreeSet<String>>;

/// Warns of each threshold whose key asks for a scenario, group, name or check that there is not.
pub(super) fn check(root: &Node, definition: &Definition, sink: &mut Sink) {
    if definition.engine != Engine::Http {
        return;
    }
    // A tag that nothing has is known as well: then no value of it will do.
    let tags = ["scenario", "group", "name", "check"];
    let mut values: Values = tags.map(|tag| (tag, BTreeSet::new())).into();
    for scenario in &definition.scenarios {
        of_scenario(scenario, &mut values);
    }
    for entry in root::THRESHOLDS.entries(root) {
        let Ok(key) = parse_key(&entry.key) else {
            continue;
        };
        for (tag, wanted) in &key.tags.0 {
            let Some(known) = values.get(tag.as_str()) else {
                continue;
            };
            // Past the bound on series, samples are folded into a name of ours.
            if known.contains(wanted) || wanted == "__other__" {
                continue;
            }
            let problem = format!(
                "no step has the {tag} {}, so there will be no data",
                quoted(wanted)
            );
            // Under the value in its key, the last of them where it stands there twice.
            let at = entry.key.rfind(wanted.as_str()).unwrap_or_default();
            let issue = entry.key_syntax(SyntaxError::new(at..at + wanted.len(), problem));
            let some: Vec<_> = known.iter().take(12).map(|name| quoted(name)).collect();
            let issue = issue
                .allowed(some.join(", "))
                .nearest(wanted, known.iter().map(String::as_str));
            sink.push(issue.warning());
        }
    }
}

fn of_scenario(scenario: &Scenario, values: &mut Values) {
    let mut add = |tag, value: String| {
        values.entry(tag).or_default().insert(value);
    };
    add("scenario", scenario.name.clone());
    of_steps(&scenario.flow, "", &mut add);
}

fn of_steps(steps: &[Step], group: &str, add: &mut dyn FnMut(&'static str, String)) {
    for step in steps {
        match step {
            Step::Group { name, .. } => add("group", format!("{group}::{name}")),
            Step::Request(request) => {
                add("name", request.name.clone());
                for check in &request.checks {
                    add("check", check.name.clone());
                }
                for (name, _) in &request.extract {
                    add("check", format!("extract {name}"));
                }
                for recorded in &request.record {
                    add("check", format!("record {}", recorded.metric));
                }
            }
            _ => {}
        }
        let inner = match step {
            Step::Group { name, .. } => &format!("{group}::{name}"),
            _ => group,
        };
        for steps in step.blocks() {
            of_steps(steps, inner, add);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::definition::tests::{HEAD, good};

    #[test]
    fn a_threshold_on_what_no_step_has_is_doubted() {
        let text = format!(
            "{HEAD}scenarios:\n  shop:\n    executor: constant-vus\n    duration: 1s\n    flow:\n      - group: cart\n        steps:\n          - {{get: /cart, name: view cart, checks: [status == 200], extract: {{id: $.id}}}}\nthresholds:\n{}",
            [
                "http_reqs{name:view cart}",
                "http_reqs{name:veiw cart}",
                "http_reqs{group:::cart}",
                "http_reqs{group:cart}",
                "checks{check:status == 200}",
                "checks{check:extract id}",
                "checks{check:status is 200}",
                "http_reqs{scenario:shop,status:200}",
                "http_reqs{scenario:shp}",
                "http_reqs{name:__other__}",
                "http_reqs{team:blue}",
            ]
            .map(|key| format!("  \"{key}\": rate>0\n"))
            .concat()
        );
        let warnings = good(&text).warnings;
        let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 4, "{said:#?}");
        for (said, (line, column, part)) in said.iter().zip([
            (14, 19, "no step has the name \"veiw cart\", so there will be no data; did you mean \"view cart\"? allowed: \"view cart\""),
            (16, 20, "no step has the group \"cart\""),
            (19, 17, "no step has the check \"status is 200\""),
            (21, 23, "no step has the scenario \"shp\", so there will be no data; did you mean \"shop\"?"),
        ]) {
            assert!(said.starts_with(&format!("d.yaml:{line}:{column}: ")) && said.contains(part), "{said}");
        }
    }
}
