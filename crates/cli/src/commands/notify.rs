//! `floodgate notify`: notifications that were not taken, and those of a run once more.

use crate::args::{EnvArgs, OutArgs, ProjectArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::local::open_existing;
use crate::notices::{Tried, again, courier, replay, warn};
use crate::output::{counted, print, print_json, say, say_damaged};
use clap::Subcommand;
use floodgate_control::{Stores, find_in};
use floodgate_notify::{BACKGROUND, Entry, Outbox};
use floodgate_report::format::utc_minute;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Arguments of `floodgate notify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with notifications.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List notifications that were not taken: those that are tried again, and dead letters
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
        /// Whose.
        #[command(flatten)]
        project: ProjectArgs,
        /// Where executions are kept.
        #[command(flatten)]
        out: OutArgs,
    },
    /// Try again now what was not taken, dead letters as well
    Retry {
        /// Only these: an execution's id, or the beginning of it, or a notification's [default: all]
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// Values of references.
        #[command(flatten)]
        env: EnvArgs,
        /// Whose.
        #[command(flatten)]
        project: ProjectArgs,
        /// Where executions are kept.
        #[command(flatten)]
        out: OutArgs,
    },
    /// Send the notifications of an execution's end once more, under the same ids
    Replay {
        /// The execution's id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
        /// Values of references.
        #[command(flatten)]
        env: EnvArgs,
        /// Whose.
        #[command(flatten)]
        project: ProjectArgs,
        /// Where executions are kept.
        #[command(flatten)]
        out: OutArgs,
    },
}

/// Lists, retries or replays.
///
/// # Errors
/// A folder that is not there, an id that nothing has, what the store refuses, and notifications that are still not taken.
pub async fn notify(args: Args) -> Result<ExitCode> {
    match args.action {
        Action::List { json, project, out } => {
            let (stores, _) = open_existing(&out.out)?;
            list(&entries(&stores, &project).await?, json)
        }
        Action::Retry {
            ids,
            env,
            project,
            out,
        } => {
            let env = Environment::new(&env, &out.out)?;
            let (stores, _) = open_existing(&out.out)?;
            let found = entries(&stores, &project).await?;
            retry(&stores, &out.out, &env, chosen(found, &ids)?).await
        }
        Action::Replay {
            id,
            env,
            project,
            out,
        } => {
            let env = Environment::new(&env, &out.out)?;
            let (stores, _) = open_existing(&out.out)?;
            let execution = find_in(&stores, project.project.as_deref(), &id).await?;
            if !execution.status.is_final() {
                let status = execution.status.as_str();
                let what = format!("execution {}", execution.id);
                return Err(CliError::run(
                    what,
                    format!("is {status}: it has not ended"),
                ));
            }
            let (all, told) = Box::pin(replay(&stores, &out.out, &env, &execution)).await?;
            warn(&told);
            concluded(all, told.len())
        }
    }
}

async fn entries(stores: &Stores, project: &ProjectArgs) -> Result<Vec<Entry>> {
    let outbox = Outbox::new(stores.objects.clone());
    let listed = outbox.list(project.project.as_deref()).await;
    let (entries, damaged) = listed.map_err(|error| CliError::run("notifications", error))?;
    say_damaged(&damaged);
    Ok(entries)
}

fn list(entries: &[Entry], json: bool) -> Result<ExitCode> {
    if json {
        print_json(&entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        say!("every notification was taken");
    }
    let mut lines = String::new();
    for entry in entries {
        let next = match entry.next_ms {
            Some(next) => format!("next try {} UTC", utc_minute(next)),
            None => "dead letter".to_owned(),
        };
        let tries = match entry.attempts {
            1 => "1 try".to_owned(),
            n => format!("{n} tries"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{}  {} {}  {}  {next}, {tries}: {}",
            entry.notice.id, entry.channel, entry.place, entry.notice.message.kind, entry.why
        );
    }
    print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

/// The entries that are meant.
fn chosen(entries: Vec<Entry>, ids: &[String]) -> Result<Vec<Entry>> {
    let is = |entry: &Entry, id: &String| {
        entry.notice.id == *id || entry.notice.message.data.execution.starts_with(id.as_str())
    };
    if let Some(unknown) = ids
        .iter()
        .find(|id| !entries.iter().any(|entry| is(entry, id)))
    {
        return Err(CliError::usage(format!(
            "no notification of {unknown:?} waits here; floodgate notify list shows those that do"
        )));
    }
    let mut entries = entries;
    entries.retain(|entry| ids.is_empty() || ids.iter().any(|id| is(entry, id)));
    Ok(entries)
}

async fn retry(
    stores: &Stores,
    root: &Path,
    env: &Environment,
    entries: Vec<Entry>,
) -> Result<ExitCode> {
    let courier = courier(BACKGROUND);
    let (all, mut left) = (entries.len(), 0);
    for entry in entries {
        // boxed: its future is large
        let Tried { entry, refusal } = Box::pin(again(stores, root, env, &courier, entry)).await?;
        if let Some(refusal) = refusal {
            left += 1;
            let (channel, place) = (&entry.channel, &entry.place);
            say!("warning: notification to {channel} {place} was not taken: {refusal}");
        }
    }
    concluded(all, left)
}

fn concluded(all: usize, left: usize) -> Result<ExitCode> {
    let sent = counted((all - left) as u64, "notification");
    print(&format!("{sent} sent\n"))?;
    match left {
        0 => Ok(ExitCode::SUCCESS),
        left => Err(CliError::run(
            "notifications",
            format!("{left} of {all} were not taken"),
        )),
    }
}
