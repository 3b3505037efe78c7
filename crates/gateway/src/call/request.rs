//! A request to AWS, and what is needed for it.

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
    pub(super) fn operation(&self) -> &str {
        let target = self.headers.get("x-amz-target");
        let target = target
            .and_then(|target| target.to_str().ok())
            .unwrap_or_default();
        target.rsplit('.').next().unwrap_or_default()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut query = self.query.iter();
        query
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn json(&self) -> Result<Value, Unknown> {
        serde_json::from_slice(self.body)
            .map_err(|error| Unknown(format!("{} {}: {error}", self.service, self.operation())))
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:rest`.
    pub(super) fn arn(&self, rest: &str) -> String {
        format!(
            "arn:aws:{}:{}:{}:{rest}",
            self.service, self.region, self.account
        )
    }

    pub(super) fn unknown(&self) -> Unknown {
        let operation = match self.operation() {
            "" => {
                let query: Vec<&str> = self.query.iter().map(|(key, _)| key.as_str()).collect();
                format!("{} {} {query:?}", self.method, self.path)
            }
            operation => operation.to_owned(),
        };
        Unknown(format!("{}: {operation}", self.service))
    }
}

/// Text at a path of keys.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}
