//! `floodgate runs prune`: deletes old executions of this machine.

use crate::args::{OutArgs, ProjectArgs};
use crate::clock::now_ms;
use crate::error::{CliError, Result};
use crate::local::open_existing;
use crate::output::{counted, print, say, say_damaged};
use clap::ArgGroup;
use floodgate_control::{buckets_key, load_pin};
use floodgate_core::units::parse_duration;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_report::format::bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `floodgate runs prune`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true))]
pub struct Args {
    /// Only executions that are older, such as 30d or 12h
    #[arg(long, alias = "older", value_name = "AGE", value_parser = age, group = "which")]
    pub older_than: Option<Duration>,
    /// Only executions beyond the N newest of each test
    #[arg(long, value_name = "N", group = "which")]
    pub keep: Option<usize>,
    /// Keep what later runs are compared with: the N newest of each test that passed, 10 without N; a rolling baseline may need more
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    pub keep_baselines: Option<usize>,
    /// Only executions of this test
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// Whose executions.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
}

fn age(text: &str) -> std::result::Result<Duration, String> {
    // A definition's bare numbers are milliseconds: who forgets the d of 30d would lose all that is older than 30 ms.
    if text.parse::<f64>().is_ok() {
        return Err(format!("{text} has no unit: write {text}d for days"));
    }
    parse_duration(text).map_err(|error| error.to_string())
}

/// Deletes executions with all that they measured. Those that go on and those that are pinned as baselines stay.
///
/// # Errors
/// A folder that is not there or cannot be read; a pin that cannot be read, since what it protects is unknown then; what cannot be deleted.
pub(super) async fn prune(args: Args) -> Result<ExitCode> {
    let (stores, folder) = open_existing(&args.out.out)?;
    let (project, test) = (args.project.project.as_deref(), args.test.as_deref());
    let listed = stores.records.list(project, test, usize::MAX).await?;
    say_damaged(&listed.damaged);
    let tests: BTreeSet<_> = listed.runs.iter().map(of_test).collect();
    let mut pinned = BTreeSet::new();
    for (project, test) in tests {
        pinned.extend(
            load_pin(&stores, project, test)
                .await?
                .and_then(|pin| pin.execution),
        );
    }
    let limits = Limits {
        before_ms: args
            .older_than
            .map(|age| now_ms().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))),
        keep: args.keep.unwrap_or(0),
        keep_passed: args.keep_baselines.unwrap_or(0),
    };
    let old = chosen(&listed.runs, &pinned, &limits);
    let mut freed = 0;
    for run in &old {
        let keys = ExecutionKeys::new(&run.project, &run.id);
        let objects = stores.objects.list(keys.root()).await?;
        let table = buckets_key(run);
        let tables = stores.objects.list(&table).await?;
        let all = objects.iter().chain(&tables);
        freed += all.map(|object| object.size).sum::<u64>();
        if !args.dry_run {
            stores.objects.delete(&table).await?;
            folder
                .remove(&run.project, &run.id)
                .await
                .map_err(|error| CliError::Control(error.into()))?;
        }
        print(&format!("{}  {}/{}\n", run.id, run.project, run.test))?;
    }
    let left = listed.runs.len() - old.len();
    let freed = bytes(freed as f64);
    match args.dry_run {
        true => say!(
            "{} ({freed}) would be deleted, {left} would stay",
            counted(old.len() as u64, "execution")
        ),
        false => say!(
            "{} ({freed}) deleted, {left} stay",
            counted(old.len() as u64, "execution")
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn of_test(run: &Execution) -> (&str, &str) {
    (run.project.as_str(), run.test.as_str())
}

/// Which executions are old.
struct Limits {
    /// Created before this moment, Unix ms; whenever without one.
    before_ms: Option<i64>,
    /// Beyond so many newer ones of the same test.
    keep: usize,
    /// Beyond so many newer ones of the same test that passed, if it has passed.
    keep_passed: usize,
}

/// Those of a list, the newest first, that may go.
fn chosen<'r>(
    runs: &'r [Execution],
    pinned: &BTreeSet<String>,
    limits: &Limits,
) -> Vec<&'r Execution> {
    let mut newer: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut newer_passed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut old = Vec::new();
    for run in runs {
        let before = newer.entry(of_test(run)).or_default();
        *before += 1;
        let is_old = limits
            .before_ms
            .is_none_or(|moment| run.created_ms < moment);
        let mut stays = pinned.contains(&run.id) || !run.status.is_final();
        if run.status == Status::Passed {
            let before = newer_passed.entry(of_test(run)).or_default();
            *before += 1;
            stays |= *before <= limits.keep_passed;
        }
        if *before > limits.keep && is_old && !stays {
            old.push(run);
        }
    }
    old
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(id: &str, test: &str, created_ms: i64, status: Status) -> Execution {
        Execution {
            status,
            ..Execution::created(id, "shop", test, created_ms)
        }
    }

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(age("30d").unwrap(), Duration::from_secs(30 * 86_400));
        for bare in ["30", "0", "1.5", "1e3"] {
            let error = age(bare).unwrap_err();
            assert!(error.contains(&format!("write {bare}d")), "{error}");
        }
    }

    #[test]
    fn what_is_newer_goes_on_or_is_pinned_stays() {
        let runs = [
            run("f", "a", 60, Status::Running),
            run("e", "a", 50, Status::Passed),
            run("d", "b", 40, Status::Failed),
            run("c", "a", 30, Status::Failed),
            run("b", "a", 20, Status::Passed),
            run("a", "a", 10, Status::Running),
        ];
        let pinned = BTreeSet::from(["b".to_owned()]);
        let of = |before_ms, keep| {
            let limits = Limits {
                before_ms,
                keep,
                keep_passed: 0,
            };
            ids(&chosen(&runs, &pinned, &limits))
        };
        assert_eq!(of(None, 0), "edc");
        assert_eq!(of(Some(41), 0), "dc");
        assert_eq!(of(None, 1), "ec");
        assert_eq!(of(None, 2), "c");
        assert_eq!(of(Some(31), 1), "c");
        assert_eq!(of(Some(10), 0), "");
    }

    #[test]
    fn what_later_runs_are_compared_with_may_stay() {
        let runs = [
            run("f", "a", 60, Status::Failed),
            run("e", "a", 50, Status::Passed),
            run("d", "b", 40, Status::Passed),
            run("c", "a", 30, Status::Passed),
            run("b", "b", 20, Status::Failed),
        ];
        let of = |keep_passed| {
            let limits = Limits {
                before_ms: Some(55),
                keep: 0,
                keep_passed,
            };
            ids(&chosen(&runs, &BTreeSet::new(), &limits))
        };
        assert_eq!([of(0), of(1), of(2)], ["edcb", "cb", "b"]);
    }

    fn ids(runs: &[&Execution]) -> String {
        runs.iter().map(|run| run.id.as_str()).collect()
    }
}
