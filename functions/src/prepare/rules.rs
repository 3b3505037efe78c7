//! Whether a run may be started: by whom, how large, within which quota; and at what cost.

use crate::app::App;
use crate::cost::budget;
use crate::error::{FunctionError, Result};
use crate::stack_config::{ProjectRules, SPOT, StackConfig};
use floodgate_control::max_duration;
use floodgate_core::cost::Capacity;
use floodgate_core::definition::model::Definition;
use floodgate_core::planned::planned_load;
use floodgate_policy::budget::Allowance;
use floodgate_records::budget::Caps;
use floodgate_records::execution::{PrincipalIs, Trigger};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest run: the state machine's own time-out leaves some hours beside it.
const MAX_DURATION: Duration = Duration::from_secs(24 * 3_600 + 300);
/// Quotas of vCPUs.
const QUOTA_ON_DEMAND: &str = Capacity::OnDemand.quota_code();
const QUOTA_SPOT: &str = Capacity::Spot.quota_code();

fn no(text: String) -> FunctionError {
    FunctionError::errored(text)
}

/// The project's rules, if they let this principal start runs.
pub(super) fn who<'a>(
    placement: &'a StackConfig,
    project: &str,
    trigger: &Trigger,
) -> Result<&'a ProjectRules> {
    let rules = placement.rules(project).ok_or_else(|| {
        no(format!(
            "project {project:?} is not known to this stack; add it to `projects` of the Terraform module"
        ))
    })?;
    // Schedules are admitted by their names, which only the machine that Scheduler alone starts may give: of anybody else they say
    // as much as no name.
    let claimed = trigger.principal_is == PrincipalIs::Claimed;
    let named = trigger.principal.as_deref();
    let named = named.filter(|who| !(claimed && who.starts_with("schedule/")));
    if rules.allows(named) {
        return Ok(rules);
    }
    let who = trigger
        .principal
        .as_deref()
        .unwrap_or("nobody (trigger.principal is missing)");
    Err(no(format!(
        "{who} may not start runs of project {project:?}; its principals are {}",
        rules.principals.join(", ")
    )))
}

/// Whether the state machine lives long enough to see the end.
pub(super) fn how_long(definition: &Definition) -> Result<()> {
    let longest = max_duration(definition, &planned_load(definition));
    if longest <= MAX_DURATION {
        return Ok(());
    }
    Err(FunctionError::invalid(format!(
        "the run may take {:.1} h; the limit is {} h; shorten the schedule or set run.max_duration",
        longest.as_secs_f64() / 3_600.0,
        MAX_DURATION.as_secs() / 3_600
    )))
}

/// Whether that many tasks are allowed.
pub(super) fn how_many(placement: &StackConfig, rules: &ProjectRules, tasks: u32) -> Result<()> {
    let stack = placement.max_tasks_per_execution;
    let most = rules.max_tasks.map_or(stack, |own| own.min(stack));
    if tasks <= most {
        return Ok(());
    }
    Err(no(format!(
        "{tasks} tasks; the limit is {most} (`max_tasks` of the project or the stack); lower run.tasks, or use larger tasks with run.cpu"
    )))
}

/// Whether what is left of the quota of each region suffices. Only tasks of this stack's clusters are known to be running; what
/// cannot be found out is a warning, and a launch that meets the quota itself still tops up or ends the run.
pub(super) async fn quota(
    app: &App,
    placement: &StackConfig,
    definition: &Definition,
    regions: &[String],
) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if placement.launch_type.is_some() {
        return Ok(warnings);
    }
    let mut tasks: BTreeMap<&str, u32> = BTreeMap::new();
    for region in regions {
        *tasks.entry(region).or_default() += 1;
    }
    let capacity = &placement.capacity;
    let codes: &[&str] = match (capacity.provider == SPOT, capacity.fallback) {
        (true, true) => &[QUOTA_SPOT, QUOTA_ON_DEMAND],
        (true, false) => &[QUOTA_SPOT],
        (false, _) => &[QUOTA_ON_DEMAND],
    };
    let counts = |code| codes.contains(&code);
    for (region, tasks) in tasks {
        let needed = f64::from(tasks) * f64::from(definition.run.cpu) / 1_024.0;
        let mut quota = placement.region(region)?.vcpu_quota;
        if quota.is_none() {
            let mut sum = 0.0;
            for code in codes {
                match app.account.vcpu_quota(region, code).await {
                    Ok(vcpu) => sum += vcpu,
                    Err(problem) => {
                        warnings.push(format!(
                            "the vCPU quota {code} of {region} could not be checked: {problem}"
                        ));
                        sum = f64::INFINITY;
                    }
                }
            }
            quota = Some(sum);
        }
        let quota = quota.unwrap_or(f64::INFINITY);
        let cluster = &placement.region(region)?.cluster;
        let used = match app.tasks.in_use(region, cluster).await {
            Ok(used) => {
                f64::from(counts(QUOTA_ON_DEMAND)) * used.on_demand
                    + f64::from(counts(QUOTA_SPOT)) * used.spot
            }
            Err(problem) => {
                warnings.push(format!(
                    "what runs in {region} already could not be counted against its vCPU quota: {problem}"
                ));
                0.0
            }
        };
        let codes = codes.join(" + ");
        if needed > quota {
            return Err(no(format!(
                "{tasks} tasks in {region} need {needed} vCPU; the quota ({codes}) is {quota}; lower run.tasks or run.cpu, spread over more regions, or ask for more in Service Quotas"
            )));
        }
        if needed > quota - used {
            return Err(no(format!(
                "{tasks} tasks in {region} need {needed} vCPU; of the quota ({codes}) of {quota}, other runs take up {used}; start it when they have ended, lower run.tasks or run.cpu, or ask for more in Service Quotas"
            )));
        }
    }
    Ok(warnings)
}

/// What a run may cost by its definition and by what the stack says of its project.
pub(super) fn ceiling(placement: &StackConfig, definition: &Definition) -> Allowance {
    let rules = placement.rules(&definition.project);
    Allowance {
        run: Caps {
            usd: budget(placement, definition),
            vu_hours: rules.and_then(|rules| rules.max_vu_hours),
        },
        month: Caps {
            usd: rules.and_then(|rules| rules.max_monthly_usd),
            vu_hours: rules.and_then(|rules| rules.max_monthly_vu_hours),
        },
    }
}
