//! Webhooks by the Standard Webhooks specification.

use crate::http::post;
use crate::notice::Notice;
use crate::refusal::Refusal;
use crate::sign::signatures;
use bytes::Bytes;
use floodgate_records::reach::Reach;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Sends a notice; `now_s` in Unix seconds is the time of this attempt.
pub(crate) async fn send(
    url: &str,
    secrets: &[String],
    notice: &Notice,
    now_s: i64,
    reach: Reach,
) -> Result<(), Refusal> {
    let body = serde_json::to_vec(&notice.message);
    let body =
        Bytes::from(body.map_err(|error| Refusal::never(format!("cannot be told: {error}")))?);
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value);
        let value = value.map_err(|_| Refusal::never(format!("{name} cannot be sent")))?;
        headers.insert(HeaderName::from_static(name), value);
        Ok::<_, Refusal>(())
    };
    set("webhook-id", &notice.id)?;
    set("webhook-timestamp", &now_s.to_string())?;
    if !secrets.is_empty() {
        let signed = signatures(secrets, &notice.id, now_s, &body);
        set(
            "webhook-signature",
            &signed.map_err(|error| Refusal::never(error.to_string()))?,
        )?;
    }
    post(url, headers, body, reach).await
}
