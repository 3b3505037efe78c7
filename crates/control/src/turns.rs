//! Whose turn it is among the executions of a schedule that something else starts: in AWS, EventBridge. What becomes of a start is decided as
//! on one machine, by [`decide`]; here it is made sure that of several at once each decides about what the others did.

use crate::audit::{Who, note};
use crate::error::{ControlError, Result};
use crate::schedules::wrong;
use crate::stop::{Trail, read_stop, stop_by_person};
use crate::stores::Stores;
use floodgate_calendar::Blackouts;
use floodgate_policy::schedule::{Situation, Start, decide};
use floodgate_records::audit::Action;
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::schedule::{Overlap, Turn};
use floodgate_store::StoreError;

/// How long a start waits for the end of the last run.
const PATIENCE_MS: i64 = 24 * 3_600_000;
/// How long one that was let through may take to get its record.
const TO_BE_RECORDED_MS: i64 = 3_600_000;
/// How long one that waits may be silent: it asks every few minutes.
const SILENCE_MS: i64 = 15 * 60_000;
/// How often a turn is tried that another one keeps coming before.
const TRIES: u32 = 50;

/// A start that is due.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// The project.
    pub project: &'a str,
    /// The schedule's name.
    pub schedule: &'a str,
    /// What becomes of a start while the last run goes on.
    pub overlap: Overlap,
    /// Windows in which nothing starts.
    pub blackouts: &'a [String],
    /// Their time zone.
    pub timezone: &'a str,
    /// The execution that asks.
    pub execution: &'a str,
    /// Who starts the schedule's runs; proven.
    pub principal: &'a str,
    /// When it was due, Unix ms.
    pub due_ms: i64,
}

/// What an execution is to do that has asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Run.
    Run,
    /// End without a run, for this reason.
    Skip(String),
    /// Ask again in a while, since this run goes on.
    Wait(String),
}

/// Says whether the execution runs now; it may ask as often as it likes. Under [`Overlap::Replace`] the run that is in its way is told to stop.
/// What is left out is noted in the audit trail.
///
/// # Errors
/// [`ControlError::Schedule`] for windows that are none; what the store refuses.
pub async fn take_turn(stores: &Stores, due: &Due<'_>, now_ms: i64) -> Result<Answer> {
    let windows = Blackouts::new(due.blackouts, due.timezone);
    let windows = windows.map_err(|error| wrong(due.schedule, error))?;
    let (project, schedule) = (due.project, due.schedule);
    for _ in 0..TRIES {
        let turn = stores.records.schedule_turn(project, schedule).await?;
        if turn.execution.as_deref() == Some(due.execution) {
            return Ok(Answer::Run);
        }
        let last = last_run(stores, project, &turn, now_ms).await?;
        let situation = Situation {
            paused: false,
            blackout: windows.at(now_ms),
            going_on: last.as_ref().map(|(id, _)| id.as_str()),
        };
        let answer = answer(due, &turn, situation, now_ms);
        let next = after(due, &turn, &answer, now_ms);
        if next != turn
            && !stores
                .records
                .pass_turn(project, schedule, &turn, &next)
                .await?
        {
            continue;
        }
        match (&answer, last) {
            (Answer::Skip(why), _) => note_skip(stores, due, why, now_ms).await?,
            (Answer::Wait(_), Some((_, Some(run)))) if due.overlap == Overlap::Replace => {
                stop(stores, due, &run, now_ms).await?;
            }
            _ => {}
        }
        return Ok(answer);
    }
    Err(ControlError::Store(StoreError::Unavailable {
        operation: "take the turn of",
        key: format!("{project}/{schedule}"),
        source: format!("others took it {TRIES} times meanwhile").into(),
    }))
}

/// The last execution that was let through, if it goes on; without its record where that is still to come.
async fn last_run(
    stores: &Stores,
    project: &str,
    turn: &Turn,
    now_ms: i64,
) -> Result<Option<(String, Option<Execution>)>> {
    let Some(id) = &turn.execution else {
        return Ok(None);
    };
    let goes_on = match stores.records.get(Some(project), id).await? {
        Some(run) if run.status.is_final() => None,
        Some(run) => Some(Some(run)),
        None if now_ms - turn.at_ms < TO_BE_RECORDED_MS => Some(None),
        None => None,
    };
    Ok(goes_on.map(|run| (id.clone(), run)))
}

fn answer(due: &Due<'_>, turn: &Turn, situation: Situation<'_>, now_ms: i64) -> Answer {
    let waiting = turn.waiting.as_deref();
    let heard = now_ms - turn.waiting_ms < SILENCE_MS;
    if waiting.is_some_and(|other| other != due.execution) && heard {
        return Answer::Skip("another start of it waits already".to_owned());
    }
    let going_on = situation.going_on.unwrap_or_default().to_owned();
    match decide(due.overlap, situation) {
        Start::Now => Answer::Run,
        Start::Skip(why) => Answer::Skip(why),
        Start::Wait | Start::Replace if now_ms - due.due_ms > PATIENCE_MS => {
            Answer::Skip("its last run went on for a day after its time".to_owned())
        }
        Start::Wait | Start::Replace => Answer::Wait(going_on),
    }
}

/// What the next ones find.
fn after(due: &Due<'_>, turn: &Turn, answer: &Answer, now_ms: i64) -> Turn {
    let own = Some(due.execution.to_owned());
    match answer {
        Answer::Run => Turn {
            execution: own,
            at_ms: now_ms,
            ..Turn::default()
        },
        Answer::Wait(_) => Turn {
            waiting: own,
            waiting_ms: now_ms,
            ..turn.clone()
        },
        Answer::Skip(_) if turn.waiting == own => Turn {
            waiting: None,
            waiting_ms: 0,
            ..turn.clone()
        },
        Answer::Skip(_) => turn.clone(),
    }
}

/// Tells the run to stop, once.
async fn stop(stores: &Stores, due: &Due<'_>, run: &Execution, now_ms: i64) -> Result<()> {
    let keys = ExecutionKeys::new(&run.project, &run.id);
    if read_stop(stores.objects.as_ref(), &keys).await?.is_none() {
        stop_by_person(stores, run, by(due), Trail::Vouched, now_ms).await?;
    }
    Ok(())
}

async fn note_skip(stores: &Stores, due: &Due<'_>, why: &str, now_ms: i64) -> Result<()> {
    let told = format!("schedule {}: {why}", due.schedule);
    note(stores, due.project, by(due), Action::Skip, &told, now_ms).await
}

fn by<'a>(due: &Due<'a>) -> Who<'a> {
    Who {
        name: due.principal,
        is: Some(PrincipalIs::Verified),
    }
}
