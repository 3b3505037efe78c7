//! What a project's runs may cost, what they have cost, and the switch that lets nothing start.

use crate::caller::Caller;
use crate::extract::{Body, Path, Query};
use crate::problem::{BodyRefusals, Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use floodgate_control::budget::{
    Standing, note_budget, note_halt, set_budget, set_halt, standing_in, stop_all,
};
use floodgate_control::{Stores, Trail};
use floodgate_policy::Action;
use floodgate_records::budget::{Amount, Caps, Halt, month_of};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Of a bound at most: no sum of all months comes near.
const MOST: f64 = 1e9;
/// Characters of a reason at most.
const LONGEST_WHY: usize = 500;

/// Bounds; `null`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// US dollars.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub usd: Option<f64>,
    /// VU hours.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub vu_hours: Option<f64>,
}

/// Money and load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Taken {
    /// US dollars.
    pub usd: f64,
    /// VU hours.
    pub vu_hours: f64,
}

/// A run that holds something until its cost is known.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Holder {
    /// Its id.
    pub execution: String,
    /// What it may cost, US dollars.
    pub usd: f64,
    /// What it may cost, VU hours.
    pub vu_hours: f64,
}

/// A switch that lets nothing start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Halted {
    /// Whether it is that of all projects.
    pub all: bool,
    /// Why.
    pub why: Option<String>,
    /// Who turned it.
    pub by: String,
    /// When, Unix ms.
    pub at_ms: i64,
}

/// What a project's runs may cost, and what those that started in a month have cost. Where the stack's operator bounds the project, too, the
/// tighter bound counts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BudgetState {
    /// The project.
    pub project: String,
    /// The month (UTC), such as `202611`.
    pub month: String,
    /// What a run may cost.
    pub a_run: Bounds,
    /// What all runs of a month may cost.
    pub a_month: Bounds,
    /// What ended runs have cost.
    pub spent: Taken,
    /// What runs hold that go on.
    pub held: Taken,
    /// What is left of the month.
    pub left: Bounds,
    /// The runs that hold something.
    pub runs: Vec<Holder>,
    /// Why nothing starts; `null` if runs may.
    pub halted: Option<Halted>,
    /// Who set the bounds; `null` if nobody ever did.
    pub by: Option<String>,
    /// When, Unix ms.
    pub at_ms: Option<i64>,
}

impl From<Bounds> for Caps {
    fn from(Bounds { usd, vu_hours }: Bounds) -> Self {
        Self { usd, vu_hours }
    }
}

impl From<Caps> for Bounds {
    fn from(Caps { usd, vu_hours }: Caps) -> Self {
        Self { usd, vu_hours }
    }
}

impl From<Amount> for Taken {
    fn from(amount: Amount) -> Self {
        Self {
            usd: amount.usd(),
            vu_hours: amount.vu_hours(),
        }
    }
}

impl BudgetState {
    /// How things stand in a project.
    pub fn of(project: &str, month: &str, standing: Standing) -> Self {
        let Standing {
            budget,
            halt,
            halt_of_all,
            account,
        } = standing;
        let (by, at_ms) = (
            budget.as_ref().map(|budget| budget.by.clone()),
            budget.as_ref().map(|budget| budget.at_ms),
        );
        let (run, of_month) = budget.map(|b| (b.run, b.month)).unwrap_or_default();
        let halted = |halt: Option<Halt>, all: bool| {
            let Halt { why, by, at_ms, .. } = halt.filter(|halt| halt.halted)?;
            Some(Halted {
                all,
                why,
                by,
                at_ms,
            })
        };
        let taken = Taken::from(account.total);
        let left = |most: Option<f64>, taken: f64| most.map(|most| (most - taken).max(0.0));
        let holder = |(execution, held): (&String, &floodgate_records::budget::Reservation)| {
            let Taken { usd, vu_hours } = held.amount.into();
            Holder {
                execution: execution.clone(),
                usd,
                vu_hours,
            }
        };
        Self {
            project: project.to_owned(),
            month: month.to_owned(),
            a_run: run.into(),
            a_month: of_month.into(),
            spent: account.spent().into(),
            held: account.reserved().into(),
            left: Bounds {
                usd: left(of_month.usd, taken.usd),
                vu_hours: left(of_month.vu_hours, taken.vu_hours),
            },
            runs: account.open.iter().map(holder).collect(),
            halted: halted(halt_of_all, true).or_else(|| halted(halt, false)),
            by,
            at_ms,
        }
    }

