//! The command line as written. What it means is decided in [`crate::commands`].

use crate::commands::{
    abort, attach, audit, baseline, budget, capacity, compare, convert, demo, deploy, destroy,
    doctor, export, generator, hit, import, init, inspect, notify, register, report, run, runs,
    schedule, schema, serve, show, trend, ui, validate,
};
use clap::{Parser, Subcommand};

/// Load testing without a fleet: exact load, merged histograms, an honest verdict.
#[derive(Debug, Parser)]
#[command(name = "floodgate", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 passed, 99 failed, 98 inconclusive, 97 errored, 105 aborted, 104 invalid definition or arguments.
Results go to stdout, progress to stderr.";

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a test definition, or a script of k6, JMeter or Gatling, and judge it
    Run(run::Args),
    /// Find the highest load at which a definition's thresholds hold
    Capacity(capacity::Args),
    /// Send load to one URL, without a definition
    Hit(hit::Args),
    /// Check a definition and report every fault
    Validate(validate::Args),
    /// Show what a script or definition would send, and how the load is split over tasks
    Inspect(inspect::Args),
    /// Upload a test to the stack on AWS without running it, for schedules and pipelines
    Register(register::Args),
    /// Import results of a k6, JMeter or Gatling run made elsewhere, and judge them
    Import(import::Args),
    /// Print the JSON Schema of definitions, summaries or notifications
    Schema(schema::Args),
    /// Write a commented definition to start from
    Init(init::Args),
    /// Write a definition from a recording (HAR), curl commands or an OpenAPI document
    Convert(convert::Args),
    /// List executions, newest first
    Runs(runs::Args),
    /// Show an execution again
    Show(show::Args),
    /// Write the report of an execution: a page, Markdown, a badge
    Report(report::Args),
    /// Export an execution to a time-series store, a metrics back end or a file
    Export(export::Args),
    /// List notifications that were not taken, and send them again
    Notify(notify::Args),
    /// Compare an execution with an earlier one: regressed, improved, unchanged or undecided
    Compare(compare::Args),
    /// Show where the numbers of a test changed over its runs
    Trend(trend::Args),
    /// Serve the console on this machine: runs as pages, live and compared
    Ui(ui::Args),
    /// Serve the API to people and pipelines that bring a token
    Serve(serve::Args),
    /// Pin the execution that runs of a test are compared with (compare: pinned)
    Baseline(baseline::Args),
    /// Show or set what a project's runs may cost, or let nothing start any more
    Budget(budget::Args),
    /// Start tests by the clock, while `serve` runs
    Schedule(schedule::Args),
    /// List, export or verify the audit trail: who did what
    Audit(audit::Args),
    /// Stop a running execution and keep what it measured
    Abort(abort::Args),
    /// Follow a run in the cloud to its verdict
    Attach(attach::Args),
    /// Run a real test against a bundled shop, with two generator processes
    Demo(demo::Args),
    /// Deploy a stack to an AWS account, or update it
    Deploy(deploy::Args),
    /// Remove a stack; results are kept unless you pass --delete-results
    Destroy(destroy::Args),
    /// Report what is missing or misconfigured on this machine and, with --cloud, in the account
    Doctor(doctor::Args),
    /// One task of an execution, started by `run`
    #[command(hide = true)]
    Generator(generator::Args),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use floodgate_engines::LoadOptions;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn load_options_are_those_of_the_line() {
        let line = "floodgate run a.js -u 3 --duration 5s --stage 1s:2 --stage 2s:0";
        let Command::Run(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("{line}");
        };
        let expected = LoadOptions {
            vus: Some(3),
            duration: Some("5s".into()),
            stages: vec!["1s:2".into(), "2s:0".into()],
            ..LoadOptions::default()
        };
        assert_eq!(args.load.options(), expected);
    }

    #[test]
    fn help_says_what_there_is() {
        let mut cli = Cli::command().term_width(100);
        insta::assert_snapshot!("help", cli.render_help());
        cli.build();
        for name in [
            "run", "capacity", "hit", "abort", "attach", "audit", "budget", "register", "runs",
            "schedule", "serve", "show", "doctor", "notify", "deploy", "destroy", "report",
            "import", "convert", "export",
        ] {
            let command = cli.find_subcommand_mut(name).unwrap();
            insta::assert_snapshot!(format!("help_{name}"), command.render_help());
        }
    }
}
