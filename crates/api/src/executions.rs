//! Runs: listed, shown, stopped.

use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::listing::{Filter, Row};
use crate::paging::{Found, listed};
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use floodgate_control::load_summary;
use floodgate_policy::Action;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::summary::Summary;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A page of runs, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Runs)]
pub(crate) struct Page {
    executions: Vec<Row>,
    /// What `after` has to be for the next page; `null` on the last.
    next: Option<String>,
    /// Records that can't be read, a sentence each.
    damaged: Vec<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunDetails)]
pub(crate) struct Shown {
    /// Its record.
    #[schema(value_type = Object)]
    execution: Execution,
    /// As `floodgate schema summary` describes it; `null` while there is none.
    #[schema(value_type = Option<Object>)]
    summary: Option<Summary>,
    /// Whether there is a page of it.
    has_report: bool,
}

impl From<Found> for Page {
    fn from(found: Found) -> Self {
        Self {
            executions: found.runs.iter().map(|run| Row::of(run)).collect(),
            next: found.next,
            damaged: found.damaged,
        }
    }
}

/// Lists runs of all projects in which the caller has a role.
#[utoipa::path(get, path = "/v1/executions", operation_id = "listAllRuns", tag = "runs", params(Filter),
    responses((status = 200, body = Page), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn list_all(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let projects = listed(&caller, filter.project.as_deref(), Action::ReadRuns)?;
    Ok(Json(service.page(&projects, &filter).await?.into()))
}

/// Lists the runs of a project.
#[utoipa::path(get, path = "/v1/projects/{project}/executions", operation_id = "listRuns", tag = "runs",
    params(("project" = String, Path), Filter), responses((status = 200, body = Page), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    if filter
        .project
        .as_ref()
        .is_some_and(|asked| *asked != project)
    {
        return Err(Problem::bad("project: the path names another one"));
    }
    let projects = listed(&caller, Some(&project), Action::ReadRuns)?;
    Ok(Json(service.page(&projects, &filter).await?.into()))
}

/// Shows a run, by its id or the beginning of it.
#[utoipa::path(get, path = "/v1/projects/{project}/executions/{id}", operation_id = "showRun", tag = "runs",
    params(("project" = String, Path), ("id" = String, Path)), responses((status = 200, body = Shown), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Shown>, Problem> {
    let of = (project.as_str(), id.as_str());
    let execution = service.find(&caller, Action::ReadRuns, of).await?;
    let stores = &service.stores;
    let summary = load_summary(stores, &execution.project, &execution.id).await?;
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let listed = stores.objects.list(&keys.report()).await?;
    Ok(Json(Shown {
        has_report: !listed.is_empty(),
        execution,
        summary,
    }))
}

/// The page of a run.
#[utoipa::path(get, path = "/v1/projects/{project}/executions/{id}/report", operation_id = "readReport", tag = "runs",
    params(("project" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/html; charset=utf-8"), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn report(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let of = (project.as_str(), id.as_str());
    let execution = service.find(&caller, Action::ReadRuns, of).await?;
    let keys = ExecutionKeys::new(&execution.project, &execution.id);
    let page = service.stores.objects.get(&keys.report()).await?;
    let page = page.ok_or_else(|| Problem::missing("this run has no report"))?;
    // The page's own policy allows its script and its style alone. Whoever can write into the store could have written another page:
    // it may run, and may not ask in the reader's name.
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox allow-scripts allow-downloads; frame-ancestors 'self'",
        ),
    ];
    Ok((headers, page).into_response())
}

/// Orders a run to stop. What it measured is merged and judged; 409 if it has ended.
#[utoipa::path(post, path = "/v1/projects/{project}/executions/{id}/abort", operation_id = "abortRun", tag = "runs",
    params(("project" = String, Path), ("id" = String, Path)),
    responses((status = 202, description = "it is told to stop"),
        (status = 409, body = crate::problem::ProblemBody, content_type = "application/problem+json", description = "it has ended"), Refusals),
    security(("token" = ["tester"])))]
pub(crate) async fn abort(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::AbortRuns, &project)?;
    let (stores, now_ms, trail) = (&service.stores, (service.now_ms)(), service.trail);
    floodgate_control::abort(stores, Some(&project), &id, caller.who(), trail, now_ms).await?;
    Ok(StatusCode::ACCEPTED)
}
