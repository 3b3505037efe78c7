//! Which sinks there are, a line each.

#[cfg(feature = "cloudwatch")]
use crate::cloudwatch;
use crate::sink::{Run, Sink};
use crate::target::{References, Scheme, Target, TargetError};
use crate::{file, influx, otlp, postgres, prometheus, statsd};

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

/// Opens the sink of a target; connections are made when there is something to say.
///
/// # Errors
/// Options that are not valid, and a file that cannot be created.
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
