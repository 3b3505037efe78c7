//! Which sinks there are, a line each.

#[cfg(feature = "cloudwatch")]
use crate::cloudwatch;
use crate::sink::{Run, Sink};
use crate::target::{References, Scheme, Target, TargetError};
use crate::windows::Options;
use crate::{file, influx, otlp, postgres, prometheus, statsd};
use floodgate_records::execution::Execution;

/// All kinds of sinks, as messages list them.
pub const SCHEMES: &[&Scheme] = &[
    &influx::SCHEME, //
    &statsd::SCHEME,
    &file::SCHEME,
    &postgres::SCHEME,
    &prometheus::SCHEME,
    &prometheus::SCRAPE,
    &otlp::SCHEME,
    #[cfg(feature = "cloudwatch")]
    &cloudwatch::SCHEME,
];

/// Reads a URL.
///
/// # Errors
/// As for [`crate::target::parse`].
pub fn parse(url: &str, references: &dyn References) -> Result<Target, TargetError> {
    crate::target::parse(SCHEMES, url, references)
}

/// Reads a URL with what stands beside it, and [checks](check) it.
///
/// # Errors
/// As for [`crate::target::parse`], [`Target::with_credentials`] and [`check`].
pub fn read(
    url: &str,
    password: Option<&str>,
    token: Option<&str>,
    references: &dyn References,
) -> Result<Target, TargetError> {
    let target = parse(url, references)?.with_credentials(password, token)?;
    check(&target)?;
    Ok(target)
}

/// Whether a sink takes all that its target says; nothing is connected or written.
///
/// # Errors
/// Options that are not valid, and a URL that lacks something.
pub fn check(target: &Target) -> Result<(), TargetError> {
    Options::of(target)?;
    let run = Run {
        execution: Execution::created("", "", "", 0),
        testid: String::new(),
        live: false,
    };
    open(target, &run).map(drop)
}

/// Opens the sink of a target; connections and files are made when there is something to say.
///
/// # Errors
/// As for [`check`].
pub fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    (target.scheme.open)(target, run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_schemes_have_the_same_name() {
        let names = SCHEMES
            .iter()
            .flat_map(|s| s.names.iter().chain(s.tls_names));
        let names: Vec<_> = names.collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
