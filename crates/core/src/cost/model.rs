//! What a plan uses: the model behind the estimate and the budget check. Every figure that is assumed rather than taken from
//! the plan is a constant here, and stands in `docs/cost.md`.

use super::bill::{Bill, bill};
use super::usage::{Capacity, Size, Usage};
use crate::definition::model::RunOptions;
use crate::planned::UNKNOWN_DURATION;
use floodgate_records::architecture::Architecture;
use floodgate_records::plan::Plan;
use std::time::Duration;

/// From the download of a task's image (charging starts there) to the common start, all tasks being waited for.
pub const READY: Duration = Duration::from_secs(60);
/// From the last iteration to the end of a task: last shard, manifest, exit.
pub const END: Duration = Duration::from_secs(15);
/// Wait, Watch, Choice.
const TRANSITIONS_A_TURN: f64 = 3.0;
/// Memory of the watch's function, as `terraform/modules/functions` gives it unless a stack overrides it.
pub const WATCH_MB: u32 = 1_769;
/// Everything that is not a turn of the watch, without merging: prepare, launch, finish.
const FIXED_TRANSITIONS: f64 = 20.0;
const FIXED_LAMBDAS: f64 = 8.0;
const FIXED_GB_S: f64 = 0.5 * 10.0;
/// Launching: RunTask is called 20 times a second at most, one task a call; an invocation stops after 10 min.
const LAUNCH_GB_S_A_TASK: f64 = 0.5 / 20.0;
const LAUNCH_TASKS: f64 = 5_000.0;
/// Merging a shard: 3.3 ms of a CPU (1.8 GB of a function).
const MERGE_GB_S_A_SHARD: f64 = 0.006;
/// Shards of a part of the Distributed Map, and what a part takes of transitions.
const SHARDS_A_PART: f64 = 10_000.0;
const TRANSITIONS_A_PART: f64 = 4.0;
/// Bytes of a shard, with about 20 series.
const SHARD_BYTES: f64 = 20_000.0;
/// Objects of a run beside those of its tasks: plan, control objects, summary, merged series, buckets.
const FIXED_PUTS: f64 = 20.0;
const FIXED_GETS: f64 = 40.0;
/// Objects that a task finds absent when it begins, start and stop, and how long a listing is believed, in seconds: `absences` of
/// the store.
const FIRST_ABSENCES: f64 = 2.0;
const ABSENCE_S: f64 = 60.0;
/// Objects that a look of the watch reads whatever the number of tasks.
const LOOK_GETS: f64 = 5.0;
/// Keys of a page of a listing.
const PAGE: f64 = 1_000.0;
/// A record has about 3 KB and stands in the table and two indexes; it is written about ten times.
const RECORD_WRITES: f64 = 100.0;
const RECORD_READS: f64 = 50.0;
/// Bytes of logs of an invocation, and of a task.
const LOG_BYTES_A_LAMBDA: f64 = 1_500.0;
const LOG_BYTES_A_TASK: f64 = 4_000.0;
const GB: f64 = 1_073_741_824.0;
const DAYS_A_MONTH: f64 = 30.4;

/// How long shards are kept unless the stack says otherwise, in days.
pub const RETENTION_DAYS: f64 = 30.0;

/// Where and on what a run takes place.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The region of bucket, table, functions and state machine.
    pub home: String,
    /// The processor of the tasks.
    pub architecture: Architecture,
    /// The processor of the functions.
    pub functions: Architecture,
    /// The capacity of the tasks. With a fallback to On-Demand say [`Capacity::OnDemand`]: it may come to that.
    pub capacity: Capacity,
    /// Whether each task has a public IPv4 address.
    pub public_ip: bool,
    /// How long shards are kept, in days; see [`RETENTION_DAYS`].
    pub retention_days: f64,
}

impl Site {
    /// ARM On-Demand without public addresses, shards kept for [`RETENTION_DAYS`].
    pub fn new(home: impl Into<String>) -> Self {
        Self {
            home: home.into(),
            architecture: Architecture::Arm64,
            functions: Architecture::Arm64,
            capacity: Capacity::OnDemand,
            public_ip: false,
            retention_days: RETENTION_DAYS,
        }
    }
}

/// How long a task has been charged for. A task that was started again counts twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskTime {
    /// Where it runs.
    pub region: String,
    /// On which capacity.
    pub capacity: Capacity,
    /// From the start of its image's download to now, or to its end.
    pub billed: Duration,
}

/// The work of the watch, in all its invocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Invocations.
    pub turns: u64,
    /// Looks at the objects of all tasks: one an invocation, or many in one that stays because seconds count.
    pub looks: u64,
    /// Sum of the invocations' durations.
    pub time: Duration,
}

/// What is known of a run that has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The tasks that were started.
    pub tasks: Vec<TaskTime>,
    /// Since the common start, until now or until the end of the last task; zero before it.
    pub running: Duration,
    /// What the watch did, or will do.
    pub watched: Watched,
    /// Shards written by all tasks; `None`: as the model has it.
    pub shards: Option<u64>,
    /// Bytes of all shards; `None`: as the model has it.
    pub shard_bytes: Option<u64>,
}

