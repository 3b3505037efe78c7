//! `floodgate budget`: what a project's runs may cost, what they have cost, and the switch that lets nothing start.

use crate::args::{CloudArgs, DEFAULT_PROJECT, OutArgs, PlaceArgs, name};
use crate::clock::now_ms;
use crate::cloud::connect;
use crate::error::{CliError, Result};
use crate::local::open;
use crate::output::{print, print_json};
use crate::trigger::trigger;
use clap::Subcommand;
use floodgate_api::BudgetState;
use floodgate_control::budget::{
    load_budget, load_halt, note_budget, note_halt, set_budget, set_halt, stop_all,
};
use floodgate_control::{Stores, Trail, UNKNOWN_PRINCIPAL};
use floodgate_records::budget::{Caps, month_of};
use floodgate_report::format::{number, plural, utc_minute};
use std::fmt::Write as _;
use std::process::ExitCode;

/// No budget is larger, in US dollars or VU hours.
const MOST: f64 = 1e9;

/// Arguments of `floodgate budget`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show a project's budget, and what its runs of a month have cost
    Show {
        /// A calendar month (UTC) [default: this one]
        #[arg(long, value_name = "YYYYMM", value_parser = month)]
        month: Option<String>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Set what runs may cost; a bound that is not given stays
    Set {
        /// Bounds.
        #[command(flatten)]
        bounds: BoundArgs,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Take all bounds away
    Clear {
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Let nothing start any more, in a project or at all
    Halt {
        /// Whose switch.
        #[command(flatten)]
        switch: SwitchArgs,
        /// Why, for whoever is refused
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        /// Also stop the runs that go on
        #[arg(long)]
        stop_runs: bool,
    },
    /// Let runs start again
    Resume {
        /// Whose switch.
        #[command(flatten)]
        switch: SwitchArgs,
    },
}

/// Bounds as written.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct BoundArgs {
    /// US dollars of a run, or none
    #[arg(long, value_name = "USD", value_parser = bound)]
    pub run_usd: Option<Bound>,
    /// VU hours of a run, or none
    #[arg(long, value_name = "HOURS", value_parser = bound)]
    pub run_vu_hours: Option<Bound>,
    /// US dollars of a calendar month (UTC), or none
    #[arg(long, value_name = "USD", value_parser = bound)]
    pub month_usd: Option<Bound>,
    /// VU hours of a calendar month (UTC), or none
    #[arg(long, value_name = "HOURS", value_parser = bound)]
    pub month_vu_hours: Option<Bound>,
}

/// Whose switch, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct SwitchArgs {
    /// Everything, not one project
    #[arg(long, conflicts_with = "project")]
    pub all: bool,
    /// The project
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub project: Option<String>,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where they run.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// A bound, or that there is to be none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound(Option<f64>);

fn bound(text: &str) -> std::result::Result<Bound, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    let number = text.parse().ok().filter(|n| (0.0..=MOST).contains(n));
    let told = || format!("not a number from 0 to {MOST}, or none");
    number.map(|n| Bound(Some(n))).ok_or_else(told)
}

fn month(text: &str) -> std::result::Result<String, String> {
    let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
    match digits && ("01"..="12").contains(&&text[4..]) {
        true => Ok(text.to_owned()),
        false => Err("not a month; write 202611".to_owned()),
    }
}

impl BoundArgs {
    /// What stands, with these in place.
    fn over(self, (run, month): (Caps, Caps)) -> (Caps, Caps) {
        let or = |given: Option<Bound>, stands| given.map_or(stands, |Bound(given)| given);
        let run = Caps {
            usd: or(self.run_usd, run.usd),
            vu_hours: or(self.run_vu_hours, run.vu_hours),
        };
        let month = Caps {
            usd: or(self.month_usd, month.usd),
            vu_hours: or(self.month_vu_hours, month.vu_hours),
        };
        (run, month)
    }
}

/// Where a budget lies, and who asks.
struct Place {
    stores: Stores,
    by: String,
    /// Who writes the audit trail: nobody here may in the cloud.
    trail: Trail,
}

