//! `floodgate notify`: notifications that were not taken, and those of a run once more.

use crate::args::{EnvArgs, PlaceArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::notices::{again, courier, replay, warn};
use crate::output::{counted, print, print_json, say, say_damaged};
use crate::stores::Executions;
use clap::Subcommand;
use floodgate_control::{Stores, find_in};
use floodgate_notify::{Ask, Asked, BACKGROUND, Entry, Moment, Outbox};
use floodgate_records::execution::Execution;
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
        /// Whose, and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Try again now what was not taken, dead letters as well
    Retry {
        /// Only these: an execution's id, or the beginning of it, or a notification's [default: all]
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// Values of references.
        #[command(flatten)]
        env: EnvArgs,
        /// Whose, and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Send the notifications of an execution's end once more, under the same ids
    Replay {
        /// The execution's id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
        /// Values of references.
        #[command(flatten)]
        env: EnvArgs,
        /// Whose, and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// Lists, retries or replays. What waits in a stack is sent by the stack, which has the secrets: it is asked to.
///
/// # Errors
/// A folder that is not there, an id that nothing has, what the store refuses, and notifications that are still not taken.
pub async fn notify(args: Args) -> Result<ExitCode> {
    match args.action {
        Action::List { json, place } => {
            let found = open(&place).await?;
            list(&entries(found.stores(), &place).await?, json)
        }
        Action::Retry { ids, env, place } => {
            let env = Environment::new(&env, &place.out.out)?;
            let found = open(&place).await?;
            let stores = found.stores();
            let chosen = chosen(entries(stores, &place).await?, &ids)?;
            match found {
                Executions::Cloud { .. } => ask(stores, chosen.iter().map(again_later)).await,
                Executions::Local { .. } => retry(stores, &place.out.out, &env, chosen).await,
            }
        }
        Action::Replay { id, env, place } => {
            let env = Environment::new(&env, &place.out.out)?;
            let found = open(&place).await?;
            let stores = found.stores();
            let execution = ended(stores, &place, &id).await?;
            if let Executions::Cloud { .. } = found {
                return ask(stores, [end_of(&execution)]).await;
            }
            let (all, told) = Box::pin(replay(stores, &place.out.out, &env, &execution)).await?;
            warn(&told);
            concluded(all, told.len())
        }
    }
}

async fn open(place: &PlaceArgs) -> Result<Executions> {
    Executions::open(&place.cloud, &place.project, &place.out).await
}

async fn ended(stores: &Stores, place: &PlaceArgs, id: &str) -> Result<Execution> {
    let execution = find_in(stores, place.project.project.as_deref(), id).await?;
    if execution.status.is_final() {
        return Ok(execution);
    }
    let status = execution.status.as_str();
    let what = format!("execution {}", execution.id);
    Err(CliError::run(
        what,
        format!("is {status}: it has not ended"),
    ))
}

fn again_later(entry: &Entry) -> Ask {
    Ask {
        project: entry.project().to_owned(),
        what: Asked::Notice(entry.notice.id.clone()),
    }
}

fn end_of(execution: &Execution) -> Ask {
    Ask {
        project: execution.project.clone(),
        what: Asked::Moment {
            moment: Moment::Ended,
            execution: execution.id.clone(),
        },
    }
}

/// Asks the stack to send.
async fn ask(stores: &Stores, all: impl IntoIterator<Item = Ask>) -> Result<ExitCode> {
    let outbox = Outbox::new(stores.objects.clone());
    let mut asked = 0;
    for ask in all {
        let put = outbox.ask(&ask).await;
        put.map_err(|error| CliError::run("notifications", error))?;
        asked += 1;
    }
    if asked > 0 {
        print("asked for: a stack with notifications sends within 5 minutes\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn entries(stores: &Stores, place: &PlaceArgs) -> Result<Vec<Entry>> {
    let outbox = Outbox::new(stores.objects.clone());
    let listed = outbox.list(place.project.project.as_deref()).await;
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
            0 => "not tried yet".to_owned(),
            1 => format!("1 try: {}", entry.why),
            n => format!("{n} tries: {}", entry.why),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{}  {} {}  {}  {next}, {tries}",
            entry.notice.id, entry.channel, entry.place, entry.notice.message.kind
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
        if let Some(entry) = Box::pin(again(stores, root, env, &courier, entry)).await? {
            left += 1;
            let (channel, place, why) = (&entry.channel, &entry.place, &entry.why);
            say!("warning: notification to {channel} {place} was not taken: {why}");
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
