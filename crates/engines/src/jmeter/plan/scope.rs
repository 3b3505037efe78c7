//! What stands in whose scope: assertions apply to the samplers beside and below them.

use super::model::{Element, Plan};
use crate::jmeter::checks::Checks;
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
    class.ends_with("Assertion") || class == "SMIMEAssertionTestElement"
}

/// Whether a class is a timer's.
pub(in crate::jmeter) fn is_timer(class: &str) -> bool {
    class.ends_with("Timer")
}

/// Whether it writes samples under its name.
fn is_sampled(element: &Element) -> bool {
    is_sampler(&element.class) || element.class == "TransactionController"
}

/// Whether assertions are applied to what it writes: to a Transaction Controller only where it is the parent of its samples.
fn is_asserted(element: &Element) -> bool {
    is_sampler(&element.class) || element.text("TransactionController.parent") == "true"
}

/// Assertions that a check is named after at most.
const MOST_NAMES: usize = 20;

/// The check of each sampler that has assertions: the names of these, in the order of the file. Labels that hold expressions are not
/// known before the run. Fragments count if something may run them; `runs` says of an element's place whether its thread group does.
pub(in crate::jmeter) fn checks(plan: &Plan, runs: impl Fn(usize) -> bool) -> Checks {
    let is = |number: usize, class: &str| plan.elements[number].class == class;
    let called = plan.enabled().any(|(_, e)| e.class == "ModuleController");
    let mut assertions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, element) in plan.enabled() {
        if let (true, Some(parent)) = (is_assertion(&element.class), element.parent) {
            assertions.entry(parent).or_default().push(number);
        }
    }
    let mut found = Checks::new();
    for (number, sampler) in plan.enabled().filter(|(_, element)| is_sampled(element)) {
        let above: Vec<usize> = plan.above(number).collect();
        let idle = !above.iter().all(|&above| runs(above));
        if idle
            || !called
                && above
                    .iter()
                    .any(|&above| is(above, "TestFragmentController"))
        {
            continue;
        }
        let places = std::iter::once(number).chain(above);
        let mut apply: Vec<usize> = places
            .filter_map(|place| assertions.get(&place))
            .flat_map(|all| all.iter().take(MOST_NAMES))
            .copied()
            .collect();
        apply.sort_unstable();
        let names = apply.iter().take(MOST_NAMES);
        let names: Vec<&str> = names
            .map(|&assertion| plan.elements[assertion].name.as_str())
            .collect();
        let asserted = !names.is_empty() && is_asserted(sampler);
        let label = (!sampler.name.contains("${")).then_some(sampler.name.as_str());
        found.add(label, asserted.then(|| names.join(", ")));
    }
    found
}
