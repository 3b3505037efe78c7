//! `floodgate compare`: whether a run is worse than an earlier one.

use crate::args::PlaceArgs;
use crate::error::{CliError, Result};
use crate::output::{print_json, print_styled};
use crate::stores::Executions;
use floodgate_control::{Stores, compare_runs, find_in, load_summary};
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::compare::{self, Terms};
use floodgate_records::comparison::Change;
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_report::Style;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Arguments of `floodgate compare`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The earlier execution's id, or the beginning of it
    #[arg(value_name = "BASE")]
    pub base: String,
    /// The execution in question
    #[arg(value_name = "HEAD")]
    pub head: String,
    /// Number to compare, such as 'http_req_duration{name:home} p(95)'; repeatable [default: p(50), p(95) and p(99) of http_req_duration, the rates of http_req_failed and http_reqs]
    #[arg(long = "metric", short, value_name = "METRIC AGGREGATE", value_parser = metric)]
    pub metrics: Vec<BaselineMetric>,
    /// Smallest relative change that matters
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = effect)]
    pub min_effect: f64,
    /// Confidence of all comparisons together
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    pub confidence: f64,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
    /// Whose and where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

pub(super) fn metric(text: &str) -> std::result::Result<BaselineMetric, String> {
    BaselineMetric::parse(text).map_err(|error| error.to_string())
}

pub(super) fn effect(text: &str) -> std::result::Result<f64, String> {
    compare::min_effect(text).map_err(|error| error.to_string())
}

fn confidence(text: &str) -> std::result::Result<f64, String> {
    compare::confidence(text).map_err(|error| error.to_string())
}

/// Compares two executions. The exit code says what came of it: 0 unless the later one is worse (99) or nothing can be told (98).
///
/// # Errors
/// An unknown id, and a run that measured nothing.
pub async fn compare(args: Args) -> Result<ExitCode> {
    let executions =
        Executions::open(&args.place.cloud, &args.place.project, &args.place.out).await?;
    let stores = executions.stores();
    let project = args.place.project.project.as_deref();
    let base = find_in(stores, project, &args.base).await?;
    let head = find_in(stores, project, &args.head).await?;
    if base.id == head.id {
        return Err(CliError::usage(format!(
            "both are execution {}: name two",
            base.id
        )));
    }
    let metrics = match args.metrics.is_empty() {
        true => {
            let known = measured(stores, [&base, &head]).await?;
            BaselineMetric::defaults(|key| known.contains(key))
        }
        false => args.metrics,
    };
    let terms = Terms {
        metrics,
        confidence: args.confidence,
        min_effect: args.min_effect,
        undecided: None,
    };
    let comparison = compare_runs(stores, base, head, &terms).await?;
    match args.json {
        true => print_json(&comparison)?,
        false => print_styled(&floodgate_report::comparison(
            &comparison,
            Style::of_stdout(),
        ))?,
    }
    let as_status = match comparison.outcome {
        Change::Improved | Change::Unchanged => Status::Passed,
        Change::Regressed => Status::Failed,
        Change::Undecided | Change::NotComparable => Status::Inconclusive,
    };
    Ok(ExitCode::from(as_status.exit_code()))
}

/// The metrics that one of the runs has.
async fn measured(stores: &Stores, runs: [&Execution; 2]) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for run in runs {
        let summary = load_summary(stores, &run.project, &run.id).await?;
        known.extend(summary.into_iter().flat_map(|s| s.metrics.into_keys()));
    }
    Ok(known)
}
