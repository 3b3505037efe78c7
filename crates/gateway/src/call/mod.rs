//! What a request to AWS asks for: the actions that the caller needs, each with its resource and its condition keys.
//!
//! Actions, resources and keys of a service are those of its page in
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>. A call that is not known
//! here is an error: whoever makes the product call something new adds it.

mod denial;
mod dynamodb;
mod ecs;
mod s3;
mod services;

pub use denial::{Denial, absent, identity, refused};

use http::{HeaderMap, Method};
use serde_json::Value;

/// One request.
pub struct Call<'r> {
    /// Its verb.
    pub method: &'r Method,
    /// Its path, as sent.
    pub path: &'r str,
    /// Its query, decoded.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: &'r HeaderMap,
    /// Its body; of an upload to S3 nothing is needed.
    pub body: &'r [u8],
    /// As the signature names it: `s3`, `dynamodb`.
    pub service: &'r str,
    /// As the signature names it.
    pub region: &'r str,
    /// The account that everything is in.
    pub account: &'r str,
}

/// One permission that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `s3:GetObject`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// Condition keys, one entry a value.
    pub context: Vec<(String, String)>,
}

/// What has to be asked of the emulator before it can be told what is needed.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// `X-Amz-Target`.
    pub target: String,
    /// Of the request.
    pub body: Value,
}

/// A call that is not known here.
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

impl Check {
    pub(crate) fn of(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.context.push((key.to_owned(), value.to_owned()));
        self
    }
}

impl Call<'_> {
    /// The operation of a service that names it in a header: `RunTask`.
    fn operation(&self) -> &str {
        let target = self.headers.get("x-amz-target");
        let target = target
            .and_then(|target| target.to_str().ok())
            .unwrap_or_default();
        target.rsplit('.').next().unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut query = self.query.iter();
        query
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn json(&self) -> Result<Value, Unknown> {
        serde_json::from_slice(self.body)
            .map_err(|error| Unknown(format!("{} {}: {error}", self.service, self.operation())))
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:rest`.
    fn arn(&self, rest: &str) -> String {
        format!(
            "arn:aws:{}:{}:{}:{rest}",
            self.service, self.region, self.account
        )
    }

    fn unknown(&self) -> Unknown {
        let operation = match self.operation() {
            "" => {
                let query: Vec<&str> = self.query.iter().map(|(key, _)| key.as_str()).collect();
                format!("{} {} {query:?}", self.method, self.path)
            }
            operation => operation.to_owned(),
        };
        Unknown(format!("{}: {operation}", self.service))
    }

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

/// Text at a path of keys.
fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
