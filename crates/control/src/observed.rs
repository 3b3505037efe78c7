//! What other systems should have told while the run went on, against what they did.

use crate::collect::Collected;
use crate::json;
use floodgate_core::definition::model::{Definition, ObserveSpec};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::metric::Tags;
use floodgate_records::observed::Observed;
use floodgate_store::ObjectStore;
use std::collections::BTreeMap;
use std::time::Duration;

/// The metrics that lack values, each with a sentence that says how many and why.
#[derive(Default)]
pub(crate) struct Lacking {
    /// All of them but those that an undecided threshold tells of.
    pub(crate) sentences: Vec<String>,
    /// Those that lack more than may be missing.
    pub(crate) unjudged: BTreeMap<String, String>,
}

/// Compares what there is with what there should be.
pub(crate) async fn lacking(
    objects: &dyn ObjectStore,
    keys: &ExecutionKeys,
    definition: &Definition,
    collected: &Collected,
) -> Lacking {
    let mut lacking = Lacking::default();
    if definition.observe.is_empty() {
        return lacking;
    }
    // Without its account nobody knows why; that values are missing is seen all the same.
    let account: Option<Observed> = json::get(objects, &keys.observed()).await.ok().flatten();
    let account = account.unwrap_or_default();
    for spec in &definition.observe {
        let due = values_due(spec, collected.duration);
        let found = collected.totals.sum_of(&spec.metric, &Tags::new());
        let found = found.map_or(0, |all| all.count).min(due);
        if found < due {
            let (missing, metric) = (due - found, &spec.metric);
            let why = account.problems.get(metric).map(|all| all.join("; "));
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            let sentence = format!("{missing} of {due} values of {metric} are missing{why}");
            let is_unjudged = missing as f64 / due as f64 > definition.run.tolerance;
            let mut keys = definition
                .thresholds
                .iter()
                .map(|t| t.key.split('{').next());
            if !(is_unjudged && keys.any(|key| key == Some(metric.as_str()))) {
                lacking.sentences.push(sentence.clone());
            }
            if is_unjudged {
                lacking.unjudged.insert(metric.clone(), sentence);
            }
        }
    }
    lacking
}

/// How many values there should be of so long a run: one at the end of each interval.
fn values_due(spec: &ObserveSpec, duration: Duration) -> u64 {
    let interval = spec.interval.as_millis().max(1);
    u64::try_from(duration.as_millis() / interval).unwrap_or(u64::MAX)
}
