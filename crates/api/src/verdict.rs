//! What came of a run, in one call: the same JSON for every engine.

use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use floodgate_control::load_summary;
use floodgate_policy::Action;
use floodgate_records::capacity::CapacitySummary;
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::outcome::ThresholdOutcome;
use floodgate_records::status::Status;
use floodgate_records::summary::BaselineSummary;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Between two looks at the record.
const POLL: Duration = Duration::from_millis(250);

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Patience {
    /// How long to wait for the end of a run that goes on, at most: `30s`; up to 60 s, behind API Gateway up to 25 s. The answer comes as soon as it has ended.
    #[param(pattern = "^[0-9]{1,2}s?$")]
    wait: Option<String>,
}

/// What came of a run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// ULID.
    execution: String,
    /// Its project.
    project: String,
    /// The test's name.
    test: String,
    /// SHA-256 of the definition and its files.
    version: String,
    /// Who sent its load.
    engine: String,
    /// Where it stands: `passed`, `failed`, `inconclusive`, `errored`, `aborted`; `preparing`, `running`, `merging` while it goes on.
    status: &'static str,
    /// Whether it has ended.
    is_final: bool,
    /// Whether it passed: `false` while it goes on, and for whatever is no pass.
    passed: bool,
    /// The exit code of `floodgate run`; `null` while it goes on.
    exit_code: Option<u8>,
    /// Why, one sentence each.
    reasons: Vec<String>,
    /// What a reader should know.
    warnings: Vec<String>,
    /// Every threshold with what came of it.
    #[schema(value_type = Vec<Object>)]
    thresholds: Vec<ThresholdOutcome>,
    /// The comparison with an earlier run by a tolerance; `null` if the test asks for none.
    #[schema(value_type = Option<Object>)]
    baseline: Option<BaselineSummary>,
    /// The same by intervals; `null` if the test asks for none.
    #[schema(value_type = Option<Object>)]
    comparison: Option<Box<Comparison>>,
    /// What capacity was found; `null` if none was sought.
    #[schema(value_type = Option<Object>)]
    capacity: Option<CapacitySummary>,
    /// Who started it.
    principal: Option<String>,
    /// Whether that is proven.
    #[schema(value_type = String)]
    principal_is: floodgate_records::execution::PrincipalIs,
    /// The commit that it is for.
    commit: Option<String>,
    /// Unix ms.
    created_ms: i64,
    /// Unix ms.
    started_ms: Option<i64>,
    /// Unix ms.
    ended_ms: Option<i64>,
    /// Where its page lies.
    report: String,
}

/// Says what came of a run; waits for its end if it is asked to.
#[utoipa::path(get, path = "/v1/projects/{project}/executions/{id}/verdict", operation_id = "readVerdict", tag = "runs",
    params(("project" = String, Path), ("id" = String, Path), Patience), responses((status = 200, body = Verdict), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn verdict(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, id)): Path<(String, String)>,
    Query(patience): Query<Patience>,
) -> Result<Json<Verdict>, Problem> {
    caller.may(Action::ReadRuns, &project)?;
    let wait = patience.duration()?.min(service.longest_wait);
    let of = (project.as_str(), id.as_str());
    let mut execution = service.find(&caller, Action::ReadRuns, of).await?;
    let mut waited = Duration::ZERO;
    while !execution.status.is_final() && waited < wait {
        let pause = POLL.min(wait - waited);
        tokio::time::sleep(pause).await;
        waited += pause;
        let of = (project.as_str(), execution.id.as_str());
        execution = service.find(&caller, Action::ReadRuns, of).await?;
    }
    let mut baseline = None;
    if execution.status.is_final() {
        let summary = load_summary(&service.stores, &project, &execution.id).await?;
        baseline = summary.and_then(|summary| summary.baseline);
    }
    Ok(Json(Verdict::of(execution, baseline)))
}

impl Patience {
    fn duration(&self) -> Result<Duration, Problem> {
        let Some(text) = &self.wait else {
            return Ok(Duration::ZERO);
        };
        let digits = text.strip_suffix('s').unwrap_or(text);
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        match digits.parse() {
            Ok(seconds) if plain => Ok(Duration::from_secs(seconds)),
            _ => Err(Problem::bad(format!(
                "wait: {text:?} is not a valid wait; write 30s, at most 60s"
            ))),
        }
    }
}

impl Verdict {
    fn of(run: Execution, baseline: Option<BaselineSummary>) -> Self {
        let is_final = run.status.is_final();
        Self {
            report: format!("/v1/projects/{}/executions/{}/report", run.project, run.id),
            engine: run.engine.to_string(),
            status: run.status.as_str(),
            is_final,
            passed: run.status == Status::Passed,
            exit_code: is_final.then(|| run.exit_code()),
            baseline,
            principal_is: run.trigger.principal_is,
            principal: run.trigger.principal,
            commit: run.trigger.commit,
            execution: run.id,
            project: run.project,
            test: run.test,
            version: run.version,
            reasons: run.reasons,
            warnings: run.warnings,
            thresholds: run.thresholds,
            comparison: run.comparison,
            capacity: run.capacity,
            created_ms: run.created_ms,
            started_ms: run.started_ms,
            ended_ms: run.ended_ms,
        }
    }
}
