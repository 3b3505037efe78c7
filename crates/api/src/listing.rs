//! Which runs are listed.

use floodgate_records::execution::Execution;
use serde::{Deserialize, Serialize};

/// Records that are looked through for what no index knows.
pub(crate) const LOOKED_THROUGH: usize = 10_000;
/// Runs of an answer, unless it is told otherwise, and at most.
const LIMIT: usize = 100;
const MOST: usize = 1_000;

/// What runs are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    pub(crate) project: Option<String>,
    pub(crate) test: Option<String>,
    /// Statuses, comma-separated.
    pub(crate) status: Option<String>,
    pub(crate) branch: Option<String>,
    /// The beginning of a commit.
    pub(crate) commit: Option<String>,
    /// Created at this time or later, Unix ms.
    pub(crate) since: Option<i64>,
    /// Created before this time, Unix ms.
    pub(crate) until: Option<i64>,
    /// Runs at most.
    pub(crate) limit: Option<usize>,
    /// The last run of the answer before.
    pub(crate) after: Option<String>,
}

impl Filter {
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT).clamp(1, MOST)
    }

    /// Whether records alone say which runs come first: then no more are read than are listed.
    pub(crate) fn is_plain(&self) -> bool {
        let Self {
            status,
            branch,
            commit,
            since,
            until,
            after,
            ..
        } = self;
        [status, branch, commit, after].iter().all(|f| f.is_none())
            && since.is_none()
            && until.is_none()
    }

    fn holds(&self, run: &Execution) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let statuses = self.status.as_deref();
        let begins = |commit: &str| {
            let found = run.trigger.commit.as_deref();
            found.is_some_and(|found| found.starts_with(commit))
        };
        statuses.is_none_or(|all| all.split(',').any(|s| s == run.status.as_str()))
            && is(&self.branch, run.trigger.branch.as_deref())
            && self.commit.as_deref().is_none_or(begins)
            && self.since.is_none_or(|since| run.created_ms >= since)
            && self.until.is_none_or(|until| run.created_ms < until)
    }

    /// The page of a list, the newest first, and the run after which the next page begins.
    pub(crate) fn page(&self, runs: Vec<Execution>) -> (Vec<Execution>, Option<String>) {
        let mut found: Vec<_> = runs.into_iter().filter(|run| self.holds(run)).collect();
        if let Some(after) = &self.after {
            let begin = found.iter().position(|run| run.id == *after);
            found.drain(..begin.map_or(0, |at| at + 1));
        }
        let more = found.len() > self.limit();
        found.truncate(self.limit());
        let last = found.last().filter(|_| more).map(|run| run.id.clone());
        (found, last)
    }
}

/// A run in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) test: String,
    version: String,
    status: &'static str,
    engine: String,
    created_ms: i64,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
    requests: Option<u64>,
    /// Why it has not passed: the first reason.
    reason: Option<String>,
    trigger: String,
    principal: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    build_url: Option<String>,
}

impl Row {
    pub(crate) fn of(run: Execution) -> Self {
        Self {
            status: run.status.as_str(),
            engine: run.engine.to_string(),
            requests: run.applied.map(|applied| applied.http_reqs),
            reason: run.reasons.into_iter().next(),
            trigger: run.trigger.kind.to_string(),
            principal: run.trigger.principal,
            branch: run.trigger.branch,
            commit: run.trigger.commit,
            build_url: run.trigger.build_url,
            id: run.id,
            project: run.project,
            test: run.test,
            version: run.version,
            created_ms: run.created_ms,
            started_ms: run.started_ms,
            ended_ms: run.ended_ms,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_records::status::Status;

    fn runs() -> Vec<Execution> {
        let run = |n: i64| {
            let mut run = Execution::created(format!("run-{n}"), "shop", "home", n);
            run.status = if n % 2 == 0 {
                Status::Passed
            } else {
                Status::Failed
            };
            run.trigger.branch = (n > 3).then(|| "main".to_owned());
            run.trigger.commit = Some(format!("c{n}ffee"));
            run
        };
        (0..6).rev().map(run).collect()
    }

    fn ids(filter: &Filter) -> (String, Option<String>) {
        let (page, next) = filter.page(runs());
        let numbers = page.iter().map(|run| run.id.trim_start_matches("run-"));
        (numbers.collect(), next)
    }

    #[test]
    fn filters_hold_together() {
        let all = Filter::default();
        assert_eq!(ids(&all), ("543210".into(), None));
        let of = |json: serde_json::Value| ids(&serde_json::from_value(json).unwrap()).0;
        assert_eq!(of(serde_json::json!({"status": "failed,errored"})), "531");
        assert_eq!(of(serde_json::json!({"branch": "main"})), "54");
        assert_eq!(of(serde_json::json!({"commit": "c2"})), "2");
        assert_eq!(of(serde_json::json!({"since": 2, "until": 4})), "32");
        let wrong = serde_json::from_value::<Filter>(serde_json::json!({"brunch": "main"}));
        assert!(wrong.is_err());
    }

    #[test]
    fn pages_follow_one_another_without_gap() {
        let page = |after: Option<&str>| Filter {
            limit: Some(4),
            after: after.map(str::to_owned),
            ..Filter::default()
        };
        assert_eq!(ids(&page(None)), ("5432".into(), Some("run-2".into())));
        assert_eq!(ids(&page(Some("run-2"))), ("10".into(), None));
    }
}
