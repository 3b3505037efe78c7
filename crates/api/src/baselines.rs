//! The run that a test's runs are compared with (`compare: pinned`).

use crate::caller::Caller;
use crate::etag::has_seen;
use crate::extract::{Body, Path};
use crate::problem::{BodyRefusals, Problem, Refusals, Unseen};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use floodgate_control::{load_pin, note_pin, note_unpin, pin, unpin};
use floodgate_policy::Action;
use floodgate_records::test::Pin;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The baseline of a test.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Baseline {
    /// The run; `null` if none is pinned.
    execution: Option<String>,
    /// Its version of the test.
    version: Option<String>,
    /// Who pinned it, or took the pin away; `null` if nobody ever did.
    by: Option<String>,
    /// When, Unix ms.
    at_ms: Option<i64>,
}

/// Which run is to be the baseline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Its id, or the beginning of it; a run of this test that passed.
    execution: String,
}

impl From<Option<Pin>> for Baseline {
    fn from(pin: Option<Pin>) -> Self {
        pin.map_or_else(Self::default, |pin| Self {
            execution: pin.execution,
            version: pin.version,
            by: Some(pin.by),
            at_ms: Some(pin.at_ms),
        })
    }
}

/// Shows which run is the baseline of a test.
#[utoipa::path(get, path = "/v1/projects/{project}/tests/{test}/baseline", operation_id = "readBaseline", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path)), responses((status = 200, body = Baseline), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
) -> Result<Json<Baseline>, Problem> {
    caller.may(Action::ReadBaselines, &project)?;
    Ok(Json(
        load_pin(&service.stores, &project, &test).await?.into(),
    ))
}

/// Pins a run as the baseline of a test. With `if-match`, only if the baseline is still the one that this tag was of.
#[utoipa::path(put, path = "/v1/projects/{project}/tests/{test}/baseline", operation_id = "setBaseline", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path)), request_body = Wanted,
    responses((status = 200, body = Baseline), Refusals, BodyRefusals, Unseen), security(("token" = ["admin"])))]
pub(crate) async fn set(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
    headers: HeaderMap,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Baseline>, Problem> {
    caller.may(Action::ChangeBaselines, &project)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    service.is_unchanged(&headers, &project, &test).await?;
    let of = (project.as_str(), wanted.execution.as_str());
    let run = service.find(&caller, Action::ChangeBaselines, of).await?;
    if run.test != test {
        let problem = format!(
            "execution {} is of the test {}, not of {test}",
            run.id, run.test
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    let pinned = pin(stores, &run, &caller.name, now_ms).await?;
    if service.trail.is_written_here() {
        note_pin(stores, &run, caller.who(), now_ms).await?;
    }
    Ok(Json(Some(pinned).into()))
}

/// Takes the pin of a test away; nothing changes if there is none.
#[utoipa::path(delete, path = "/v1/projects/{project}/tests/{test}/baseline", operation_id = "clearBaseline", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path)),
    responses((status = 204, description = "none is pinned any more"), Refusals, Unseen),
    security(("token" = ["admin"])))]
pub(crate) async fn clear(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ChangeBaselines, &project)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    service.is_unchanged(&headers, &project, &test).await?;
    let pin = load_pin(stores, &project, &test).await?;
    let Some(id) = pin.and_then(|pin| pin.execution) else {
        return Ok(StatusCode::NO_CONTENT);
    };
    unpin(stores, &project, &test, &caller.name, now_ms).await?;
    let run = stores.records.get(Some(&project), &id).await;
    if let (true, Ok(Some(run))) = (service.trail.is_written_here(), run) {
        note_unpin(stores, &run, caller.who(), now_ms).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    async fn is_unchanged(
        &self,
        headers: &HeaderMap,
        project: &str,
        test: &str,
    ) -> Result<(), Problem> {
        let standing: Baseline = load_pin(&self.stores, project, test).await?.into();
        let standing = serde_json::to_vec(&standing);
        let failed = |error: serde_json::Error| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        };
        has_seen(headers, &standing.map_err(failed)?)
    }
}
