//! Quotas of Fargate.

use super::call::{CallError, Calls, QUOTAS};
use serde_json::json;

/// A quota of Fargate by its code, in vCPUs.
///
/// # Errors
/// [`CallError`].
pub async fn fargate(calls: &Calls, code: &str) -> Result<f64, CallError> {
    let input = json!({"ServiceCode": "fargate", "QuotaCode": code});
    let answer = calls.json(QUOTAS, "GetServiceQuota", &input).await?;
    let value = answer["Quota"]["Value"].as_f64();
    value.ok_or_else(|| CallError::Answer("it has no value".into()))
}
