//! Which runs are listed.

use crate::given::unix_ms;
use crate::problem::Problem;
use floodgate_records::status::Status;
use floodgate_store::Brief;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Runs of an answer, unless it is told otherwise, and at most.
const LIMIT: usize = 100;
const MOST: usize = 1_000;

/// Where runs may stand.
const STATUSES: [Status; 8] = [
    Status::Preparing,
    Status::Running,
    Status::Merging,
    Status::Passed,
    Status::Failed,
    Status::Inconclusive,
    Status::Errored,
    Status::Aborted,
];

/// What runs are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only runs of this project.
    pub(crate) project: Option<String>,
    /// Only runs of this test.
    pub(crate) test: Option<String>,
    /// Statuses, comma-separated.
    #[param(
        pattern = "^(preparing|running|merging|passed|failed|inconclusive|errored|aborted)(,(preparing|running|merging|passed|failed|inconclusive|errored|aborted))*$"
    )]
    pub(crate) status: Option<String>,
    pub(crate) branch: Option<String>,
    /// The beginning of a commit.
    pub(crate) commit: Option<String>,
    /// Created at this time or later, Unix ms.
    #[serde(deserialize_with = "unix_ms")]
    pub(crate) since: Option<i64>,
    /// Created before this time, Unix ms.
    #[serde(deserialize_with = "unix_ms")]
    pub(crate) until: Option<i64>,
    /// Runs at most: 100 if nothing is said, up to 1,000.
    #[param(minimum = 1)]
    pub(crate) limit: Option<usize>,
    /// `next` of the page before: the runs that are older.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    pub(crate) after: Option<String>,
}

/// How many of something are asked for: at least one.
pub(crate) fn number(name: &str, asked: Option<usize>) -> Result<Option<usize>, Problem> {
    match asked {
        Some(0) => Err(Problem::bad(format!(
            "{name}: 0 is not valid; write 1 or more"
        ))),
        asked => Ok(asked),
    }
}

/// How many a page has, given what is asked for.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    Ok(number("limit", asked)?.unwrap_or(LIMIT).min(MOST))
}

/// Where a page begins.
pub(crate) fn after(asked: Option<&str>) -> Result<Option<&str>, Problem> {
    let Some(id) = asked.filter(|id| ulid::Ulid::from_string(id).is_err()) else {
        return Ok(asked);
    };
    Err(Problem::bad(format!(
        "after: {id:?} is not valid; write the next of the page before"
    )))
}

impl Filter {
    /// Whether it asks for what there can be.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let asked = self.status.iter().flat_map(|all| all.split(','));
        let known = STATUSES.map(Status::as_str);
        if let Some(odd) = asked.clone().find(|word| !known.contains(word)) {
            return Err(Problem::bad(format!(
                "status: {odd:?} is not valid; write one or several of {}, separated by commas",
                known.join(", ")
            )));
        }
        after(self.after.as_deref()).map(drop)
    }

    pub(crate) fn holds(&self, run: &Brief) -> bool {
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
}

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct Row {
    /// ULID.
    pub(crate) id: String,
    /// Its project.
    pub(crate) project: String,
    /// The test's name.
    pub(crate) test: String,
    /// SHA-256 of the definition and its files.
    version: String,
    /// Where it stands.
    status: &'static str,
    /// Who sends its load.
    engine: String,
    /// Unix ms.
    created_ms: i64,
    /// Unix ms.
    started_ms: Option<i64>,
    /// Unix ms.
    ended_ms: Option<i64>,
    /// Sent, as far as it has ended.
    requests: Option<u64>,
    /// Why it has not passed: the first reason.
    reason: Option<String>,
    /// What started it.
    trigger: String,
    /// Who.
    principal: Option<String>,
    /// The branch that it is for.
    branch: Option<String>,
    /// The commit that it is for.
    commit: Option<String>,
    /// The pipeline's page.
    build_url: Option<String>,
}

impl Row {
    pub(crate) fn of(run: &Brief) -> Self {
        Self {
            status: run.status.as_str(),
            engine: run.engine.to_string(),
            requests: run.requests,
            reason: run.reason.clone(),
            trigger: run.trigger.kind.to_string(),
            principal: run.trigger.principal.clone(),
            branch: run.trigger.branch.clone(),
            commit: run.trigger.commit.clone(),
            build_url: run.trigger.build_url.clone(),
            id: run.id.clone(),
            project: run.project.clone(),
            test: run.test.clone(),
            version: run.version.clone(),
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
    use floodgate_records::execution::Execution;
    use floodgate_records::status::Status;

    fn runs() -> Vec<Brief> {
        let run = |n: i64| {
            let mut run = Execution::created(format!("run-{n}"), "shop", "home", n);
            run.status = if n % 2 == 0 {
                Status::Passed
            } else {
                Status::Failed
            };
            run.trigger.branch = (n > 3).then(|| "main".to_owned());
            run.trigger.commit = Some(format!("c{n}ffee"));
            Brief::from(run)
        };
        (0..6).rev().map(run).collect()
    }

    fn ids(filter: &Filter) -> String {
        let found = runs().into_iter().filter(|run| filter.holds(run));
        let ids = found.map(|run| run.id);
        ids.map(|id| id.trim_start_matches("run-").to_owned())
            .collect()
    }

    #[test]
    fn filters_hold_together() {
        assert_eq!(ids(&Filter::default()), "543210");
        let of = |json: serde_json::Value| ids(&serde_json::from_value(json).unwrap());
        assert_eq!(of(serde_json::json!({"status": "failed,errored"})), "531");
        assert_eq!(of(serde_json::json!({"branch": "main"})), "54");
        assert_eq!(of(serde_json::json!({"commit": "c2"})), "2");
        assert_eq!(of(serde_json::json!({"since": 2, "until": 4})), "32");
        let wrong = serde_json::from_value::<Filter>(serde_json::json!({"brunch": "main"}));
        assert!(wrong.is_err());
    }
}
