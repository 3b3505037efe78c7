//! Who did what.

use crate::caller::Caller;
use crate::extract::{Path, Query};
use crate::listing::number;
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use floodgate_policy::Action;
use floodgate_records::audit::AuditEntry;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Entries at most; all if nothing is said.
    #[param(minimum = 1)]
    limit: Option<usize>,
    /// How many of the newest are passed over.
    skip: Option<usize>,
}

/// The audit trail of a project, the newest entry first.
#[utoipa::path(get, path = "/v1/projects/{project}/audit", operation_id = "readAudit", tag = "projects",
    params(("project" = String, Path), Part), responses((status = 200, body = Vec<Object>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn trail(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    caller.may(Action::ReadAudit, &project)?;
    let limit = number("limit", part.limit)?;
    let (skip, limit) = (part.skip.unwrap_or(0), limit.unwrap_or(usize::MAX));
    let records = &service.stores.records;
    Ok(Json(records.newest_audits(&project, skip, limit).await?))
}
