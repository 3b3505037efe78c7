//! The list of executions.

use crate::format::{count, span, utc_minute};
use crate::style::{Align, Field, Style, Tone, of_status, plain, table};
use floodgate_core::execution::record::Execution;

/// How many columns there is room for from a width on; the id is never cut, since it is there to be copied.
const COLUMNS_BY_WIDTH: [(u16, usize); 3] = [(96, 6), (84, 5), (0, 4)];

/// A line for each execution, in the order given: `floodgate runs`.
pub fn runs(executions: &[Execution], style: Style) -> String {
    if executions.is_empty() {
        return "no runs yet; `floodgate run FILE` starts one\n".to_owned();
    }
    let columns = [
        ("execution", Align::Left),
        ("test", Align::Wrap),
        ("status", Align::Left),
        ("took", Align::Right),
        ("created (UTC)", Align::Left),
        ("requests", Align::Right),
    ];
    let room = COLUMNS_BY_WIDTH
        .iter()
        .find(|(width, _)| style.width >= *width);
    let shown = room.map_or(columns.len(), |(_, columns)| *columns);
    let rows = executions
        .iter()
        .map(|e| row(e).into_iter().take(shown).collect());
    table(style, &columns[..shown], rows.collect())
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
        plain(took),
        (utc_minute(e.created_ms), Tone::Dim),
        plain(requests),
    ]
}
