//! What stands in whose scope: assertions apply to the samplers beside and below them.

use super::{Element, Plan};
use std::collections::BTreeMap;

/// Whether a class is a sampler's.
pub(in crate::jmeter) fn is_sampler(class: &str) -> bool {
    class.ends_with("Sampler")
        || matches!(
            class,
            "HTTPSamplerProxy" | "HTTPSampler2" | "AjpSampler" | "DebugSampler"
        )
}

/// Whether a class is an assertion's.
pub(in crate::jmeter) fn is_assertion(class: &str) -> bool {
    class.ends_with("Assertion")
}

/// Whether a class is a timer's.
pub(in crate::jmeter) fn is_timer(class: &str) -> bool {
    class.ends_with("Timer")
}

/// The name of the check of each sampler that has assertions: the names of these, in the order of the file. Labels that hold
/// expressions are not known before the run.
pub(in crate::jmeter) fn checks(plan: &Plan) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (number, sampler) in plan
        .enabled()
        .filter(|(_, element)| is_sampler(&element.class))
    {
        if sampler.name.contains("${") {
            continue;
        }
        let above: Vec<usize> = plan.above(number).collect();
        let applies = |element: &&Element| {
            is_assertion(&element.class)
                && element
                    .parent
                    .is_some_and(|parent| parent == number || above.contains(&parent))
        };
        let names: Vec<&str> = plan
            .enabled()
            .map(|(_, element)| element)
            .filter(applies)
            .map(|element| element.name.as_str())
            .collect();
        if !names.is_empty() {
            found.insert(sampler.name.clone(), names.join(", "));
        }
    }
    found
}
