//! A run on this machine: generators in this process or in child processes, watched and finished by the same code as
//! in the cloud.

mod giving_up;
mod home;
mod layout;
mod observe;
mod orphans;
mod page;
mod store;
mod tasks;

use crate::args::ShowArgs;
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::export::{self, Exports};
use crate::load::LoadedTest;
use crate::notices;
use crate::order::Ordered;
use crate::output::{place, say};
use crate::signals::Signals;
use crate::trigger::trigger;
use crate::view::{Title, View, view};
use floodgate_control::budget::settle;
use floodgate_control::watch::{Next, Phase, Watch, WatchOptions};
use floodgate_control::{
    ControlError, Finished, PlanOptions, Prepared, Stores, note_stop, prepare,
};
use floodgate_export::Target;
use floodgate_generator::environment::default_spool;
use floodgate_notify::Moment;
use floodgate_records::control::StopReason;
use floodgate_records::engine::Engine;
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_store::StoreError;
use floodgate_store::local::{Hold, LocalStore};
pub(crate) use home::finish_here;
use observe::Observing;
pub(crate) use orphans::{
    adopt, adopt_or_say, keep_sweeping, let_go, merge_late, merge_late_or_say,
};
pub(crate) use page::{page, with_page, write_page};
use std::path::Path;
use std::time::Duration;
pub(crate) use store::{open, open_existing};
pub(crate) use tasks::environment;
use tasks::{Event, Exit, Tasks};

/// Steps of the watch that may fail in a row, such as on a full disk, before the run is given up: about 5 s.
const FAILURES: u32 = 25;
/// How long ended tasks may take to exit before they are killed.
const EXIT_GRACE: Duration = Duration::from_secs(5);
/// How long tasks may take that are told to stop because the store refuses: they are patient with it, and then leave beside it what
/// they have.
const PARTING: Duration = Duration::from_secs(25);

/// What to run, and how.
pub struct LocalRun<'a> {
    /// The test.
    pub test: &'a LoadedTest,
    /// What its references stand for; child processes are given the same.
    pub env: &'a Environment,
    /// Generators: one runs in this process, more are processes of their own.
    pub generators: u32,
    /// The folder of executions.
    pub out: &'a Path,
    /// The id; a new one if there is none.
    pub id: Option<String>,
    /// What is shown.
    pub show: ShowArgs,
    /// What the view says the load goes to, instead of the target.
    pub title: Option<String>,
    /// What the record says the load goes to, instead of the definition's target.
    pub target: Option<String>,
    /// What started it, instead of what the environment says.
    pub kind: Option<TriggerKind>,
    /// What somebody else has ordered.
    pub(crate) ordered: Option<Ordered>,
    /// How many of the first exchanges each generator samples.
    pub debug_requests: u32,
    /// Where its metrics are served while it goes on, `HOST:PORT`.
    pub metrics: Option<&'a str>,
}

/// Runs a test to its verdict.
///
/// # Errors
/// See [`CliError`]. Whatever happens after the preparation, what was measured is merged and the record is final,
/// unless the disk refuses.
pub async fn execute(run: LocalRun<'_>) -> Result<Finished> {
    let mut targets = export::of_definition(&run.test.parsed().definition, run.env)?;
    targets.extend(export::of_metrics(run.metrics, run.env)?);
    let targets = export::bound(targets)?;
    let mut signals = Signals::new()?;
    let (stores, store) = open(run.out)?;
    orphans::sweep(&stores, &store, run.env).await;
    let id = run
        .id
        .clone()
        .unwrap_or_else(|| ulid::Ulid::generate().to_string());
    let project = &run.test.parsed().definition.project;
    let held = hold(&store, project, &id)?;
    // boxed: its future is large
    let mut begun = None;
    let ended = Box::pin(carry_out(
        &run,
        &id,
        &stores,
        targets,
        &mut signals,
        &mut begun,
    ))
    .await;
    let_go(held, &stores, project, &id).await;
    if !matches!(ended, Err(CliError::Interrupted { .. })) {
        Box::pin(tell(&run, &id, &stores, begun, &mut signals)).await;
    }
    ended
}

