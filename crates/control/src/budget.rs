//! What runs may cost: held before a run starts, settled when it has ended.
//!
//! A run holds what it may come to from before its record is created. Whatever ends its record settles that ([`settle`]): [`crate::finish()`],
//! [`crate::give_up()`], and whoever meets a run that was left. Where that was cut off, the next run that finds no room looks after what is
//! held and lets go of what has ended.

use crate::audit::{Who, note};
use crate::error::Result;
use crate::json;
use crate::stop::{Trail, stop_by_person};
use crate::stores::Stores;
use floodgate_policy::budget::{Allowance, Demand, full, has_room, may_cost, may_start};
use floodgate_records::audit::Action;
use floodgate_records::budget::{Account, Amount, Budget, Caps, Halt, Reservation, month_of};
use floodgate_records::cost::Cost;
use floodgate_records::execution::Execution;
use floodgate_records::keys;
use floodgate_records::plan::PlannedLoad;
use floodgate_store::Reserved;

/// How long a run may hold something without a record: it is created right after, or by a retry.
const UNRECORDED_MS: i64 = 15 * 60_000;
/// The newest runs, among which those are that go on.
const LOOKED_THROUGH: usize = 1_000;
/// The trail of what is done to all projects at once. No project has a low line in its name.
pub const ALL_PROJECTS: &str = "_all";

/// How things stand in a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// What was set, if anything was.
    pub budget: Option<Budget>,
    /// Its kill switch, if it was ever turned.
    pub halt: Option<Halt>,
    /// That of everything.
    pub halt_of_all: Option<Halt>,
    /// This month's account.
    pub account: Account,
}

/// What a run may come to: VUs for as long as it is planned, and its estimate.
pub fn demand(load: &PlannedLoad, cost: Option<&Cost>) -> Demand {
    let usd = cost.and_then(|cost| cost.estimate_usd).unwrap_or_default();
    Demand {
        amount: Amount::new(usd, vu_seconds(load.max_vus, load.duration_ms)),
        knows_vus: load.max_vus > 0,
    }
}

/// Rounded up.
fn vu_seconds(vus: u64, ms: u64) -> u64 {
    vus.saturating_mul(ms).div_ceil(1_000)
}

/// What a project's runs may cost, as it was set last.
///
/// # Errors
/// What the store refuses, and a budget that cannot be read: nothing starts on a guess.
pub async fn load_budget(stores: &Stores, project: &str) -> Result<Option<Budget>> {
    Ok(json::get(stores.objects.as_ref(), &keys::budget(project)).await?)
}

/// The kill switch of a project, or of everything.
///
/// # Errors
/// As for [`load_budget`].
pub async fn load_halt(stores: &Stores, project: Option<&str>) -> Result<Option<Halt>> {
    Ok(json::get(stores.objects.as_ref(), &keys::halt(project)).await?)
}

/// How things stand in a project in a month, such as `202611`.
///
/// # Errors
/// As for [`load_budget`].
pub async fn standing_in(stores: &Stores, project: &str, month: &str) -> Result<Standing> {
    let records = &stores.records;
    Ok(Standing {
        budget: load_budget(stores, project).await?,
        halt: load_halt(stores, Some(project)).await?,
        halt_of_all: load_halt(stores, None).await?,
        account: records.account(project, month).await?,
    })
}

/// Sets what a project's runs may cost. Runs that go on keep what they hold.
///
/// # Errors
/// What the store refuses.
pub async fn set_budget(
    stores: &Stores,
    project: &str,
    (run, month): (Caps, Caps),
    by: &str,
    now_ms: i64,
) -> Result<Budget> {
    let budget = Budget {
        schema: Budget::SCHEMA,
        run,
        month,
        by: by.to_owned(),
        at_ms: now_ms,
    };
    let key = keys::budget(project);
    let bytes = json::bytes(&key, &budget)?;
    stores.objects.put(&key, bytes).await?;
    Ok(budget)
}

