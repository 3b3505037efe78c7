//! What waits and is due, and what somebody asks for. With nothing of it, one listing.

use super::wanted::wanted;
use super::{Told, outbox, tell};
use crate::app::App;
use crate::clock::between;
use crate::error::{FunctionError, Result};
use floodgate_notify::{Ask, Asked, Contents, Entry, OutboxError, Refusal, Tries, deliver};
use futures_util::StreamExt as _;
use std::time::Duration;

/// Notices that are sent at the same time.
const AT_ONCE: usize = 8;
/// How long a sweep begins something new; the rest waits for the next one.
const LONGEST: Duration = Duration::from_secs(60);

/// Answers what is asked for, then tries what is due.
pub(super) async fn sweep(app: &App) -> Result<Told> {
    let began_ms = app.clock.now_ms();
    let in_time = || between(began_ms, app.clock.now_ms()) < LONGEST;
    let Contents { waiting, asked, .. } = outbox(app).look(None).await?;
    let mut told = Told::default();
    for ask in asked {
        if !in_time() {
            break;
        }
        match answer(app, &ask).await {
            Ok(more) => told = told.and(more),
            Err(error) => {
                let (project, what) = (&ask.project, ask.what.to_string());
                tracing::error!(project, what, problem = %error, "not answered");
            }
        }
    }
    let trying = futures_util::stream::iter(waiting)
        .take_while(|_| std::future::ready(in_time()))
        .map(|key| async move { due(app, &key).await })
        .buffer_unordered(AT_ONCE);
    let mut trying = std::pin::pin!(trying);
    while let Some(tried) = trying.next().await {
        match tried {
            Ok(None) => {}
            Ok(Some((project, left))) => told.add(app, &project, left.as_ref()),
            Err(error) => tracing::error!(problem = %error, "not tried"),
        }
    }
    if told != Told::default() {
        let Told {
            sent,
            waiting,
            dead,
        } = told;
        tracing::info!(sent, waiting, dead, "swept");
    }
    Ok(told)
}

/// Does what somebody asks for. What fails for a service's sake is left for the next sweep.
async fn answer(app: &App, ask: &Ask) -> Result<Told> {
    // boxed: its future is large
    let told = match Box::pin(carry_out(app, ask)).await {
        Ok(told) => told,
        // Such as a run that is not there: nobody will ever be told.
        Err(error @ FunctionError::Errored(_)) => {
            let (project, what) = (&ask.project, ask.what.to_string());
            tracing::warn!(project, what, problem = %error, "nothing is told");
            Told::default()
        }
        Err(error) => return Err(error),
    };
    outbox(app).answered(ask).await?;
    Ok(told)
}

async fn carry_out(app: &App, ask: &Ask) -> Result<Told> {
    let mut told = Told::default();
    match &ask.what {
        Asked::Moment { moment, execution } => {
            return tell::tell(app, &ask.project, execution, *moment).await;
        }
        Asked::Notice(id) => {
            if let Some(entry) = outbox(app).find(&ask.project, id).await? {
                let left = again(app, entry).await?;
                told.add(app, &ask.project, left.as_ref());
            }
        }
    }
    Ok(told)
}

/// Tries the entry at a key if it is due; gives its project and what is left of it.
async fn due(app: &App, key: &str) -> Result<Option<(String, Option<Entry>)>> {
    let found: std::result::Result<_, OutboxError> = outbox(app).read(key).await;
    let Some(entry) = found?.filter(|entry| entry.is_due(app.clock.now_ms())) else {
        return Ok(None);
    };
    let project = entry.project().to_owned();
    Ok(Some((project, again(app, entry).await?)))
}

/// Tries an entry once.
async fn again(app: &App, entry: Entry) -> Result<Option<Entry>> {
    let data = &entry.notice.message.data;
    let (project, id) = (&data.project, &data.execution);
    let found = app.stores.records.get(Some(project), id).await?;
    let wanted = match found.filter(|found| found.id == *id) {
        Some(execution) => wanted(app, &execution).await?,
        None => Default::default(),
    };
    let to: std::result::Result<_, Refusal> = wanted.receiver(entry.notice.target);
    let now_ms = || app.clock.now_ms();
    let (outbox, courier) = (outbox(app), app.courier.as_ref());
    Ok(deliver(&outbox, courier, entry, to, Tries::One, &now_ms).await?)
}
