//! Merge: whether shards are added up in parts, and each part.

use crate::app::App;
use crate::clock::between;
use crate::error::Result;
use crate::run::Run;
use crate::stack_config::StackConfig;
use crate::supervisor::load_run;
use floodgate_control::collect::{MergeLimits, collect_part, plan_parts};
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(crate) enum Merge {
    /// Splits the merge, if it has to be.
    Plan { run: Run },
    /// Merges one part.
    Part { item: Item },
}

/// A part, as the Distributed Map hands it on.
#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    project: String,
    execution: String,
    part: u32,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Merged {
    /// The run, with its number of parts.
    Run(Run),
    /// A part's account in short; the rest lies beside it.
    Part { part: u32, shards: u64, rows: u64 },
}

/// Plans or merges.
pub(crate) async fn handle(app: &App, input: Merge) -> Result<Merged> {
    let began_ms = app.clock.now_ms();
    let objects = app.stores.objects.as_ref();
    match input {
        Merge::Plan { run } => {
            let app = &app.of(&run.execution);
            let loaded = load_run(app, &run.project, &run.execution).await?;
            let mut limits = MergeLimits::default();
            if let Some(shards) = StackConfig::load(objects).await?.merge_shards {
                limits.shards = shards;
            }
            let parts = plan_parts(objects, &loaded.plan, limits).await?;
            let parts = parts.map_or(0, |parts| parts.len() as u32);
            tracing::info!(parts, "merge planned");
            Ok(Merged::Run(Run { parts, ..run }))
        }
        Merge::Part { item } => {
            let app = &app.of(&item.execution);
            let account = collect_part(objects, &item.project, &item.execution, item.part).await?;
            let took = between(began_ms, app.clock.now_ms()).as_secs_f64();
            let shards = account.completeness.shards_merged;
            tracing::info!(
                part = item.part,
                shards,
                rows = account.rows,
                seconds = took,
                "part merged"
            );
            app.metrics(&item.project)
                .seconds("MergeSeconds", took)
                .emit();
            Ok(Merged::Part {
                part: item.part,
                shards,
                rows: account.rows,
            })
        }
    }
}
