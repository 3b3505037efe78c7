//! Prometheus and VictoriaMetrics.

use super::servers::{self, Server};
use super::{export, run, times};
use crate::export::server::installed;
use crate::support::*;
use floodgate_records::summary::Summary;

/// Unix time in seconds when even the longest window that began in a run has ended.
fn after_s(summary: &Summary) -> f64 {
    summary.started_ms.unwrap() as f64 / 1e3 + summary.duration_s + 15.0
}

/// How far the quantiles of classic buckets may be off: as far as their bounds are apart.
const CLASSIC: f64 = 0.29;
/// The same of native ones.
const NATIVE: f64 = 0.0219;
/// The upper bound of the first classic bucket, in seconds.
const LOWEST_S: f64 = 1e-4;

/// Counts exactly, quantiles within the stated error.
fn agrees(server: &Server, summary: &Summary, testid: &str, native: bool) {
    let now = after_s(summary);
    let last =
        |metric: &str| format!("last_over_time(floodgate_{metric}{{testid=\"{testid}\"}}[1h])");
    let requests = value(summary, "http_reqs", "count");
    assert_eq!(
        server.promql(&format!("sum({})", last("http_reqs_total")), now),
        Some(requests)
    );
    let failed = summary.requests.iter().map(|r| r.failed).sum::<u64>() as f64;
    assert_eq!(
        server.promql(&format!("sum({})", last("http_req_failed_total")), now),
        Some(failed)
    );
    assert_eq!(
        server.promql(
            &format!("sum({})", last("http_req_failed_samples_total")),
            now
        ),
        Some(requests)
    );
    for request in &summary.requests {
        let all = server.promql_all(&format!("sum by (name) ({})", last("http_reqs_total")), now);
        let one = all
            .iter()
            .find(|one| one["metric"]["name"] == request.name.as_str())
            .unwrap();
        assert_eq!(
            one["value"][1],
            request.count.to_string(),
            "{}",
            request.name
        );
    }
    let count = match native {
        true => format!(
            "histogram_count(sum({}))",
            last("http_req_duration_seconds")
        ),
        false => format!("sum({})", last("http_req_duration_seconds_count")),
    };
    assert_eq!(server.promql(&count, now), Some(requests));
    for (q, ms) in times(summary) {
        let (buckets, error) = match native {
            true => (
                format!("sum({})", last("http_req_duration_seconds")),
                NATIVE,
            ),
            false => (
                format!("sum by (le) ({})", last("http_req_duration_seconds_bucket")),
                CLASSIC,
            ),
        };
        let s = server
            .promql(&format!("histogram_quantile({q}, {buckets})"), now)
            .unwrap();
        let own = ms / 1e3;
        // What is in the first bucket is only known to be there.
        if !native && own <= LOWEST_S {
            assert!(s <= LOWEST_S, "{q}: {s} s, not {own} s");
            continue;
        }
        assert!(
            s >= own / (1.0 + error) && s <= own * (1.0 + error),
            "{q}: {s} s, not {own} s"
        );
    }
}

#[test]
fn runs_stand_in_prometheus_as_they_were_and_end() {
    let Some(program) = installed("FLOODGATE_PROMETHEUS") else {
        return;
    };
    let server = servers::prometheus(&program);
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    for style in ["classic", "native"] {
        let url = format!(
            "prometheus+http://127.0.0.1:{}?histograms={style}&testid={style}",
            server.port
        );
        export(&bench, &summary, &url);
        agrees(&server, &summary, style, style == "native");
        // The series end with the run, not five minutes later.
        let ended = format!("{{testid=\"{style}\"}}");
        let left = server.promql_all(&ended, after_s(&summary));
        assert!(left.is_empty(), "{left:?}");
        // Samples that are there already are taken again and change nothing. Native histograms cannot be earlier than the last one.
        if style == "classic" {
            export(&bench, &summary, &url);
            agrees(&server, &summary, style, false);
        }
    }
    super::dashboards::prometheus(&server, &summary, "classic");
}

#[test]
fn runs_stand_in_victoriametrics_as_they_were() {
    let Some(program) = installed("FLOODGATE_VICTORIA") else {
        return;
    };
    let server = servers::victoria(&program);
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    export(
        &bench,
        &summary,
        &format!("prometheus+http://127.0.0.1:{}?testid=one", server.port),
    );
    server.get("/internal/force_flush").unwrap();
    agrees(&server, &summary, "one", false);
}
