//! Thresholds over the runs of a test.

use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::listing::{after, limit};
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use floodgate_policy::Action;
use floodgate_records::outcome::ThresholdOutcome;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Runs at most: 100 if nothing is said, up to 1,000.
    #[param(minimum = 1)]
    limit: Option<usize>,
    /// `next` of the page before: the runs that are older.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    after: Option<String>,
}

/// Thresholds of the runs of a test, the newest run first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Thresholds {
    runs: Vec<Judged>,
    /// What `after` has to be for the next page; `null` on the last.
    next: Option<String>,
}

/// What came of the thresholds of one run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Judged {
    execution: String,
    version: String,
    commit: Option<String>,
    status: &'static str,
    /// Unix ms.
    created_ms: i64,
    /// In the order of the definition.
    #[schema(value_type = Vec<Object>)]
    thresholds: Vec<ThresholdOutcome>,
}

/// What came of a test's thresholds, run by run.
#[utoipa::path(get, path = "/v1/projects/{project}/tests/{test}/thresholds", operation_id = "readThresholds", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path), Part), responses((status = 200, body = Thresholds), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn thresholds(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
    Query(part): Query<Part>,
) -> Result<Json<Thresholds>, Problem> {
    caller.may(Action::ReadThresholds, &project)?;
    let (limit, before) = (limit(part.limit)?, after(part.after.as_deref())?);
    // One more shows that there is a next page.
    let records = &service.stores.records;
    let listed = records.list_before(Some(&project), Some(&test), before, limit + 1);
    let mut found = listed.await?.runs;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|run| run.id.clone());
    let runs = found.into_iter().map(|run| Judged {
        status: run.status.as_str(),
        execution: run.id,
        version: run.version,
        commit: run.trigger.commit,
        created_ms: run.created_ms,
        thresholds: run.thresholds,
    });
    Ok(Json(Thresholds {
        runs: runs.collect(),
        next: last.filter(|_| has_more),
    }))
}
