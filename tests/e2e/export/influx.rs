//! InfluxDB 1.6: the run's own figures, and the queries of dashboards that were made for k6.

use super::server::Influx;
use super::*;

#[test]
fn what_arrives_is_what_the_run_measured() {
    let Some(influx) = Influx::start() else {
        return;
    };
    let bench = Bench::new();
    let url = |database: &str| format!("influxdb://127.0.0.1:{}/{database}", influx.port);
    let (ended, summary) = run(&bench, 20, &[&url("live")]);
    assert!(
        !ended.stderr().contains("warning: export"),
        "{}",
        ended.stderr()
    );
    // Afterwards, and twice: the same points.
    for _ in 0..2 {
        let told = export(&bench, &summary, &url("after")).expect(0).stdout();
        assert!(
            told.contains("/after: ") && told.ends_with(" rows\n"),
            "{told}"
        );
    }
    for database in ["live", "after"] {
        same_figures(&influx, database, &summary);
    }
    let all = r#"SELECT value, "name", "status", "scenario", testid FROM http_req_duration"#;
    assert_eq!(influx.query("live", all), influx.query("after", all));
}

fn same_figures(influx: &Influx, database: &str, summary: &Summary) {
    let number = |statement: &str| influx.number(database, statement);
    assert_eq!(number("SELECT sum(value) FROM http_reqs"), 54.0);
    assert_eq!(number("SELECT sum(value) FROM iterations"), 47.0);
    assert_eq!(number("SELECT sum(value) FROM http_req_failed"), 7.0);
    assert_eq!(number("SELECT count(value) FROM http_req_failed"), 54.0);
    assert_eq!(number("SELECT sum(count) - sum(sum) FROM checks"), 7.0);
    let by_name =
        r#"SELECT sum(value) FROM http_reqs WHERE "name" = 'missing' AND "status" = '404'"#;
    assert_eq!(number(by_name), 7.0);
    let sent = value(summary, "data_sent", "count");
    assert_eq!(number("SELECT sum(value) FROM data_sent"), sent);
    let run = format!(
        "SELECT sum(value) FROM http_reqs WHERE testid = '{}'",
        summary.execution
    );
    assert_eq!(number(&run), 54.0);
    for metric in [
        "http_req_duration",
        "http_req_response_time",
        "http_req_waiting",
    ] {
        let number = |what: &str| number(&format!("SELECT {what} FROM {metric}"));
        assert_eq!(number("sum(count)"), 54.0, "{metric}");
        let mean = number("sum(sum)") / 54.0;
        assert!(
            (mean / value(summary, metric, "avg") - 1.0).abs() < 1e-9,
            "{metric}: {mean}"
        );
        assert_eq!(
            number("max(max)"),
            value(summary, metric, "max"),
            "{metric}"
        );
        assert_eq!(
            number("min(min)"),
            value(summary, metric, "min"),
            "{metric}"
        );
        // So few samples are all points: every quantile is that of the summary.
        let points = influx.query(database, &format!("SELECT value FROM {metric}"));
        let mut values: Vec<f64> = points.iter().map(|row| row[0].as_f64().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        assert_eq!(values.len(), 54, "{metric}");
        for (name, q) in [("med", 0.5), ("p(90)", 0.9), ("p(95)", 0.95)] {
            let expected = value(summary, metric, name);
            let found = values[(q * 54.0_f64).ceil() as usize - 1];
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "{metric} {name}: {found} {expected}"
            );
        }
    }
}

/// The statements of dashboards that are published for k6 and InfluxDB 1 (grafana.com: 2587 and those derived from it), with the
/// variables of Grafana filled in.
#[test]
fn dashboards_made_for_k6_get_answers() {
    let Some(influx) = Influx::start() else {
        return;
    };
    let bench = Bench::new();
    let (_, summary) = run(&bench, 20, &[]);
    let url = format!("influxdb://127.0.0.1:{}/k6", influx.port);
    export(&bench, &summary, &url).expect(0);
    let span = "time > now() - 1h";
    for what in [
        r#"mean("value") FROM "vus""#,
        r#"max("value") FROM "vus""#,
        r#"sum("value") FROM "http_reqs""#,
        r#"mean("value") * 100 FROM "http_req_failed""#,
        r#"sum("value") FROM "checks""#,
        r#"mean("value") FROM "http_req_duration""#,
        r#"max("value") FROM /^http_req_duration$/"#,
        r#"median("value") FROM /^http_req_duration$/"#,
        r#"min("value") FROM /^http_req_duration$/"#,
        r#"percentile("value", 90) FROM /^http_req_duration$/"#,
        r#"percentile("value", 95) FROM /^http_req_duration$/"#,
        r#"percentile("value", 50) AS p50, percentile("value", 99) AS p99 FROM "http_req_duration""#,
        r#"sum("value") FROM "data_received""#,
    ] {
        for rest in [
            "",
            " GROUP BY time(1s) fill(none)",
            r#" GROUP BY time(10s), "scenario" fill(none)"#,
        ] {
            let statement = format!("SELECT {what} WHERE {span} AND value >= 0{rest}");
            let rows = influx.query("k6", &statement);
            let some = rows.iter().flatten().any(serde_json::Value::is_number);
            assert!(some, "{statement}: {rows:?}");
        }
    }
    let failed = influx.number("k6", r#"SELECT mean("value") * 100 FROM "http_req_failed""#);
    assert!((failed - 700.0 / 54.0).abs() < 1e-6, "{failed}");
    let names = influx.query(
        "k6",
        r#"SHOW TAG VALUES FROM "http_reqs" WITH KEY = "testid""#,
    );
    assert_eq!(names, [[serde_json::Value::from(summary.execution)]]);
}
