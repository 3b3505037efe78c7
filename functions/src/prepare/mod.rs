//! Prepare: from the state machine's input to a plan whose tasks may be started.

mod estimate;
mod images;
mod input;
mod refusal;
mod rules;
mod test;
mod turn;

pub(crate) use input::Prepare;
pub(crate) use refusal::{RefusalDraft, write_down};

use crate::app::App;
use crate::cost::site_of;
use crate::error::{FunctionError, Result};
use crate::id::{execution_id, parse_time};
use crate::notify;
use crate::pace::{Course, Phases, Steps, expected};
use crate::run::{Run, RunPhase};
use crate::stack_config::StackConfig;
use crate::tenant::{Tenant, vouched};
use floodgate_control::sizing::{Intervals, auto_tasks, spread};
use floodgate_control::{
    ControlError, MAX_TASKS, PlanOptions, Prepared, TestPackage, budget, lay_out, load_plan,
    prepare,
};
use floodgate_core::cost;
use floodgate_core::definition::model::{Definition, Region};
use floodgate_core::planned::planned_load;
use floodgate_notify::Moment;
use floodgate_records::estimate::Estimate;
use floodgate_records::execution::{Infrastructure, InfrastructureKind, PrincipalIs, Trigger};
use floodgate_records::notify::Event;
use floodgate_records::status::ERROR_INVALID;
use input::Input;
use serde::Serialize;

/// What the state machine is told.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// Tasks may be started.
    Run(Box<Run>),
    /// None will be.
    Estimate(Box<Estimate>),
}

/// Makes plan and record. The second time, for the same execution of the state machine, gives the same: also the same refusal.
pub(crate) async fn handle(app: &App, start: Prepare) -> Result<Answer> {
    let Prepare {
        input,
        run,
        project,
        scheduled,
    } = start;
    let tenant = Tenant::of(&project);
    let started_ms = parse_time(&run.started_at).ok_or_else(|| {
        FunctionError::errored(format!(
            "run.started_at {:?} is not a valid time",
            run.started_at
        ))
    })?;
    let id = execution_id(input.id.as_deref(), &run.arn, &run.name, started_ms)
        .map_err(FunctionError::invalid)?;
    let app = &app.of(&id);
    if let Some(prepared) = before(app, &id, &run.arn).await? {
        tracing::info!("was prepared before");
        return Ok(state(&prepared));
    }
    let dry_run = input.dry_run;
    let placement = StackConfig::load(app.stores.objects.as_ref()).await?;
    let now_ms = app.clock.now_ms();
    let ordered = input.of_order(app.stores.objects.as_ref()).await;
    let (input, vouched, ordered) = match ordered {
        Ok(Some(ordered)) => (ordered, PrincipalIs::Verified, Ok(())),
        Ok(None) => (input, vouched(scheduled == "yes"), Ok(())),
        Err(error) => (input, PrincipalIs::Claimed, Err(error)),
    };
    let said = input.clone().of_schedule(&placement, &app.config.stack);
    let (input, said) = match said {
        Ok(input) => (input, Ok(())),
        Err(problem) => (input, Err(FunctionError::invalid(problem))),
    };
    let mut known = RefusalDraft::of_input(&id, &input, &run.arn, now_ms);
    known.vouch(vouched);
    let said = ordered.and(said);
    let allowed = said.and_then(|()| theirs(&tenant, &placement, &mut known));
    // Whoever starts a schedule's run by hand wants it now.
    let turn = match allowed {
        Ok(()) if scheduled == "yes" => turn::take(app, &input, &placement, &id, started_ms).await,
        allowed => allowed,
    };
    let result = match turn {
        Ok(()) => {
            admit(
                app, &input, &run.arn, &placement, &tenant, vouched, &mut known,
            )
            .await
        }
        Err(error) => Err(error),
    };
    if let Err(error @ (FunctionError::InvalidDefinition(_) | FunctionError::Errored(_))) = &result
    {
        if dry_run {
            return Ok(estimate::refused(&known, error));
        }
        // Reap, which is told of the end, writes down what could not be written down here.
        if let Err(problem) = write_down(app, known, error).await {
            tracing::warn!(reason = %problem, "the refusal could not be recorded");
        }
    }
    result
}

