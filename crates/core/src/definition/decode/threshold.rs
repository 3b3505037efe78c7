//! Thresholds and the baseline.

use super::context::Decoder;
use crate::definition::keys::grammar::MAX_EXPRESSION;
use crate::definition::keys::names::METRIC;
use crate::definition::keys::{root, threshold};
use crate::definition::model::{BaselineRef, BaselineSpec, ThresholdSpec};
use crate::definition::shape::scalar::hide;
use crate::definition::tree::{Entry, Node};
use crate::threshold::{checked_expression, checked_key, pointless};
use floodgate_records::key::Key;
use std::borrow::Cow;

impl Decoder<'_> {
    /// `thresholds` in the order of the file.
    pub(super) fn thresholds(&mut self, root: &Node) -> Vec<ThresholdSpec> {
        let mut specs = Vec::new();
        for entry in root::THRESHOLDS.entries(root) {
            let key = self.threshold_key(entry);
            for item in entry.value.one_or_more() {
                let place = threshold::EXPRESSION.place(item).unwrap_or(item);
                self.no_secret(place);
                // An open one is compiled where it is known.
                let expression = place.known().map(Cow::into_owned);
                let expression = expression.filter(|text| !text.trim().is_empty());
                let Some(expression) = expression.filter(|text| text.len() <= MAX_EXPRESSION)
                else {
                    continue;
                };
                if let Some(key) = &key {
                    self.expression(key, place, &expression, root::SCRIPT.is_given(root));
                }
                specs.push(ThresholdSpec {
                    key: entry.key.clone(),
                    expression,
                    abort_on_fail: threshold::ABORT_ON_FAIL.or_default(item),
                    delay_abort_eval: threshold::DELAY_ABORT_EVAL.or_default(item),
                });
            }
        }
        specs
    }

    fn threshold_key(&mut self, entry: &Entry) -> Option<Key> {
        let text = Some(&entry.key).filter(|text| METRIC.take(text))?;
        checked_key(text)
            .map_err(|error| self.sink.push(entry.key_syntax(error)))
            .ok()
    }

    fn expression(&mut self, key: &Key, place: &Node, text: &str, scripted: bool) {
        let fault = match checked_expression(key, text) {
            Ok(parsed) => pointless(key, &parsed).filter(|_| !scripted),
            Err(error) => Some(error),
        };
        if let Some((scalar, error)) = place.scalar().zip(fault) {
            self.sink.push(hide(place, scalar, error));
        }
    }
}

/// `baseline`.
pub(super) fn baseline(node: &Node) -> BaselineSpec {
    let compare = threshold::COMPARE.place(node).and_then(Node::known);
    let metrics = threshold::METRICS.items(node).iter();
    BaselineSpec {
        compare: match compare {
            Some(id) if id != "last-passed" => BaselineRef::Execution(id.to_ascii_uppercase()),
            _ => BaselineRef::LastPassed,
        },
        tolerance: threshold::TOLERANCE.or_default(node).0,
        metrics: metrics
            .filter_map(|metric| metric.known().map(Cow::into_owned))
            .collect(),
    }
}
