//! `floodgate baseline`: the run that a test's runs are compared with.

use crate::args::{self, DEFAULT_PROJECT, PlaceArgs, ProjectArgs};
use crate::clock::now_ms;
use crate::error::{CliError, Result};
use crate::output::{print, print_json};
use crate::stores::Executions;
use crate::trigger::trigger;
use clap::Subcommand;
use floodgate_control::{
    Stores, UNKNOWN_PRINCIPAL, find_in, load_pin, note_pin, note_unpin, pin, unpin,
};
use floodgate_records::test::Pin;
use floodgate_report::format::utc_minute;
use std::process::ExitCode;

/// Arguments of `floodgate baseline`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Pin an execution that passed as the baseline of its test
    Set {
        /// The test, NAME or PROJECT/NAME
        #[arg(value_name = "TEST")]
        test: String,
        /// The execution's id, or the beginning of it
        #[arg(value_name = "RUN")]
        run: String,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Show the execution that is pinned
    Show {
        /// The test, NAME or PROJECT/NAME
        #[arg(value_name = "TEST")]
        test: String,
        /// Print the pin as JSON
        #[arg(long)]
        json: bool,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take the pin away
    Clear {
        /// The test, NAME or PROJECT/NAME
        #[arg(value_name = "TEST")]
        test: String,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// A test by its project and name.
pub(super) struct Test {
    pub(super) project: String,
    pub(super) name: String,
}

impl Test {
    /// Nothing but its project.
    pub(super) fn only(&self) -> ProjectArgs {
        ProjectArgs {
            project: Some(self.project.clone()),
        }
    }

    pub(super) fn of(text: &str, project: &ProjectArgs) -> Result<Self> {
        let (of_text, name) = match text.split_once('/') {
            Some((project, name)) => (Some(project), name),
            None => (None, text),
        };
        let project = match (of_text, project.project.as_deref()) {
            (Some(a), Some(b)) if a != b => {
                let problem = format!("{text} is of project {a}, and --project says {b}");
                return Err(CliError::Usage(problem.into()));
            }
            (a, b) => a.or(b).unwrap_or(DEFAULT_PROJECT),
        };
        for part in [project, name] {
            let wrong =
                |why| CliError::usage(format!("{text}: {part:?} is not a valid name: {why}"));
            args::name(part).map_err(wrong)?;
        }
        Ok(Self {
            project: project.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Pins, shows or clears a test's baseline.
///
/// # Errors
/// A run that is not there, is of another test or did not pass; what the store refuses.
pub async fn baseline(args: Args) -> Result<ExitCode> {
    let (test, place) = match &args.action {
        Action::Set { test, place, .. }
        | Action::Show { test, place, .. }
        | Action::Clear { test, place } => (test, place),
    };
    let test = Test::of(test, &place.project)?;
    let executions = Executions::open(&place.cloud, &test.only(), &place.out).await?;
    let stores = executions.stores();
    match &args.action {
        Action::Set { run, .. } => set(&executions, &test, run).await?,
        Action::Show { json, .. } => show(stores, &test, *json).await?,
        Action::Clear { .. } => clear(&executions, &test).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn who(executions: &Executions) -> String {
    match executions {
        Executions::Cloud { caller, .. } => caller.clone(),
        Executions::Local { .. } => trigger(|name| std::env::var(name).ok())
            .principal
            .unwrap_or_else(|| UNKNOWN_PRINCIPAL.into()),
    }
}

async fn set(executions: &Executions, test: &Test, run: &str) -> Result<()> {
    let (stores, by) = (executions.stores(), who(executions));
    let found = find_in(stores, Some(&test.project), run).await?;
    if found.test != test.name {
        let problem = format!(
            "execution {} is of the test {}, not of {}",
            found.id, found.test, test.name
        );
        return Err(CliError::Usage(problem.into()));
    }
    pin(stores, &found, &by, now_ms()).await?;
    // A runner may write no records.
    if executions.folder().is_some() {
        note_pin(stores, &found, &by, now_ms()).await?;
    }
    print(&format!(
        "runs of {}/{} with compare: pinned are compared with {} from now on\n",
        test.project, test.name, found.id
    ))
}

async fn show(stores: &Stores, test: &Test, json: bool) -> Result<()> {
    let pin = load_pin(stores, &test.project, &test.name).await?;
    if json {
        return print_json(&pin);
    }
    let name = format!("{}/{}", test.project, test.name);
    print(&match pin {
        Some(Pin {
            execution: Some(id),
            by,
            at_ms,
            ..
        }) => format!("{name}: {id}, pinned by {by}, {} UTC\n", utc_minute(at_ms)),
        Some(Pin { by, at_ms, .. }) => format!(
            "{name}: none; {by} took the pin away, {} UTC\n",
            utc_minute(at_ms)
        ),
        None => format!("{name}: none; pin a run with floodgate baseline set {name} RUN\n"),
    })
}

async fn clear(executions: &Executions, test: &Test) -> Result<()> {
    let (stores, by) = (executions.stores(), who(executions));
    let name = format!("{}/{}", test.project, test.name);
    let pin = load_pin(stores, &test.project, &test.name).await?;
    let Some(id) = pin.and_then(|pin| pin.execution) else {
        return print(&format!("{name} has no pinned run\n"));
    };
    unpin(stores, &test.project, &test.name, &by, now_ms()).await?;
    let run = stores.records.get(Some(&test.project), &id).await;
    if let (Some(_), Ok(Some(run))) = (executions.folder(), run) {
        note_unpin(stores, &run, &by, now_ms()).await?;
    }
    print(&format!("{name} has no pinned run any more; it was {id}\n"))
}