/// Whether the state machine may start runs of the project that is meant. A refusal is written down with the project that the machine
/// is of, and never with another one.
fn theirs(tenant: &Tenant, placement: &StackConfig, known: &mut RefusalDraft) -> Result<()> {
    let meant = known.project().to_owned();
    known.bind(tenant, placement);
    match meant.as_str() {
        // What is missing is said with the rest.
        "" => Ok(()),
        meant => tenant
            .check(placement, meant)
            .map_err(FunctionError::errored),
    }
}

/// What stands between an input that was understood and a run; `known` gathers what its record says if it is refused.
async fn admit(
    app: &App,
    input: &Input,
    run_arn: &str,
    placement: &StackConfig,
    tenant: &Tenant,
    vouched: PrincipalIs,
    known: &mut RefusalDraft,
) -> Result<Answer> {
    let id = known.id().to_owned();
    let (test, mut warnings) = test::load(app, input, placement, known).await?;
    let definition = &test.parsed.definition;
    tenant
        .check(placement, &definition.project)
        .map_err(FunctionError::errored)?;
    known.of_test(&test);
    rules::how_long(definition)?;
    let trigger = Trigger {
        principal_is: vouched,
        ..Trigger::from(&input.trigger)
    };
    let allowed = rules::who(placement, &definition.project, &trigger)?;
    let judged = allowed.targets().judge(definition);
    warnings.extend(judged.map_err(|why| FunctionError::errored(why.to_string()))?);
    let mut options = options(placement, definition, &app.config.bucket_region)?;
    options.allowed_targets.clone_from(&allowed.allowed_targets);
    known.of_layout(&options);
    rules::how_many(placement, allowed, options.infrastructure.tasks)?;
    warnings.extend(rules::quota(app, placement, definition, &options.regions).await?);
    let engine = definition.engine.as_str();
    let architecture = &options.infrastructure.architecture;
    warnings.extend(images::image(app, placement, engine, architecture).await?);
    options.env = input.env.clone();
    options.run_arn = Some(run_arn.to_owned());

    let now_ms = app.clock.now_ms();
    let mut package = test.package(test.doubts.clone());
    let plan = lay_out(&id, &package, &options, now_ms)?;
    let architecture = &options.infrastructure.architecture;
    let site = site_of(app, placement, &definition.project, architecture);
    let watched = expected(
        Course::of(&plan, definition),
        Phases::assumed(cost::longest(&plan, &definition.run)),
        Steps::assumed(options.infrastructure.tasks),
        App::STAY,
    );
    let bill = cost::estimate(&plan, &definition.run, &site, watched);
    options.cost = Some(bill.as_estimate());
    known.of_layout(&options);
    options.ceiling = rules::ceiling(placement, definition);
    let demand = budget::demand(&plan.load, options.cost.as_ref());
    let project = &definition.project;
    budget::admit(&app.stores, project, &demand, &options.ceiling, now_ms).await?;
    warnings.extend(bill.warnings.iter().cloned());
    package.warnings.extend(warnings);
    if input.dry_run {
        if input.register {
            package.upload(app.stores.objects.as_ref()).await?;
        }
        register(app, input, &package, now_ms).await?;
        return Ok(estimate::of(
            &plan,
            definition,
            &options,
            &bill,
            package.warnings,
            input.register,
        ));
    }

    let prepared = prepare(&app.stores, &id, &package, trigger, &options, now_ms).await?;
    if definition
        .notify
        .iter()
        .any(|of| of.on.contains(&Event::Started))
    {
        notify::later(app, &prepared.plan.project, &id, Moment::Started).await;
    }
    register(app, input, &package, now_ms).await?;
    tracing::info!(
        project = prepared.plan.project,
        test = prepared.plan.test,
        version = prepared.plan.version,
        tasks = prepared.plan.tasks.len(),
        estimate_usd = bill.usd(),
        "prepared"
    );
    app.metrics(&prepared.plan.project)
        .count("ExecutionsStarted", 1)
        .amount("EstimatedCostUsd", bill.usd())
        .emit();
    Ok(state(&prepared))
}

