//! InfluxDB's second API, as VictoriaMetrics takes it (`/api/v2/write`): a field of a measurement is a metric there.

use super::servers;
use crate::export::server::installed;
use crate::export::{export, run};
use crate::support::*;

#[test]
fn what_arrives_by_version_2_is_what_the_run_measured() {
    let Some(program) = installed("FLOODGATE_VICTORIA") else {
        return;
    };
    let server = servers::victoria(&program);
    let bench = Bench::new();
    let url = |testid: &str| {
        let port = server.port;
        format!("influxdb://127.0.0.1:{port}/load?org=shop&testid={testid}")
    };
    let (ended, summary) = run(&bench, 20, &[&url("live")]);
    let said = ended.stderr();
    assert!(!said.contains("warning: export"), "{said}");
    export(&bench, &summary, &url("after")).expect(0);
    server.get("/internal/force_flush").unwrap();
    let now = summary.started_ms.unwrap() as f64 / 1e3 + summary.duration_s + 15.0;
    for testid in ["live", "after"] {
        let number = |function: &str, field: &str, labels: &str| {
            let series = format!("{field}{{testid=\"{testid}\"{labels}}}");
            let query = format!("sum({function}({series}[1h]))");
            server.promql(&query, now)
        };
        let sum = |field: &str| number("sum_over_time", field, "");
        assert_eq!(sum("http_reqs_value"), Some(54.0));
        assert_eq!(sum("iterations_value"), Some(47.0));
        assert_eq!(sum("http_req_failed_sum"), Some(7.0));
        assert_eq!(sum("http_req_failed_count"), Some(54.0));
        let missing = number(
            "sum_over_time",
            "http_reqs_value",
            ",name=\"missing\",status=\"404\"",
        );
        assert_eq!(missing, Some(7.0));
        let sent = value(&summary, "data_sent", "count");
        assert_eq!(sum("data_sent_value"), Some(sent));
        for metric in ["http_req_duration", "http_req_response_time"] {
            assert_eq!(sum(&format!("{metric}_count")), Some(54.0), "{metric}");
            let mean = sum(&format!("{metric}_sum")).unwrap() / 54.0;
            let own = value(&summary, metric, "avg");
            assert!((mean / own - 1.0).abs() < 1e-9, "{metric}: {mean}");
            for (function, field) in [("max_over_time", "max"), ("min_over_time", "min")] {
                let query =
                    format!("{field}({function}({metric}_{field}{{testid=\"{testid}\"}}[1h]))");
                let own = value(&summary, metric, field);
                let found = server.promql(&query, now).unwrap();
                assert!((found / own - 1.0).abs() < 1e-9, "{query}: {found}");
            }
        }
    }
}
