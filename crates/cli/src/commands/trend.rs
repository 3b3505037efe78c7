//! `floodgate trend`: where the numbers of a test changed over its runs.

use super::baseline::Test;
use super::compare::{effect, metric};
use crate::args::{PlaceArgs, ProjectArgs};
use crate::error::{CliError, Result};
use crate::output::{print_json, print_styled};
use crate::stores::Executions;
use clap::ArgGroup;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::drift::{PastRun, Sensitivity};
use floodgate_records::trend::Trend;
use floodgate_report::Style;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Newest records that are looked through for the only test.
const LOOKED_AT: usize = 500;
/// Tests that are named to choose from.
const NAMED: usize = 8;

/// Arguments of `floodgate trend`.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "floodgate trend [OPTIONS] [TEST] [METRIC AGGREGATE]",
    group = ArgGroup::new("form").multiple(false)
)]
pub struct Args {
    /// The test, NAME or PROJECT/NAME [default: the only one there is]; and a number to follow, such as 'http_req_duration{name:home}' 'p(95)'
    #[arg(value_names = ["TEST", "METRIC", "AGGREGATE"], num_args = 0..=3)]
    pub words: Vec<String>,
    /// Number to follow, in one word; repeatable [default: p(50), p(95) and p(99) of http_req_duration, the rates of http_req_failed and http_reqs]
    #[arg(long = "metric", short, value_name = "METRIC AGGREGATE", value_parser = metric)]
    pub metrics: Vec<BaselineMetric>,
    /// Maximum number of runs, from 1 to 500
    #[arg(long, alias = "runs", value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub last: u16,
    /// Smallest relative change that matters
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = effect)]
    pub min_effect: f64,
    /// Print the trend as JSON
    #[arg(long, group = "form")]
    pub json: bool,
    /// Print the values of each run as comma-separated values
    #[arg(long, group = "form")]
    pub csv: bool,
    /// Whose and where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// What is asked about.
#[derive(Debug, PartialEq)]
struct Asked {
    /// The test; `None`: the only one.
    test: Option<String>,
    /// The numbers; empty: the usual ones.
    metrics: Vec<BaselineMetric>,
}

impl Asked {
    /// One word is a test, two are a metric and its aggregate, three are all of them.
    fn of(words: &[String], more: &[BaselineMetric]) -> Result<Self> {
        let (test, number) = match words {
            [] => (None, None),
            [test] => (Some(test), None),
            [key, aggregate] => (None, Some((key, aggregate))),
            [test, key, aggregate, ..] => (Some(test), Some((key, aggregate))),
        };
        let number = number.map(|(key, aggregate)| metric(&format!("{key} {aggregate}")));
        let number = number.transpose().map_err(|why| {
            let forms = "the order is [TEST] METRIC AGGREGATE, as in 'http_req_duration{name:home}' 'p(95)'";
            CliError::usage(format!("{why}; {forms}"))
        })?;
        Ok(Self {
            test: test.cloned(),
            metrics: number.into_iter().chain(more.iter().cloned()).collect(),
        })
    }
}

/// Shows where the numbers of a test changed for good. It judges nothing: the exit code is 0 whatever is found.
///
/// # Errors
/// A test without a run that ended with valid data; what the store refuses.
pub async fn trend(args: Args) -> Result<ExitCode> {
    let asked = Asked::of(&args.words, &args.metrics)?;
    let named = asked.test.as_deref();
    let named = named.map(|text| Test::of(text, &args.place.project));
    let named = named.transpose()?;
    let project = match &named {
        Some(test) => test.only(),
        None => args.place.project.clone(),
    };
    let executions = Executions::open(&args.place.cloud, &project, &args.place.out).await?;
    let test = match named {
        Some(test) => test,
        None => only_test(&executions, &project).await?,
    };
    let sensitivity = Sensitivity {
        min_change: args.min_effect,
        ..Sensitivity::default()
    };
    let metrics = |runs: &[PastRun]| match asked.metrics.is_empty() {
        true => BaselineMetric::defaults(|key| {
            runs.iter().any(|run| run.summary.metrics.contains_key(key))
        }),
        false => asked.metrics.clone(),
    };
    let found = floodgate_control::trend(
        executions.stores(),
        &test.project,
        &test.name,
        usize::from(args.last),
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
    match (args.json, args.csv) {
        (true, _) => print_json(&found)?,
        (_, true) => print_styled(&floodgate_report::trend_csv(&found))?,
        _ => print_styled(&shown(&found, !asked.metrics.is_empty()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The trend, and where numbers were asked for, those of each run.
fn shown(found: &Trend, by_run: bool) -> String {
    let style = Style::of_stdout();
    let mut text = floodgate_report::trend(found, style);
    if by_run {
        text += &format!("\n{}", floodgate_report::trend_by_run(found, style));
    }
    text
}

/// The test of all runs there are, if it is one.
async fn only_test(executions: &Executions, project: &ProjectArgs) -> Result<Test> {
    let records = &executions.stores().records;
    let project = project.project.as_deref();
    let listed = records.list(project, None, LOOKED_AT).await;
    let listed = listed.map_err(|error| CliError::Control(error.into()))?;
    let runs = listed.runs.into_iter();
    let tests: BTreeSet<_> = runs.map(|run| (run.project, run.test)).collect();
    let names = tests
        .iter()
        .map(|(project, test)| format!("{project}/{test}"));
    let problem = match tests.len() {
        0 => "there is no run yet; floodgate run FILE starts one".to_owned(),
        1 => {
            let only = tests.into_iter().next().unwrap_or_default();
            return Ok(Test {
                project: only.0,
                name: only.1,
            });
        }
        n if n > NAMED => format!(
            "there are runs of {n} tests: name one first ({}, and {} more: floodgate runs)",
            names.take(NAMED).collect::<Vec<_>>().join(", "),
            n - NAMED
        ),
        _ => format!(
            "there are runs of several tests: name one first ({})",
            names.collect::<Vec<_>>().join(", ")
        ),
    };
    Err(CliError::Usage(problem.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_their_number() {
        let p95 = || BaselineMetric::parse("http_req_duration{name:home} p(95)").unwrap();
        let of = |words: &[&str], more: &[BaselineMetric]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            Asked::of(&words, more)
        };
        let asked = |test: Option<&str>, metrics: Vec<BaselineMetric>| Asked {
            test: test.map(str::to_owned),
            metrics,
        };
        let key = "http_req_duration{name:\"home\"}";
        assert_eq!(of(&[], &[]).unwrap(), asked(None, vec![]));
        assert_eq!(
            of(&["shop"], &[p95()]).unwrap(),
            asked(Some("shop"), vec![p95()])
        );
        assert_eq!(of(&[key, "p(95)"], &[]).unwrap(), asked(None, vec![p95()]));
        let both = vec![p95(), p95()];
        assert_eq!(
            of(&["a/shop", key, "p(95)"], &[p95()]).unwrap(),
            asked(Some("a/shop"), both)
        );
        let error = of(&["shop", "http_req_duration"], &[]).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("[TEST] METRIC AGGREGATE"), "{said}");
    }
}
