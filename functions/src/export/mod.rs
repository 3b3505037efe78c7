//! Export: what a run measured, handed to one sink.
//!
//! Finish has this function called once for each sink, and waits for none of them: a sink that hangs holds up neither the run nor another
//! sink. Lambda tries a call that fails twice more; what the marks beside the run say of earlier tries keeps a sink from counting
//! anything twice. What a sink did not get stands as a warning in the record, with the command that exports again.

mod live;
mod mark;
mod sinks;

pub(crate) use sinks::{faults, live_urls, urls};

use crate::account::Refused;
use crate::app::App;
use crate::error::{FunctionError, Result};
use crate::stack_config::StackConfig;
use floodgate_control::load_plan;
use floodgate_export::{Patience, Target};
use floodgate_exporter::{ExportError, Told, export_stored};
use floodgate_records::execution::Execution;
use floodgate_records::keys::ExecutionKeys;
use mark::{Begun, Done, Marks, Standing};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// How long a batch that is not taken is tried at most: one that is down for longer is tried again by Lambda, minutes later.
const MAX_PATIENCE: Duration = Duration::from_secs(240);
/// How long a sink may take for one batch.
const MAX_BATCH: Duration = Duration::from_secs(30);

/// What is to be exported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Export {
    project: String,
    execution: String,
    /// The sink's URL, which tells it from the run's other ones.
    to: String,
    /// The same in all tries of one call, and in no other call.
    call: String,
    /// Whether the run goes on.
    #[serde(default)]
    live: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    /// Rows that the sink has of this and earlier calls, as far as that is known.
    rows: u64,
}

impl Export {
    fn new(project: &str, execution: &str, to: String, live: bool) -> Self {
        Self {
            project: project.to_owned(),
            execution: execution.to_owned(),
            to,
            call: ulid::Ulid::generate().to_string(),
            live,
        }
    }

    /// Has the function called with it.
    async fn call(&self, app: &App) -> std::result::Result<(), Refused> {
        let function = format!("{}-export", app.config.stack);
        app.account.call_later(&function, &json!(self)).await
    }
}

/// Has a run exported while it goes on. What does not begin is exported afterwards all the same.
pub(crate) async fn begin_live(app: &App, project: &str, execution: &str, urls: Vec<String>) {
    for to in urls {
        let export = Export::new(project, execution, to, true);
        if let Err(error) = export.call(app).await {
            tracing::warn!(to = export.to, reason = %error, "live export not begun");
        }
    }
}

/// Has the exports of a run that has ended begun. Nothing of it may keep the verdict from being told.
pub(crate) async fn begin(app: &App, execution: &Execution, urls: Vec<String>) {
    for to in urls {
        let export = Export::new(&execution.project, &execution.id, to, false);
        let Err(error) = export.call(app).await else {
            continue;
        };
        tracing::warn!(to = export.to, reason = %error, "export not begun");
        let mut told = Told::of(&export.to);
        told.broken = Some(format!("was not begun: {error}"));
        if let Err(error) = warn(app, execution, &told).await {
            tracing::warn!(reason = %error, "the record does not say that an export was not begun");
        }
    }
}

/// Exports a run to one sink.
pub(crate) async fn handle(app: &App, export: Export) -> Result<Exported> {
    let app = &app.of(&export.execution);
    match export.live {
        true => live::handle(app, export).await,
        false => afterwards(app, export).await,
    }
}

/// Exports a run that has ended.
async fn afterwards(app: &App, export: Export) -> Result<Exported> {
    let Export {
        project,
        execution: id,
        to,
        call,
        live: _,
    } = export;
    let stored = app.stores.records.get(Some(&project), &id).await?;
    let execution = stored.filter(|execution| execution.status.is_final());
    let execution = execution.ok_or_else(|| {
        FunctionError::errored(format!(
            "execution {id} of project {project}: there is none that has ended, and nothing else is exported"
        ))
    })?;
    let keys = ExecutionKeys::new(&project, &id);
    let marks = Marks::new(app.stores.objects.as_ref(), &keys, &to);
    if let Some(done) = marks.done().await? {
        // It may have been cut off before the record said so.
        note(app, &execution, &to, &done.warnings).await?;
        return Ok(Exported { rows: done.rows });
    }
    let target = match target(app, &execution, &to).await {
        Ok(target) => target.within(app.reach),
        Err(why) => return failed(app, &execution, &to, why).await,
    };
    if !target.scheme.again_is_the_same {
        match marks.begin(&call, app.clock.now_ms()).await? {
            Begun::Now => {}
            Begun::ByAnother => return Ok(Exported { rows: 0 }),
            Begun::Before => {
                let why = "was cut off, and how much of it arrived is not known; what is sent again counts twice";
                return settled(app, &execution, &to, why).await;
            }
        }
    }
    let before = live::left(app, &marks).await?;
    let told = match carry_out(app, &execution, &target, before.as_ref()).await {
        Ok(told) => Told {
            url: to.clone(),
            ..told
        },
        // There is nothing that a sink could lack.
        Err(ExportError::Missing { status, .. }) => {
            tracing::info!(to, status, "nothing was measured, and nothing is exported");
            return Ok(Exported { rows: 0 });
        }
        Err(error) => return failed(app, &execution, &to, error.to_string()).await,
    };
    conclude(app, &execution, &target, &marks, told).await
}

