//! From a validated definition to a plan that tasks can be started on.

use crate::audit::{audit, principal};
use crate::budget;
use crate::error::{ControlError, MAX_TASKS, Result};
use crate::json;
use crate::stores::Stores;
use bytes::Bytes;
use floodgate_core::capacity;
use floodgate_core::definition::model::Definition;
use floodgate_core::planned::{UNKNOWN_DURATION, planned_load};
use floodgate_core::shard::FLUSH_INTERVAL_MS;
use floodgate_policy::budget::Allowance;
use floodgate_records::audit::Action;
use floodgate_records::cost::Cost;
use floodgate_records::execution::{Execution, Infrastructure, InfrastructureKind, Trigger};
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, INSPECTION_FILE, definition_file};
use floodgate_records::plan::{Plan, PlannedLoad, PlannedTask};
use floodgate_records::status::Status;
use floodgate_records::test::TestRecord;
use floodgate_store::{ObjectStore, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// A test with everything that a task needs to run it.
#[derive(Clone, Debug)]
pub struct TestPackage<'a> {
    /// The definition, its references resolved.
    pub definition: &'a Definition,
    /// The target as the record shows it: no secret is resolved in it.
    pub target: Option<String>,
    /// The normalised definition as JSON, references unresolved: what tasks read.
    pub normalised: Bytes,
    /// SHA-256 over the normalised definition and the files, in lower-case hex.
    pub version: String,
    /// The files that the definition names, by the path in it.
    pub files: Vec<(String, Bytes)>,
    /// What its script says of itself, as JSON; `None` without a script.
    pub inspection: Option<Bytes>,
    /// Overrides that were given for this run.
    pub parameters: BTreeMap<String, String>,
    /// What the reader of the record should know already.
    pub warnings: Vec<String>,
}

