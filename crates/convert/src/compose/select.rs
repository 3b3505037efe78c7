//! Which entries of a recording become requests.

use crate::error::ConvertError;
use crate::options::{Options, slug};
use crate::recording::{Exchange, host, origin};
use std::collections::{BTreeMap, HashMap};
use url::Url;

/// The most requests of a definition; a person's journey has fewer, and a definition has bounds.
const MAX_REQUESTS: usize = 500;
/// Hosts that are left out are named up to this many.
const MAX_NAMED: usize = 8;

/// What is kept.
pub(super) struct Selected {
    pub(super) exchanges: Vec<Exchange>,
    /// Base URLs by parameter, the target first.
    pub(super) targets: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
}

/// What was left out, by reason.
#[derive(Default)]
struct LeftOut {
    reasons: BTreeMap<&'static str, usize>,
    hosts: BTreeMap<String, usize>,
}

pub(super) fn select(all: Vec<Exchange>, options: &Options<'_>) -> Result<Selected, ConvertError> {
    let mut left = LeftOut::default();
    let mut kept: Vec<Exchange> = Vec::new();
    for exchange in all {
        match reason(&exchange, options) {
            Some(reason) => *left.reasons.entry(reason).or_default() += 1,
            None => kept.push(exchange),
        }
    }
    // Entries stand in the order in which responses ended, for some recorders; what was not timed stays where it is.
    if kept.iter().all(|exchange| exchange.started_ms.is_some()) {
        kept.sort_by_key(|exchange| exchange.started_ms);
    }
    let chosen = hosts(&kept, options)?;
    let (mut kept, others): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .partition(|exchange| chosen.contains(&host(&exchange.url)));
    for exchange in &others {
        *left.hosts.entry(host(&exchange.url)).or_default() += 1;
    }
    let folded = fold_redirects(&mut kept);
    let mut notes = left.notes();
    if folded > 0 {
        let (responses, are) = if folded == 1 {
            ("response was a redirect", "it is")
        } else {
            ("responses were redirects", "they are")
        };
        notes.push(format!(
            "{folded} {responses}; {are} followed without a step of {} own.",
            if folded == 1 { "its" } else { "their" }
        ));
    }
    if kept.len() > MAX_REQUESTS {
        notes.push(format!("Only the first {MAX_REQUESTS} of {} requests are here: record a shorter journey, or split it.", kept.len()));
        kept.truncate(MAX_REQUESTS);
    }
    if kept.is_empty() {
        let why = match notes.is_empty() {
            true => "the source has no requests".to_owned(),
            false => format!(
                "{} --static keeps static assets, --host names other hosts",
                notes.join(" ")
            ),
        };
        return Err(ConvertError::Nothing { why });
    }
    Ok(Selected {
        targets: targets(&kept, &chosen),
        exchanges: kept,
        notes,
    })
}

/// Why an entry is no request of a user.
fn reason(exchange: &Exchange, options: &Options<'_>) -> Option<&'static str> {
    let url = &exchange.url;
    if matches!(url.scheme(), "ws" | "wss")
        || exchange
            .header("upgrade")
            .is_some_and(|to| to.eq_ignore_ascii_case("websocket"))
    {
        return Some("WebSockets, which Floodgate does not speak");
    }
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Some("entries without a request over HTTP (data:, blob:, extensions)");
    }
    if exchange.method.eq_ignore_ascii_case("options")
        && exchange.header("access-control-request-method").is_some()
    {
        return Some("CORS preflights");
    }
    if exchange.is_static && !options.keep_static {
        return Some("static assets (--static keeps them)");
    }
    if exchange
        .response
        .as_ref()
        .is_some_and(|response| response.status == 0)
    {
        return Some("requests without a response (blocked, cancelled or failed)");
    }
    None
}

