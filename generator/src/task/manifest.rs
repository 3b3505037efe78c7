//! The manifest of a task: what it has to say at its end, whoever sent its load.

use super::base::Task;
use super::error::TaskError;
use crate::clock::unix_ms;
use crate::flush::Delivered;
use crate::health::Limits;
use floodgate_records::connections::Connections;
use floodgate_records::manifest::{Health, Manifest, ScriptSays, TaskOutcome, Totals};
use floodgate_records::metric::Tags;

/// An offset of the clock above it is worth a warning: it shifts this task's load against that of the others.
const CLOCK_LIMIT_US: u64 = 50_000;

/// What a task has measured and found, beside its shards.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) planned_start_ms: i64,
    pub(super) start_skew_us: i64,
    pub(super) connections: Connections,
    pub(super) totals: Totals,
    pub(super) durations: Vec<String>,
    pub(super) script: ScriptSays,
    pub(super) kept_tags: Vec<Tags>,
    pub(super) health: Health,
    pub(super) warnings: Vec<String>,
}

impl Task {
    /// The manifest of a task that has begun.
    pub(super) fn manifest(
        &self,
        outcome: TaskOutcome,
        mut findings: Findings,
        delivered: Delivered,
        limits: Limits,
    ) -> Manifest {
        let Findings {
            health, warnings, ..
        } = &mut findings;
        (health.open_files_limit, health.local_ports) = (limits.open_files, limits.local_ports);
        let offset = self.config.environment.clock.offset();
        health.clock_offset_us = offset.map(|offset| [offset.min_us, offset.max_us]);
        warnings.extend(offset.and_then(|offset| offset.warning(CLOCK_LIMIT_US)));
        Manifest {
            shards: delivered.shards,
            unwritten: delivered.unwritten,
            ..self.account(outcome, findings)
        }
    }

    /// Ends a task that has not begun: its manifest says why, and that nothing was measured.
    pub(super) async fn finish_unstarted(
        &self,
        by: String,
        warnings: Vec<String>,
    ) -> Result<Manifest, TaskError> {
        let findings = Findings {
            warnings,
            ..Findings::default()
        };
        let manifest = self.account(TaskOutcome::Stopped { by }, findings);
        let until = tokio::time::Instant::now() + self.config.environment.patience;
        self.put(&self.keys.manifest(self.config.task), &manifest, until)
            .await?;
        Ok(manifest)
    }

    /// What a task says that has no shards.
    fn account(&self, outcome: TaskOutcome, findings: Findings) -> Manifest {
        Manifest {
            schema: Manifest::SCHEMA,
            execution: self.plan.execution.clone(),
            task: self.config.task,
            outcome,
            planned_start_ms: findings.planned_start_ms,
            start_skew_us: findings.start_skew_us,
            ended_ms: unix_ms(),
            connections: findings.connections,
            shards: Vec::new(),
            unwritten: None,
            totals: findings.totals,
            durations: findings.durations,
            script: findings.script,
            kept_tags: findings.kept_tags,
            health: findings.health,
            warnings: findings.warnings,
        }
    }
}

/// What is said of series past the bound.
pub(super) fn folded(totals: &Totals) -> Option<String> {
    let (samples, max) = (totals.folded_samples, "run.max_series");
    (samples > 0).then(|| format!("{samples} samples of series past {max} stand under name=__other__: give requests fixed names"))
}
