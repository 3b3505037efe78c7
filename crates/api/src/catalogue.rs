//! The tests that there are, and what each was at a time.

use crate::caller::Caller;
use crate::extract::Path;
use crate::listing::Row;
use crate::paging::listed;
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use floodgate_policy::Action;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_store::{Brief, Wanted};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// How the last runs of a test ended, the newest last.
const LAST: usize = 12;

/// A test of a project.
#[derive(Serialize, ToSchema)]
pub(crate) struct Test {
    project: String,
    /// Its name.
    test: String,
    /// How often it was run.
    runs: usize,
    /// How often it passed.
    passed: usize,
    /// Statuses of the last runs, the oldest first.
    last: Vec<&'static str>,
    /// Its newest run.
    newest: Row,
}

/// A version of a test, as far as runs have it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Version {
    version: String,
    runs: usize,
    first_ms: i64,
    last_ms: i64,
    /// The commits that it was run for.
    commits: Vec<String>,
}

/// Lists the tests of all projects in which the caller has a role, those that ran last first.
#[utoipa::path(get, path = "/v1/tests", operation_id = "listAllTests", tag = "tests",
    responses((status = 200, body = Vec<Test>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn list_all(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Json<Vec<Test>>, Problem> {
    Ok(Json(service.tests(&caller, None).await?))
}

/// Lists the tests of a project, those that ran last first.
#[utoipa::path(get, path = "/v1/projects/{project}/tests", operation_id = "listTests", tag = "tests",
    params(("project" = String, Path)), responses((status = 200, body = Vec<Test>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
) -> Result<Json<Vec<Test>>, Problem> {
    Ok(Json(service.tests(&caller, Some(&project)).await?))
}

impl Service {
    async fn tests(&self, caller: &Caller, asked: Option<&str>) -> Result<Vec<Test>, Problem> {
        let mut found = Vec::new();
        for project in listed(caller, asked, Action::ReadTests)? {
            let listed = self.stores.records.select(&Wanted::all(project)).await?;
            found.extend(tests(&listed.runs));
        }
        found.sort_by(|a, b| b.newest.id.cmp(&a.newest.id));
        Ok(found)
    }
}

/// From runs, the newest first.
fn tests(runs: &[Arc<Brief>]) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    let mut places = BTreeMap::new();
    for run in runs {
        let name = (run.project.as_str(), run.test.as_str());
        let status = run.status;
        let at = *places.entry(name).or_insert_with(|| {
            tests.push(Test {
                project: run.project.clone(),
                test: run.test.clone(),
                runs: 0,
                passed: 0,
                last: Vec::new(),
                newest: Row::of(run),
            });
            tests.len() - 1
        });
        let test = &mut tests[at];
        test.runs += 1;
        test.passed += usize::from(status.as_str() == "passed");
        if test.last.len() < LAST {
            test.last.insert(0, status.as_str());
        }
    }
    tests
}

/// Lists the versions of a test that were run, the newest first.
#[utoipa::path(get, path = "/v1/projects/{project}/tests/{test}/versions", operation_id = "listVersions", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path)), responses((status = 200, body = Vec<Version>), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn versions(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test)): Path<(String, String)>,
) -> Result<Json<Vec<Version>>, Problem> {
    caller.may(Action::ReadTests, &project)?;
    let records = &service.stores.records;
    let wanted = Wanted {
        test: Some(test),
        ..Wanted::all(Some(&project))
    };
    let mut versions: Vec<Version> = Vec::new();
    for run in records.select(&wanted).await?.runs {
        if run.version.is_empty() {
            continue;
        }
        let known = versions.iter().position(|v| v.version == run.version);
        let at = known.unwrap_or_else(|| {
            versions.push(Version {
                version: run.version.clone(),
                runs: 0,
                first_ms: run.created_ms,
                last_ms: run.created_ms,
                commits: Vec::new(),
            });
            versions.len() - 1
        });
        let version = &mut versions[at];
        version.runs += 1;
        version.first_ms = run.created_ms;
        let commit = run.trigger.commit.as_ref();
        if let Some(commit) = commit.filter(|c| !version.commits.contains(c)) {
            version.commits.push(commit.clone());
        }
    }
    Ok(Json(versions))
}

/// Shows the definition of a version as it was written: references stand in it, not what they stood for.
#[utoipa::path(get, path = "/v1/projects/{project}/tests/{test}/versions/{version}", operation_id = "readDefinition", tag = "tests",
    params(("project" = String, Path), ("test" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Object), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn definition(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, test, version)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadTests, &project)?;
    let key = definition_file(&project, &test, &version, DEFINITION_FILE);
    let text = service.stores.objects.get(&key).await?;
    let text = text.ok_or_else(|| Problem::missing("this version is not kept here"))?;
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, text).into_response())
}

#[cfg(test)]
mod unit {
    use super::*;
    use floodgate_records::execution::Execution;
    use floodgate_records::status::Status;

    #[test]
    fn a_test_has_its_runs_the_oldest_first() {
        let run = |test: &str, at, status| {
            Arc::new(Brief::from(Execution {
                status,
                ..Execution::created(format!("{test}{at}"), "shop", test, at)
            }))
        };
        let found = tests(&[
            run("b", 3, Status::Failed),
            run("a", 2, Status::Passed),
            run("b", 1, Status::Passed),
        ]);
        let names: Vec<_> = found.iter().map(|t| (t.test.as_str(), t.runs)).collect();
        assert_eq!(names, [("b", 2), ("a", 1)]);
        assert_eq!(found[0].last, ["passed", "failed"]);
        assert_eq!((found[0].passed, found[0].newest.id.as_str()), (1, "b3"));
    }
}
