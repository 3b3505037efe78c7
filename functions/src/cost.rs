//! What a run costs, from what the functions know of it.

use crate::app::App;
use crate::clock::between;
use crate::launched::LaunchedTasks;
use crate::stack_config::{ON_DEMAND, StackConfig};
use floodgate_core::cost::{Architecture, Capacity, Observed, Site, TaskTime};
use floodgate_core::definition::model::Definition;
use floodgate_records::execution::Execution;
use floodgate_records::word::Word;

/// Where and on what a run takes place.
pub(crate) fn site(app: &App, placement: &StackConfig, execution: &Execution) -> Site {
    let architecture = &execution.infrastructure.architecture;
    site_of(app, placement, &execution.project, architecture)
}

/// The same before there is a record.
pub(crate) fn site_of(
    app: &App,
    placement: &StackConfig,
    project: &str,
    architecture: &Word<Architecture>,
) -> Site {
    // With a fallback it may come to On-Demand.
    let capacity = &placement.capacity;
    let provider = if capacity.fallback {
        ON_DEMAND
    } else {
        &capacity.provider
    };
    let public_ip = placement
        .regions
        .values()
        .filter_map(|r| r.network(project))
        .any(|n| n.assign_public_ip);
    Site {
        architecture: architecture.known().unwrap_or_default(),
        functions: match std::env::consts::ARCH {
            "x86_64" => Architecture::X86_64,
            _ => Architecture::Arm64,
        },
        capacity: Capacity::of_provider(provider),
        public_ip,
        ..Site::new(app.config.bucket_region.clone())
    }
}

/// The tighter of the definition's cap and the project's; `None` without any.
pub(crate) fn budget(placement: &StackConfig, definition: &Definition) -> Option<f64> {
    let project = placement
        .rules(&definition.project)
        .and_then(|r| r.max_cost_usd);
    [definition.run.max_cost_usd, project]
        .into_iter()
        .flatten()
        .reduce(f64::min)
}

/// What is known of a run that goes on. Tasks that have ended count as if they went on: at most too much.
pub(crate) fn observed(placed: &LaunchedTasks, start_ms: Option<i64>, now_ms: i64) -> Observed {
    let ended = |_: u32| None;
    observed_until(placed, start_ms, now_ms, ended)
}

/// The same with the end of each task, as far as it is known.
pub(crate) fn observed_until(
    placed: &LaunchedTasks,
    start_ms: Option<i64>,
    now_ms: i64,
    ended_ms: impl Fn(u32) -> Option<i64>,
) -> Observed {
    let time = |task: &crate::launched::LaunchedTask| TaskTime {
        region: task.region.clone(),
        capacity: Capacity::of_provider(&task.capacity),
        billed: between(task.placed_ms, ended_ms(task.task).unwrap_or(now_ms)),
    };
    let last = placed.tasks.iter().filter_map(|t| ended_ms(t.task)).max();
    Observed {
        tasks: placed.tasks.iter().map(time).collect(),
        running: start_ms.map_or(std::time::Duration::ZERO, |start| {
            between(start, last.unwrap_or(now_ms))
        }),
        ..Observed::default()
    }
}
