//! Executions whose coordinator is gone: whoever meets one finishes it from what its tasks wrote.

use super::home::bring_home;
use super::layout;
use super::page::with_page;
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::{load_stored, load_stored_open};
use crate::notices::tell_of_end;
use crate::output::say;
use floodgate_control::{
    ControlError, Finished, GivenUp, Stores, find_in, finish_late, finish_orphan, give_up,
    load_plan,
};
use floodgate_core::definition::model::Definition;
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::plan::Plan;
use floodgate_store::local::{Alone, Hold, LocalStore};
use std::time::Duration;

/// Executions that a new run looks through for such that were left.
const LOOKED_THROUGH: usize = 20;
/// Between two looks of a process that shows executions.
const LOOK: Duration = Duration::from_secs(5);
/// How long after its deadline an execution that nobody ever held is taken for left: none of its tasks can still run then.
const PAST_DEADLINE_MS: i64 = 60_000;

/// Finishes what was left of the newest executions, before another one begins. What stands in the way is said and no more.
pub(super) async fn sweep(stores: &Stores, store: &LocalStore, env: &Environment) {
    let Ok(listed) = stores.records.list(None, None, LOOKED_THROUGH).await else {
        // Whoever lists them is told why.
        return;
    };
    for execution in listed.runs {
        adopt_or_say(stores, store, execution, env).await;
    }
}

