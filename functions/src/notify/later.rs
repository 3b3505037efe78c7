//! Has the function called by another one.

use super::{Notify, outbox};
use crate::app::App;
use floodgate_notify::{Ask, Asked, Moment};
use serde_json::json;

/// Has a run's begin or end told, where the stack notifies at all. Nothing of it keeps the caller from its own work: a call that Lambda
/// does not take is asked for in the outbox, for the next sweep.
pub(crate) async fn later(app: &App, project: &str, execution: &str, moment: Moment) {
    let Some(function) = &app.config.notify else {
        return;
    };
    let call = Notify::Tell {
        project: project.to_owned(),
        execution: execution.to_owned(),
        moment,
    };
    let Err(problem) = app.account.call_later(function, &json!(call)).await else {
        return;
    };
    tracing::warn!(%problem, moment = moment.as_str(), "notify could not be called; the next sweep tells of the run");
    let ask = Ask {
        project: project.to_owned(),
        what: Asked::Moment {
            moment,
            execution: execution.to_owned(),
        },
    };
    if let Err(error) = outbox(app).ask(&ask).await {
        tracing::error!(problem = %error, moment = moment.as_str(), "nobody is notified");
    }
}
