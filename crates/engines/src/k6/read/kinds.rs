//! The types of k6's metrics, for output that does not say them (CSV).
//!
//! Source: <https://github.com/grafana/k6/blob/v2.2.0/metrics/builtin.go>, and the browser module's
//! <https://github.com/grafana/k6/blob/v2.2.0/internal/js/modules/k6/browser/k6ext/metrics.go>.

use floodgate_records::metric::{Builtin, MetricKind};

/// The type of a metric that k6 itself makes.
pub(super) fn of(metric: &str) -> Option<MetricKind> {
    if let Some(builtin) = Builtin::parse(metric) {
        return Some(builtin.kind());
    }
    Some(match metric {
        "group_duration"
        | "ws_connecting"
        | "ws_ping"
        | "ws_session_duration"
        | "grpc_req_duration"
        | "browser_http_req_duration" => MetricKind::Trend,
        "ws_sessions"
        | "ws_msgs_sent"
        | "ws_msgs_received"
        | "grpc_streams"
        | "grpc_streams_msgs_sent"
        | "grpc_streams_msgs_received"
        | "browser_data_sent"
        | "browser_data_received" => MetricKind::Counter,
        "browser_http_req_failed" => MetricKind::Rate,
        _ if metric.starts_with("browser_web_vital_") => MetricKind::Trend,
        _ => return None,
    })
}

/// Whether a trend that k6 itself makes holds times: all but the score of layout shifts.
pub(super) fn is_duration(metric: &str) -> bool {
    of(metric) == Some(MetricKind::Trend) && metric != "browser_web_vital_cls"
}
