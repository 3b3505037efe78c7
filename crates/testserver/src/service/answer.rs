//! Answers and how they are made.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use std::time::Duration;

/// An answer, and how long after the request's arrival it is sent.
pub(super) struct Answer {
    pub(super) response: Response<Full<Bytes>>,
    pub(super) after: Duration,
    /// Whether to spin for the last of it.
    pub(super) exactly: bool,
}

impl Answer {
    pub(super) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut response = Response::new(Full::new(body.into()));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            response,
            after: Duration::ZERO,
            exactly: false,
        }
    }

    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// The status's own words as the body; none where the protocol forbids one.
    pub(super) fn status(status: StatusCode) -> Self {
        let bodiless = matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        );
        let text = if bodiless {
            ""
        } else {
            status.canonical_reason().unwrap_or("no standard reason")
        };
        Self::text(status, text)
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().append(name, value);
        self
    }

    pub(super) fn exactly_after(self, after: Duration) -> Self {
        Self {
            exactly: true,
            ..self.after(after)
        }
    }

    pub(super) fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }
}
