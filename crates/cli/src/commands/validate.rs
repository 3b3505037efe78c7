//! `floodgate validate`: every fault of a definition at once.

use crate::args::{EnvArgs, ScriptArgs};
use crate::env::Environment;
use crate::error::Result;
use crate::load::load_file;
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
    let test = load_file(&args.file, &overrides, &env)?;
    for warning in &test.warnings {
        say!("warning: {warning}");
    }
    for reference in &test.parsed().open {
        say!(
            "warning: {reference} stands for nothing here: what it gives is checked where the test is run"
        );
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
