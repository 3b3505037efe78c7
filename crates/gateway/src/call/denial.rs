//! Answers of the gateway itself, in the form of each service's protocol.

use super::request::{Call, Check};
use floodgate_iam::{Caller, Decision};
use http::{Method, Response, StatusCode};

/// Why a call is refused.
pub struct Denial<'c> {
    /// Whose call it was.
    pub caller: &'c Caller,
    /// What is not allowed.
    pub check: &'c Check,
    /// How it was decided.
    pub decision: Decision,
}

impl Denial<'_> {
    /// As AWS says it
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
    pub fn message(&self) -> String {
        let Check {
            action, resource, ..
        } = self.check;
        let why = match self.decision {
            Decision::DeniedExplicitly => "with an explicit deny in a policy".to_owned(),
            // A service has no policies of its own.
            _ if self.caller.role.is_none() => {
                format!("because no resource-based policy allows the {action} action")
            }
            _ => format!("because no identity-based policy allows the {action} action"),
        };
        let who = &self.caller.arn;
        format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}")
    }

    /// The answer to the caller.
    pub fn response(&self, call: &Call<'_>) -> Response<String> {
        refused(call, &self.message())
    }
}

/// 403 for an object that the caller may read, that is not there, and whose absence is not for it to know.
pub fn absent(call: &Call<'_>) -> Response<String> {
    refused(call, "Access Denied")
}

/// Refuses a call, in its service's way.
pub fn refused(call: &Call<'_>, message: &str) -> Response<String> {
    let escaped = quick_xml::escape::escape(message);
    let json =
        |key: &str, kind: &str| serde_json::json!({ "__type": kind, key: message }).to_string();
    match call.service {
        "s3" => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code><Message>{escaped}</Message></Error>"
            );
            let body = if *call.method == Method::HEAD {
                String::new()
            } else {
                body
            };
            answer(StatusCode::FORBIDDEN, "application/xml", body)
        }
        "dynamodb" => {
            let kind = "com.amazon.coral.service#AccessDeniedException";
            answer(
                StatusCode::BAD_REQUEST,
                "application/x-amz-json-1.0",
                json("Message", kind),
            )
        }
        "states" | "ecr" | "ecs" | "secretsmanager" | "servicequotas" | "logs" => answer(
            StatusCode::BAD_REQUEST,
            "application/x-amz-json-1.1",
            json("message", "AccessDeniedException"),
        ),
        "lambda" => {
            let mut response = answer(
                StatusCode::FORBIDDEN,
                "application/json",
                json("Message", "User"),
            );
            let kind = http::HeaderValue::from_static("AccessDeniedException");
            response.headers_mut().insert("x-amzn-errortype", kind);
            response
        }
        "execute-api" => answer(
            StatusCode::FORBIDDEN,
            "application/json",
            serde_json::json!({ "Message": message }).to_string(),
        ),
        _ => {
            let error = format!(
                "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{escaped}</Message></Error>"
            );
            answer(
                StatusCode::FORBIDDEN,
                "text/xml",
                format!("<ErrorResponse>{error}</ErrorResponse>"),
            )
        }
    }
}

/// The answer to `GetCallerIdentity`.
pub fn identity(caller: &Caller) -> Response<String> {
    let Caller { arn, account, .. } = caller;
    let session = arn.rsplit('/').next().unwrap_or_default();
    let result =
        format!("<Arn>{arn}</Arn><UserId>AROA:{session}</UserId><Account>{account}</Account>");
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>{result}\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    answer(StatusCode::OK, "text/xml", body)
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}
