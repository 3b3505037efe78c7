//! Where objects lie in the bucket and in the local folder.

/// Stands for a task in the keys of the shards that hold what other systems told: no plan has so many tasks.
pub const OBSERVER: u32 = 1_000_000;

/// The keys of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionKeys {
    root: String,
}

impl ExecutionKeys {
    /// Keys below `projects/{project}/executions/{id}/`.
    pub fn new(project: &str, id: &str) -> Self {
        Self {
            root: format!("projects/{project}/executions/{id}/"),
        }
    }
    /// The common prefix, with its trailing slash.
    pub fn root(&self) -> &str {
        &self.root
    }
    /// Segments, expected tasks, deadlines.
    pub fn plan(&self) -> String {
        format!("{}plan.json", self.root)
    }
    /// Written by a task when it could start.
    pub fn ready(&self, task: u32) -> String {
        format!("{}control/ready/{task:04}", self.root)
    }
    /// The prefix of all ready marks.
    pub fn ready_prefix(&self) -> String {
        format!("{}control/ready/", self.root)
    }
    /// The one absolute start time of all tasks.
    pub fn start(&self) -> String {
        format!("{}control/start.json", self.root)
    }
    /// What setup gave, a script's or a definition's, for the tasks that have not run it.
    pub fn setup(&self) -> String {
        format!("{}control/setup.json", self.root)
    }
    /// The steps of a search for the capacity.
    pub fn capacity(&self) -> String {
        format!("{}control/capacity.json", self.root)
    }
    /// Why values of other systems are missing.
    pub fn observed(&self) -> String {
        format!("{}control/observed.json", self.root)
    }
    /// How far the export of a run in the cloud to a sink has come while the run goes on; `sink` is a hash of its URL.
    pub fn export_live(&self, sink: &str) -> String {
        format!("{}exports/{sink}.live.json", self.root)
    }

    /// That the export of a run in the cloud to a sink has begun; `sink` is a hash of its URL.
    pub fn export_begun(&self, sink: &str) -> String {
        format!("{}exports/{sink}.begun.json", self.root)
    }
    /// That it has ended, and the sink has everything.
    pub fn export_done(&self, sink: &str) -> String {
        format!("{}exports/{sink}.done.json", self.root)
    }
    /// The order to stop, and who gave it.
    pub fn stop(&self) -> String {
        format!("{}control/stop.json", self.root)
    }
    /// The same order as the API wrote it down, whose caller is proven: nobody else may write it.
    pub fn vouched_stop(&self) -> String {
        format!("{}control/stop-vouched.json", self.root)
    }
    /// What the API was asked to run, and by whom: nobody else may write it.
    pub fn order(&self) -> String {
        format!("{}control/order.json", self.root)
    }
    /// What a watch in the cloud remembers between two steps.
    pub fn watch(&self) -> String {
        format!("{}control/watch.json", self.root)
    }
    /// The tasks that were started, by number, with their ARNs.
    pub fn placed(&self) -> String {
        format!("{}control/placed.json", self.root)
    }
    /// What is to be merged by whom, when one function is not enough.
    pub fn merge_parts(&self) -> String {
        format!("{}control/merge.json", self.root)
    }
    /// The shards that a part is made of.
    pub fn merge_list(&self, part: u32) -> String {
        format!("{}merge/{part:04}.list.json", self.root)
    }
    /// One part of the merged series, with its account beside it.
    pub fn merge_part(&self, part: u32) -> String {
        format!("{}merge/{part:04}.parquet", self.root)
    }
    /// What the merge of a part found: completeness, warnings, totals.
    pub fn merge_account(&self, part: u32) -> String {
        format!("{}merge/{part:04}.json", self.root)
    }
    /// A task's cumulative metrics since the start, overwritten at each flush.
    pub fn live(&self, task: u32) -> String {
        format!("{}live/{task:04}.parquet", self.root)
    }
    /// The prefix of all live objects.
    pub fn live_prefix(&self) -> String {
        format!("{}live/", self.root)
    }
    /// One immutable shard.
    pub fn shard(&self, task: u32, seq: u32) -> String {
        format!("{}shards/{task:04}/{seq:06}.parquet", self.root)
    }
    /// The prefix of a task's shards.
    pub fn shards_of(&self, task: u32) -> String {
        format!("{}shards/{task:04}/", self.root)
    }
    /// The prefix of all shards.
    pub fn shards_prefix(&self) -> String {
        format!("{}shards/", self.root)
    }
    /// A task's final manifest.
    pub fn manifest(&self, task: u32) -> String {
        format!("{}tasks/{task:04}.json", self.root)
    }
    /// A task's samples of failures, overwritten at each flush that has new ones.
    pub fn task_failures(&self, task: u32) -> String {
        format!("{}{task:04}.json", self.task_failures_prefix())
    }
    /// The prefix of all manifests.
    pub fn manifests_prefix(&self) -> String {
        format!("{}tasks/", self.root)
    }
    /// The prefix of what starts, stops and counts the tasks.
    pub fn control_prefix(&self) -> String {
        format!("{}control/", self.root)
    }
    /// The prefix of what is kept beside the figures.
    pub fn artifacts_prefix(&self) -> String {
        format!("{}artifacts/", self.root)
    }
    /// The prefix of all tasks' samples of failures.
    pub fn task_failures_prefix(&self) -> String {
        format!("{}artifacts/failures/", self.root)
    }
    /// The run's samples of failures.
    pub fn failures(&self) -> String {
        format!("{}artifacts/failures.json", self.root)
    }
    /// The merged one-second series.
    pub fn merged(&self) -> String {
        format!("{}merged.parquet", self.root)
    }
    /// The summary.
    pub fn summary(&self) -> String {
        format!("{}summary.json", self.root)
    }
    /// What the charts of the report are drawn from.
    pub fn figures(&self) -> String {
        format!("{}figures.json", self.root)
    }
    /// The report: one page.
    pub fn report(&self) -> String {
        format!("{}report.html", self.root)
    }
}