/// What schedules run next is what somebody says is to be that: never a definition that came with a run.
async fn register(app: &App, input: &Input, package: &TestPackage<'_>, now_ms: i64) -> Result<()> {
    if input.register {
        let revision = Trigger::from(&input.trigger).commit;
        let record = package.record(now_ms, revision);
        app.stores.records.put_test(&record).await?;
    }
    Ok(())
}

/// What an earlier attempt of the same execution has made, if it came to its end.
async fn before(app: &App, id: &str, run_arn: &str) -> Result<Option<Prepared>> {
    let found = app.stores.records.get(None, id).await?;
    let Some(execution) = found.filter(|e| e.id == id) else {
        return Ok(None);
    };
    if execution.run_arn.as_deref() != Some(run_arn) {
        let taken = ControlError::IdTaken { id: id.to_owned() };
        return Err(FunctionError::errored(taken));
    }
    if let Some(name) = &execution.error {
        return Err(refused_before(name, &execution.reasons));
    }
    if execution.status.is_final() {
        let ended = ControlError::Ended {
            id: id.to_owned(),
            status: execution.status.as_str(),
        };
        return Err(FunctionError::errored(ended));
    }
    match load_plan(&app.stores, &execution).await {
        Ok(plan) => Ok(Some(Prepared { plan, execution })),
        Err(ControlError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The refusal of an earlier attempt: what has changed since does not open a record that is final.
fn refused_before(name: &str, reasons: &[String]) -> FunctionError {
    let reason = reasons.join("; ");
    match name {
        ERROR_INVALID => FunctionError::invalid(reason),
        _ => FunctionError::errored(reason),
    }
}

/// How the run is laid out over tasks and regions; `home` is the stack's home region.
fn options(placement: &StackConfig, definition: &Definition, home: &str) -> Result<PlanOptions> {
    let load = planned_load(definition);
    let tasks = definition
        .run
        .tasks
        .unwrap_or_else(|| auto_tasks(definition, &load));
    if tasks > MAX_TASKS {
        return Err(FunctionError::errored(format!(
            "the load needs {tasks} tasks of this size, and a run has {MAX_TASKS} at most; set a larger run.cpu and run.memory, a lower load, or \
             run.tasks"
        )));
    }
    let mut wanted = definition.run.regions.clone();
    if wanted.is_empty() {
        let region = placement.default_region(home).ok_or_else(|| {
            FunctionError::errored("the stack has no region; apply the Terraform module")
        })?;
        wanted.push(Region {
            region: region.to_owned(),
            weight: 1,
        });
    }
    let regions = spread(tasks, &wanted);
    let mut used = regions.clone();
    used.dedup();
    let engine = definition.engine.as_str();
    let architecture = placement.architecture(engine, &used)?;
    let intervals = Intervals::for_tasks(tasks);
    Ok(PlanOptions {
        infrastructure: Infrastructure {
            kind: InfrastructureKind::Aws.into(),
            tasks,
            regions: used,
            cpu: definition.run.cpu,
            memory: definition.run.memory,
            architecture: architecture.into(),
            spot_tasks: 0,
            image_digest: placement.image_digest.get(engine).cloned(),
            engine_version: env!("CARGO_PKG_VERSION").into(),
        },
        start_timeout: placement.start_timeout(),
        flush_interval: intervals.flush,
        live_interval: intervals.live,
        control_interval: intervals.control,
        regions,
        ..PlanOptions::local(0, None)
    })
}

fn state(prepared: &Prepared) -> Answer {
    Answer::Run(Box::new(Run {
        project: prepared.plan.project.clone(),
        execution: prepared.plan.execution.clone(),
        engine: prepared.execution.engine.to_string(),
        phase: RunPhase::Launching,
        wait_s: 1,
        tasks: prepared.plan.tasks.len() as u32,
        placed: 0,
        parts: 0,
        status: None,
        turn: 0,
        looks: 0,
        watched_ms: 0,
        error: None,
    }))
}
