//! `floodgate trend`: where the numbers of a test changed over its runs.

use super::baseline::Test;
use super::compare::{effect, metric};
use crate::args::PlaceArgs;
use crate::error::{CliError, Result};
use crate::output::{print_json, print_styled};
use crate::stores::Executions;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::drift::{PastRun, Sensitivity};
use floodgate_report::Style;
use std::process::ExitCode;

/// Arguments of `floodgate trend`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The test, NAME or PROJECT/NAME
    #[arg(value_name = "TEST")]
    pub test: String,
    /// Number to follow, such as 'http_req_duration{name:home} p(95)'; repeatable [default: p(50), p(95) and p(99) of http_req_duration, the rates of http_req_failed and http_reqs]
    #[arg(long = "metric", short, value_name = "METRIC AGGREGATE", value_parser = metric)]
    pub metrics: Vec<BaselineMetric>,
    /// Maximum number of runs, from 2 to 500
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(2..=500))]
    pub runs: u16,
    /// Smallest relative change that matters
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = effect)]
    pub min_effect: f64,
    /// Print the trend as JSON
    #[arg(long)]
    pub json: bool,
    /// Whose and where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Shows where the numbers of a test changed for good. It judges nothing: the exit code is 0 whatever is found.
///
/// # Errors
/// A test without a run that ended with valid data; what the store refuses.
pub async fn trend(args: Args) -> Result<ExitCode> {
    let test = Test::of(&args.test, &args.place.project)?;
    let executions = Executions::open(&args.place.cloud, &test.only(), &args.place.out).await?;
    let sensitivity = Sensitivity {
        min_change: args.min_effect,
        ..Sensitivity::default()
    };
    let metrics = |runs: &[PastRun]| match args.metrics.is_empty() {
        true => BaselineMetric::defaults(|key| {
            runs.iter().any(|run| run.summary.metrics.contains_key(key))
        }),
        false => args.metrics.clone(),
    };
    let found = floodgate_control::trend(
        executions.stores(),
        &test.project,
        &test.name,
        usize::from(args.runs),
        metrics,
        &sensitivity,
    );
    let found = found.await?;
    if found.runs.is_empty() && found.left_out.is_empty() {
        let problem = format!(
            "no run of {}/{} has passed or failed; floodgate runs lists what there is",
            test.project, test.name
        );
        return Err(CliError::Usage(problem.into()));
    }
    match args.json {
        true => print_json(&found)?,
        false => print_styled(&floodgate_report::trend(&found, Style::of_stdout()))?,
    }
    Ok(ExitCode::SUCCESS)
}