/// Notes in the audit trail what a budget was set to. Apart from [`set_budget`]: whoever may set one in the cloud may not write records.
///
/// # Errors
/// What the store refuses.
pub async fn note_budget(
    stores: &Stores,
    project: &str,
    budget: &Budget,
    by: impl Into<Who<'_>>,
) -> Result<()> {
    let outcome = format!(
        "a run: {}; a month: {}",
        sentence(budget.run),
        sentence(budget.month)
    );
    note(
        stores,
        project,
        by,
        Action::SetBudget,
        &outcome,
        budget.at_ms,
    )
    .await
}

fn sentence(caps: Caps) -> String {
    let usd = caps.usd.map(|usd| format!("${usd}"));
    let hours = caps.vu_hours.map(|hours| format!("{hours} VU hours"));
    let both: Vec<String> = usd.into_iter().chain(hours).collect();
    match both.is_empty() {
        true => "no limit".to_owned(),
        false => both.join(" and "),
    }
}

/// Turns the kill switch of a project, or of everything: while it is on nothing starts. What runs goes on.
///
/// # Errors
/// What the store refuses.
pub async fn set_halt(
    stores: &Stores,
    project: Option<&str>,
    (halted, why): (bool, Option<String>),
    by: &str,
    now_ms: i64,
) -> Result<Halt> {
    let halt = Halt {
        schema: Halt::SCHEMA,
        halted,
        why,
        by: by.to_owned(),
        at_ms: now_ms,
    };
    let key = keys::halt(project);
    let bytes = json::bytes(&key, &halt)?;
    stores.objects.put(&key, bytes).await?;
    Ok(halt)
}

/// Notes in the audit trail how a kill switch was turned; that of everything in a trail of its own, [`ALL_PROJECTS`].
///
/// # Errors
/// What the store refuses.
pub async fn note_halt(
    stores: &Stores,
    project: Option<&str>,
    halt: &Halt,
    by: impl Into<Who<'_>>,
) -> Result<()> {
    let action = match halt.halted {
        true => Action::Halt,
        false => Action::Resume,
    };
    let outcome = halt.why.clone().unwrap_or_default();
    let project = project.unwrap_or(ALL_PROJECTS);
    note(stores, project, by, action, &outcome, halt.at_ms).await
}

/// Orders all runs to stop that go on, of one project if it is given, in the name of a person; returns their ids.
///
/// # Errors
/// What the store refuses. Then it can be said again.
pub async fn stop_all(
    stores: &Stores,
    project: Option<&str>,
    by: impl Into<Who<'_>>,
    trail: Trail,
    now_ms: i64,
) -> Result<Vec<String>> {
    let by = by.into();
    let listed = stores.records.list(project, None, LOOKED_THROUGH).await?;
    let mut stopped = Vec::new();
    for run in listed.runs.into_iter().filter(|run| !run.status.is_final()) {
        stop_by_person(stores, &run, by, trail, now_ms).await?;
        stopped.push(run.id);
    }
    Ok(stopped)
}

/// Whether a run may start that asks for this, as things stand: what is allowed to it, by its project's budget and by `ceiling`. Nothing is
/// held yet, so that it may be refused all the same.
///
/// # Errors
/// [`crate::ControlError::OverBudget`], and as for [`load_budget`].
pub async fn admit(
    stores: &Stores,
    project: &str,
    demand: &Demand,
    ceiling: &Allowance,
    now_ms: i64,
) -> Result<()> {
    let allowed = allowed(stores, project, demand, ceiling).await?;
    let account = stores.records.account(project, &month_of(now_ms)).await?;
    Ok(has_room(project, demand, &allowed, &account)?)
}

/// Whether neither the switch of the project nor that of everything is on.
///
/// # Errors
/// As for [`admit`].
pub async fn not_halted(stores: &Stores, project: &str) -> Result<()> {
    let of_all = load_halt(stores, None).await?;
    let own = load_halt(stores, Some(project)).await?;
    Ok(may_start(project, own.as_ref(), of_all.as_ref())?)
}

