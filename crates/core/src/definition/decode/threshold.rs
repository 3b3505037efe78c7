//! Thresholds and the baseline.

use super::context::Decoder;
use super::over_time::Course;
use crate::definition::field::Share;
use crate::definition::keys::grammar::MAX_EXPRESSION;
use crate::definition::keys::names::METRIC;
use crate::definition::keys::{root, threshold};
use crate::definition::model::{
    BaselineMethod, BaselineRef, BaselineSpec, ByIntervals, MethodName, ThresholdSpec,
};
use crate::definition::shape::scalar::hide;
use crate::definition::tree::{Entry, Node};
use crate::syntax::SyntaxError;
use crate::threshold::{Aggregate, Expression, checked_expression, checked_key, pointless};
use floodgate_records::key::Key;
use std::borrow::Cow;

impl Decoder<'_> {
    /// `thresholds` in the order of the file.
    pub(super) fn thresholds(&mut self, root: &Node, course: &Course<'_>) -> Vec<ThresholdSpec> {
        let mut specs = Vec::new();
        for entry in root::THRESHOLDS.entries(root) {
            let of_slope = Self::slope_key(entry);
            let metric = of_slope.as_ref().map_or(&entry.key, |(metric, _)| metric);
            let key = self.key_of(entry, metric);
            for item in entry.value.one_or_more() {
                let place = threshold::EXPRESSION.place(item).unwrap_or(item);
                self.no_secret(place);
                // An open one is compiled where it is known.
                let expression = place.known().map(Cow::into_owned);
                let expression = expression.filter(|text| !text.trim().is_empty());
                let Some(mut expression) = expression.filter(|text| text.len() <= MAX_EXPRESSION)
                else {
                    continue;
                };
                if let Some((_, aggregate)) = &of_slope {
                    expression = format!("trend({aggregate}){}", expression.trim());
                }
                let scripted = root::SCRIPT.is_given(root);
                let sound = key
                    .as_ref()
                    .is_some_and(|key| self.expression(key, place, &expression, scripted));
                let spec = ThresholdSpec {
                    abort_on_fail: threshold::ABORT_ON_FAIL.or_default(item),
                    delay_abort_eval: threshold::DELAY_ABORT_EVAL.or_default(item),
                    part: self.run_part(item, root, course),
                    ..ThresholdSpec::new(metric, expression)
                };
                if sound && spec.expression.starts_with("trend(") {
                    self.slope(place, item, root, &spec, course);
                }
                specs.push(spec);
            }
        }
        specs
    }

    pub(super) fn threshold_key(&mut self, entry: &Entry) -> Option<Key> {
        self.key_of(entry, &entry.key)
    }

    /// The key that stands in an entry's.
    fn key_of(&mut self, entry: &Entry, metric: &str) -> Option<Key> {
        let text = Some(metric).filter(|text| METRIC.take(text))?;
        let at = entry.key.find(metric).unwrap_or_default();
        checked_key(text)
            .map_err(|error| {
                let error = error.within(at..at + metric.len());
                self.sink.push(entry.key_syntax(error));
            })
            .ok()
    }

    /// Whether a key can have such an expression; why not is reported.
    pub(super) fn expression(
        &mut self,
        key: &Key,
        place: &Node,
        text: &str,
        scripted: bool,
    ) -> bool {
        let fault = match checked_expression(key, text) {
            Ok(parsed) => pointless(key, &parsed)
                .filter(|_| !scripted)
                .or_else(|| self.of_another_type(key, &parsed)),
            Err(error) => Some(error),
        };
        let sound = fault.is_none();
        if let Some((scalar, mut error)) = place.scalar().zip(fault) {
            // Of a slope whose aggregate is in the key only the rest stands here.
            if place
                .known()
                .is_some_and(|written| written.len() < text.len())
            {
                error.at = 0.into();
            }
            self.sink.push(hide(place, scalar, error));
        }
        sound
    }
}

impl Decoder<'_> {
    /// Why a metric of the test's own has no such aggregate.
    fn of_another_type(&self, key: &Key, expression: &Expression) -> Option<SyntaxError> {
        let kind = *self.metrics.get(&key.metric)?;
        let aggregate = expression.aggregate;
        (!aggregate.is_of(kind)).then(|| {
            let metric = &key.metric;
            SyntaxError::new(
                0,
                format!("{metric} is a {kind}, which has no \"{aggregate}\""),
            )
            .allowed(Aggregate::allowed(kind))
        })
    }

    /// `baseline`.
    pub(super) fn baseline(&mut self, node: &Node) -> BaselineSpec {
        let compare = threshold::COMPARE.place(node);
        let rolling = compare.and_then(|place| threshold::ROLLING.of(place));
        let named = compare.and_then(Node::known);
        let compare = match (rolling, named.as_deref()) {
            (Some(runs), _) => BaselineRef::Rolling(runs),
            (None, None | Some("last-passed")) => BaselineRef::LastPassed,
            (None, Some("pinned")) => BaselineRef::Pinned,
            (None, Some(id)) => BaselineRef::Execution(id.to_ascii_uppercase()),
        };
        let metrics = threshold::METRICS.items(node).iter();
        BaselineSpec {
            method: self.method(node, matches!(compare, BaselineRef::Rolling(_))),
            compare,
            metrics: metrics
                .filter_map(|metric| metric.known().map(Cow::into_owned))
                .collect(),
        }
    }

    /// The method, and a fault for each key that belongs to the other one.
    fn method(&mut self, node: &Node, rolling: bool) -> BaselineMethod {
        let own = [
            threshold::MIN_EFFECT.key.name,
            threshold::CONFIDENCE.key.name,
            threshold::UNDECIDED.key.name,
        ];
        let given = |names: &[&str]| names.iter().any(|name| node.get(name).is_some());
        let name = threshold::METHOD
            .of(node)
            .unwrap_or(match given(&own) || rolling {
                true => MethodName::Compare,
                false => MethodName::Tolerance,
            });
        let foreign: &[&str] = match name {
            MethodName::Compare => &[threshold::TOLERANCE.key.name],
            MethodName::Tolerance => &own,
        };
        for entry in foreign.iter().filter_map(|name| node.entry(name)) {
            let problem = format!(
                "the comparison is by method {}, which has no {}",
                name.as_str(),
                entry.key
            );
            let issue = entry.key_issue(problem);
            self.sink.push(issue.hint("tolerance belongs to method: tolerance; min_effect, confidence and undecided to method: compare"));
        }
        let several = threshold::COMPARE.place(node).filter(|_| rolling);
        if let Some(place) = several.filter(|_| name == MethodName::Tolerance) {
            let issue = place.issue("a tolerance is held against one run, not against several");
            self.sink
                .push(issue.hint("write method: compare, or compare: last-passed"));
        }
        match name {
            MethodName::Tolerance => {
                BaselineMethod::Tolerance(threshold::TOLERANCE.or_default(node).0)
            }
            MethodName::Compare => {
                let default = ByIntervals::default();
                let share = |given: Option<Share>, default| given.map_or(default, |share| share.0);
                BaselineMethod::Compare(ByIntervals {
                    min_effect: share(threshold::MIN_EFFECT.of(node), default.min_effect),
                    confidence: share(threshold::CONFIDENCE.of(node), default.confidence),
                    undecided: threshold::UNDECIDED.of(node).unwrap_or(default.undecided),
                })
            }
        }
    }
}
