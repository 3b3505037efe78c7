//! Where results go beside the store of the run.

use super::shared::TEXT;
use crate::definition::field::{Field, keys};
use crate::definition::shape::{Grammar, Key, Shape, Table};
use crate::syntax::SyntaxError;
use floodgate_records::printable::quoted;

/// What URLs of exports begin with: the names of all sinks that there are.
pub const EXPORT_SCHEMES: &[&str] = &[
    "influxdb",
    "influxdb+http",
    "influxdb+https",
    "influxdbs",
    "statsd",
    "statsd+tcp",
    "statsd+udp",
    "file",
    "postgres",
    "postgresql",
    "prometheus+http",
    "prometheus+https",
    "metrics",
    "otlp+http",
    "otlp+https",
    "cloudwatch",
];

const SAID: &str = "a URL such as influxdb://HOST:PORT/DB, statsd://HOST:PORT, file:PATH.csv, without password or token";

const SINK_URL: Grammar = Grammar {
    pattern: Some("^[a-zA-Z][a-zA-Z0-9+]*:[^\\s]+$"),
    ..Grammar::new(sink_url, SAID)
};

/// Reads what can be known of a URL without the sinks: they check their own options when the test is loaded.
pub(in crate::definition) fn sink_url(text: &str) -> Result<(), SyntaxError> {
    let fail = |problem: String| SyntaxError::new(0, problem).allowed(SAID);
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(fail(format!(
            "{} is not a valid URL of an export",
            quoted(text)
        )));
    };
    let scheme = scheme.to_ascii_lowercase();
    if !EXPORT_SCHEMES.contains(&scheme.as_str()) {
        let error = fail(format!("there is no export to {}:", quoted(&scheme)));
        return Err(error.nearest(&scheme, EXPORT_SCHEMES.iter().copied()));
    }
    if let Some(at) = text.find(|c: char| c.is_whitespace() || c.is_control()) {
        let problem = "a URL has no white space in it; write %20".to_owned();
        return Err(SyntaxError::new(at, problem).allowed(SAID));
    }
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = before.strip_prefix("//").unwrap_or_default();
    let authority = authority.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let named = |pair: &str, name: &str| pair.split('=').next() == Some(name);
    let mut pairs = query.split('&');
    if user.contains(':') || pairs.any(|pair| named(pair, "password") || named(pair, "token")) {
        // Without the text: it has a secret in it.
        let error = fail("a password or token stands in the URL".to_owned());
        return Err(error.hint("write {to: URL, password: \"${secret:NAME}\"}, or token"));
    }
    Ok(())
}

static URL: Shape = Shape::Grammar(SINK_URL);

keys! { EXPORT_KEYS:
    TO: String = "to", URL, required; "The URL of a sink.";
    PASSWORD: String = "password", TEXT; "A reference to the password of the URL's user: ${secret:NAME} or ${env:NAME}.";
    TOKEN: String = "token", TEXT; "A reference to a token: ${secret:NAME} or ${env:NAME}.";
    LIVE: bool = "live", { Shape::Boolean }, default "false";
        "Whether a run in AWS is exported while it goes on, and not only after its verdict. On one machine it always is.";
}

static EXPORT_TABLE: Table = Table::new(
    "export",
    "Where results go, with what proves who writes.",
    &[EXPORT_KEYS],
);

/// `export[n]`: a URL, or a map with it.
pub(super) static EXPORT: Shape = Shape::Either(&EXPORT_FORMS);
static EXPORT_FORMS: [Shape; 2] = [Shape::Grammar(SINK_URL), Shape::Object(&EXPORT_TABLE)];
