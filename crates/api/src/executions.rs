//! Runs: listed, shown, stopped.

use crate::listing::{Filter, LOOKED_THROUGH, Row};
use crate::problem::Problem;
use crate::service::Service;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use floodgate_control::{find_in, load_summary};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::summary::Summary;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub(crate) struct Page {
    executions: Vec<Row>,
    /// What `after` has to be for the next page; `null` on the last.
    next: Option<String>,
    /// Records that can't be read, a sentence each.
    damaged: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Shown {
    execution: Execution,
    /// `null` while there is none.
    summary: Option<Summary>,
    /// Whether there is a page of it.
    has_report: bool,
}

/// The newest first.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let project = service.narrowed(filter.project.as_deref())?;
    let most = match filter.is_plain() {
        true => filter.limit() + 1,
        false => LOOKED_THROUGH,
    };
    let records = &service.stores.records;
    let listed = records.list(project, filter.test.as_deref(), most).await?;
    let (runs, next) = filter.page(listed.runs);
    Ok(Json(Page {
        executions: runs.into_iter().map(Row::of).collect(),
        next,
        damaged: listed.damaged,
    }))
}

/// One, by its id or the beginning of it.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Shown>, Problem> {
    let execution = service.find(&project, &id).await?;
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

/// Its page.
pub(crate) async fn report(
    State(service): State<Arc<Service>>,
    Path((project, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let execution = service.find(&project, &id).await?;
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

/// Orders it to stop.
pub(crate) async fn abort(
    State(service): State<Arc<Service>>,
    Path((project, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    service.allows(&project)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    let (by, trail) = (&service.by, service.trail);
    floodgate_control::abort(stores, Some(&project), &id, by, trail, now_ms).await?;
    Ok(StatusCode::ACCEPTED)
}

impl Service {
    /// Whether this project may be seen here; one that may not looks like one that is not there.
    pub(crate) fn allows(&self, project: &str) -> Result<(), Problem> {
        let own = self.project.as_deref();
        match own.is_none_or(|own| own == project) {
            true => Ok(()),
            false => Err(Problem::missing(format!("no project {project:?} here"))),
        }
    }

    /// The project that is asked for, as far as it may be seen.
    pub(crate) fn narrowed<'a>(
        &'a self,
        asked: Option<&'a str>,
    ) -> Result<Option<&'a str>, Problem> {
        if let Some(asked) = asked {
            self.allows(asked)?;
        }
        Ok(asked.or(self.project.as_deref()))
    }

    pub(crate) async fn find(&self, project: &str, id: &str) -> Result<Execution, Problem> {
        self.allows(project)?;
        Ok(find_in(&self.stores, Some(project), id).await?)
    }
}
