//! From a recording to a definition's draft.

mod arrange;
mod body;
mod budget;
mod candidates;
mod correlate;
mod headers;
mod hide;
mod html;
mod names;
mod request;
mod select;
mod writer;

pub(crate) use budget::Budget;
pub(crate) use correlate::singular;
pub(crate) use headers::{shared, shared_auth};
pub(crate) use names::{shown, unique};

use crate::draft::{Draft, Http};
use crate::error::ConvertError;
use crate::options::{Options, slug};
use crate::recording::{Exchange, Recording, origin};
use correlate::Correlation;
use hide::Hidden;
use select::Selected;
use writer::Writer;

/// What a definition says at its top about where it comes from.
pub(crate) const CHECK_FIRST: &str =
    "Read it before you run it: who may be loaded, what is created, and with whose data.";

/// Makes a draft of a recording.
///
/// # Errors
/// A host that is not in it, and nothing that is left to send.
pub(crate) fn compose(recording: Recording, options: &Options<'_>) -> Result<Draft, ConvertError> {
    let Recording {
        about,
        exchanges,
        pages,
        notes,
        insecure,
        proxy,
        version,
    } = recording;
    let Selected {
        exchanges,
        targets,
        notes: selected,
    } = select::select(exchanges, options)?;
    let first = exchanges
        .first()
        .map(|exchange| origin(&exchange.url))
        .unwrap_or_default();
    let mut draft = Draft {
        test: options.test(),
        scenario: scenario_name(&options.test()),
        http: Http {
            insecure,
            proxy,
            version,
            ..Http::default()
        },
        targets,
        ..Draft::default()
    };
    let from = if about.is_empty() {
        String::new()
    } else {
        format!(" ({about})")
    };
    draft.head.push(format!(
        "Converted by floodgate convert from {}{from}. {CHECK_FIRST}",
        requests(exchanges.len(), &first)
    ));
    draft.head.extend(notes);
    draft.head.extend(selected);
    let mut correlation = Correlation::default();
    let mut writer = Writer::new(&draft.targets, options);
    let mut written = Vec::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        let request = writer.request(exchange, &mut correlation);
        correlation.answered(index, exchange, request.shared_values());
        written.push(request.into_draft());
    }
    for (index, extract) in correlation.extracts() {
        if let Some(request) = written.get_mut(index) {
            request.extract.push(extract);
        }
    }
    draft.http.encodings = headers::encodings(&exchanges);
    let mut all: Vec<_> = written.iter_mut().collect();
    draft.http.auth = headers::shared_auth(&mut all);
    draft.http.headers.extend(headers::shared(&mut all));
    let never = |exchange: &Exchange| exchange.response.is_none() && !exchange.follows;
    draft.http.follows_none = exchanges.iter().any(never);
    if !draft.http.follows_none {
        let of_commands = written
            .iter_mut()
            .zip(&exchanges)
            .filter(|(_, exchange)| exchange.response.is_none());
        of_commands.for_each(|(request, _)| request.redirects = None);
    }
    draft.head.extend(writer.notes(&mut draft.http.headers));
    let Writer {
        mut secrets, files, ..
    } = writer;
    // Only now all secrets are known: a request may have sent one before another said what it is.
    let hidden = Hidden::of(&secrets);
    for (request, name) in written.iter_mut().zip(names::names(&exchanges, &hidden)) {
        request.name = name;
    }
    draft.files = files;
    draft.steps = arrange::arrange(&exchanges, written, &pages, options.think, &hidden);
    hidden.leave_out(&mut draft, &mut secrets);
    for secret in &mut draft.secrets {
        secret.place = shown(&secret.place);
    }
    Ok(draft)
}

fn requests(n: usize, target: &str) -> String {
    format!("{n} request{} to {target}", if n == 1 { "" } else { "s" })
}

/// Scenarios take letters, digits, `_` and `-`.
fn scenario_name(test: &str) -> String {
    slug(test, '-', 64)
}

/// When a pause between two requests begins: what comes before has ended.
pub(crate) fn idle_before(exchanges: &[Exchange], index: usize) -> Option<i64> {
    let started = exchanges.get(index)?.started_ms?;
    let ended = exchanges[..index]
        .iter()
        .filter_map(Exchange::ended_ms)
        .max()?;
    Some(started.saturating_sub(ended).max(0))
}