/// Finishes what is left behind, for as long as somebody shows executions.
pub(crate) async fn keep_sweeping(stores: &Stores, store: &LocalStore, env: &Environment) {
    loop {
        Box::pin(sweep(stores, store, env)).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// The execution as it stands once what was left of it is finished; as it was where that cannot be, which is said.
pub(crate) async fn adopt_or_say(
    stores: &Stores,
    store: &LocalStore,
    execution: Execution,
    env: &Environment,
) -> Execution {
    match adopt(stores, store, &execution, env).await {
        Ok(Some(ended)) => {
            let (id, status) = (&ended.id, ended.status.as_str());
            say!(
                "{id}: its coordinator is gone; finished from what its tasks had written: {status}"
            );
            ended
        }
        Ok(None) => execution,
        Err(error) => {
            let id = &execution.id;
            say!(
                "warning: {id}: its coordinator is gone, and it cannot be finished: {error}; floodgate abort {id} tries again"
            );
            execution
        }
    }
}

/// Finishes an execution that nobody works on any more. `None`: it has ended, or somebody works on it.
///
/// # Errors
/// What the store refuses, and a definition that cannot be judged here.
pub(crate) async fn adopt(
    stores: &Stores,
    store: &LocalStore,
    execution: &Execution,
    env: &Environment,
) -> Result<Option<Execution>> {
    if execution.status.is_final() {
        return Ok(None);
    }
    let (project, id) = (&execution.project, &execution.id);
    let hold = match store.alone(project, id)? {
        Alone::Free(hold) => Some(hold),
        Alone::Held => return Ok(None),
        Alone::Unknown => match load_plan(stores, execution).await {
            Ok(plan) if now_ms() > plan.deadline_ms.saturating_add(PAST_DEADLINE_MS) => None,
            _ => return Ok(None),
        },
    };
    // Somebody may have been faster.
    let execution = find_in(stores, Some(project), id).await?;
    if execution.status.is_final() {
        if let Some(hold) = hold {
            hold.end();
        }
        return Ok(None);
    }
    let own = env.of_run(&execution, store.root());
    let ended = finish(stores, store, &execution, &own).await?;
    Box::pin(tell_of_end(stores, store.root(), &ended, env)).await;
    if let Some(hold) = hold {
        hold.end();
    }
    Ok(Some(ended))
}

async fn finish(
    stores: &Stores,
    store: &LocalStore,
    execution: &Execution,
    env: &Environment,
) -> Result<Execution> {
    let Judged {
        plan,
        definition,
        problem,
    } = match load(stores, execution, env).await? {
        Ok(judged) => judged,
        Err(error) => {
            let (project, id) = (&execution.project, &execution.id);
            let why = format!("its coordinator is gone, and it cannot be judged: {error}");
            let given_up = GivenUp::for_good(&why);
            return Ok(give_up(stores, project, id, given_up, now_ms()).await?);
        }
    };
    let unwritten = bring_home(stores, &plan).await;
    let keys = ExecutionKeys::new(&plan.project, &plan.execution);
    let mut problems = layout::faults(store.root(), &keys);
    problems.extend(problem);
    let finishing = finish_orphan(stores, &plan, &definition, &problems, &unwritten, now_ms());
    let finished = Box::pin(finishing).await?;
    Ok(drawn(stores, finished).await)
}

/// [`merge_late`], which says what came of it.
pub(crate) async fn merge_late_or_say(
    stores: &Stores,
    execution: Execution,
    env: &Environment,
) -> Execution {
    match merge_late(stores, &execution, env).await {
        Ok(Some(merged)) => {
            let (id, status) = (&merged.id, merged.status.as_str());
            say!("{id}: what was not merged when it ended has been merged now; it stays {status}");
            merged
        }
        Ok(None) => execution,
        Err(error) => {
            let id = &execution.id;
            say!("warning: {id}: what was not merged when it ended cannot be merged yet: {error}");
            execution
        }
    }
}

/// Merges what a run that has ended left unmerged, if it has left anything and it can be had.
///
/// # Errors
/// What the store refuses.
pub(crate) async fn merge_late(
    stores: &Stores,
    execution: &Execution,
    env: &Environment,
) -> Result<Option<Execution>> {
    if !execution.is_due() {
        return Ok(None);
    }
    let judged = match load(stores, execution, env).await? {
        Ok(judged) => judged,
        Err(problem) => {
            return Err(CliError::run(
                format!("execution {}", execution.id),
                problem,
            ));
        }
    };
    let unwritten = bring_home(stores, &judged.plan).await;
    if !execution.unmerged && unwritten == execution.unwritten {
        return Ok(None);
    }
    let (plan, definition) = (&judged.plan, &judged.definition);
    let finishing = finish_late(stores, plan, definition, &unwritten, now_ms());
    let finished = Box::pin(finishing).await?;
    Ok(Some(drawn(stores, finished).await))
}

/// The record of a run with its page written; a page that cannot be is said.
async fn drawn(stores: &Stores, finished: Finished) -> Execution {
    let finished = Box::pin(with_page(stores, finished)).await;
    if let Some(problem) = &finished.undrawn {
        say!(
            "warning: {} has no report: {problem}",
            finished.execution.id
        );
    }
    finished.execution
}

/// What a run is finished by.
struct Judged {
    plan: Plan,
    definition: Definition,
    /// Why its thresholds say nothing here.
    problem: Option<String>,
}

/// The plan and the definition of a run; the inner error says why there will never be any.
async fn load(
    stores: &Stores,
    execution: &Execution,
    env: &Environment,
) -> Result<std::result::Result<Judged, String>> {
    let plan = match load_plan(stores, execution).await {
        Ok(plan) => plan,
        Err(error @ (ControlError::Missing { .. } | ControlError::Corrupt { .. })) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let (definition, problem) = match load_stored(stores, &plan, env).await {
        Ok(definition) => (definition, None),
        Err(CliError::Control(ControlError::Definition { source })) => {
            // What it refers to is not known to everybody who meets it: it is merged, and not judged.
            let faults = source.to_string();
            let first = faults.lines().next().unwrap_or_default();
            match load_stored_open(stores, &plan, env).await {
                Ok(definition) => (
                    definition,
                    Some(format!("it cannot be judged here: {first}")),
                ),
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        Err(CliError::Control(error @ ControlError::Missing { .. })) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    Ok(Ok(Judged {
        plan,
        definition,
        problem,
    }))
}

/// Lets go of an execution that was held; one that has ended will not be held again.
pub(crate) async fn let_go(hold: Hold, stores: &Stores, project: &str, id: &str) {
    match stores.records.get(Some(project), id).await {
        Ok(Some(execution)) if !execution.status.is_final() => drop(hold),
        Ok(_) => hold.end(),
        Err(_) => drop(hold),
    }
}
