//! `floodgate validate`: every fault of a definition at once.

use crate::args::{EnvArgs, ScriptArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::{LoadedTest, load_text, read_file};
use crate::output::{counted, print, say};
use floodgate_core::planned::planned_load;
use floodgate_core::units::format_duration;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `floodgate validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Override a value, as for `run`; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Scale the definition to this tier, as for `run`
    #[arg(long, value_name = "TIER", value_parser = super::run::TIERS)]
    pub tier: Option<String>,
    /// Parameters in the words of a script's tool.
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Where secrets lie.
    #[command(flatten)]
    pub out: crate::args::OutArgs,
}

/// Reads the definition with each tier that it has and that is not chosen anyway, and gives what only they warn of.
fn tiers(test: &LoadedTest, with_tier: impl Fn(&str) -> Result<LoadedTest>) -> Result<Vec<String>> {
    let parsed = test.parsed();
    let chosen = parsed.definition.tier.map(|tier| tier.as_str());
    let all = parsed.normalised["tiers"].as_object().into_iter().flatten();
    let others = all.filter(|(name, _)| Some(name.as_str()) != chosen);
    let (mut faults, mut warnings) = (String::new(), Vec::new());
    for (name, _) in others {
        match with_tier(name) {
            Ok(tiered) => {
                let own = tiered.warnings.iter();
                let own = own.filter(|warning| !test.warnings.contains(warning));
                warnings.extend(own.map(|warning| format!("with the tier {name}: {warning}")));
            }
            Err(CliError::Definition(cause)) => {
                faults.push_str(&format!("with the tier {name}:\n{cause}\n"));
            }
            Err(other) => return Err(other),
        }
    }
    match faults.is_empty() {
        true => Ok(warnings),
        false => Err(CliError::definition(faults.trim_end().to_owned())),
    }
}

/// Checks a definition and says what it would do. References need not stand for anything here: whether they do is a matter of
/// where the test is run.
///
/// # Errors
/// All faults, rendered with their places.
pub fn validate(args: &Args) -> Result<ExitCode> {
    let env = Environment::new(&args.env, &args.out.out)?.leaving_references_open();
    let mut overrides = super::run::overrides(&args.set, &args.script)?;
    overrides.extend(
        args.tier
            .iter()
            .map(|tier| ("tier".to_owned(), tier.clone())),
    );
    let (text, origin) = read_file(&args.file)?;
    let test = load_text(text.clone(), origin.clone(), &overrides, &env)?;
    let with_tier = |tier: &str| {
        let mut overrides = overrides.clone();
        overrides.push(("tier".to_owned(), tier.to_owned()));
        load_text(text.clone(), origin.clone(), &overrides, &env)
    };
    let of_tiers = tiers(&test, with_tier)?;
    for warning in test.warnings.iter().chain(&of_tiers) {
        say!("warning: {warning}");
    }
    for unset in &test.parsed().unset {
        say!("warning: {unset}");
    }
    let definition = &test.parsed().definition;
    let load = planned_load(definition);
    let iterations = load.iterations.map_or_else(
        || "as many iterations as fit".into(),
        |n| counted(n, "iteration"),
    );
    let duration = format_duration(Duration::from_millis(load.duration_ms));
    print(&format!(
        "{} is valid: test {} of project {}, {}, {iterations}, up to {}, {duration}, {}\n",
        args.file.display(),
        definition.test,
        definition.project,
        counted(definition.scenarios.len() as u64, "scenario"),
        counted(load.max_vus, "VU"),
        counted(definition.thresholds.len() as u64, "threshold"),
    ))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::command::{Cli, Command};
    use clap::Parser;

    #[test]
    fn what_a_tier_sets_is_checked_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.yaml");
        let validated = |tiers: &str| {
            let text = format!(
                "version: 1\ntest: t\ntarget: http://h\nscenarios:\n  a: {{executor: constant-vus, vus: 1, duration: 1m, flow: [get: /]}}\ntiers:\n{tiers}"
            );
            std::fs::write(&file, text).unwrap();
            let words = ["floodgate", "validate", file.to_str().unwrap()];
            let Command::Validate(args) = Cli::try_parse_from(words).unwrap().command else {
                panic!("another command");
            };
            validate(&args).map_err(|error| error.to_string())
        };
        assert!(validated("  smoke: {set: {scenarios.a.vus: 2}}\n").is_ok());
        let error = validated(
            "  smoke: {set: {scenarios.a.rat: 1}}\n  load: {set: {scenarios.a.vus: none}}\n  soak: {set: {scenarios.a.flow.3.get: /x}}\n",
        )
        .unwrap_err();
        for part in [
            "with the tier smoke:",
            "test.yaml:7:34 (scenarios.a.rat)",
            "with the tier load:",
            "test.yaml:8:33 (scenarios.a.vus)",
            "with the tier soak:",
            "test.yaml:9:16",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
