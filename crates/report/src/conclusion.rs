//! The head of a report: the verdict, or what `hit` says instead of one.

use crate::format::{count, plural};
use crate::style::{Tone, of_status};
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use std::cmp::Reverse;

/// What is said of a run in a word or two, and why.
pub(crate) struct Conclusion {
    pub(crate) tone: Tone,
    pub(crate) head: String,
    pub(crate) reasons: Vec<String>,
}

/// The error codes that are named.
const MAX_CODES: usize = 4;

pub(crate) fn conclusion(execution: &Execution, summary: &Summary) -> Conclusion {
    let (tone, sign) = of_status(summary.status);
    let hit = execution.trigger.kind == TriggerKind::Hit
        && !matches!(summary.status, Status::Errored | Status::Aborted)
        && summary.applied.http_reqs > 0;
    if hit {
        return of_hit(summary);
    }
    Conclusion {
        tone,
        head: format!("{sign} {}", summary.status.as_str().to_uppercase()),
        reasons: summary.reasons.clone(),
    }
}

/// It answers a question and gates nothing: it says what happened.
fn of_hit(summary: &Summary) -> Conclusion {
    let sent: u64 = summary.requests.iter().map(|r| r.count).sum();
    let failed: u64 = summary.requests.iter().map(|r| r.failed).sum();
    let all = failed >= sent && sent > 0;
    let what = match failed {
        0 => format!("{}, none failed", plural(sent, "request")),
        1 if all => format!("the one request failed: {}", codes(summary)),
        _ if all => format!("all {} requests failed: {}", count(sent), codes(summary)),
        n => format!(
            "{} of {} failed: {}",
            count(n),
            plural(sent, "request"),
            codes(summary)
        ),
    };
    let mut reasons: Vec<String> = summary
        .errors
        .keys()
        .filter_map(|code| remedy(code, true))
        .map(str::to_owned)
        .collect();
    if all {
        return Conclusion {
            tone: Tone::Bad,
            head: format!("✗ {what}"),
            reasons,
        };
    }
    // What makes the figures doubtful is said, as in any run.
    let doubtful = summary.status == Status::Inconclusive;
    if doubtful {
        reasons.extend(summary.reasons.iter().cloned());
    }
    let (tone, sign) = if doubtful || failed > 0 {
        (Tone::Warn, "?")
    } else {
        (Tone::Good, "✓")
    };
    Conclusion {
        tone,
        head: format!("{sign} done: {what}"),
        reasons,
    }
}

/// `tls_certificate`, or `404 ×3, timeout ×2`.
fn codes(summary: &Summary) -> String {
    let mut list: Vec<_> = summary.errors.iter().collect();
    list.sort_by_key(|(code, n)| (Reverse(**n), code.as_str()));
    if let [(code, _)] = &list[..] {
        return (*code).clone();
    }
    let mut shown: Vec<_> = list
        .iter()
        .take(MAX_CODES)
        .map(|(code, n)| format!("{code} ×{}", count(**n)))
        .collect();
    if list.len() > MAX_CODES {
        shown.push("…".into());
    }
    shown.join(", ")
}

/// What to do about an error of a connection, where there is something to do.
pub(crate) fn remedy(code: &str, hit: bool) -> Option<&'static str> {
    Some(match (code, hit) {
        ("tls_certificate", true) => {
            "the target's certificate is not accepted: --insecure sends all the same, without verifying it"
        }
        ("tls_certificate", false) => {
            "the target's certificate is not accepted: http.ca names a certificate to trust, http.insecure: true verifies none"
        }
        ("tls", _) => "the TLS handshake failed: does the target speak TLS on this port?",
        ("protocol", true) => {
            "what came is not HTTP as it was asked for: a target that speaks HTTP/2 alone needs --http2, one that does not \
             must not have it"
        }
        ("protocol", false) => {
            "what came is not HTTP as it was asked for: see http.version, and the samples of failures"
        }
        ("generator_exhausted", _) => {
            "the generator ran out of open files or ports: raise ulimit -n"
        }
        _ => return None,
    })
}
