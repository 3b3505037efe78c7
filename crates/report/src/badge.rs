//! A picture of the verdict, for a page that shows how a test stands.

use crate::format::duration;
use floodgate_records::metric::Builtin;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;

/// Width of a character in a sans-serif of 11 px, about, in tenths of a px.
const CHARACTER: usize = 66;
/// Room beside each text.
const MARGIN: usize = 10;
const LABEL: &str = "load test";

/// A badge as SVG: the verdict and, if there is one, the p95 of the response time. No text of the run is in it.
pub fn badge(summary: &Summary) -> String {
    let color = match summary.status {
        Status::Passed => "#0a6b4e",
        Status::Failed | Status::Errored => "#b3261e",
        Status::Inconclusive | Status::Aborted => "#8a5300",
        Status::Preparing | Status::Running | Status::Merging => "#596273",
    };
    let times = [Builtin::HttpReqResponseTime, Builtin::HttpReqDuration];
    let p95 = times.iter().find_map(|metric| {
        let ms = summary.metrics.get(metric.name())?.values.get("p(95)")?;
        (!summary.is_unanswered(metric.name())).then_some(*ms)
    });
    let status = summary.status.as_str();
    let said = match p95 {
        Some(ms) => format!("{status} · p95 {}", duration(ms, 3)),
        None => status.to_owned(),
    };
    let width = |text: &str| text.chars().count() * CHARACTER / 10 + 2 * MARGIN;
    let (left, right) = (width(LABEL), width(&said));
    let all = left + right;
    let (at_left, at_right) = (left / 2, left + right / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img" aria-label="{LABEL}: {said}">
<title>{LABEL}: {said}</title>
<clipPath id="r"><rect width="{all}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444c56"/><rect x="{left}" width="{right}" height="20" fill="{color}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11"><text x="{at_left}" y="14">{LABEL}</text><text x="{at_right}" y="14">{said}</text></g>
</svg>
"##
    )
}
