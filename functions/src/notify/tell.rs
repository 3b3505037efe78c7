//! Tells of a run: every receiver at the same time, for a few seconds; what is not taken then waits.

use super::wanted::{Wanted, wanted};
use super::{Told, outbox};
use crate::app::App;
use crate::error::{FunctionError, Result};
use floodgate_control::{ended_before, load_summary};
use floodgate_notify::{Entry, Moment, Notice, Tries, deliver, notices};
use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use futures_util::future::join_all;
use ulid::Ulid;

/// Tells of a moment of a run what its definition wants told.
pub(super) async fn tell(app: &App, project: &str, id: &str, moment: Moment) -> Result<Told> {
    let app = &app.of(id);
    let none = || FunctionError::errored(format!("there is no run {id} in project {project:?}"));
    // By less than an id the table would be looked through.
    Ulid::from_string(id).map_err(|_| none())?;
    let found = app.stores.records.get(Some(project), id).await?;
    let execution = found.filter(|found| found.id == id).ok_or_else(none)?;
    if moment == Moment::Ended && !execution.status.is_final() {
        let status = execution.status.as_str();
        tracing::warn!(status, "the run has not ended: nothing is told of its end");
        return Ok(Told::default());
    }
    let wanted = wanted(app, &execution).await?;
    let found = of_run(app, &wanted, moment, &execution).await;
    let sending = found.into_iter().map(|notice| first(app, &wanted, notice));
    let mut told = Told::default();
    let mut failed = None;
    for sent in join_all(sending).await {
        match sent {
            Ok(left) => told.add(app, project, left.as_ref()),
            Err(error) => failed = Some(error),
        }
    }
    tracing::info!(
        moment = moment.as_str(),
        sent = told.sent,
        waiting = told.waiting,
        "told"
    );
    // Lambda calls again, and all have the same ids.
    failed.map_or(Ok(told), Err)
}

/// What there is to tell.
async fn of_run(app: &App, wanted: &Wanted, moment: Moment, execution: &Execution) -> Vec<Notice> {
    let (mut summary, mut before) = (None, None);
    if moment == Moment::Ended && !wanted.notify.is_empty() {
        // Without them less can be told, and it is told all the same.
        let found = load_summary(&app.stores, &execution.project, &execution.id).await;
        summary = found.ok().flatten();
        if execution.status == Status::Passed {
            let found = ended_before(&app.stores, execution).await;
            before = found.ok().flatten();
        }
    }
    let console = app.config.console_url.as_deref();
    let (all, summary) = (&wanted.notify, summary.as_ref());
    notices(all, moment, execution, summary, before, console)
}

async fn first(app: &App, wanted: &Wanted, notice: Notice) -> Result<Option<Entry>> {
    let Some(notify) = wanted.notify.get(notice.target) else {
        return Ok(None);
    };
    let to = wanted.receiver(notice.target);
    let now_ms = || app.clock.now_ms();
    let entry = Entry::new(notice, &notify.channel, now_ms());
    let (outbox, courier) = (outbox(app), app.courier.as_ref());
    Ok(deliver(&outbox, courier, entry, to, Tries::Patient, &now_ms).await?)
}
