//! Thresholds on tags that no step gives a sample: they would have no data at the end of the run, and be inconclusive.

use super::context::Decoder;
use super::sample_tags::TagsOfSamples;
use crate::definition::keys::root;
use crate::definition::tree::Node;
use crate::syntax::SyntaxError;
use crate::threshold::parse_key;
use floodgate_records::engine::Engine;
use floodgate_records::printable::quoted;
use std::collections::BTreeSet;

impl Decoder<'_> {
    /// Warns of each threshold whose key asks for a scenario, group, name or check that there is not. What a faulty step may have
    /// is not missed.
    pub(super) fn unmatched(&mut self, root: &Node) {
        let known = &self.tags_of_samples;
        if self.engine != Some(Engine::Http) || known.values.is_empty() {
            return;
        }
        let nothing = BTreeSet::new();
        for entry in root::THRESHOLDS.entries(root) {
            let Ok(key) = parse_key(&entry.key) else {
                continue;
            };
            for (tag, wanted) in &key.tags.0 {
                let is_told = tag == "scenario" || !known.more;
                if !TagsOfSamples::TAGS.contains(&tag.as_str()) || !is_told {
                    continue;
                }
                let values = known.values.get(tag.as_str()).unwrap_or(&nothing);
                // Past the bound on series, samples are folded into a name of ours.
                if values.contains(wanted) || wanted == "__other__" {
                    continue;
                }
                let problem = format!(
                    "no step has the {tag} {}, so there will be no data",
                    quoted(wanted)
                );
                // Under the value in its key, the last of them where it stands there twice.
                let at = entry.key.rfind(wanted.as_str()).unwrap_or_default();
                let mut issue = entry.key_syntax(SyntaxError::new(at..at + wanted.len(), problem));
                if !values.is_empty() {
                    let some: Vec<_> = values.iter().take(12).map(|name| quoted(name)).collect();
                    issue = issue.allowed(some.join(", "));
                }
                let issue = issue.nearest(wanted, values.iter().map(String::as_str));
                self.sink.push(issue.warning());
            }
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