impl Place {
    async fn open(cloud: &CloudArgs, project: Option<&str>, out: &OutArgs) -> Result<Self> {
        if cloud.cloud {
            let cloud = connect(cloud, project, &out.out).await?;
            return Ok(Self {
                stores: cloud.stores,
                by: cloud.caller,
                trail: Trail::AtTheEnd,
            });
        }
        let by = trigger(|name| std::env::var(name).ok()).principal;
        Ok(Self {
            stores: open(&out.out)?.0,
            by: by.unwrap_or_else(|| UNKNOWN_PRINCIPAL.into()),
            trail: Trail::Here,
        })
    }
}

/// Shows, sets or clears a budget; turns the switch.
///
/// # Errors
/// A stack that cannot be reached; what the store refuses.
pub async fn budget(args: Args) -> Result<ExitCode> {
    match args.action {
        Action::Show { month, json, place } => show(&place, month, json).await?,
        Action::Set { bounds, place } => set(&place, |stands| bounds.over(stands)).await?,
        Action::Clear { place } => set(&place, |_| Default::default()).await?,
        Action::Halt {
            switch,
            why,
            stop_runs,
        } => turn(&switch, (true, why), stop_runs).await?,
        Action::Resume { switch } => turn(&switch, (false, None), false).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn project(place: &PlaceArgs) -> &str {
    place.project.project.as_deref().unwrap_or(DEFAULT_PROJECT)
}

async fn show(place: &PlaceArgs, month: Option<String>, json: bool) -> Result<()> {
    let project = project(place);
    let at = Place::open(&place.cloud, Some(project), &place.out).await?;
    let month = month.unwrap_or_else(|| month_of(now_ms()));
    let state = BudgetState::load(&at.stores, project, &month).await?;
    match json {
        true => print_json(&state),
        false => print(&table(&state)),
    }
}

async fn set(place: &PlaceArgs, change: impl FnOnce((Caps, Caps)) -> (Caps, Caps)) -> Result<()> {
    let project = project(place);
    let at = Place::open(&place.cloud, Some(project), &place.out).await?;
    let stands = load_budget(&at.stores, project).await?;
    let stands = stands.map(|budget| (budget.run, budget.month));
    let caps = change(stands.unwrap_or_default());
    let budget = set_budget(&at.stores, project, caps, &at.by, now_ms()).await?;
    if at.trail == Trail::Here {
        note_budget(&at.stores, project, &budget, &at.by).await?;
    }
    let month = month_of(now_ms());
    let state = BudgetState::load(&at.stores, project, &month).await?;
    print(&table(&state))
}

async fn turn(args: &SwitchArgs, wanted: (bool, Option<String>), stop_runs: bool) -> Result<()> {
    let project = match args.all {
        true => None,
        false => Some(args.project.as_deref().unwrap_or(DEFAULT_PROJECT)),
    };
    let at = Place::open(&args.cloud, project, &args.out).await?;
    let halted = wanted.0;
    if let Some(why) = wanted
        .1
        .as_ref()
        .filter(|why| why.chars().any(char::is_control))
    {
        let problem = format!("--why {why:?} has a control character in it; write one line");
        return Err(CliError::Usage(problem.into()));
    }
    let of = project.map_or("all projects".to_owned(), |name| format!("project {name}"));
    let stands = load_halt(&at.stores, project).await?;
    let before = stands.is_some_and(|halt| halt.halted);
    if halted || before {
        let halt = set_halt(&at.stores, project, wanted, &at.by, now_ms()).await?;
        if at.trail == Trail::Here {
            note_halt(&at.stores, project, &halt, &at.by).await?;
        }
    }
    print(&match (halted, before) {
        (true, _) => format!("{of}: nothing starts from now on\n"),
        (false, true) => format!("{of}: runs may start again\n"),
        (false, false) => format!("{of}: was not halted\n"),
    })?;
    if !stop_runs {
        return Ok(());
    }
    let stopped = stop_all(&at.stores, project, &at.by, at.trail, now_ms()).await?;
    for id in &stopped {
        print(&format!("{id} was told to stop\n"))?;
    }
    print(&format!(
        "{}\n",
        plural(stopped.len() as u64, "run") + " told to stop"
    ))
}

fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

fn hours(hours: f64) -> String {
    number(hours, 4)
}

/// As a person reads it.
fn table(state: &BudgetState) -> String {
    let mut text = format!(
        "project {}, {}-{} (UTC)\n",
        state.project,
        &state.month[..4],
        &state.month[4..]
    );
    let mut row = |cells: [&str; 6]| {
        let [what, a_run, a_month, spent, held, left] = cells;
        let _ = writeln!(
            text,
            "  {what:<9} {a_run:>10} {a_month:>10} {spent:>10} {held:>10} {left:>10}"
        );
    };
    row(["", "a run", "a month", "spent", "held", "left"]);
    let or = |bound: Option<f64>, show: fn(f64) -> String| bound.map_or("any".into(), show);
    let (run, month, left) = (&state.a_run, &state.a_month, &state.left);
    row([
        "money",
        &or(run.usd, dollars),
        &or(month.usd, dollars),
        &dollars(state.spent.usd),
        &dollars(state.held.usd),
        &or(left.usd, dollars),
    ]);
    row([
        "VU hours",
        &or(run.vu_hours, hours),
        &or(month.vu_hours, hours),
        &hours(state.spent.vu_hours),
        &hours(state.held.vu_hours),
        &or(left.vu_hours, hours),
    ]);
    for run in &state.runs {
        let _ = writeln!(
            text,
            "  held by {}: {}, {} VU hours",
            run.execution,
            dollars(run.usd),
            hours(run.vu_hours)
        );
    }
    if let (Some(by), Some(at_ms)) = (&state.by, state.at_ms) {
        let _ = writeln!(text, "  set by {by}, {} UTC", utc_minute(at_ms));
    }
    if let Some(halted) = &state.halted {
        let of = if halted.all { "in any project" } else { "here" };
        let why = halted.why.as_ref().map(|why| format!(": {why}"));
        let _ = writeln!(
            text,
            "  nothing starts {of}: halted by {}, {} UTC{}",
            halted.by,
            utc_minute(halted.at_ms),
            why.unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_api::{Bounds, Halted, Holder, Taken};

    #[test]
    fn bounds_are_numbers_or_none_and_what_is_not_given_stays() {
        assert_eq!(bound("2.5"), Ok(Bound(Some(2.5))));
        assert_eq!(bound("none"), Ok(Bound(None)));
        for bad in ["", "-1", "NaN", "inf", "1e10", "$5"] {
            assert!(bound(bad).unwrap_err().contains("or none"), "{bad}");
        }
        for bad in ["2026", "202613", "2026-1"] {
            assert!(month(bad).is_err(), "{bad}");
        }
        let given = BoundArgs {
            run_usd: Some(Bound(Some(2.0))),
            run_vu_hours: None,
            month_usd: Some(Bound(None)),
            month_vu_hours: None,
        };
        let stands = Caps {
            usd: Some(9.0),
            vu_hours: Some(8.0),
        };
        let (run, month) = given.over((stands, stands));
        assert_eq!((run.usd, run.vu_hours), (Some(2.0), Some(8.0)));
        assert_eq!((month.usd, month.vu_hours), (None, Some(8.0)));
    }

    #[test]
    fn what_stands_is_a_table() {
        let state = BudgetState {
            project: "shop".into(),
            month: "202611".into(),
            a_run: Bounds {
                usd: Some(5.0),
                vu_hours: None,
            },
            a_month: Bounds {
                usd: Some(100.0),
                vu_hours: Some(50.0),
            },
            spent: Taken {
                usd: 12.345,
                vu_hours: 4.25,
            },
            held: Taken {
                usd: 3.0,
                vu_hours: 0.5,
            },
            left: Bounds {
                usd: Some(84.66),
                vu_hours: Some(45.25),
            },
            runs: vec![Holder {
                execution: "01JD7Q3W5Z8X9Y0A1B2C3D4E5F".into(),
                usd: 3.0,
                vu_hours: 0.5,
            }],
            halted: Some(Halted {
                all: false,
                why: Some("the bill".into()),
                by: "ann".into(),
                at_ms: 1_700_000_000_000,
            }),
            by: Some("ann".into()),
            at_ms: Some(1_700_000_000_000),
        };
        insta::assert_snapshot!(table(&state));
    }
}