/// What became of what was told of the begin.
type Begun = tokio::task::JoinHandle<Vec<String>>;

/// Tells of the end, once there is one. A signal is enough to leave it: what was not sent waits.
async fn tell(
    run: &LocalRun<'_>,
    id: &str,
    stores: &Stores,
    begun: Option<Begun>,
    signals: &mut Signals,
) {
    let definition = &run.test.parsed().definition;
    if definition.notify.is_empty() {
        return;
    }
    let console = notices::console(run.env);
    let telling = async {
        if let Some(begun) = begun {
            notices::warn(&begun.await.unwrap_or_default());
        }
        let found = stores.records.get(Some(&definition.project), id).await;
        let ended = found.ok().flatten().filter(|run| run.status.is_final());
        if let Some(ended) = ended {
            let (wanted, console) = (&definition.notify, console.as_deref());
            let told = notices::tell(stores, wanted, Moment::Ended, &ended, console).await;
            notices::warn(&told);
        }
    };
    tokio::select! {
        () = telling => {}
        (signal, _) = signals.next() => {
            say!("warning: {signal}: notifications are left as they are; again: floodgate notify retry {id}");
        }
    }
}

/// Tells of the begin, while the run goes on.
fn tell_of_begin(run: &LocalRun<'_>, stores: &Stores, execution: &Execution) -> Option<Begun> {
    let wanted = run.test.parsed().definition.notify.clone();
    if wanted.is_empty() {
        return None;
    }
    let (stores, execution) = (stores.clone(), execution.clone());
    let console = notices::console(run.env);
    Some(tokio::spawn(async move {
        notices::tell(
            &stores,
            &wanted,
            Moment::Started,
            &execution,
            console.as_deref(),
        )
        .await
    }))
}

/// Says that this process works on an execution, from before it has a record until it ends, however that may be.
///
/// # Errors
/// An id that is another run's, and what the disk refuses.
pub(crate) fn hold(store: &LocalStore, project: &str, id: &str) -> Result<Hold> {
    store.begin(project, id).map_err(|error| match error {
        StoreError::Exists { .. } => ControlError::IdTaken { id: id.to_owned() }.into(),
        error => error.into(),
    })
}

