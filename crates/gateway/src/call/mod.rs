//! What a request to AWS asks for: the actions that the caller needs, each with its resource and its condition keys.
//!
//! Actions, resources and keys of a service are those of its page in
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>. A call that is not known
//! here is an error: whoever makes the product call something new adds it.

mod denial;
mod dynamodb;
mod ecs;
mod request;
mod s3;
mod services;

pub use denial::{Denial, absent, identity, refused};
pub use request::{Call, Check, Question, Unknown};
pub use services::called_api;

use http::Method;
use serde_json::Value;

impl Call<'_> {
    /// Whether the answer to it is the caller's own identity, which needs no permission.
    pub fn asks_who_calls(&self) -> bool {
        let body = || url::form_urlencoded::parse(self.body);
        self.service == "sts"
            && body().any(|(key, value)| key == "Action" && value == "GetCallerIdentity")
    }

    /// What has to be asked beforehand.
    ///
    /// # Errors
    /// If the request is none that the service would take.
    pub fn question(&self) -> Result<Option<Question>, Unknown> {
        match self.service {
            "dynamodb" => dynamodb::question(self).map(Some),
            "ecs" => ecs::question(self),
            "secretsmanager" => services::question(self).map(Some),
            _ => Ok(None),
        }
    }

    /// What is needed, given the answer to [`question`](Self::question).
    ///
    /// # Errors
    /// If the call is not known here.
    pub fn checks(&self, answer: &Value) -> Result<Vec<Check>, Unknown> {
        match self.service {
            "s3" => s3::checks(self),
            "dynamodb" => dynamodb::checks(self, answer),
            "ecs" => ecs::checks(self, answer),
            "states" => services::states(self),
            "secretsmanager" => services::secrets(self, answer),
            "servicequotas" => services::quotas(self),
            "ecr" => services::registry(self),
            "lambda" => services::lambda(self),
            "sns" => services::topics(self),
            "events" => services::events(self),
            "ses" => services::mail(self),
            "execute-api" => services::api(self),
            _ => Err(self.unknown()),
        }
    }

    /// For a look at an object of S3: what the caller needs besides to be told that there is none.
    pub fn needed_to_see_absence(&self) -> Option<Check> {
        (self.service == "s3").then(|| s3::needed_to_see_absence(self))?
    }

    /// Whether its body says what it asks for.
    pub fn needs_body(service: &str, method: &Method, query: Option<&str>) -> bool {
        service != "s3"
            || (*method == Method::POST && query.is_some_and(|query| query.starts_with("delete")))
    }
}

#[cfg(test)]
mod tests;
