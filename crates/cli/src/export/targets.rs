//! Where exports go.

use crate::env::Environment;
use crate::error::{CliError, Result};
use floodgate_core::definition::Definition;
use floodgate_export::{References, Target, TargetError, schemes};

impl References for Environment {
    fn env(&self, name: &str) -> Option<String> {
        self.variable(name)
    }

    fn secret(&self, name: &str) -> std::result::Result<String, String> {
        Self::secret(self, name)
    }
}

/// The targets of `--to`.
///
/// # Errors
/// A URL that is not valid, and a reference to something that is not set.
pub(crate) fn of_arguments(urls: &[String], env: &Environment) -> Result<Vec<Target>> {
    let targets = urls.iter().map(|url| schemes::parse(url, env));
    let targets: std::result::Result<_, TargetError> = targets.collect();
    targets.map_err(|error| CliError::usage(format!("--to {error}")))
}

/// The targets of a definition.
///
/// # Errors
/// As for [`of_arguments`].
pub(crate) fn of_definition(definition: &Definition, env: &Environment) -> Result<Vec<Target>> {
    let exports = definition.export.iter().enumerate();
    exports
        .map(|(n, export)| {
            let target = schemes::parse(&export.to, env)
                .and_then(|target| {
                    target.with_credentials(export.password.as_deref(), export.token.as_deref())
                })
                .and_then(|target| {
                    floodgate_export::windows::Options::of(&target)?;
                    Ok(target)
                });
            target.map_err(|error| CliError::definition(format!("error: export[{n}]: {error}\n")))
        })
        .collect()
}

/// The target of `--metrics`.
///
/// # Errors
/// An address that is not valid.
pub(crate) fn of_metrics(address: Option<&str>, env: &Environment) -> Result<Option<Target>> {
    let target = address.map(|address| schemes::parse(&format!("metrics://{address}"), env));
    let target = target.transpose();
    target.map_err(|error| CliError::usage(format!("--metrics {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::definition::EXPORT_SCHEMES;
    use std::collections::BTreeSet;

    #[test]
    fn definitions_know_the_names_of_all_sinks() {
        let all = schemes::SCHEMES.iter();
        let all: BTreeSet<_> = all
            .flat_map(|s| s.names.iter().chain(s.tls_names))
            .collect();
        assert_eq!(all, EXPORT_SCHEMES.iter().collect());
    }
}