async fn carry_out(
    run: &LocalRun<'_>,
    id: &str,
    stores: &Stores,
    targets: Vec<Target>,
    signals: &mut Signals,
    begun: &mut Option<Begun>,
) -> Result<Finished> {
    let base_dir =
        std::path::absolute(&run.test.base_dir).unwrap_or_else(|_| run.test.base_dir.clone());
    let mut options = PlanOptions::local(run.generators, Some(base_dir.display().to_string()));
    options.debug_requests = run.debug_requests;
    let spool = default_spool();
    let spool = std::path::absolute(&spool).unwrap_or(spool);
    // A name that is not text cannot be told to the tasks.
    options.spool = spool.into_os_string().into_string().ok();
    let here = || trigger(|name| run.env.variable(name));
    let ordered = run.ordered.as_ref();
    let mut trigger = ordered.map_or_else(here, |ordered| ordered.trigger.clone());
    options.allowed_targets = ordered.and_then(|ordered| ordered.allowed_targets.clone());
    if let Some(kind) = run.kind {
        trigger.kind = kind.into();
    }
    let mut package = run.test.package();
    package
        .warnings
        .extend(ordered.iter().flat_map(|ordered| ordered.warnings.clone()));
    if run.target.is_some() {
        package.target.clone_from(&run.target);
    }
    let prepared = prepare(stores, id, &package, trigger, &options, now_ms()).await?;
    *begun = tell_of_begin(run, stores, &prepared.execution);
    let target = run
        .title
        .clone()
        .or_else(|| run.test.parsed().shown_target.clone());
    let definition = &run.test.parsed().definition;
    let title = Title {
        test: prepared.plan.test.clone(),
        target: target.unwrap_or_else(|| match definition.engine {
            Engine::Http => "the URLs of its steps".into(),
            _ => "the URLs of its script".into(),
        }),
        id: id.to_owned(),
        generators: run.generators,
    };
    let mut view = view(&title, run.show.quiet);
    for warning in &run.test.package().warnings {
        view.note(warning);
    }
    let exports = Exports::start(
        targets,
        stores,
        &prepared.execution,
        &prepared.plan,
        !definition.observe.is_empty(),
    );
    let exports = exports.unwrap_or_else(|error| {
        view.note(&format!("nothing is exported: {error}"));
        None
    });
    let observing = Observing::start(&definition.observe, stores, &prepared.plan);
    let observing = observing.unwrap_or_else(|error| {
        view.note(&format!("nothing is observed: {error}"));
        None
    });
    let watched = watch(run, stores, &prepared, signals, view.as_mut()).await;
    view.close();
    if !matches!(watched, Err(CliError::Interrupted { .. })) {
        end_observing(observing, stores, &prepared, signals).await;
    }
    restore(stores, &prepared.execution).await;
    let definition = &run.test.parsed().definition;
    let lost = match watched {
        Ok(lost) => lost,
        Err(error @ CliError::Interrupted { signal, .. }) => {
            abandon(stores, &prepared.execution, signal).await;
            return Err(error);
        }
        Err(error) => {
            // What was measured is still worth a record; the first error is the one to report.
            let errors = [error.to_string()];
            let finished =
                finish_here(stores, run.out, &prepared.plan, definition, &[], &errors).await;
            return Err(match finished {
                Ok(_) => error,
                Err(_) => giving_up::end(stores, &prepared, run.out, error).await,
            });
        }
    };
    let finishing = finish_here(stores, run.out, &prepared.plan, definition, &lost, &[]);
    tokio::pin!(finishing);
    loop {
        tokio::select! {
            finished = &mut finishing => return match finished {
                Ok(finished) => {
                    Box::pin(end_exports(exports, &finished, run.out, signals)).await;
                    Ok(finished)
                }
                Err(error) => Err(giving_up::end(stores, &prepared, run.out, error.into()).await),
            },
            // Merging is short and writes atomically: one signal is not enough to lose it.
            (signal, times) = signals.next() => if times > 1 {
                abandon(stores, &prepared.execution, signal).await;
                return Err(interrupted(run, &prepared, signal));
            },
        }
    }
}

/// Waits for the last values of other systems. A signal is enough to leave them.
async fn end_observing(
    observing: Option<Observing>,
    stores: &Stores,
    prepared: &Prepared,
    signals: &mut Signals,
) {
    let Some(observing) = observing else {
        return;
    };
    let problem = tokio::select! {
        problem = observing.finish(stores, &prepared.plan) => problem,
        (signal, _) = signals.next() => Some(format!("{signal}: the last values of observed series are left out")),
    };
    if let Some(problem) = problem {
        say!("warning: {problem}");
    }
}

/// Hands over what exports do not have yet, and says what they did not take. A signal is enough to leave it.
async fn end_exports(
    exports: Option<Exports>,
    finished: &Finished,
    out: &Path,
    signals: &mut Signals,
) {
    let Some(exports) = exports else {
        return;
    };
    let (id, place) = (&finished.execution.id, place(out));
    tokio::select! {
        told = exports.finish(finished) => export::warn(id, &place, &told),
        (signal, _) = signals.next() => {
            say!("warning: {signal}: exports are left as they are; again: floodgate export {id}{place} --to URL");
        }
    }
}

