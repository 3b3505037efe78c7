//! Notifications of runs on this machine: sent while somebody waits, and kept in the outbox where a receiver does not take them. They
//! change neither verdict nor exit code.

use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_stored_open;
use crate::output::say;
use floodgate_control::{Stores, ended_before, find_in, load_plan, load_summary};
use floodgate_notify::{
    Account, BACKGROUND, Backoff, CONSOLE_URL, Courier, Entry, FOREGROUND, Moment, Notice, Outbox,
    Reach, Refusal, Tries, deliver, notices,
};
use floodgate_records::execution::{Execution, PrincipalIs};
use floodgate_records::notify::{Channel, Notify};
use floodgate_records::status::Status;
use futures_util::future::join_all;
use std::path::Path;
use std::time::Duration;

/// Between two looks at what is due.
const LOOK: Duration = Duration::from_secs(5);
/// Notices that are sent at the same time.
const AT_ONCE: usize = 8;

/// Whoever sends on this machine.
pub(crate) fn courier(backoff: Backoff) -> Courier {
    Courier::new(Account::OfEnvironment, Reach::Anywhere, backoff)
}

/// Tells of a run what its definition wants told; gives a sentence for each receiver that did not take it.
pub(crate) async fn tell(
    stores: &Stores,
    wanted: &[Notify],
    moment: Moment,
    execution: &Execution,
    console: Option<&str>,
) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let found = of_run(stores, wanted, moment, execution, console).await;
    let courier = courier(FOREGROUND);
    let sending = found.iter().filter_map(|notice| {
        let channel = &wanted.get(notice.target)?.channel;
        Some(first(stores, &courier, channel, notice))
    });
    join_all(sending).await.into_iter().flatten().collect()
}

/// What there is to tell.
async fn of_run(
    stores: &Stores,
    wanted: &[Notify],
    moment: Moment,
    execution: &Execution,
    console: Option<&str>,
) -> Vec<Notice> {
    let (mut summary, mut before) = (None, None);
    if moment == Moment::Ended {
        // Without them less can be told, and it is told all the same.
        let found = load_summary(stores, &execution.project, &execution.id).await;
        summary = found.ok().flatten();
        if execution.status == Status::Passed {
            before = ended_before(stores, execution).await.ok().flatten();
        }
    }
    let summary = summary.as_ref();
    notices(wanted, moment, execution, summary, before, console)
}

/// Sends a notice for the first time: it is kept before, so that it is not lost with this process.
async fn first(
    stores: &Stores,
    courier: &Courier,
    channel: &Channel,
    notice: &Notice,
) -> Option<String> {
    let entry = Entry::new(notice.clone(), channel, now_ms());
    let outbox = Outbox::new(stores.objects.clone());
    let kept = outbox.take(&entry, now_ms()).await;
    let (tries, sent) = match forbidden(channel, notice) {
        Some(refusal) => (0, Err(refusal)),
        None => courier.patiently(channel, notice).await,
    };
    let to = format!(
        "notification to {} {} (notify[{}])",
        entry.channel, entry.place, entry.notice.target
    );
    match (sent, kept) {
        (Ok(()), Ok(())) => match outbox.remove(&entry).await {
            Ok(()) => None,
            Err(error) => Some(format!("{to} was sent and will be again: {error}")),
        },
        (Ok(()), Err(_)) => None,
        (Err(refusal), Ok(())) => {
            let id = &notice.message.data.execution;
            let entry = entry.refused(tries, &refusal, fastrand::f64(), now_ms());
            let put = outbox.put(&entry).await;
            let lost = put
                .err()
                .map_or_else(String::new, |error| format!("; {error}"));
            Some(format!(
                "{to} was not taken: {refusal}{lost}; again: floodgate notify retry {id}"
            ))
        }
        (Err(refusal), Err(error)) => Some(format!("{to} is lost: {refusal}; {error}")),
    }
}

/// A definition from elsewhere has no use of this machine's account.
fn forbidden(channel: &Channel, notice: &Notice) -> Option<Refusal> {
    let elsewhere = notice.message.data.trigger.principal_is == PrincipalIs::Verified;
    (elsewhere && channel.needs_aws()).then(|| Refusal::Never {
        why: "needs an AWS account, and a run that was asked for over the API gets none here"
            .into(),
    })
}

/// Where the console is, for definitions that don't say.
pub(crate) fn console(env: &Environment) -> Option<String> {
    env.variable(CONSOLE_URL).filter(|url| !url.is_empty())
}

/// What the definition of a run wants told, as far as its references are known here.
async fn wanted_by(
    stores: &Stores,
    execution: &Execution,
    env: &Environment,
    root: &Path,
) -> Result<Vec<Notify>> {
    let env = env.of_run(execution, root);
    let plan = load_plan(stores, execution).await?;
    Ok(load_stored_open(stores, &plan, &env).await?.notify)
}

