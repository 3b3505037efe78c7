//! `floodgate run`: a definition, run to its verdict on this machine.

use crate::args::{EnvArgs, OutArgs, ShowArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::local::{LocalRun, execute};
use crate::outcome::{Output, conclude};
use std::path::PathBuf;
use std::process::ExitCode;

/// Generators on one machine at most: more would only take the CPU from each other.
const MAX_GENERATORS: i64 = 256;

/// Arguments of `floodgate run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Generators: 1 runs in this process, more are processes of their own that share the load and the CPUs
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_GENERATORS))]
    pub generators: u32,
    /// Override a value of the definition by its path, or a parameter: scenarios.browse.rate=50; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
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
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

fn ulid(text: &str) -> std::result::Result<String, String> {
    let id = ulid::Ulid::from_string(text)
        .map_err(|e| format!("{e}; a ULID has 26 digits and letters"))?;
    Ok(id.to_string())
}

/// Splits `PATH=VALUE`.
pub(crate) fn overrides(set: &[String]) -> Result<Vec<(String, String)>> {
    let split = |entry: &String| match entry.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.to_owned()))
        }
        _ => Err(CliError::Usage(format!(
            "--set {entry:?}: write PATH=VALUE, as in scenarios.browse.rate=50"
        ))),
    };
    set.iter().map(split).collect()
}

/// Runs a definition.
///
/// # Errors
/// See [`CliError`].
pub async fn run(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let env = Environment::new(&args.env, out)?;
    let test = load_file(&args.file, &overrides(&args.set)?, &env)?;
    let run = LocalRun {
        test: &test,
        env: &env,
        generators: args.generators,
        out,
        id: args.id.clone(),
        show: args.show,
        title: None,
    };
    let finished = execute(run).await?;
    conclude(
        &finished,
        &Output {
            show: args.show,
            junit: args.junit.as_deref(),
            out,
        },
    )
}
