//! Where exports go.

use crate::env::Environment;
use crate::error::{CliError, Result};
use floodgate_core::definition::Definition;
use floodgate_export::{Target, TargetError, schemes};

/// The targets of `--to`, for a run that has ended.
///
/// # Errors
/// All URLs that are not valid: a reference to something that is not set, options that a sink does not take, and a sink that serves only runs
/// that go on.
pub(crate) fn of_arguments(urls: &[String], env: &Environment) -> Result<Vec<Target>> {
    let targets = urls.iter().map(|url| {
        let target = schemes::read(url, None, None, env)?;
        if target.scheme.serves {
            let problem = "is there to be scraped while a run goes on, and gets nothing of one that has ended; start it with floodgate run \
                           --metrics HOST:PORT";
            return Err(TargetError::new(&target.url, problem));
        }
        Ok(target)
    });
    all(targets).map_err(|faults| {
        let faults = faults.into_iter().map(|(_, error)| format!("--to {error}"));
        CliError::usage(faults.collect::<Vec<_>>().join("\n"))
    })
}

/// The targets of a definition.
///
/// # Errors
/// As for [`of_arguments`], but for a sink that serves.
pub(crate) fn of_definition(definition: &Definition, env: &Environment) -> Result<Vec<Target>> {
    let targets = definition.export.iter().map(|export| {
        let (password, token) = (export.password.as_deref(), export.token.as_deref());
        schemes::read(&export.to, password, token, env)
    });
    all(targets).map_err(|faults| {
        let faults = faults.into_iter();
        let faults = faults.map(|(n, error)| format!("error: export[{n}]: {error}\n"));
        CliError::definition(faults.collect::<String>())
    })
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

/// The same for a run that begins: those that serve listen from now on.
///
/// # Errors
/// All addresses that cannot be listened at.
pub(crate) fn bound(targets: Vec<Target>) -> Result<Vec<Target>> {
    all(targets.into_iter().map(Target::bound)).map_err(|faults| {
        let faults = faults.into_iter().map(|(_, error)| error.to_string());
        CliError::run("export", faults.collect::<Vec<_>>().join("; "))
    })
}

/// All targets, or all that is wrong with them, by their numbers.
fn all(
    targets: impl Iterator<Item = std::result::Result<Target, TargetError>>,
) -> std::result::Result<Vec<Target>, Vec<(usize, TargetError)>> {
    let (mut sound, mut faults) = (Vec::new(), Vec::new());
    for (n, target) in targets.enumerate() {
        match target {
            Ok(target) => sound.push(target),
            Err(error) => faults.push((n, error)),
        }
    }
    match faults.is_empty() {
        true => Ok(sound),
        false => Err(faults),
    }
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
