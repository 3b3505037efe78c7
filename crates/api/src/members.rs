//! Projects, and who may do what in them.

use crate::caller::Caller;
use crate::extract::{Body, Path};
use crate::identity::{Grant, Identities, Member, Unchanged, Via};
use crate::problem::{BodyRefusals, Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use floodgate_control::note;
use floodgate_policy::{Action, Role, Scope};
use floodgate_records::audit;
use floodgate_store::Wanted;
use serde::{Deserialize, Serialize};
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
    Ok(Json(listed(&service, caller.name, &project)?))
}

fn listed(service: &Service, caller: String, project: &str) -> Result<Vec<Member>, Problem> {
    if let Some(identities) = &service.identities {
        let members = identities.members(project);
        return members.map_err(|e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, e.to_string()));
    }
    Ok(vec![Member {
        principal: caller,
        role: Role::Admin,
        via: Via::Owner,
        when: BTreeMap::new(),
        expires_ms: None,
    }])
}

/// What somebody is to be in a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// `viewer`, `tester` or `admin`.
    #[schema(value_type = String, example = "tester")]
    role: Role,
    /// The SHA-256 of a token, in hex, for somebody who has none here yet. The token itself is never sent.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    sha256: Option<String>,
    /// When that token ends (RFC 3339); `null` if it doesn't.
    #[serde(default)]
    #[schema(example = "2027-06-30T00:00:00Z")]
    expires: Option<String>,
}

/// Gives somebody a role in a project, with all tokens that they have in the list. What they are in other projects stays.
#[utoipa::path(put, path = "/v1/projects/{project}/members/{principal}", operation_id = "setMember", tag = "projects",
    params(("project" = String, Path), ("principal" = String, Path)), request_body = NewMember,
    responses((status = 200, body = Vec<Member>), Refusals, BodyRefusals), security(("token" = ["admin"])))]
pub(crate) async fn give(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, principal)): Path<(String, String)>,
    Body(wanted): Body<NewMember>,
) -> Result<Json<Vec<Member>>, Problem> {
    caller.may(Action::ChangeMembers, &project)?;
    let (identities, now_ms) = (identities(&service)?, (service.now_ms)());
    let NewMember {
        role,
        sha256,
        expires,
    } = wanted;
    let grant = Grant {
        role,
        sha256,
        expires,
    };
    identities.give((&project, &principal), grant, now_ms)?;
    let outcome = format!("{principal}: {role}");
    let action = audit::Action::SetMember;
    let stores = &service.stores;
    note(stores, &project, caller.who(), action, &outcome, now_ms).await?;
    Ok(Json(listed(&service, caller.name, &project)?))
}

/// Takes somebody's role in a project. Tokens that are for no other project let nobody in any more.
#[utoipa::path(delete, path = "/v1/projects/{project}/members/{principal}", operation_id = "removeMember", tag = "projects",
    params(("project" = String, Path), ("principal" = String, Path)),
    responses((status = 204, description = "they have none any more"), Refusals, BodyRefusals), security(("token" = ["admin"])))]
pub(crate) async fn take(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, principal)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ChangeMembers, &project)?;
    let (identities, now_ms) = (identities(&service)?, (service.now_ms)());
    identities.take((&project, &principal), now_ms)?;
    let (stores, action) = (&service.stores, audit::Action::RemoveMember);
    note(stores, &project, caller.who(), action, &principal, now_ms).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn identities(service: &Service) -> Result<&Identities, Problem> {
    let alone = || {
        let told = "this service is for one person alone; floodgate serve has members";
        Problem::new(StatusCode::CONFLICT, told)
    };
    service.identities.as_deref().ok_or_else(alone)
}

impl From<Unchanged> for Problem {
    fn from(why: Unchanged) -> Self {
        let status = match &why {
            Unchanged::NoList | Unchanged::Conflict(_) => StatusCode::CONFLICT,
            Unchanged::Unknown(_) => StatusCode::NOT_FOUND,
            Unchanged::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Unchanged::List(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, why.to_string())
    }
}
