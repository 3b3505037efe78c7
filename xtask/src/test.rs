//! `cargo xtask test`: sets up what the tests need, without asking, and runs them all.

use crate::steps::Steps;
use crate::{
    cloud, documents, engines, pages, readers, receivers, recipes, repo, schemathesis, sinks,
};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Set nothing up: leave out the tests that need more than cargo
    #[arg(long)]
    no_setup: bool,
    /// Only the tests of the emulated cloud
    #[arg(long, conflicts_with = "no_setup")]
    cloud: bool,
    /// Of the cloud's tests only those of the runs whose name has this in it
    #[arg(long, value_name = "NAME", requires = "cloud")]
    only: Option<String>,
    /// Handed to `cargo test`, such as `-p floodgate-core` or a test's name
    #[arg(last = true)]
    cargo: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// If a test fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    add(&mut steps, options);
    steps.finish()
}

/// The same with everything on, as steps of something greater.
pub(crate) fn add_all(steps: &mut Steps) {
    add(
        steps,
        &Options {
            no_setup: false,
            cloud: false,
            only: None,
            cargo: Vec::new(),
        },
    );
}

fn add(steps: &mut Steps, options: &Options) {
    if !options.cloud {
        on_this_machine(steps, options);
    }
    if options.no_setup {
        steps.leave_out("cloud", "--no-setup");
    } else if options.cargo.is_empty() {
        cloud::test(steps, options.only.as_deref());
    } else {
        steps.leave_out(
            "cloud",
            "only some tests are wanted; all of the cloud's: --cloud",
        );
    }
}

fn on_this_machine(steps: &mut Steps, options: &Options) {
    let mut tests = repo::cargo(&["test", "--locked"]);
    let one_package = options
        .cargo
        .iter()
        .any(|word| word.starts_with("-p") || word.starts_with("--package"));
    tests
        .args((!one_package).then_some("--workspace"))
        .args(&options.cargo);
    for tool in [
        Tool {
            name: "shard readers (duckdb, pyarrow)",
            variable: readers::VARIABLE,
            set_up: readers::set_up,
            without: "the tests that read shards with them do not run",
        },
        Tool {
            name: "schemathesis",
            variable: schemathesis::VARIABLE,
            set_up: schemathesis::set_up,
            without: "the API is not held against its description",
        },
        Tool {
            name: "receivers of notifications (standardwebhooks, aiosmtpd)",
            variable: receivers::VARIABLE,
            set_up: receivers::set_up,
            without: "signatures are not verified by another library, and no mail is sent",
        },
        Tool {
            name: "openapi documents (@readme/oas-examples)",
            variable: documents::VARIABLE,
            set_up: documents::set_up,
            without: "the tests that read them do not run",
        },
    ] {
        tool.provide(steps, &mut tests, options.no_setup);
    }
    engines::provide(steps, &mut tests, options.no_setup.then_some("--no-setup"));
    sinks::provide(steps, &mut tests, options.no_setup.then_some("--no-setup"));
    steps.run("tests", &mut tests);
    if options.no_setup {
        steps.leave_out("pages", "--no-setup");
    } else if options.cargo.is_empty() {
        pages::test(steps);
        recipes::test(steps);
    }
}

/// What some tests use that is not ours.
struct Tool {
    name: &'static str,
    /// Tells the tests where it is.
    variable: &'static str,
    set_up: fn() -> std::result::Result<PathBuf, String>,
    /// What happens if there is none.
    without: &'static str,
}

impl Tool {
    fn provide(&self, steps: &mut Steps, tests: &mut Command, no_setup: bool) {
        let (name, without) = (self.name, self.without);
        if no_setup {
            steps.leave_out(name, "--no-setup");
            tests.env_remove(self.variable);
            return;
        }
        eprintln!(
            "── {name}: in {}",
            repo::cache_dir().unwrap_or_default().display()
        );
        let start = Instant::now();
        match (self.set_up)() {
            Ok(program) => {
                steps.note(name, start.elapsed());
                tests.env(self.variable, program);
            }
            Err(why) => steps.leave_out(name, format!("{why}; {without}")),
        }
    }
}
