//! Tables for spreadsheets.
//!
//! Names come from definitions and targets. A cell that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet, which may fetch
//! addresses or start programs: such a text gets an apostrophe in front
//! (<https://owasp.org/www-community/attacks/CSV_Injection>). Numbers are written as they are.

use chrono::{DateTime, SecondsFormat};
use floodgate_records::printable::printable;
use floodgate_records::trend::Trend;

/// What a spreadsheet takes for the beginning of a formula, also in the wide forms of East Asian text.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The numbers of a test by run, with a heading: lines of comma-separated values (RFC 4180, with line feeds), times in UTC. A number
/// that a run lacks is an empty cell.
pub fn trend_csv(t: &Trend) -> String {
    let fixed = ["execution", "started", "status", "version", "commit"];
    let ids = t.metrics.iter().map(|metric| metric.id.as_str());
    let mut out = line(fixed.into_iter().chain(ids).map(text));
    for (at, run) in t.runs.iter().enumerate() {
        let started = run.started_ms.and_then(DateTime::from_timestamp_millis);
        let started = started.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
        let facts = [
            text(&run.execution),
            started.unwrap_or_default(),
            text(run.status.as_str()),
            text(&run.version),
            text(run.commit.as_deref().unwrap_or_default()),
        ];
        let values = t.metrics.iter().map(|metric| {
            let value = metric.values.get(at).copied().flatten();
            value.map_or_else(String::new, |value| value.to_string())
        });
        out += &line(facts.into_iter().chain(values));
    }
    out
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}

/// A text as a cell that is nothing but text.
fn text(text: &str) -> String {
    let text = printable(text);
    let apostrophe = match text.trim_start().starts_with(FORMULA) {
        true => "'",
        false => "",
    };
    match apostrophe.is_empty() && !text.contains([',', '"', ';']) {
        true => text.into_owned(),
        false => format!("\"{apostrophe}{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend::tests::example;

    #[test]
    fn a_text_is_never_a_formula() {
        for (given, cell) in [
            ("home", "home"),
            ("", ""),
            ("=1+1", "\"'=1+1\""),
            (" @SUM(A1)", "\"' @SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("＝cmd|' /C calc'!A0", "\"'＝cmd|' /C calc'!A0\""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("\t=1", "\\t=1"),
            ("a\r\n=1", "a\\r\\n=1"),
            ("a;=1", "\"a;=1\""),
            ("\u{202e}x", "\\u{202e}x"),
        ] {
            assert_eq!(text(given), cell, "{given:?}");
        }
    }

    #[test]
    fn every_run_has_a_line_and_what_it_lacks_is_empty() {
        let mut t = example();
        t.runs[0].version = "=cmd".into();
        let csv = trend_csv(&t);
        let mut lines = csv.lines();
        assert_eq!(
            lines.next(),
            Some(
                "execution,started,status,version,commit,http_req_duration{name:checkout} p(95),http_req_failed rate"
            )
        );
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 12);
        assert!(lines[0].contains(",\"'=cmd\","), "{}", lines[0]);
        assert!(lines[0].ends_with(",200,0.001"), "{}", lines[0]);
        assert!(lines[4].ends_with(",201,"), "{}", lines[4]);
        assert!(
            lines[0].contains("2025-11-21T21:20:00.000Z"),
            "{}",
            lines[0]
        );
    }
}
