//! Metrics as log lines in CloudWatch's embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>):
//! no call, no permission, no delay.

use floodgate_log::{Sink, write};
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Floodgate";

/// Metrics of one event, with the dimensions `Stack`, and `Stack` and `Project`; with a status also `Stack` and `Status`.
pub struct Metrics<'a> {
    out: &'a Sink,
    at_ms: i64,
    stack: &'a str,
    project: &'a str,
    status: Option<&'a str>,
    values: Vec<(&'static str, &'static str, f64)>,
}

impl<'a> Metrics<'a> {
    /// None yet.
    pub fn new(out: &'a Sink, stack: &'a str, project: &'a str, at_ms: i64) -> Self {
        Self {
            out,
            at_ms,
            stack,
            project,
            status: None,
            values: Vec::new(),
        }
    }

    /// Also by the status of the run.
    #[must_use]
    pub fn status(mut self, status: &'a str) -> Self {
        self.status = Some(status);
        self
    }

    /// How many.
    #[must_use]
    pub fn count(self, name: &'static str, value: impl Into<f64>) -> Self {
        self.with(name, "Count", value.into())
    }

    /// How long, in seconds.
    #[must_use]
    pub fn seconds(self, name: &'static str, value: f64) -> Self {
        self.with(name, "Seconds", value)
    }

    /// How much, in a unit that CloudWatch does not have, such as US dollars.
    #[must_use]
    pub fn amount(self, name: &'static str, value: f64) -> Self {
        self.with(name, "None", value)
    }

    fn with(mut self, name: &'static str, unit: &'static str, value: f64) -> Self {
        self.values.push((name, unit, value));
        self
    }

    /// Writes the line.
    pub fn emit(self) {
        let mut dimensions = vec![json!(["Stack"]), json!(["Stack", "Project"])];
        let mut line = Map::new();
        line.insert("Stack".into(), self.stack.into());
        line.insert("Project".into(), self.project.into());
        if let Some(status) = self.status {
            dimensions.push(json!(["Stack", "Status"]));
            line.insert("Status".into(), status.into());
        }
        let units: Vec<Value> = self
            .values
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
            .collect();
        for (name, _, value) in &self.values {
            line.insert((*name).into(), json!(value));
        }
        let metrics = json!({
            "Timestamp": self.at_ms,
            "CloudWatchMetrics":
                [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": units}],
        });
        line.insert("_aws".into(), metrics);
        write(self.out, &Value::Object(line));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn every_metric_and_dimension_of_the_directive_is_a_member_of_the_line() {
        let out = Arc::new(Mutex::new(Vec::new()));
        let sink: Sink = out.clone();
        Metrics::new(&sink, "floodgate", "shop", 1_700_000_000_000)
            .status("passed")
            .count("Executions", 1)
            .amount("ActualCostUsd", 0.25)
            .emit();
        let line: Value = serde_json::from_slice(&out.lock().unwrap()).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for set in directive["Dimensions"].as_array().unwrap() {
            for name in set.as_array().unwrap() {
                assert!(line[name.as_str().unwrap()].is_string(), "{name}");
            }
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(
                line[metric["Name"].as_str().unwrap()].is_number(),
                "{metric}"
            );
        }
    }
}