    /// The same, read.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn load(
        stores: &Stores,
        project: &str,
        month: &str,
    ) -> floodgate_control::Result<Self> {
        let standing = standing_in(stores, project, month).await?;
        Ok(Self::of(project, month, standing))
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Month {
    /// A calendar month (UTC), `202611`; this one if nothing is said.
    #[param(pattern = "^[0-9]{4}(0[1-9]|1[0-2])$")]
    month: Option<String>,
}

impl Month {
    fn name(self, now_ms: i64) -> Result<String, Problem> {
        let Some(month) = self.month else {
            return Ok(month_of(now_ms));
        };
        let digits = month.len() == 6 && month.bytes().all(|b| b.is_ascii_digit());
        match digits && ("01"..="12").contains(&&month[4..]) {
            true => Ok(month),
            false => Err(Problem::bad(format!(
                "month: {month:?} is not a valid month; write 202611"
            ))),
        }
    }
}

/// What the runs of a project may cost from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBudget {
    /// A run.
    #[serde(default)]
    a_run: Bounds,
    /// All runs of a calendar month (UTC).
    #[serde(default)]
    a_month: Bounds,
}

/// How the switch is to stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// Whether nothing starts.
    halted: bool,
    /// Why, for whoever is refused; up to 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    why: Option<String>,
    /// Whether runs that go on are told to stop.
    #[serde(default)]
    stop_runs: bool,
}

/// Shows what a project's runs may cost, and what those of a month have cost.
#[utoipa::path(get, path = "/v1/projects/{project}/budget", operation_id = "readBudget", tag = "projects",
    params(("project" = String, Path), Month), responses((status = 200, body = BudgetState), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Query(month): Query<Month>,
) -> Result<Json<BudgetState>, Problem> {
    caller.may(Action::ReadSpend, &project)?;
    let month = month.name((service.now_ms)())?;
    Ok(Json(
        BudgetState::load(&service.stores, &project, &month).await?,
    ))
}

/// Sets what a project's runs may cost; what is not said has no bound. Runs that go on keep what they hold.
#[utoipa::path(put, path = "/v1/projects/{project}/budget", operation_id = "setBudget", tag = "projects",
    params(("project" = String, Path)), request_body = NewBudget,
    responses((status = 200, body = BudgetState), Refusals, BodyRefusals), security(("token" = ["admin"])))]
pub(crate) async fn set(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Body(wanted): Body<NewBudget>,
) -> Result<Json<BudgetState>, Problem> {
    caller.may(Action::ChangeBudgets, &project)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    let caps = (
        wanted.a_run.checked("a_run")?,
        wanted.a_month.checked("a_month")?,
    );
    let budget = set_budget(stores, &project, caps, &caller.name, now_ms).await?;
    if service.trail == Trail::Here {
        note_budget(stores, &project, &budget, caller.who()).await?;
    }
    let month = month_of(now_ms);
    Ok(Json(BudgetState::load(stores, &project, &month).await?))
}

/// Turns the switch of a project: while it is on nothing starts.
#[utoipa::path(put, path = "/v1/projects/{project}/halt", operation_id = "halt", tag = "projects",
    params(("project" = String, Path)), request_body = Switch,
    responses((status = 200, body = BudgetState), Refusals, BodyRefusals), security(("token" = ["admin"])))]
pub(crate) async fn halt(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    Body(switch): Body<Switch>,
) -> Result<Json<BudgetState>, Problem> {
    caller.may(Action::ChangeBudgets, &project)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    let why = switch.why.filter(|why| !why.is_empty());
    let long =
        |why: &String| why.chars().count() > LONGEST_WHY || why.chars().any(char::is_control);
    if why.as_ref().is_some_and(long) {
        let told = format!("why: one line of up to {LONGEST_WHY} characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, told));
    }
    let wanted = (switch.halted, why);
    let halt = set_halt(stores, Some(&project), wanted, &caller.name, now_ms).await?;
    if service.trail == Trail::Here {
        note_halt(stores, Some(&project), &halt, caller.who()).await?;
    }
    if switch.halted && switch.stop_runs {
        stop_all(stores, Some(&project), caller.who(), service.trail, now_ms).await?;
    }
    let month = month_of(now_ms);
    Ok(Json(BudgetState::load(stores, &project, &month).await?))
}

impl Bounds {
    fn checked(self, place: &str) -> Result<Caps, Problem> {
        for (name, bound) in [("usd", self.usd), ("vu_hours", self.vu_hours)] {
            if let Some(bound) = bound.filter(|bound| !(0.0..=MOST).contains(bound)) {
                let told =
                    format!("{place}.{name}: {bound} is not a valid bound; from 0 to {MOST}");
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, told));
            }
        }
        Ok(self.into())
    }
}
