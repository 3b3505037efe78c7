//! What a receiver answers, in protobuf as it is asked to, or in JSON
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).

use super::proto::{ExportMetricsServiceResponse, PartialSuccess};
use prost::Message as _;
use serde_json::Value;

/// Reads an answer; an empty one is one that says nothing.
///
/// # Errors
/// Why it is none: goes on from "not as a receiver does".
pub(super) fn read(
    content_type: &str,
    body: &[u8],
) -> Result<ExportMetricsServiceResponse, &'static str> {
    if body.is_empty() {
        return Ok(ExportMetricsServiceResponse::default());
    }
    // In protobuf it would be the beginning of a group, which this message does not have.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if content_type == "application/json" || is_object {
        return of_json(body).ok_or("its JSON is not an ExportMetricsServiceResponse");
    }
    // Some text can be read as fields of a later version.
    if content_type.starts_with("text/") {
        return Err("with text");
    }
    ExportMetricsServiceResponse::decode(body).map_err(|_| "with no ExportMetricsServiceResponse")
}

/// Protobuf's JSON: whole numbers of 64 bits are strings, and what is left out or `null` is the default
/// (<https://protobuf.dev/programming-guides/json/>).
fn of_json(body: &[u8]) -> Option<ExportMetricsServiceResponse> {
    let all: Value = serde_json::from_slice(body).ok()?;
    let all = all.as_object()?;
    let partial = match all.get("partialSuccess") {
        None | Some(Value::Null) => return Some(ExportMetricsServiceResponse::default()),
        Some(partial) => partial.as_object()?,
    };
    let rejected_data_points = match partial.get("rejectedDataPoints") {
        None | Some(Value::Null) => 0,
        Some(Value::String(number)) => number.parse().ok()?,
        Some(number) => number.as_i64()?,
    };
    let error_message = match partial.get("errorMessage") {
        None | Some(Value::Null) => String::new(),
        Some(message) => message.as_str()?.to_owned(),
    };
    Some(ExportMetricsServiceResponse {
        partial_success: Some(PartialSuccess {
            rejected_data_points,
            error_message,
        }),
    })
}
