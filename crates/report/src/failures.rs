//! Samples of exchanges as a person reads them: what was sent, what came back, what was wrong.

use crate::format::{bytes, count, duration, utc};
use crate::style::{Style, Tone};
use floodgate_records::failure::{Excerpt, FailureLog, FailureSample};

/// The samples of failures of a run: `floodgate show ID --failures`.
pub fn failures(log: &FailureLog, style: Style) -> String {
    let mut text = String::new();
    if log.samples.is_empty() {
        text += "no failure was sampled: none failed, or the engine tells nothing of them\n";
    }
    for sample in &log.samples {
        text += &exchange(sample, true, style);
    }
    if log.left_out > 0 {
        let note = format!(
            "{} more were left out: too many kinds, or too many bytes",
            count(log.left_out)
        );
        text += &format!("{}\n", style.paint(&note, Tone::Dim));
    }
    text
}

/// The first exchanges of a run, whatever came of them: `floodgate run --debug-requests N`.
pub fn first_exchanges(log: &FailureLog, style: Style) -> String {
    let failed = |sample: &FailureSample| {
        sample.error.is_some()
            || !sample.checks.is_empty()
            || sample.status.is_none_or(|status| status >= 400)
    };
    let all = log.first.iter();
    all.map(|s| exchange(s, failed(s), style)).collect()
}

fn exchange(sample: &FailureSample, failed: bool, style: Style) -> String {
    let (sign, tone) = if failed {
        ("✗", Tone::Bad)
    } else {
        ("✓", Tone::Good)
    };
    let outcome = [sample.status.map(|s| s.to_string()), sample.error.clone()];
    let outcome: Vec<_> = outcome.into_iter().flatten().collect();
    let head = format!("{sign} {}  {}", sample.name, outcome.join(" "));
    let head = head.trim_end();
    let place = match sample.scenario.as_str() {
        "" => format!("task {}", sample.task),
        scenario => format!("scenario {scenario} · task {}", sample.task),
    };
    let facts = format!("{place} · {}", utc(sample.at_ms));
    let mut lines = vec![format!(
        "{}  {}",
        style.strong(head, tone),
        style.paint(&facts, Tone::Dim)
    )];
    let mut say = |text: String, tone| lines.push(format!("  {}", style.paint(&text, tone)));
    if let Some(trace) = &sample.trace {
        say(format!("trace {trace}"), Tone::Plain);
    }
    for check in &sample.checks {
        say(format!("{check} does not hold"), Tone::Bad);
    }
    if let Some(message) = &sample.message {
        say(message.clone(), Tone::Bad);
    }
    if let Some(r) = &sample.request {
        let line = format!("{} {}", r.method, r.url);
        say(format!("> {}", line.trim_start()), Tone::Plain);
        fields(">", &r.headers, r.body.as_ref(), &mut say);
    }
    if let Some(r) = &sample.response {
        say(format!("< {}", r.line), Tone::Plain);
        fields("<", &r.headers, r.body.as_ref(), &mut say);
    }
    let times: Vec<_> = sample
        .times
        .iter()
        .map(|(name, ms)| {
            let name = name.trim_start_matches("http_req_").replace('_', " ");
            format!("{name} {}", duration(*ms, 3))
        })
        .collect();
    if !times.is_empty() {
        say(times.join(", "), Tone::Dim);
    }
    lines.join("\n") + "\n\n"
}

fn fields(
    sign: &str,
    headers: &[(String, String)],
    body: Option<&Excerpt>,
    say: &mut impl FnMut(String, Tone),
) {
    for (name, value) in headers {
        say(format!("{sign} {name}: {value}"), Tone::Plain);
    }
    let Some(body) = body else { return };
    say(sign.to_owned(), Tone::Plain);
    for line in body.text.lines() {
        say(format!("{sign} {line}"), Tone::Plain);
    }
    let shown = body.text.len() as u64;
    if shown < body.bytes {
        let rest = format!("{sign} … {} in all", bytes(body.bytes as f64));
        say(rest, Tone::Dim);
    }
}
