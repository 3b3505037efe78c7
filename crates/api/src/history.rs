//! Runs held against one another: the numbers of a test over time, and runs side by side.

use crate::problem::Problem;
use crate::service::Service;
use axum::Json;
use axum::extract::{Path, Query, State};
use floodgate_control::{ControlError, compare_runs, load_summary};
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::compare::Terms;
use floodgate_core::drift::{PastRun, Sensitivity};
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use floodgate_records::trend::Trend;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Runs that a trend has unless it is told otherwise, and at most.
const RUNS: usize = 50;
const MOST_RUNS: usize = 500;
/// Runs side by side at most: each is read whole.
const MOST_COMPARED: usize = 5;
/// As on the command line.
const MIN_EFFECT: f64 = 0.05;
const CONFIDENCE: f64 = 0.95;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Followed {
    /// `metric{tag:value} aggregate`, one a line; the usual ones without any.
    metrics: Option<String>,
    /// Runs at most.
    runs: Option<usize>,
}

/// The numbers of a test over its runs, with the places where they changed.
pub(crate) async fn trend(
    State(service): State<Arc<Service>>,
    Path((project, test)): Path<(String, String)>,
    Query(followed): Query<Followed>,
) -> Result<Json<Trend>, Problem> {
    service.allows(&project)?;
    let wanted = parsed(followed.metrics.as_deref())?;
    let most = followed.runs.unwrap_or(RUNS).clamp(2, MOST_RUNS);
    let sensitivity = Sensitivity {
        min_change: MIN_EFFECT,
        ..Sensitivity::default()
    };
    let metrics = |runs: &[PastRun]| {
        wanted.unwrap_or_else(|| {
            let has = |key: &str| runs.iter().any(|run| run.summary.metrics.contains_key(key));
            BaselineMetric::defaults(has)
        })
    };
    let stores = &service.stores;
    let found = floodgate_control::trend(stores, &project, &test, most, metrics, &sensitivity);
    Ok(Json(found.await?))
}

fn parsed(metrics: Option<&str>) -> Result<Option<Vec<BaselineMetric>>, Problem> {
    let lines = metrics.unwrap_or_default().lines();
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let parsed: Result<Vec<_>, _> = lines.map(BaselineMetric::parse).collect();
    let parsed = parsed.map_err(|error| Problem::bad(format!("metrics: {error}")))?;
    Ok(Some(parsed).filter(|metrics| !metrics.is_empty()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    /// Ids, comma-separated; the others are compared with the first.
    executions: String,
}

/// A run beside others.
#[derive(Serialize)]
pub(crate) struct Compared {
    execution: Execution,
    /// `null` if it has none.
    summary: Option<Summary>,
    /// With the first; `null` of the first, and where `problem` says why.
    comparison: Option<Comparison>,
    problem: Option<String>,
}

/// Two to five runs side by side.
pub(crate) async fn compare(
    State(service): State<Arc<Service>>,
    Path(project): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Json<Vec<Compared>>, Problem> {
    let ids: Vec<_> = chosen.executions.split(',').map(str::trim).collect();
    if !(2..=MOST_COMPARED).contains(&ids.len()) {
        return Err(Problem::bad(format!(
            "executions: {} given; name two to {MOST_COMPARED}",
            ids.len()
        )));
    }
    let mut all: Vec<Compared> = Vec::new();
    for id in ids {
        let execution = service.find(&project, id).await?;
        let summary = load_summary(&service.stores, &project, &execution.id).await?;
        let (mut comparison, mut problem) = (None, None);
        if let Some(base) = all.first() {
            match service.compared(base, &execution, summary.as_ref()).await {
                Ok(found) => comparison = Some(found),
                Err(ControlError::Store(error)) if error.is_temporary() => return Err(error.into()),
                Err(error) => problem = Some(error.to_string()),
            }
        }
        all.push(Compared {
            execution,
            summary,
            comparison,
            problem,
        });
    }
    Ok(Json(all))
}

impl Service {
    async fn compared(
        &self,
        base: &Compared,
        head: &Execution,
        summary: Option<&Summary>,
    ) -> floodgate_control::Result<Comparison> {
        let summaries = [base.summary.as_ref(), summary];
        let has = |key: &str| {
            let mut all = summaries.iter().flatten();
            all.any(|summary| summary.metrics.contains_key(key))
        };
        let terms = Terms {
            metrics: BaselineMetric::defaults(has),
            confidence: CONFIDENCE,
            min_effect: MIN_EFFECT,
            undecided: None,
        };
        compare_runs(&self.stores, base.execution.clone(), head.clone(), &terms).await
    }
}
