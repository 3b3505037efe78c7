//! The list of executions.

use crate::format::{count, span, utc};
use crate::style::{Align, Field, Style, Tone, of_status, plain, table};
use floodgate_core::execution::record::Execution;

/// A line for each execution, in the order given: `floodgate runs`.
pub fn runs(executions: &[Execution], style: Style) -> String {
    if executions.is_empty() {
        return "no runs yet; `floodgate run FILE` starts one\n".to_owned();
    }
    let columns = [
        ("execution", Align::Left),
        ("test", Align::Left),
        ("status", Align::Left),
        ("created", Align::Left),
        ("took", Align::Right),
        ("requests", Align::Right),
    ];
    table(style, &columns, executions.iter().map(row).collect())
}

fn row(e: &Execution) -> Vec<Field> {
    let (tone, sign) = of_status(e.status);
    let took = e
        .started_ms
        .zip(e.ended_ms)
        .map_or_else(|| "–".into(), |(s, t)| span((t - s) as f64 / 1e3));
    let requests = e
        .applied
        .as_ref()
        .map_or_else(|| "–".into(), |a| count(a.http_reqs));
    vec![
        plain(&e.id),
        plain(format!("{}/{}", e.project, e.test)),
        (format!("{sign} {}", e.status.as_str()), tone),
        (utc(e.created_ms), Tone::Dim),
        plain(took),
        plain(requests),
    ]
}
