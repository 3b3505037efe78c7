//! Who asks, as the way in has found out, and what they may do.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use floodgate_control::Who;
use floodgate_policy::{Action, Decision, Grants, decide};
use floodgate_records::execution::PrincipalIs;

/// Who asks. A handler gets it from the way in, never from what the request says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their name in records and in the audit trail.
    pub name: String,
    /// How much that name is worth.
    pub is: PrincipalIs,
    /// Their roles.
    pub grants: Grants,
}

impl Caller {
    /// Whether they may do this in that project; a project in which they have no role looks like one that is not there.
    pub(crate) fn may(&self, action: Action, project: &str) -> Result<(), Problem> {
        match decide(&self.grants, action, project) {
            Decision::Allowed => Ok(()),
            Decision::Unseen => Err(Problem::missing(format!("no project {project:?} here"))),
            Decision::Forbidden { has, needs } => Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("to {action} takes the role {needs}, and yours in {project} is {has}"),
            )),
        }
    }

    /// As control calls them.
    pub(crate) fn who(&self) -> Who<'_> {
        Who {
            name: &self.name,
            is: Some(self.is),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Self>().cloned();
        // No route is served but behind a way in.
        caller.ok_or_else(|| {
            let told = "nobody knows who asks";
            Problem::new(StatusCode::UNAUTHORIZED, told).into_response()
        })
    }
}
