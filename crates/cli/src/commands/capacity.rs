//! `floodgate capacity`: the highest load at which a definition's thresholds hold.

use super::run::{self, overrides};
use crate::args::{CloudArgs, EnvArgs, LoadArgs, OutArgs, ReportArgs, ScriptArgs, ShowArgs};
use crate::env::Environment;
use crate::error::Result;
use crate::load::load_file;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `floodgate capacity`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON, - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The first load, in iterations a second or VUs over all scenarios [default: a tenth of what the scenarios say]
    #[arg(long, value_name = "LOAD")]
    pub start: Option<String>,
    /// The largest load to try
    #[arg(long, value_name = "LOAD")]
    pub max: Option<String>,
    /// How far the ends of the 95 % interval may be from the estimate [default: 5%]
    #[arg(long, value_name = "SHARE")]
    pub precision: Option<String>,
    /// The beginning of each step that is not judged [default: 5s]
    #[arg(long, value_name = "TIME")]
    pub settle: Option<String>,
    /// How long a step is judged at least; at low rates it is longer, up to a minute [default: 15s]
    #[arg(long, value_name = "TIME")]
    pub step: Option<String>,
    /// When the search ends at the latest [default: 30m]
    #[arg(long, value_name = "TIME")]
    pub max_duration: Option<String>,
    /// Number of generators: 1 runs in this process; more run as separate processes and share the load
    #[arg(short, long, value_name = "N", default_value_t = 1, conflicts_with = "cloud", value_parser = clap::value_parser!(u32).range(1..=run::MAX_GENERATORS))]
    pub generators: u32,
    /// Override a value of the definition by its path, or a parameter: scenarios.browse.rate=50; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// What is written beside.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// With --cloud: print the id and exit without waiting
    #[arg(long, requires = "cloud", help_heading = "Cloud")]
    pub detach: bool,
    /// With --cloud: print what the run would take and cost, and start nothing
    #[arg(
        long,
        requires = "cloud",
        conflicts_with = "detach",
        help_heading = "Cloud"
    )]
    pub dry_run: bool,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Runs a definition as a search, whether or not it says so itself.
///
/// # Errors
/// See [`crate::error::CliError`].
pub async fn capacity(args: Args) -> Result<ExitCode> {
    let given = [
        ("start", &args.start),
        ("max", &args.max),
        ("precision", &args.precision),
        ("settle", &args.settle),
        ("step", &args.step),
        ("max_duration", &args.max_duration),
    ];
    let mut set: Vec<String> = given
        .into_iter()
        .filter_map(|(key, value)| Some(format!("capacity.{key}={}", value.as_ref()?)))
        .collect();
    set.extend(args.set.iter().cloned());
    let is_stdin = args.file.as_os_str() == "-";
    if set.iter().all(|set| !set.starts_with("capacity.")) && (is_stdin || !seeks(&args, &set)?) {
        // What the key is by default: it has to stand there.
        set.push("capacity.precision=5%".to_owned());
    }
    let run = run::Args {
        tier: None,
        file: args.file,
        generators: args.generators,
        set,
        script: ScriptArgs::default(),
        load: LoadArgs::default(),
        env: args.env,
        reports: args.reports,
        id: None,
        out: args.out,
        cloud: args.cloud,
        detach: args.detach,
        dry_run: args.dry_run,
        against: None,
        debug_requests: None,
        metrics: None,
        order: None,
        show: args.show,
    };
    Box::pin(run::run(run)).await
}

/// Whether the definition says itself that the run is a search.
fn seeks(args: &Args, set: &[String]) -> Result<bool> {
    let env = Environment::new(&args.env, &args.out.out)?;
    let env = match args.cloud.cloud {
        true => env.leaving_secrets_open(),
        false => env,
    };
    let test = load_file(&args.file, &overrides(set, &ScriptArgs::default())?, &env)?;
    Ok(test.parsed().definition.capacity.is_some())
}