impl TestPackage<'_> {
    /// The definition's own file and those that it names, as plans and records list them.
    pub fn file_names(&self) -> Vec<String> {
        let named = self.files.iter().map(|(name, _)| name.clone());
        std::iter::once(DEFINITION_FILE.to_owned())
            .chain(named)
            .collect()
    }

    /// Stores the definition and its files. The definition comes last: whoever finds it finds the files that it names.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn upload(&self, objects: &dyn ObjectStore) -> std::result::Result<(), StoreError> {
        let Definition { project, test, .. } = self.definition;
        let named = self
            .files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes));
        let inspection = self.inspection.iter().map(|json| (INSPECTION_FILE, json));
        let all = named.chain(inspection);
        // A version's files are named by their content: one that is there already is the same, and large ones are not to be sent for each run.
        // Who may not list sends them all.
        let place = definition_file(project, test, &self.version, "");
        let there = objects.list(&place).await.unwrap_or_default();
        for (name, bytes) in all.chain([(DEFINITION_FILE, &self.normalised)]) {
            let key = definition_file(project, test, &self.version, name);
            if there.iter().any(|object| object.key == key) {
                continue;
            }
            match objects.put_new(&key, bytes.clone()).await {
                Ok(()) | Err(StoreError::Exists { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The record of this version.
    pub fn record(&self, created_ms: i64, git_revision: Option<String>) -> TestRecord {
        TestRecord {
            project: self.definition.project.clone(),
            test: self.definition.test.clone(),
            version: self.version.clone(),
            created_ms,
            files: self.file_names(),
            git_revision,
        }
    }
}

/// How a run is laid out over tasks and time.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// The tasks' regions, one entry a task; from 1 to [`MAX_TASKS`].
    pub regions: Vec<String>,
    /// Where the run takes place.
    pub infrastructure: Infrastructure,
    /// The folder that relative paths start from, if tasks run on the machine that holds it.
    pub base_dir: Option<String>,
    /// How long tasks have to become ready, and then wait for their start.
    pub start_timeout: Duration,
    /// Between two shards of a task: what a killed task loses at most.
    pub flush_interval: Duration,
    /// Between two live objects of a task.
    pub live_interval: Duration,
    /// Between two looks of a task at the order to stop.
    pub control_interval: Duration,
    /// See [`Plan::env`].
    pub env: BTreeMap<String, String>,
    /// See [`Plan::run_arn`].
    pub run_arn: Option<String>,
    /// What the run is expected to cost; `None` on one machine.
    pub cost: Option<Cost>,
    /// What is allowed at most, whatever the project's budget is.
    pub ceiling: Allowance,
    /// See [`Plan::allowed_targets`].
    pub allowed_targets: Option<Vec<String>>,
    /// See [`Plan::debug_requests`].
    pub debug_requests: u32,
    /// See [`Plan::spool`].
    pub spool: Option<String>,
}

impl PlanOptions {
    /// A run on this machine with so many processes. Objects are files here, so that looking often costs nothing.
    pub fn local(tasks: u32, base_dir: Option<String>) -> Self {
        Self {
            regions: vec!["local".into(); tasks as usize],
            infrastructure: Infrastructure {
                kind: InfrastructureKind::Local.into(),
                tasks,
                regions: vec!["local".into()],
                engine_version: env!("CARGO_PKG_VERSION").into(),
                ..Infrastructure::default()
            },
            base_dir,
            start_timeout: Duration::from_secs(30),
            flush_interval: Duration::from_millis(FLUSH_INTERVAL_MS),
            live_interval: Duration::from_secs(1),
            control_interval: Duration::from_millis(100),
            env: BTreeMap::new(),
            run_arn: None,
            cost: None,
            ceiling: Allowance::default(),
            allowed_targets: None,
            debug_requests: 0,
            spool: None,
        }
    }
}

/// A run whose tasks may be started.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// What the tasks read.
    pub plan: Plan,
    /// The record as created.
    pub execution: Execution,
}

/// Holds what the run may come to, creates the record, which no two runs can do with one id, stores the definition with its files, and writes the plan.
/// A run that cannot be prepared past its record is `errored`, never forgotten.
///
/// Called again for the same state machine's execution ([`PlanOptions::run_arn`]), it goes on where it was cut off and
/// gives the plan that stands.
///
/// # Errors
/// [`ControlError::OverBudget`], [`ControlError::IdTaken`], [`ControlError::Tasks`], [`ControlError::Ended`] if the same run is over already, and what
/// the store refuses.
pub async fn prepare(
    stores: &Stores,
    id: &str,
    test: &TestPackage<'_>,
    trigger: Trigger,
    options: &PlanOptions,
    now_ms: i64,
) -> Result<Prepared> {
    let plan = lay_out(id, test, options, now_ms)?;
    let mut execution = record(id, test, trigger, options, plan.load.clone(), now_ms);
    budget::reserve(stores, &execution, &options.ceiling).await?;
    match stores.records.create(&execution).await {
        Ok(()) => {}
        Err(StoreError::Exists { .. }) if options.run_arn.is_some() => {
            return again(stores, id, test, options, plan, now_ms).await;
        }
        Err(error) => return Err(taken(error, id)),
    }
    let by = principal(&execution);
    let done = async {
        store(stores, test, &plan).await?;
        audit(stores, &execution, by, Action::Start, "started", now_ms).await
    };
    if let Err(error) = done.await {
        execution.status = Status::Errored;
        execution.ended_ms = Some(now_ms);
        execution.reasons = vec![format!("the run could not be prepared: {error}")];
        // The first error is the one to report; if the record cannot be written either, the cause is the same. A run that
        // will be prepared again stays open.
        if options.run_arn.is_none() {
            let _ = stores
                .records
                .update(&execution, &[Status::Preparing])
                .await;
            let _ = budget::settle(stores, &execution).await;
        }
        return Err(match error {
            ControlError::Store(error) => taken(error, id),
            error => error,
        });
    }
    Ok(Prepared { plan, execution })
}

/// The record was there: another run's, or this one's from an attempt that was cut off.
async fn again(
    stores: &Stores,
    id: &str,
    test: &TestPackage<'_>,
    options: &PlanOptions,
    plan: Plan,
    now_ms: i64,
) -> Result<Prepared> {
    let taken = || ControlError::IdTaken { id: id.to_owned() };
    let found = stores.records.get(Some(&plan.project), id).await?;
    let execution = found.ok_or_else(taken)?;
    if execution.run_arn != options.run_arn {
        return Err(taken());
    }
    if execution.status.is_final() {
        return Err(ControlError::Ended {
            id: id.to_owned(),
            status: execution.status.as_str(),
        });
    }
    let key = ExecutionKeys::new(&plan.project, id).plan();
    if let Some(plan) = json::get(stores.objects.as_ref(), &key).await? {
        return Ok(Prepared { plan, execution });
    }
    store(stores, test, &plan).await?;
    let by = principal(&execution);
    audit(stores, &execution, by, Action::Start, "started", now_ms).await?;
    Ok(Prepared { plan, execution })
}

/// The plan of a run, before anything is written: what an estimate is made from.
///
/// # Errors
/// [`ControlError::Tasks`].
pub fn lay_out(
    id: &str,
    test: &TestPackage<'_>,
    options: &PlanOptions,
    now_ms: i64,
) -> Result<Plan> {
    let tasks = u32::try_from(options.regions.len()).unwrap_or(u32::MAX);
    if !(1..=MAX_TASKS).contains(&tasks) {
        return Err(ControlError::Tasks { tasks });
    }
    let load = planned_load(test.definition);
    Ok(plan(id, test, options, load, now_ms))
}

fn taken(error: StoreError, id: &str) -> ControlError {
    match error {
        StoreError::Exists { .. } => ControlError::IdTaken { id: id.to_owned() },
        error => error.into(),
    }
}

async fn store(stores: &Stores, test: &TestPackage<'_>, plan: &Plan) -> Result<()> {
    test.upload(stores.objects.as_ref()).await?;
    let key = ExecutionKeys::new(&plan.project, &plan.execution).plan();
    let bytes = json::bytes(&key, plan)?;
    Ok(stores.objects.put_new(&key, bytes).await?)
}

/// What an engine gets at least to become ready: k6's own bound on a script's setup is a minute, and it starts before.
const SETUP: Duration = Duration::from_secs(120);

/// The longest time from start to end: as the definition says, or what the schedule needs, plus a minute; an hour
/// where a script's schedule is not known.
pub fn max_duration(definition: &Definition, load: &PlannedLoad) -> Duration {
    if definition.scenarios.is_empty() {
        return definition.run.max_duration.unwrap_or(UNKNOWN_DURATION);
    }
    let needed = Duration::from_millis(load.max_duration_ms) + Duration::from_secs(60);
    definition.run.max_duration.unwrap_or(needed)
}

fn plan(
    id: &str,
    test: &TestPackage<'_>,
    options: &PlanOptions,
    load: PlannedLoad,
    now_ms: i64,
) -> Plan {
    let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let has_setup = test.definition.engine.runs_scripts() || !test.definition.setup.is_empty();
    let start_timeout = match has_setup {
        false => options.start_timeout,
        true => options.start_timeout.max(SETUP),
    };
    let longest = ms(max_duration(test.definition, &load)).saturating_add(ms(start_timeout));
    let flush_interval = match test.definition.capacity {
        // A step is judged by its shards, and the next one waits for them.
        Some(_) => options.flush_interval.min(capacity::GRAIN),
        None => options.flush_interval,
    };
    let task = |(index, region): (u32, &String)| PlannedTask {
        index,
        weight: 1,
        region: region.clone(),
    };
    Plan {
        schema: Plan::SCHEMA,
        execution: id.to_owned(),
        project: test.definition.project.clone(),
        test: test.definition.test.clone(),
        version: test.version.clone(),
        files: test.file_names(),
        base_dir: options.base_dir.clone(),
        tasks: (0..).zip(&options.regions).map(task).collect(),
        deadline_ms: now_ms.saturating_add_unsigned(longest),
        start_timeout_ms: ms(start_timeout),
        flush_interval_ms: ms(flush_interval),
        live_interval_ms: ms(options.live_interval),
        control_interval_ms: ms(options.control_interval),
        load,
        env: options.env.clone(),
        run_arn: options.run_arn.clone(),
        allowed_targets: options.allowed_targets.clone(),
        debug_requests: options.debug_requests,
        spool: options.spool.clone(),
    }
}

fn record(
    id: &str,
    test: &TestPackage<'_>,
    trigger: Trigger,
    options: &PlanOptions,
    planned: PlannedLoad,
    now_ms: i64,
) -> Execution {
    Execution {
        version: test.version.clone(),
        engine: test.definition.engine.into(),
        target: test.target.clone(),
        trigger,
        infrastructure: options.infrastructure.clone(),
        planned,
        warnings: test.warnings.clone(),
        cost: options.cost.clone(),
        tier: test.definition.tier.map(|tier| tier.as_str().to_owned()),
        parameters: test.parameters.clone(),
        run_arn: options.run_arn.clone(),
        ..Execution::created(
            id,
            test.definition.project.clone(),
            test.definition.test.clone(),
            now_ms,
        )
    }
}
