//! Whether a schedule's execution runs now.

use super::input::Input;
use crate::app::App;
use crate::error::{FunctionError, Result};
use crate::stack_config::StackConfig;
use floodgate_control::turns::{Answer, Due, take_turn};

/// Lets an execution through whose schedule is due, by what the stack says of overlaps and windows.
///
/// # Errors
/// [`FunctionError::Skipped`] and [`FunctionError::Waiting`], on which the state machine ends, and asks again.
pub(super) async fn take(
    app: &App,
    input: &Input,
    placement: &StackConfig,
    execution: &str,
    due_ms: i64,
) -> Result<()> {
    let found = input.schedule.as_ref();
    let found = found.and_then(|name| Some((name, placement.schedules.get(name)?)));
    let Some((name, run)) = found else {
        return Ok(());
    };
    let due = Due {
        project: &run.project,
        schedule: name,
        overlap: run.overlap,
        blackouts: &run.blackouts,
        timezone: &run.timezone,
        execution,
        principal: input.principal().unwrap_or(name),
        due_ms,
    };
    match take_turn(&app.stores, &due, app.clock.now_ms()).await? {
        Answer::Run => Ok(()),
        Answer::Skip(why) => Err(FunctionError::Skipped(
            format!("schedule {name}: {why}").into(),
        )),
        Answer::Wait(run) => Err(FunctionError::Waiting(
            format!("schedule {name}: its last run {run} goes on").into(),
        )),
    }
}
