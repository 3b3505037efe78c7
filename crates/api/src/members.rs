//! Projects, and who may do what in them.

use crate::caller::Caller;
use crate::extract::Path;
use crate::identity::{Member, Via};
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use floodgate_policy::{Action, Role, Scope};
use floodgate_store::Wanted;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::ToSchema;

/// A project, and what the caller is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Project {
    project: String,
    /// `viewer`, `tester` or `admin`.
    #[schema(value_type = String)]
    role: Role,
}

/// Lists the projects in which the caller has a role.
#[utoipa::path(get, path = "/v1/projects", operation_id = "listProjects", tag = "projects",
    responses((status = 200, body = Vec<Project>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn projects(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Json<Vec<Project>>, Problem> {
    let names: BTreeSet<String> = match caller.grants.scope() {
        Scope::These(names) => names.into_iter().map(str::to_owned).collect(),
        Scope::All => {
            let listed = service.stores.records.select(&Wanted::all(None)).await?;
            let names = listed.runs.iter().map(|run| run.project.clone());
            names.collect()
        }
    };
    let project = |project: String| {
        let role = caller.grants.role(&project)?;
        Some(Project { project, role })
    };
    Ok(Json(names.into_iter().filter_map(project).collect()))
}

/// Lists who has a role in a project, and by what.
#[utoipa::path(get, path = "/v1/projects/{project}/members", operation_id = "listMembers", tag = "projects",
    params(("project" = String, Path)), responses((status = 200, body = Vec<Member>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn members(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
) -> Result<Json<Vec<Member>>, Problem> {
    caller.may(Action::ReadMembers, &project)?;
    if let Some(identities) = &service.identities {
        let members = identities.members(&project);
        let members =
            members.map_err(|e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, e.to_string()))?;
        return Ok(Json(members));
    }
    Ok(Json(vec![Member {
        principal: caller.name,
        role: Role::Admin,
        via: Via::Owner,
        when: BTreeMap::new(),
        expires_ms: None,
    }]))
}