/// How long a plan's load goes on if it runs to the end of its schedule with all graceful stops; a script whose schedule is not known
/// goes on for as long as it may.
pub fn longest(plan: &Plan, run: &RunOptions) -> Duration {
    let longest = Duration::from_millis(plan.load.max_duration_ms);
    match run.max_duration {
        None if longest.is_zero() => UNKNOWN_DURATION,
        None => longest,
        Some(most) if longest.is_zero() => most,
        Some(most) => longest.min(most),
    }
}

/// What a plan will cost if it goes on for as [`long`](longest) as it may, which is what a budget has to allow for; `watched` is what
/// the watch of so long a run will do.
pub fn estimate(plan: &Plan, run: &RunOptions, site: &Site, watched: Watched) -> Bill {
    let running = longest(plan, run);
    let task = |region: &String| TaskTime {
        region: region.clone(),
        capacity: site.capacity,
        billed: READY + running + END,
    };
    let observed = Observed {
        tasks: plan.tasks.iter().map(|t| task(&t.region)).collect(),
        running,
        watched,
        ..Observed::default()
    };
    so_far(plan, run, site, &observed)
}

/// What a run has cost until now, with what merging and finishing what there is will certainly add. After the end, with
/// everything observed, it is the actual cost. It never decreases while anything of [`Observed`] grows.
pub fn so_far(plan: &Plan, run: &RunOptions, site: &Site, observed: &Observed) -> Bill {
    let mut usage = Usage::new();
    let size = Size {
        cpu: run.cpu,
        memory: run.memory,
    };
    for task in &observed.tasks {
        let charged = usage.add_task(
            &task.region,
            site.architecture,
            task.capacity,
            size,
            task.billed,
        );
        let services = usage.services(&task.region);
        services.log_gb += LOG_BYTES_A_TASK / GB;
        if site.public_ip {
            services.ipv4_hours += charged.as_secs_f64() / 3_600.0;
        }
    }
    add_services(&mut usage, plan, site, observed);
    bill(&usage)
}

/// The services of the home region.
fn add_services(usage: &mut Usage, plan: &Plan, site: &Site, observed: &Observed) {
    let tasks = observed.tasks.len() as f64;
    let waited: f64 = observed.tasks.iter().map(|t| t.billed.as_secs_f64()).sum();
    let running = observed.running.as_secs_f64();
    let Watched { turns, looks, time } = observed.watched;
    let (turns, looks) = (turns as f64, looks as f64);
    let times = |interval_ms: u64| (running * 1_000.0 / interval_ms.max(1) as f64).ceil() + 1.0;
    let shards = observed.shards.map_or_else(
        || tasks * times(plan.flush_interval_ms),
        |shards| shards as f64,
    );
    let bytes = observed
        .shard_bytes
        .map_or(shards * SHARD_BYTES, |bytes| bytes as f64);
    let parts = (shards / SHARDS_A_PART).ceil();
    let launches = (tasks / LAUNCH_TASKS).ceil();
    let files = plan.files.len() as f64;

    let home = usage.services(&site.home);
    let lambdas = FIXED_LAMBDAS + launches + turns + parts;
    let gb_s = FIXED_GB_S
        + tasks * LAUNCH_GB_S_A_TASK
        + f64::from(WATCH_MB) / 1_024.0 * time.as_secs_f64()
        + shards * MERGE_GB_S_A_SHARD;
    home.add_lambda(site.functions, lambdas, gb_s);
    home.transitions +=
        FIXED_TRANSITIONS + (launches + turns) * TRANSITIONS_A_TURN + parts * TRANSITIONS_A_PART;
    // Listings cost as much as writes. A task asks for one before it takes for absent what it may not see, and again each minute.
    let absences = tasks * FIRST_ABSENCES + waited / ABSENCE_S;
    // A task writes its mark, its manifest, shards and live objects.
    let listings = (looks * 2.0 * (tasks / PAGE).ceil()) + (shards / PAGE).ceil();
    home.s3_puts += FIXED_PUTS
        + files
        + tasks * (2.0 + times(plan.live_interval_ms))
        + shards
        + looks
        + listings
        + absences;
    // A task looks for its start, then for an order to stop.
    let tasks_look = waited * 1_000.0 / plan.control_interval_ms.max(1) as f64;
    home.s3_gets += FIXED_GETS
        + tasks * (2.0 + files)
        + tasks_look
        + looks * (LOOK_GETS + tasks)
        + shards
        + tasks;
    home.s3_gb_months += bytes / GB * site.retention_days / DAYS_A_MONTH;
    home.dynamodb_writes += RECORD_WRITES;
    home.dynamodb_reads += RECORD_READS + turns;
    home.log_gb += lambdas * LOG_BYTES_A_LAMBDA / GB;
}
