//! What is answered in place of a result (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use floodgate_control::ControlError;
use floodgate_store::StoreError;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response as Documented, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// A problem with a request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

/// What is answered in place of a result (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }

    /// There is no such thing.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// A parameter of the request is wrong.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("problem"),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// What any route may answer in place of a result.
pub(crate) struct Refusals;

/// What a route may answer besides that takes a body.
pub(crate) struct BodyRefusals;

/// What a route may answer besides that changes only what the caller has seen.
pub(crate) struct Unseen;

impl IntoResponses for Unseen {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[(412, "`if-match` names another one than there is")])
    }
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[
            (400, "a parameter is wrong"),
            (401, "there is no valid token"),
            (403, "the role doesn't allow it"),
            (
                404,
                "there is no such thing, or none that the caller may see",
            ),
            (
                429,
                "too many requests; `retry-after` says how many seconds to wait",
            ),
            (503, "something that it takes can't be reached now"),
        ])
    }
}

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        documented(&[
            (409, "it doesn't go with how things stand"),
            (413, "the body is too large"),
            (415, "the body is no JSON"),
            (422, "the body says something that can't be done"),
        ])
    }
}

fn documented(statuses: &[(u16, &str)]) -> BTreeMap<String, RefOr<Documented>> {
    let problem = || {
        let schema = Ref::from_schema_name("Problem");
        ContentBuilder::new().schema(Some(schema)).build()
    };
    let response = |&(status, when): &(u16, &str)| {
        let response = ResponseBuilder::new()
            .description(when)
            .content("application/problem+json", problem())
            .build();
        (status.to_string(), RefOr::T(response))
    };
    statuses.iter().map(response).collect()
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::UnknownExecution { .. } | ControlError::Missing { .. } => {
                StatusCode::NOT_FOUND
            }
            ControlError::Ended { .. }
            | ControlError::IdTaken { .. }
            | ControlError::OverBudget(_) => StatusCode::CONFLICT,
            ControlError::NotABaseline { .. } | ControlError::Schedule { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            ControlError::Store(error) => status(error),
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(status(&error), error.to_string())
    }
}

fn status(error: &StoreError) -> StatusCode {
    match error {
        StoreError::BadKey { .. } | StoreError::NotFound { .. } | StoreError::Ambiguous { .. } => {
            StatusCode::NOT_FOUND
        }
        StoreError::Denied { .. } => StatusCode::FORBIDDEN,
        error if error.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
