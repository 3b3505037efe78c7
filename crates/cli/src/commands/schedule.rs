//! `floodgate schedule`: runs that start by the clock while `floodgate serve` runs.

use crate::args::{DEFAULT_PROJECT, OutArgs, name};
use crate::clock::now_ms;
use crate::error::{CliError, Result};
use crate::local::open;
use crate::output::{print, print_json};
use crate::trigger::trigger;
use clap::Subcommand;
use floodgate_api::ShownSchedule;
use floodgate_control::schedules::{
    load_schedule, load_schedules, remove_schedule, save_schedule, times,
};
use floodgate_control::{Stores, UNKNOWN_PRINCIPAL};
use floodgate_records::schedule::{Overlap, Schedule};
use floodgate_records::word::Words as _;
use floodgate_report::format::utc;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Arguments of `floodgate schedule`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run a test by the clock
    Add(Box<AddArgs>),
    /// List the schedules of all projects, or of one
    List {
        /// Only those of this project
        #[arg(long, value_name = "NAME", value_parser = name)]
        project: Option<String>,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
        /// Where executions are kept.
        #[command(flatten)]
        out: OutArgs,
    },
    /// Show a schedule, its next times and what became of the last ones
    Show {
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the next times of a schedule
    Next {
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
        /// How many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        count: u16,
    },
    /// Let a schedule rest
    Pause {
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
    },
    /// Let a schedule start runs again; what was due meanwhile is left out
    Resume {
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
    },
    /// Remove a schedule; a run that it has started goes on
    Remove {
        /// Which.
        #[command(flatten)]
        which: WhichArgs,
    },
}

/// A schedule by its name.
#[derive(Clone, Debug, clap::Args)]
pub struct WhichArgs {
    /// The schedule, NAME or PROJECT/NAME
    #[arg(value_name = "SCHEDULE")]
    pub name: String,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
}

/// A schedule as written.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Which.
    #[command(flatten)]
    pub which: WhichArgs,
    /// cron(minute hour day month weekday year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)
    #[arg(value_name = "EXPRESSION")]
    pub expression: String,
    /// The test; it has run here before
    #[arg(long, value_name = "NAME")]
    pub test: String,
    /// Its version [default: that of its newest run]
    #[arg(long, value_name = "SHA256")]
    pub version: Option<String>,
    /// Time zone of the expression and of the windows
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,
    /// What becomes of a start while the last run goes on: skip, queue or replace
    #[arg(long, value_name = "POLICY", default_value = "skip", value_parser = overlap)]
    pub overlap: Overlap,
    /// Window in which nothing starts, such as "mon-fri 09:00-18:00"; repeatable
    #[arg(long, value_name = "WINDOW")]
    pub blackout: Vec<String>,
    /// Override a value of the definition; repeatable
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Set ${env:NAME}; it is kept with the schedule; repeatable
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE", value_parser = pair)]
    pub env: Vec<(String, String)>,
    /// Processes that share the load
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub generators: u32,
    /// Add it paused
    #[arg(long)]
    pub paused: bool,
    /// In place of one of the same name
    #[arg(long)]
    pub replace: bool,
}

