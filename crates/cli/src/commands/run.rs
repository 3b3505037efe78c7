//! `floodgate run`: a definition, run to its verdict on this machine or in the cloud.

use crate::args::{CloudArgs, EnvArgs, OutArgs, ScriptArgs, ShowArgs};
use crate::cloud::{Start, connect, follow, start};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::local::{LocalRun, execute, open_existing};
use crate::outcome::{Output, conclude, conclude_cloud};
use crate::output::{print, say, say_lines};
use crate::output_file::OutputFile;
use crate::signals::Signals;
use crate::trigger::trigger;
use floodgate_control::load_failures;
use floodgate_core::definition::LOCAL_ONLY;
use floodgate_core::execution::record::Execution;
use floodgate_report::Style;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Generators on one machine at most: more would only take the CPU from each other.
const MAX_GENERATORS: i64 = 256;

/// Arguments of `floodgate run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON, - for standard input; or a script: test.js, plan.jmx, simulation.jar, a Maven or Gradle project
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Generators: 1 runs in this process, more are processes of their own that share the load and the CPUs
    #[arg(short, long, value_name = "N", default_value_t = 1, conflicts_with = "cloud", value_parser = clap::value_parser!(u32).range(1..=MAX_GENERATORS))]
    pub generators: u32,
    /// Override a value of the definition by its path, or a parameter: scenarios.browse.rate=50; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Parameters in the words of a script's tool.
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Also write the verdict as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// The execution's id, a ULID; an id starts one run only [default: a new one]
    #[arg(long, value_name = "ULID", value_parser = ulid)]
    pub id: Option<String>,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// Start it in the cloud, print its id, and leave it to itself
    #[arg(long, requires = "cloud", help_heading = "Cloud")]
    pub detach: bool,
    /// Also show the first N requests and responses of each generator, secrets left out (native engine only)
    #[arg(long, value_name = "N", conflicts_with = "cloud", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub debug_requests: Option<u32>,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

fn ulid(text: &str) -> std::result::Result<String, String> {
    let id = ulid::Ulid::from_string(text)
        .map_err(|e| format!("{e}; a ULID has 26 digits and letters"))?;
    Ok(id.to_string())
}

/// Splits `PATH=VALUE`, and the parameters of a script.
pub(crate) fn overrides(set: &[String], script: &ScriptArgs) -> Result<Vec<(String, String)>> {
    let split = |entry: &String| match entry.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.to_owned()))
        }
        _ => Err(CliError::Usage(format!(
            "--set {entry:?}: write PATH=VALUE, as in scenarios.browse.rate=50"
        ))),
    };
    let parameter = |entry: &String| match entry.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((format!("parameters.{}", name.trim()), value.to_owned()))
        }
        _ => Err(CliError::Usage(format!(
            "-J {entry:?}: write NAME=VALUE, as in users=50"
        ))),
    };
    let parameters = script.parameters.iter().map(parameter);
    parameters.chain(set.iter().map(split)).collect()
}

/// Runs a definition.
///
/// # Errors
/// See [`CliError`].
pub async fn run(args: Args) -> Result<ExitCode> {
    if args.cloud.cloud {
        return Box::pin(run_in_cloud(args)).await;
    }
    let out = &args.out.out;
    let env = Environment::new(&args.env, out)?;
    let test = load_file(&args.file, &overrides(&args.set, &args.script)?, &env)?;
    let junit = args.junit.as_deref().map(OutputFile::open).transpose()?;
    let run = LocalRun {
        test: &test,
        env: &env,
        generators: args.generators,
        out,
        id: args.id.clone(),
        show: args.show,
        title: None,
        target: None,
        kind: None,
        debug_requests: args.debug_requests.unwrap_or(0),
    };
    let finished = execute(run).await?;
    if args.debug_requests.is_some() {
        show_first(&finished.execution, out).await?;
    }
    let output = Output {
        show: args.show,
        junit: junit.as_ref(),
        out,
    };
    Ok(conclude(&finished, &output))
}

/// Shows the first exchanges on stderr: stdout has the results.
async fn show_first(execution: &Execution, out: &Path) -> Result<()> {
    let (stores, _) = open_existing(out)?;
    let log = load_failures(stores.objects.as_ref(), &execution.project, &execution.id).await?;
    let text = log.map(|log| floodgate_report::first_exchanges(&log, Style::PLAIN));
    match text.filter(|text| !text.is_empty()) {
        Some(text) => say_lines(&text),
        None => say!(
            "--debug-requests: no request was sampled; an engine that runs a script tells none"
        ),
    }
    Ok(())
}

/// Checks the definition here, so that all faults are reported at once and before anything is sent; then starts it there and
/// stays with it.
async fn run_in_cloud(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let env = Environment::new(&args.env, out)?.with_secrets_elsewhere();
    let test = load_file(&args.file, &overrides(&args.set, &args.script)?, &env)?;
    let mut package = test.package();
    // What has no effect on one machine has one there.
    let local: Vec<_> = test
        .parsed()
        .local
        .iter()
        .filter(|fault| fault.problem == LOCAL_ONLY)
        .map(ToString::to_string)
        .collect();
    package.warnings.retain(|warning| !local.contains(warning));
    let junit = args.junit.as_deref().map(OutputFile::open).transpose()?;
    let cloud = connect(&args.cloud, Some(&package.definition.project), out).await?;
    let mut trigger = trigger(|name| env.variable(name));
    trigger.principal = Some(cloud.caller.clone());
    let id = args
        .id
        .clone()
        .unwrap_or_else(|| ulid::Ulid::generate().to_string());
    let mut signals = Signals::of_a_follower()?;
    let request = Start {
        id: &id,
        test: &package,
        env: &env,
        trigger,
    };
    start(&request, &cloud.stores, &cloud.machine).await?;
    if args.detach {
        print(&format!("{id}\n"))?;
        if !args.show.quiet {
            say!("it runs; floodgate attach {id} --cloud shows it");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !args.show.quiet {
        say!("execution {id} is started; preparing it");
    }
    let project = Some(package.definition.project.clone());
    let run = cloud.following(&id, project, &env, args.show);
    let ended = follow(run, &mut signals).await?;
    Ok(conclude_cloud(&ended, args.show, junit.as_ref()))
}
