//! Runs held against one another: the numbers of a test over time, and runs side by side.

use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::listing::number;
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use floodgate_control::{ControlError, compare_runs, load_summary};
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::compare::Terms;
use floodgate_core::drift::{PastRun, Sensitivity};
use floodgate_policy::Action;
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use floodgate_records::trend::Trend;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Runs that a trend has unless it is told otherwise, and at most.
const RUNS: usize = 50;
const MOST_RUNS: usize = 500;
/// Runs side by side at most: each is read whole.
const MOST_COMPARED: usize = 5;
/// As on the command line.
const MIN_EFFECT: f64 = 0.05;
const CONFIDENCE: f64 = 0.95;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Followed {
    /// `metric{tag:value} aggregate`, one a line; the usual ones without any.
    metrics: Option<String>,
    /// Runs at most.
    #[param(minimum = 1)]
    runs: Option<usize>,
}

/// Shows the numbers of a test over its runs, with the places where they changed.
#[utoipa::path(get, path = "/v1/projects/{project}/tests/{test}/trend", operation_id = "readTrend", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path), Followed), responses((status = 200, body = Object), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn trend(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
    Query(followed): Query<Followed>,
) -> Result<Json<Trend>, Problem> {
    caller.may(Action::ReadRuns, &project)?;
    let wanted = parsed(followed.metrics.as_deref())?;
    let most = number("runs", followed.runs)?
        .unwrap_or(RUNS)
        .clamp(2, MOST_RUNS);
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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Chosen {
    /// Ids, comma-separated; the others are compared with the first.
    executions: String,
}

/// A run beside others.
#[derive(Serialize, ToSchema)]
pub(crate) struct Compared {
    /// Its record.
    #[schema(value_type = Object)]
    execution: Execution,
    /// `null` if it has none.
    #[schema(value_type = Option<Object>)]
    summary: Option<Summary>,
    /// With the first; `null` of the first, and where `problem` says why.
    #[schema(value_type = Option<Object>)]
    comparison: Option<Comparison>,
    problem: Option<String>,
}

/// Shows two to five runs side by side; the others are compared with the first.
#[utoipa::path(get, path = "/v1/projects/{project}/comparisons", operation_id = "compareRuns", tag = "runs",
    params(("project" = String, Path), Chosen), responses((status = 200, body = Vec<Compared>), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn compare(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Json<Vec<Compared>>, Problem> {
    caller.may(Action::ReadRuns, &project)?;
    let ids: Vec<_> = chosen.executions.split(',').map(str::trim).collect();
    if !(2..=MOST_COMPARED).contains(&ids.len()) {
        return Err(Problem::bad(format!(
            "executions: {} given; name two to {MOST_COMPARED}",
            ids.len()
        )));
    }
    let mut all: Vec<Compared> = Vec::new();
    for id in ids {
        let execution = service
            .find(&caller, Action::ReadRuns, (&project, id))
            .await?;
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