/// Where an export goes, with what proves who writes.
async fn target(app: &App, execution: &Execution, to: &str) -> std::result::Result<Target, String> {
    let placement = StackConfig::load(app.stores.objects.as_ref()).await;
    let placement = placement.map_err(|error| error.to_string())?;
    let plan = load_plan(&app.stores, execution).await;
    let plan = plan.map_err(|error| error.to_string())?;
    sinks::target(app, &placement, &plan, to).await
}

/// Hands everything over, within the time that the function has.
async fn carry_out(
    app: &App,
    execution: &Execution,
    target: &Target,
    before: Option<&Standing>,
) -> std::result::Result<Told, ExportError> {
    let patience = Patience {
        batch: MAX_BATCH.min(app.stay / 4),
        total: MAX_PATIENCE.min(app.stay / 2),
        ..Patience::default()
    };
    // boxed: its future is large
    let after_ms = before.and_then(|before| before.until_ms);
    let exporting = Box::pin(export_stored(
        &app.stores,
        execution,
        target,
        patience,
        after_ms,
    ));
    let mut told = timeout(app.stay, exporting).await.unwrap_or_else(|_| {
        let mut told = Told::new(target);
        let seconds = app.stay.as_secs_f64();
        told.broken = Some(format!("was not at its end after {seconds:.0} s"));
        Ok(told)
    })?;
    if let Some(before) = before {
        told.report.taken += before.taken;
        told.report.lost += before.lost;
        let problems = before.problems.iter().cloned();
        told.report.problems.splice(..0, problems);
    }
    Ok(told)
}

/// Notes what a sink has, and has not.
async fn conclude(
    app: &App,
    execution: &Execution,
    target: &Target,
    marks: &Marks<'_>,
    told: Told,
) -> Result<Exported> {
    let rows = told.report.taken;
    let metrics = app.metrics(&execution.project);
    let Some(problem) = told.problem() else {
        tracing::info!(
            to = told.url,
            rows,
            retries = told.report.retries,
            "exported"
        );
        metrics.count("ExportsFailed", 0).emit();
        let done = Done {
            rows,
            ended_ms: app.clock.now_ms(),
            warnings: told.warnings(&execution.id, " --cloud"),
        };
        marks.finish(&done).await?;
        note(app, execution, &told.url, &done.warnings).await?;
        return Ok(Exported { rows });
    };
    tracing::warn!(to = told.url, rows, problem, "not exported whole");
    metrics.count("ExportsFailed", 1).emit();
    warn(app, execution, &told).await?;
    match target.scheme.again_is_the_same {
        true => Err(FunctionError::errored(format!("{} {problem}", told.url))),
        // What it has of it would count twice.
        false => Ok(Exported { rows }),
    }
}

/// Warns of an export that did not begin, and may the next time.
async fn failed(app: &App, execution: &Execution, to: &str, why: String) -> Result<Exported> {
    app.metrics(&execution.project)
        .count("ExportsFailed", 1)
        .emit();
    let mut told = Told::of(to);
    told.broken = Some(format!("cannot be carried out: {why}"));
    warn(app, execution, &told).await?;
    Err(FunctionError::errored(format!("{to}: {why}")))
}

/// Warns of an export that must not be tried again here.
async fn settled(app: &App, execution: &Execution, to: &str, why: &str) -> Result<Exported> {
    let mut told = Told::of(to);
    told.broken = Some(why.to_owned());
    warn(app, execution, &told).await?;
    Ok(Exported { rows: 0 })
}

async fn warn(app: &App, execution: &Execution, told: &Told) -> Result<()> {
    let warnings = told.warnings(&execution.id, " --cloud");
    note(app, execution, &told.url, &warnings).await
}

/// What the record says of an export: this, and nothing of what an earlier try said.
async fn note(app: &App, execution: &Execution, to: &str, warnings: &[String]) -> Result<()> {
    let (project, id) = (&execution.project, &execution.id);
    let (records, about) = (&app.stores.records, Told::about(to));
    records
        .replace_warnings(project, id, &about, warnings)
        .await?;
    Ok(())
}
