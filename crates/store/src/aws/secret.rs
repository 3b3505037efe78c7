//! Secrets of Secrets Manager.

use super::call::{CallError, Calls, SECRETS};
use serde_json::json;

/// A secret with its value.
pub struct Secret {
    /// Its ARN.
    pub arn: String,
    /// Its value.
    pub text: String,
}

/// Reads a secret by its name or ARN, of which an ARN names its region.
///
/// # Errors
/// [`CallError`], also of a secret that is binary.
pub async fn read(calls: &Calls, reference: &str) -> Result<Secret, CallError> {
    let input = json!({"SecretId": reference});
    let found = calls
        .at(reference)
        .json(SECRETS, "GetSecretValue", &input)
        .await?;
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    match text("SecretString") {
        Some(value) => Ok(Secret {
            arn: text("ARN").unwrap_or_default(),
            text: value,
        }),
        None => Err(CallError::Answer("it is binary: store it as text".into())),
    }
}

/// The ARN of a secret, if it is there and may be looked at.
///
/// # Errors
/// [`CallError`].
pub async fn find(calls: &Calls, reference: &str) -> Result<String, CallError> {
    let input = json!({"SecretId": reference});
    let found = calls
        .at(reference)
        .json(SECRETS, "DescribeSecret", &input)
        .await?;
    Ok(found["ARN"].as_str().unwrap_or_default().to_owned())
}
