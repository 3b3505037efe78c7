//! Files that a plan reads: they travel with it.

use super::plan::{Element, Plan, Values, arguments};
use std::collections::BTreeSet;

/// Values that name a file, and whether JMeter's own element has to have it: without it, the run goes wrong.
const VALUES: [(&str, &str); 6] = [
    ("filename", "CSVDataSet"),
    ("File.path", "HTTPSamplerProxy"),
    ("IncludeController.includepath", "IncludeController"),
    ("HTTPSampler.path_to_file", "HTTPSamplerProxy"),
    ("xmlschema_assertion_filename", "XMLSchemaAssertion"),
    ("FTPSampler.localfilename", ""),
];

/// Functions whose first argument is a file.
const FUNCTIONS: [&str; 4] = ["__CSVRead", "__FileToString", "__StringFromFile", "__XPath"];

/// How the classes of elements end that write a file and read none. A plugin's listener is not a subclass whose name JMeter knows.
const WRITERS: [&str; 7] = [
    "Collector",
    "Writer",
    "Reporter",
    "Visualizer",
    "Saver",
    "Uploader",
    "Visualiser",
];

/// The test's own properties, beside the plan.
pub(super) const PROPERTIES: &str = "user.properties";

/// Relative files whose names are known before the run and that are there. One that is not there and should be is a warning: JMeter runs
/// the plan all the same, and fails where it needs the file.
pub(super) fn files(
    plan: &Plan,
    values: &Values,
    there: &dyn Fn(&str) -> bool,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let mut found = BTreeSet::new();
    let readers = plan.enabled().filter(|(_, element)| !writes(element));
    for (_, element) in readers {
        for prop in &element.props {
            let known = VALUES.iter().find(|(name, _)| *name == prop.name);
            let Some(((_, needed_by), name)) = known.zip(relative(&prop.text, values)) else {
                continue;
            };
            if there(&name) {
                found.insert(name);
            } else if element.class == *needed_by {
                warnings.push(format!(
                    "{} {:?} reads {name}, which is not there",
                    element.class, element.name
                ));
            }
        }
    }
    let called = arguments(plan, &FUNCTIONS);
    let called = called.iter().filter_map(|text| relative(text, values));
    let own = std::iter::once(PROPERTIES.to_owned());
    found.extend(called.chain(own).filter(|name| there(name)));
    found.into_iter().collect()
}

/// A relative file's name, if it is known.
fn relative(text: &str, values: &Values) -> Option<String> {
    let name = values.evaluate(text).ok()?;
    let name = name.trim();
    (!name.is_empty() && !name.starts_with('/')).then(|| name.to_owned())
}

fn writes(element: &Element) -> bool {
    WRITERS.iter().any(|end| element.class.ends_with(end))
}