/// Tells of the end of a run that another process began; what does not arrive is said.
pub(crate) async fn tell_of_end(
    stores: &Stores,
    root: &Path,
    execution: &Execution,
    env: &Environment,
) {
    match wanted_by(stores, execution, env, root).await {
        Ok(wanted) => {
            let console = console(env);
            let moment = Moment::Ended;
            let told = tell(stores, &wanted, moment, execution, console.as_deref()).await;
            warn(&told);
        }
        Err(error) => say!("warning: {}: nobody is notified: {error}", execution.id),
    }
}

pub(crate) fn warn(told: &[String]) {
    for sentence in told {
        say!("warning: {sentence}");
    }
}

/// Tries an entry of the outbox once; gives it as it waits now if it was not taken.
///
/// # Errors
/// What the store refuses.
pub(crate) async fn again(
    stores: &Stores,
    root: &Path,
    env: &Environment,
    courier: &Courier,
    entry: Entry,
) -> Result<Option<Entry>> {
    let outbox = Outbox::new(stores.objects.clone());
    let channel = receiver(stores, root, env, &entry).await;
    let to = match &channel {
        Ok(channel) => forbidden(channel, &entry.notice).map_or(Ok(channel), Err),
        Err(why) => Err(Refusal::Again {
            why: why.clone(),
            after: None,
        }),
    };
    let left = deliver(&outbox, courier, entry, to, Tries::One, &now_ms).await;
    left.map_err(|error| CliError::run("notifications", error))
}

/// Tries what is due again and again; never ends.
pub(crate) async fn keep_trying(stores: &Stores, root: &Path, env: &Environment) {
    let courier = courier(BACKGROUND);
    let outbox = Outbox::new(stores.objects.clone());
    loop {
        tokio::time::sleep(LOOK).await;
        // What cannot be listed now may be the next time; who lists it by hand is told.
        let Ok(found) = outbox.look(None).await else {
            continue;
        };
        let mut due = Vec::new();
        for key in found.waiting {
            let entry = outbox.read(&key).await.ok().flatten();
            due.extend(entry.filter(|entry| entry.is_due(now_ms())));
        }
        for some in due.chunks(AT_ONCE) {
            let trying = some
                .iter()
                .map(|e| again(stores, root, env, &courier, e.clone()));
            for tried in join_all(trying).await {
                match tried {
                    Ok(Some(entry)) if entry.next_ms.is_none() => {
                        let (id, why) = (&entry.notice.id, &entry.why);
                        let (channel, place) = (&entry.channel, &entry.place);
                        say!(
                            "warning: {id} to {channel} {place} is given up: {why}; again: floodgate notify retry {id}"
                        );
                    }
                    Ok(_) => {}
                    Err(error) => say!("warning: {error}"),
                }
            }
        }
    }
}

/// Where an entry goes: what its run's definition says, since the outbox holds no secrets.
async fn receiver(
    stores: &Stores,
    root: &Path,
    env: &Environment,
    entry: &Entry,
) -> std::result::Result<Channel, String> {
    let data = &entry.notice.message.data;
    let execution = find_in(stores, Some(&data.project), &data.execution).await;
    let execution = execution.map_err(|error| error.to_string())?;
    let wanted = wanted_by(stores, &execution, env, root).await;
    let mut wanted = wanted.map_err(|error| error.to_string())?;
    let target = entry.notice.target;
    if target >= wanted.len() {
        return Err(format!("the definition has no notify[{target}]"));
    }
    let channel = wanted.swap_remove(target).channel;
    match channel.is_open() {
        false => Ok(channel),
        true => Err(format!(
            "a reference in notify[{target}] is not known here: give its variable with --env, or its secret as the run had it"
        )),
    }
}

/// Sends what was told of the end of a run once more, under the same ids, and of its begin if that was told.
///
/// # Errors
/// A definition that is gone, a reference that is not known here.
pub(crate) async fn replay(
    stores: &Stores,
    root: &Path,
    env: &Environment,
    execution: &Execution,
) -> Result<(usize, Vec<String>)> {
    let wanted = wanted_by(stores, execution, env, root).await?;
    let what = || format!("notifications of {}", execution.id);
    if let Some(n) = wanted.iter().position(|notify| notify.channel.is_open()) {
        let why = format!(
            "a reference in notify[{n}] is not known here: give its variable with --env, or its secret as the run had it"
        );
        return Err(CliError::run(what(), why));
    }
    let console = console(env);
    let found = of_run(
        stores,
        &wanted,
        Moment::Ended,
        execution,
        console.as_deref(),
    )
    .await;
    if found.is_empty() {
        let why = format!(
            "the definition wants nothing told of a run that is {}",
            execution.status.as_str()
        );
        return Err(CliError::run(what(), why));
    }
    let told = tell(
        stores,
        &wanted,
        Moment::Ended,
        execution,
        console.as_deref(),
    )
    .await;
    Ok((found.len(), told))
}