fn overlap(text: &str) -> std::result::Result<Overlap, String> {
    Overlap::parse(text).ok_or_else(|| format!("one of {}", Overlap::WORDS.join(", ")))
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("no = in it")?;
    match name.is_empty() {
        true => Err("no name before the =".into()),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

/// Does it.
///
/// # Errors
/// A schedule that is none or not there; what the store refuses.
pub async fn schedule(args: Args) -> Result<ExitCode> {
    match args.action {
        Action::Add(args) => add(*args).await?,
        Action::List { project, json, out } => list(project.as_deref(), json, &out).await?,
        Action::Show { which, json } => show(&which, json).await?,
        Action::Next { which, count } => next(&which, usize::from(count)).await?,
        Action::Pause { which } => rest(&which, true).await?,
        Action::Resume { which } => rest(&which, false).await?,
        Action::Remove { which } => remove(&which).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a schedule lies.
struct Place<'a> {
    stores: Stores,
    project: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn of(which: &'a WhichArgs) -> Result<Self> {
        let (project, plain) = match which.name.split_once('/') {
            Some((project, plain)) => (project, plain),
            None => (DEFAULT_PROJECT, which.name.as_str()),
        };
        for part in [project, plain] {
            let wrong = |why| {
                CliError::usage(format!(
                    "{}: {part:?} is not a valid name: {why}",
                    which.name
                ))
            };
            name(part).map_err(wrong)?;
        }
        Ok(Self {
            stores: open(&which.out.out)?.0,
            project,
            name: plain,
        })
    }

    async fn find(&self) -> Result<Schedule> {
        let found = load_schedule(&self.stores, self.project, self.name).await?;
        found.ok_or_else(|| {
            let problem = format!(
                "there is no schedule {}/{}; floodgate schedule list shows those that there are",
                self.project, self.name
            );
            CliError::Usage(problem.into())
        })
    }
}

fn who() -> String {
    let by = trigger(|name| std::env::var(name).ok()).principal;
    by.unwrap_or_else(|| UNKNOWN_PRINCIPAL.into())
}

async fn add(args: AddArgs) -> Result<()> {
    let place = Place::of(&args.which)?;
    let before = load_schedule(&place.stores, place.project, place.name).await?;
    if before.is_some() && !args.replace {
        let name = &args.which.name;
        let problem = format!("schedule {name} is there already; --replace writes it anew");
        return Err(CliError::Usage(problem.into()));
    }
    let now_ms = now_ms();
    let map = |pairs: Vec<(String, String)>| pairs.into_iter().collect::<BTreeMap<_, _>>();
    let schedule = Schedule {
        schema: Schedule::SCHEMA,
        name: place.name.to_owned(),
        project: place.project.to_owned(),
        test: args.test,
        version: args.version,
        parameters: map(args.set),
        environment: map(args.env),
        generators: args.generators,
        expression: args.expression,
        timezone: args.timezone,
        overlap: args.overlap,
        blackouts: args.blackout,
        paused: args.paused,
        by: who(),
        by_is: Default::default(),
        created_ms: before.map_or(now_ms, |before| before.created_ms),
        changed_ms: now_ms,
    };
    save_schedule(&place.stores, &schedule, &schedule.by).await?;
    let shown = ShownSchedule::of(&place.stores, schedule, now_ms).await?;
    print(&text(&shown))?;
    print("  floodgate serve starts its runs while it runs\n")
}

async fn list(project: Option<&str>, json: bool, out: &OutArgs) -> Result<()> {
    let (stores, _) = open(&out.out)?;
    let mut all = Vec::new();
    for schedule in load_schedules(&stores, project).await? {
        all.push(ShownSchedule::of(&stores, schedule, now_ms()).await?);
    }
    if json {
        return print_json(&all);
    }
    let mut lines = String::new();
    for shown in &all {
        let Schedule {
            project,
            name,
            test,
            expression,
            timezone,
            ..
        } = &shown.schedule;
        let next = next_of(shown);
        let _ = writeln!(
            lines,
            "{project}/{name}: {test}, {expression} {timezone}, {next}"
        );
    }
    print(&lines)
}

/// When it is due next, in a word.
fn next_of(shown: &ShownSchedule) -> String {
    match (&shown.problem, shown.next_ms.first()) {
        (Some(problem), _) => format!("never: {problem}"),
        (None, _) if shown.schedule.paused => "paused".to_owned(),
        (None, Some(next)) => format!("next {}", utc(*next)),
        (None, None) => "never again".to_owned(),
    }
}

fn text(shown: &ShownSchedule) -> String {
    let schedule = &shown.schedule;
    let mut text = format!(
        "{}/{}: {}, {} {}\n  {}\n",
        schedule.project,
        schedule.name,
        schedule.test,
        schedule.expression,
        schedule.timezone,
        next_of(shown)
    );
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "  {what}: {value}");
    };
    line("while its last run goes on", schedule.overlap.as_str());
    for window in &schedule.blackouts {
        line("nothing starts", window);
    }
    for (path, value) in &schedule.parameters {
        line("set", &format!("{path}={value}"));
    }
    if let Some(due) = shown.waiting_ms {
        line("waits since", &utc(due));
    }
    for start in &shown.last {
        let what = match (&start.execution, &start.why) {
            (Some(id), _) => id.clone(),
            (None, why) => format!("left out: {}", why.as_deref().unwrap_or("for no reason")),
        };
        line(&utc(start.due_ms), &what);
    }
    text
}

async fn show(which: &WhichArgs, json: bool) -> Result<()> {
    let place = Place::of(which)?;
    let shown = ShownSchedule::of(&place.stores, place.find().await?, now_ms()).await?;
    match json {
        true => print_json(&shown),
        false => print(&text(&shown)),
    }
}

async fn next(which: &WhichArgs, count: usize) -> Result<()> {
    let schedule = Place::of(which)?.find().await?;
    let times = times(&schedule)?;
    let mut at_ms = now_ms();
    for _ in 0..count {
        let Some(next) = times.table.next_after(at_ms) else {
            break;
        };
        let window = times.blackouts.at(next);
        let window = window.map(|window| format!("  left out: {window}"));
        print(&format!("{}{}\n", utc(next), window.unwrap_or_default()))?;
        at_ms = next;
    }
    Ok(())
}

async fn rest(which: &WhichArgs, paused: bool) -> Result<()> {
    let place = Place::of(which)?;
    let schedule = place.find().await?;
    let schedule = Schedule {
        paused,
        by: who(),
        by_is: Default::default(),
        changed_ms: now_ms(),
        ..schedule
    };
    save_schedule(&place.stores, &schedule, &schedule.by).await?;
    let shown = ShownSchedule::of(&place.stores, schedule, now_ms()).await?;
    print(&format!(
        "{}/{}: {}\n",
        place.project,
        place.name,
        next_of(&shown)
    ))
}

async fn remove(which: &WhichArgs) -> Result<()> {
    let place = Place::of(which)?;
    place.find().await?;
    let by = who();
    remove_schedule(&place.stores, place.project, place.name, &by, now_ms()).await?;
    print(&format!(
        "{}/{} starts nothing any more\n",
        place.project, place.name
    ))
}
