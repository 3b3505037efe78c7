//! Who did what.

use crate::problem::Problem;
use crate::service::Service;
use axum::Json;
use axum::extract::{Path, State};
use floodgate_records::audit::AuditEntry;
use std::sync::Arc;

/// The trail of a project, the newest entry first.
pub(crate) async fn trail(
    State(service): State<Arc<Service>>,
    Path(project): Path<String>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    service.allows(&project)?;
    let mut trail = service.stores.records.audit_trail(&project).await?;
    trail.reverse();
    Ok(Json(trail))
}