/// Whether an object is a task's measurement, for which the merged series stands after the end, so that it may be deleted then: shards
/// and live objects.
pub fn is_raw(key: &str) -> bool {
    let below_run = |rest: &str| ["shards/", "live/"].iter().any(|f| rest.starts_with(f));
    key.strip_prefix("projects/")
        .and_then(|rest| rest.split_once("/executions/"))
        .and_then(|(_, rest)| rest.split_once('/'))
        .is_some_and(|(_, rest)| below_run(rest))
}

/// The file of a definition's version that holds the definition itself, normalised, references unresolved.
pub const DEFINITION_FILE: &str = "definition.json";

/// The file beside it with what the definition's script says of itself.
pub const INSPECTION_FILE: &str = "inspection.json";

/// The key of a file of a definition's version.
pub fn definition_file(project: &str, test: &str, sha256: &str, file: &str) -> String {
    format!("projects/{project}/definitions/{test}/{sha256}/{file}")
}

/// The key of the run that is pinned as a test's baseline.
pub fn baseline(project: &str, test: &str) -> String {
    format!("projects/{project}/baselines/{test}.json")
}

/// The key of what a project's runs may cost.
pub fn budget(project: &str) -> String {
    format!("projects/{project}/budget.json")
}

/// The prefix of all schedules.
pub const SCHEDULES: &str = "schedules/";

/// The key of a schedule.
pub fn schedule_key(project: &str, name: &str) -> String {
    format!("{SCHEDULES}{project}/{name}/schedule.json")
}

/// The key of what became of a schedule's starts.
pub fn schedule_state_key(project: &str, name: &str) -> String {
    format!("{SCHEDULES}{project}/{name}/state.json")
}

/// The key of the kill switch of a project, or of everything.
pub fn halt(project: Option<&str>) -> String {
    match project {
        Some(project) => format!("projects/{project}/halt.json"),
        None => "config/halt.json".to_owned(),
    }
}

/// The key of what is known of a start that was asked for with an idempotency key; `name` is a hash of it.
pub fn start_by_key(project: &str, name: &str) -> String {
    format!("projects/{project}/starts/{name}.json")
}

/// The key of a run's table of buckets: `projects/{project}/buckets/{test}/{day}/{id}.parquet`. It is not below the run's own prefix, so
/// that whoever asks about many runs reads nothing else: `day` is that of the record's creation (UTC), such as `2026-11-29`.
pub fn buckets(project: &str, test: &str, day: &str, id: &str) -> String {
    format!("projects/{project}/buckets/{test}/{day}/{id}.parquet")
}

#[cfg(test)]
mod tests {
    use super::{ExecutionKeys, buckets, definition_file, is_raw};

    #[test]
    fn shards_and_live_objects_are_raw() {
        let keys = ExecutionKeys::new("shop", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        for raw in [keys.shard(0, 1), keys.live(2)] {
            assert!(is_raw(&raw), "{raw}");
        }
        for kept in [
            keys.merged(),
            keys.merge_part(0),
            keys.summary(),
            keys.figures(),
            keys.report(),
            keys.plan(),
            keys.manifest(0),
            keys.stop(),
            definition_file("shop", "shards", "abc", "live/x.csv"),
            buckets("shop", "live", "2026-11-29", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ] {
            assert!(!is_raw(&kept), "{kept}");
        }
    }
}
