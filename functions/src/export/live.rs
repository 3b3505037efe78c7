//! The export of a run that goes on: one invocation after another follows the shards that the tasks write, as far as they have come.
//!
//! Only sinks that may get a batch twice and have it once are followed: an invocation can be cut off at any time. What the last one has
//! delivered is marked beside the run, and the export after the verdict goes on from there.

use super::mark::{Marks, Standing};
use super::{Export, Exported, target};
use crate::app::App;
use crate::error::Result;
use floodgate_control::load_plan;
use floodgate_exporter::{Live, Source, WHILE_RUNNING};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often new shards are looked for.
const POLL: Duration = Duration::from_secs(1);
/// How often it is said how far the export has come, and looked whether the run goes on.
const EVERY: Duration = Duration::from_secs(10);

/// Follows a run until it ends, or until the invocation has to.
pub(super) async fn handle(app: &App, export: Export) -> Result<Exported> {
    let keys = ExecutionKeys::new(&export.project, &export.execution);
    let marks = Marks::new(app.stores.objects.as_ref(), &keys, &export.to);
    let before = marks.standing().await?;
    let now_ms = app.clock.now_ms();
    let by_another = |s: &Standing| s.call != export.call && s.goes_on(now_ms);
    if before.as_ref().is_some_and(by_another) {
        return Ok(Exported { rows: 0 });
    }
    let Some(execution) = running(app, &export).await? else {
        return Ok(Exported { rows: 0 });
    };
    let mut standing = before.unwrap_or_default();
    standing.call.clone_from(&export.call);
    standing.left = false;
    let followed = follow(app, &export, &execution, &marks, &mut standing).await;
    if let Err(reason) = &followed {
        // The export after the run meets it, too, and tells.
        tracing::warn!(to = export.to, reason, "not followed");
    }
    standing.left = true;
    standing.say(app, &marks).await?;
    let rows = standing.taken;
    tracing::info!(to = export.to, rows, "followed");
    if followed == Ok(Left::Late)
        && let Err(error) = export.call(app).await
    {
        tracing::warn!(to = export.to, reason = %error, "live export not continued");
    }
    Ok(Exported { rows })
}

/// Why a run is not followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It has ended.
    Ended,
    /// The sink takes nothing any more.
    GivenUp,
    /// The invocation has to end.
    Late,
}

async fn follow(
    app: &App,
    export: &Export,
    execution: &Execution,
    marks: &Marks<'_>,
    standing: &mut Standing,
) -> std::result::Result<Left, String> {
    let target = target(app, execution, &export.to).await?.within(app.reach);
    if !target.scheme.again_is_the_same {
        return Err("adds up whatever comes".to_owned());
    }
    let plan = load_plan(&app.stores, execution).await;
    let source = Source {
        stores: &app.stores,
        execution,
        plan: &plan.map_err(|error| error.to_string())?,
        observed: false,
    };
    let live = Live::open(&target, &source, WHILE_RUNNING).map_err(|error| error.problem)?;
    let mut live = match standing.until_ms {
        Some(until_ms) => live.after(until_ms),
        None => live,
    };
    let until = Instant::now() + app.stay.mul_f64(0.9);
    let (taken, lost) = (standing.taken, standing.lost);
    loop {
        let round = async {
            loop {
                if !live.step().await {
                    sleep(POLL.min(app.stay / 100)).await;
                }
            }
        };
        let left = until.saturating_duration_since(Instant::now());
        let _: std::result::Result<(), _> =
            timeout(EVERY.min(app.stay / 10).min(left), round).await;
        let delivered = live.delivered();
        if delivered.until_ms > i64::MIN {
            standing.until_ms = Some(delivered.until_ms);
        }
        standing.taken = taken + delivered.report.taken;
        standing.lost = lost + delivered.report.lost;
        for problem in &delivered.report.problems {
            if !standing.problems.contains(problem) {
                standing.problems.push(problem.clone());
            }
        }
        let said = standing.say(app, marks).await;
        said.map_err(|error| error.to_string())?;
        if live.has_given_up() {
            return Ok(Left::GivenUp);
        }
        let running = running(app, export).await;
        if running.map_err(|error| error.to_string())?.is_none() {
            return Ok(Left::Ended);
        }
        if Instant::now() >= until {
            return Ok(Left::Late);
        }
    }
}

/// The record of a run that goes on.
async fn running(app: &App, export: &Export) -> Result<Option<Execution>> {
    let records = &app.stores.records;
    let stored = records
        .get(Some(&export.project), &export.execution)
        .await?;
    Ok(stored.filter(|execution| !execution.status.is_final()))
}

/// What a live export has left to be done, once none goes on; `None` if there was none.
pub(super) async fn left(app: &App, marks: &Marks<'_>) -> Result<Option<Standing>> {
    loop {
        let standing = marks.standing().await?;
        match standing {
            Some(standing) if standing.goes_on(app.clock.now_ms()) => {}
            left => return Ok(left),
        }
        app.clock.sleep(POLL).await;
    }
}

impl Standing {
    /// Notes that this is how it stands now.
    async fn say(&mut self, app: &App, marks: &Marks<'_>) -> Result<()> {
        self.said_ms = app.clock.now_ms();
        marks.stands(self).await
    }
}