/// The hosts to keep, the target first.
fn hosts(kept: &[Exchange], options: &Options<'_>) -> Result<Vec<String>, ConvertError> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut order = Vec::new();
    for exchange in kept {
        let host = host(&exchange.url);
        let n = counts.entry(host.clone()).or_default();
        *n += 1;
        if *n == 1 {
            order.push(host);
        }
    }
    if options.hosts.is_empty() {
        // Of equals the first.
        let most = order.iter().rev().max_by_key(|host| counts[*host]);
        return Ok(most.into_iter().cloned().collect());
    }
    let mut chosen = Vec::new();
    for asked in &options.hosts {
        let asked_host = asked
            .split_once("://")
            .map_or(asked.as_str(), |(_, rest)| rest)
            .trim_end_matches('/')
            .to_ascii_lowercase();
        let matches = |host: &&String| {
            **host == asked_host
                || host
                    .rsplit_once(':')
                    .is_some_and(|(name, _)| name == asked_host)
        };
        let found: Vec<_> = order.iter().filter(matches).cloned().collect();
        if found.is_empty() {
            return Err(ConvertError::NoSuchHost {
                asked: asked.clone(),
                there: order,
            });
        }
        chosen.extend(found);
    }
    Ok(chosen)
}

/// A parameter for each origin.
fn targets(kept: &[Exchange], chosen: &[String]) -> Vec<(String, String)> {
    let mut targets: Vec<(String, String)> = Vec::new();
    for wanted in chosen {
        for exchange in kept
            .iter()
            .filter(|exchange| host(&exchange.url) == *wanted)
        {
            let origin = origin(&exchange.url);
            if targets.iter().any(|(_, known)| *known == origin) {
                continue;
            }
            let mut name = match targets.is_empty() {
                true => "target".to_owned(),
                false => format!("host_{}", slug(wanted, '_', 50)),
            };
            while targets.iter().any(|(known, _)| *known == name) {
                name.push('_');
            }
            targets.push((name, origin));
        }
    }
    targets
}

/// Takes the entries out that redirects led to: a client follows them. The response is the last one, with the cookies of all.
fn fold_redirects(kept: &mut Vec<Exchange>) -> usize {
    let mut folded = 0;
    let mut at = 0;
    while at < kept.len() {
        let location = redirect(&kept[at]);
        let Some(location) = location else {
            at += 1;
            continue;
        };
        // It follows soon, if it was followed at all.
        let next = (at + 1..kept.len().min(at + 50))
            .find(|&next| kept[next].url == location && is_follow_up(&kept[at], &kept[next]));
        let Some(next) = next else {
            at += 1;
            continue;
        };
        let followed = kept.remove(next);
        let first = &mut kept[at];
        if let Some(started) = first.started_ms.zip(followed.ended_ms()) {
            first.took_ms = first.took_ms.max(started.1 - started.0);
        }
        let cookies = first.response.take().map(|response| {
            let own = response.cookies();
            [response.hop_cookies, own].concat()
        });
        first.response = followed.response;
        if let (Some(response), Some(cookies)) = (&mut first.response, cookies) {
            response.hop_cookies = cookies;
        }
        first.follows = true;
        folded += 1;
    }
    folded
}

fn redirect(exchange: &Exchange) -> Option<Url> {
    let response = exchange
        .response
        .as_ref()
        .filter(|response| matches!(response.status, 301 | 302 | 303 | 307 | 308))?;
    // Where the last redirect of several leads starts from there, which is nearly always the same server.
    let mut url = exchange.url.join(response.header("location")?).ok()?;
    url.set_fragment(None);
    Some(url)
}

fn is_follow_up(first: &Exchange, next: &Exchange) -> bool {
    let repeats = matches!(first.status(), 307 | 308);
    let method = if repeats {
        first.method.as_str()
    } else {
        "GET"
    };
    next.method.eq_ignore_ascii_case(method)
        || !repeats
            && first.method.eq_ignore_ascii_case("head")
            && next.method.eq_ignore_ascii_case("head")
}

impl LeftOut {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.reasons.is_empty() {
            let reasons: Vec<_> = self
                .reasons
                .iter()
                .map(|(reason, n)| format!("{n} × {reason}"))
                .collect();
            notes.push(format!("Left out: {}.", reasons.join("; ")));
        }
        if !self.hosts.is_empty() {
            let mut hosts: Vec<_> = self.hosts.iter().collect();
            hosts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            let more = hosts.len().saturating_sub(MAX_NAMED);
            let named: Vec<_> = hosts
                .iter()
                .take(MAX_NAMED)
                .map(|(host, n)| format!("{host} ({n})"))
                .collect();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            notes.push(format!(
                "Requests to other hosts are left out (--host HOST keeps one): {}{more}.",
                named.join(", ")
            ));
        }
        notes
    }
}
