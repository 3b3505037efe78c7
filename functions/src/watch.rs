//! Watch: one turn, and more of them while seconds count.

use crate::app::App;
use crate::clock::between;
use crate::error::Result;
use crate::export;
use crate::pace::{Pace, afterwards, pace};
use crate::run::{Run, RunPhase};
use crate::supervisor::Supervisor;
use floodgate_control::watch::Phase;
use std::time::Duration;

/// Looks after the tasks.
pub(crate) async fn handle(app: &App, run: Run) -> Result<Run> {
    let app = &app.of(&run.execution);
    let turn = run.turn.saturating_add(1);
    let began_ms = app.clock.now_ms();
    let mut at = Supervisor::load(app, &run.project, &run.execution, run.watched()).await?;
    if turn == 1 {
        export::begin_live(app, &run.project, &run.execution, at.live_exports()).await;
    }
    let wait = loop {
        at.step().await?;
        if at.phase() == Phase::Ended {
            break Duration::ZERO;
        }
        let moment = at.moment(turn);
        let stayed = between(began_ms, moment.now_ms);
        match pace(&moment) {
            Pace::Leave(wait) => break wait,
            Pace::Stay(poll) if stayed + poll <= app.stay => app.clock.sleep(poll).await,
            Pace::Stay(_) => break afterwards(&moment, stayed),
        }
    };
    let next = at.run(turn, wait, run.error);
    let metrics = app.metrics(&run.project).count("WatchTurns", 1);
    if next.phase == RunPhase::Ended {
        at.stop_lost().await;
        metrics.count("TasksLost", at.lost()).emit();
    } else {
        metrics.emit();
    }
    tracing::info!(
        turn,
        phase = next.phase.name(),
        wait_s = next.wait_s,
        lost = at.lost(),
        "turn"
    );
    Ok(next)
}