async fn allowed(
    stores: &Stores,
    project: &str,
    demand: &Demand,
    ceiling: &Allowance,
) -> Result<Allowance> {
    not_halted(stores, project).await?;
    let set = load_budget(stores, project).await?;
    let set = set.map_or_else(Allowance::default, |budget| Allowance {
        run: budget.run,
        month: budget.month,
    });
    let allowed = ceiling.tighter(set);
    may_cost(project, demand, &allowed)?;
    Ok(allowed)
}

/// Holds what a run may come to, in the month in which it was created. Said again for the same run, it is held once.
///
/// # Errors
/// As for [`admit`].
pub(crate) async fn reserve(
    stores: &Stores,
    execution: &Execution,
    ceiling: &Allowance,
) -> Result<()> {
    let (project, id) = (execution.project.as_str(), execution.id.as_str());
    let demand = demand(&execution.planned, execution.cost.as_ref());
    let allowed = allowed(stores, project, &demand, ceiling).await?;
    let asked = Reservation {
        amount: demand.amount,
        at_ms: execution.created_ms,
    };
    let (month, limit) = (month_of(execution.created_ms), allowed.month.limit());
    let records = &stores.records;
    let first = records.reserve(project, &month, id, asked, &limit).await?;
    let Reserved::Full(account) = first else {
        return Ok(());
    };
    if !let_go(stores, project, &month, &account, execution.created_ms).await? {
        return Err(full(project, &demand, &allowed, &account).into());
    }
    match records.reserve(project, &month, id, asked, &limit).await? {
        Reserved::Held => Ok(()),
        Reserved::Full(account) => Err(full(project, &demand, &allowed, &account).into()),
    }
}

/// Settles what runs hold that have ended, or that never came to have a record; whether there was any.
async fn let_go(
    stores: &Stores,
    project: &str,
    month: &str,
    account: &Account,
    now_ms: i64,
) -> Result<bool> {
    let records = &stores.records;
    let mut any = false;
    for (id, held) in &account.open {
        let actual = match records.get(Some(project), id).await? {
            // It holds something in this month by a retry in it, and is settled in its own.
            Some(run) if run.status.is_final() && month_of(run.created_ms) != month => {
                Amount::default()
            }
            Some(run) if run.status.is_final() => actual(&run, held.amount),
            None if now_ms.saturating_sub(held.at_ms) > UNRECORDED_MS => Amount::default(),
            _ => continue,
        };
        records.settle(project, month, id, actual).await?;
        any = true;
    }
    Ok(any)
}

/// Settles what a run has held, by its final record. Said again it changes nothing.
///
/// # Errors
/// What the store refuses. Then the run holds it until somebody needs the room.
pub async fn settle(stores: &Stores, execution: &Execution) -> Result<()> {
    let (project, id) = (&execution.project, &execution.id);
    let month = month_of(execution.created_ms);
    let records = &stores.records;
    let account = records.account(project, &month).await?;
    let Some(held) = account.open.get(id) else {
        return Ok(());
    };
    let actual = actual(execution, held.amount);
    Ok(records.settle(project, &month, id, actual).await?)
}

/// What a run that has ended has cost: its VUs for as long as it ran, and its bill; where there is none what it was expected to cost, which
/// is nothing on one machine.
fn actual(run: &Execution, held: Amount) -> Amount {
    if run.error.is_some() {
        // It was refused, so that nothing was started.
        return Amount::default();
    }
    let ran = run.started_ms.zip(run.ended_ms);
    let ms = ran.map_or(0, |(start, end)| {
        end.saturating_sub(start).max(0).unsigned_abs()
    });
    let ms = ms.min(run.planned.duration_ms);
    let cost = run.cost.as_ref();
    let bill = cost.and_then(|cost| cost.actual_usd.or(cost.estimate_usd));
    let usd = bill.map_or(held.usd(), |usd| usd);
    Amount {
        vu_s: vu_seconds(run.planned.max_vus, ms).min(held.vu_s),
        ..Amount::new(usd, 0)
    }
}
