//! What a request holds; what cannot be read of it is a problem like any other.

use crate::given::{Keys, of_body, of_query};
use crate::problem::Problem;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use floodgate_store::check_name;
use serde::de::DeserializeOwned;

/// Bytes of a body at most.
pub(crate) const LONGEST_BODY: usize = 2 << 20;

/// The parameters in the query.
pub(crate) struct Query<T>(pub(crate) T);

/// The parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

/// A body of JSON: an object.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let pairs = pairs.map_err(|error| Problem::new(error.status(), error.body_text()))?;
        let read = of_query(pairs.0).map_err(|fault| Problem::bad(fault.to_string()));
        read.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Ok(names) = RawPathParams::from_request_parts(parts, state).await {
            // That of a principal may have slashes in it.
            let mut names = names.iter().filter(|(what, _)| *what != "principal");
            let wrong = names.find_map(|(what, name)| Some((what, check_name(name).err()?)));
            if let Some((what, error)) = wrong {
                return Err(Problem::missing(format!("{what} {error}")));
            }
        }
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // What cannot be a name is the name of nothing.
            Err(error) => Err(Problem::missing(error.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let unprocessable = |told: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, told);
        match axum::Json::<Keys>::from_request(request, state).await {
            Ok(axum::Json(keys)) => match of_body(keys) {
                Ok(value) => Ok(Self(value)),
                Err(fault) => Err(unprocessable(fault.to_string())),
            },
            Err(JsonRejection::JsonDataError(_)) => {
                Err(unprocessable("the body is not an object; write {…}".into()))
            }
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let told = format!(
                    "the body is larger than {} MiB, which is the limit; send less",
                    LONGEST_BODY >> 20
                );
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, told))
            }
            Err(error) => Err(Problem::new(error.status(), error.body_text())),
        }
    }
}