/// Writes the record of a run again that was damaged or deleted while it ran: the load has been sent, and its account is due.
async fn restore(stores: &Stores, execution: &Execution) {
    let (project, id) = (Some(execution.project.as_str()), execution.id.as_str());
    // Where that is refused, whoever finishes the run is told why.
    let _ = match stores.records.get(project, id).await {
        Err(StoreError::Corrupt { .. }) => stores.records.update(execution, &[]).await,
        Ok(None) => stores.records.create(execution).await,
        _ => Ok(()),
    };
}

/// Starts the tasks and stays with them to their end; returns the lost ones.
async fn watch(
    run: &LocalRun<'_>,
    stores: &Stores,
    prepared: &Prepared,
    signals: &mut Signals,
    view: &mut dyn View,
) -> Result<Vec<floodgate_control::LostTask>> {
    let mut tasks = Tasks::start(&prepared.plan, run.out, run.env, stores.objects.clone())?;
    let definition = run.test.parsed().definition.clone();
    let mut watch = Watch::new(
        stores.clone(),
        prepared.clone(),
        definition,
        WatchOptions::local(),
        now_ms(),
    );
    let mut failures = 0;
    loop {
        let wait = match watch.step(now_ms()).await {
            Ok(Next {
                phase: Phase::Ended,
                ..
            }) => break,
            Ok(Next { wait, .. }) => {
                failures = 0;
                wait
            }
            Err(error) if failures < FAILURES => {
                if failures == 0 {
                    view.note(&format!("{error}; trying again"));
                }
                failures += 1;
                WatchOptions::local().poll
            }
            Err(error) => {
                tasks.stop("the coordinator gave up").await;
                tasks.join(PARTING).await;
                return Err(error.into());
            }
        };
        view.update(watch.progress());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            event = tasks.next() => match event {
                Event::Ended(Exit { task, reason }) => watch.task_exited(task, reason),
                Event::Said(line) => view.note(&console(&line)),
            },
            (signal, times) = signals.next() => {
                if times > 1 {
                    tasks.stop(signal).await;
                    return Err(interrupted(run, prepared, signal));
                }
                view.note(&format!("{signal}: stopping in order; once more to stop at once"));
                if watch.stop(StopReason::Person, signal, now_ms()).await.is_err() {
                    // The order could not be written: tell the tasks directly.
                    tasks.stop(signal).await;
                }
                if let Err(error) = note_stop(stores, &prepared.execution, signal, now_ms()).await {
                    view.note(&format!("the audit trail has no entry of it: {error}"));
                }
            }
        }
    }
    view.update(watch.progress());
    for lost in watch.lost() {
        view.note(&format!("task {} is lost: it {}", lost.task, lost.reason));
    }
    tasks.join(EXIT_GRACE).await;
    while let Some(line) = tasks.line() {
        view.note(&console(&line));
    }
    Ok(watch.lost())
}

/// A line that a script wrote to its console.
fn console(line: &str) -> String {
    format!("console: {line}")
}

fn interrupted(run: &LocalRun<'_>, prepared: &Prepared, signal: &'static str) -> CliError {
    let keys = ExecutionKeys::new(&prepared.plan.project, &prepared.plan.execution);
    CliError::Interrupted {
        signal,
        folder: run.out.join(keys.root()),
    }
}

/// The record of a run that was left at once.
async fn abandon(stores: &Stores, execution: &Execution, signal: &str) {
    let stored = stores
        .records
        .get(Some(&execution.project), &execution.id)
        .await;
    let mut execution = stored.ok().flatten().unwrap_or_else(|| execution.clone());
    execution.status = Status::Aborted;
    execution.ended_ms = Some(now_ms());
    execution.reasons = vec!["stopped at once by a second signal; nothing was merged".into()];
    // The process is about to end in any case.
    let _ = stores.records.update(&execution, &Status::OPEN).await;
    let _ = settle(stores, &execution).await;
    let how = format!("a second {signal}");
    let _ = note_stop(stores, &execution, &how, now_ms()).await;
}
