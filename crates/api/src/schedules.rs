//! Runs that start by the clock.

use crate::caller::Caller;
use crate::extract::{Body, Path};
use crate::problem::{BodyRefusals, Problem, Refusals};
use crate::service::Service;
use crate::start::one;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use floodgate_control::Stores;
use floodgate_control::schedules::{
    load_schedule, load_schedules, load_state, never_starts, remove_schedule, save_schedule, times,
};
use floodgate_policy::Action;
use floodgate_records::schedule::{Overlap, Schedule, ScheduledStart};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// How many of the next times are shown.
const SHOWN: usize = 5;

/// A schedule as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSchedule {
    /// The test that is run; it has run here before.
    test: String,
    /// Its version, a SHA-256; that of its newest run if nothing is said.
    #[serde(default)]
    version: Option<String>,
    /// `cron(minute hour day month weekday year)`, `rate(value unit)` or `at(yyyy-mm-ddThh:mm:ss)`.
    #[schema(example = "cron(0 2 * * ? *)")]
    expression: String,
    /// The time zone of the expression and of the windows.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// What becomes of a start while the last run goes on: `skip`, `queue` or `replace`.
    #[serde(default)]
    #[schema(schema_with = overlap)]
    overlap: Overlap,
    /// Windows in which nothing starts, such as `mon-fri 09:00-18:00`.
    #[serde(default)]
    blackouts: Vec<String>,
    /// Overrides of the definition by path, as `--set` has them.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for. It is kept, and shown to viewers: refer to secrets instead.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Processes that share the load, 1 to 256.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 256)]
    generators: u32,
    /// Whether it rests.
    #[serde(default)]
    paused: bool,
}

fn overlap() -> Schema {
    let words = Overlap::WORDS.iter().copied();
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words));
    schema
        .description(Some("What becomes of a start while the last run goes on."))
        .into()
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A schedule, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ShownSchedule {
    /// The schedule.
    #[schema(value_type = Object)]
    pub schedule: Schedule,
    /// Its next times that lie in no window, Unix ms; none while it is paused.
    pub next_ms: Vec<i64>,
    /// A time that was due and waits for the end of the last run, Unix ms.
    pub waiting_ms: Option<i64>,
    /// Its last run.
    pub execution: Option<String>,
    /// What became of the last starts, the newest first.
    #[schema(value_type = Vec<Object>)]
    pub last: Vec<ScheduledStart>,
    /// Why it can never start anything as things stand; `null` if nothing is known that prevents it.
    pub problem: Option<String>,
}

impl ShownSchedule {
    /// With what became of its starts, and when the next ones are due.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn of(
        stores: &Stores,
        schedule: Schedule,
        now_ms: i64,
    ) -> floodgate_control::Result<Self> {
        let state = load_state(stores, &schedule.project, &schedule.name).await?;
        let next = match times(&schedule) {
            _ if schedule.paused => Ok(Vec::new()),
            Ok(times) => times.next(now_ms, SHOWN),
            Err(error) => Err(error.to_string()),
        };
        let (next_ms, none) = match next {
            Ok(next) => (next, None),
            // What waits for the end of the last run comes.
            Err(_) if state.waiting_ms.is_some() => (Vec::new(), None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let problem = match never_starts(stores, &schedule).await? {
            None => none,
            some => some,
        };
        Ok(Self {
            schedule,
            next_ms,
            waiting_ms: state.waiting_ms,
            execution: state.execution,
            last: state.last,
            problem,
        })
    }
}

/// Lists the schedules of a project by name.
#[utoipa::path(get, path = "/v1/projects/{project}/schedules", operation_id = "listSchedules", tag = "schedules",
    params(("project" = String, Path)), responses((status = 200, body = Vec<ShownSchedule>), Refusals), security(("token" = ["viewer"])))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
) -> Result<Json<Vec<ShownSchedule>>, Problem> {
    caller.may(Action::ReadSchedules, &project)?;
    here(&service)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    let mut shown = Vec::new();
    for schedule in load_schedules(stores, Some(&project)).await? {
        shown.push(ShownSchedule::of(stores, schedule, now_ms).await?);
    }
    Ok(Json(shown))
}

/// Shows a schedule.
#[utoipa::path(get, path = "/v1/projects/{project}/schedules/{schedule}", operation_id = "readSchedule", tag = "schedules",
    params(("project" = String, Path), ("schedule" = String, Path)), responses((status = 200, body = ShownSchedule), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, name)): Path<(String, String)>,
) -> Result<Json<ShownSchedule>, Problem> {
    caller.may(Action::ReadSchedules, &project)?;
    here(&service)?;
    let found = load_schedule(&service.stores, &project, &name).await?;
    let found = found.ok_or_else(|| missing(&name))?;
    let now_ms = (service.now_ms)();
    Ok(Json(
        ShownSchedule::of(&service.stores, found, now_ms).await?,
    ))
}

/// Whether schedules are kept here: an empty list would say that there are none.
fn here(service: &Service) -> Result<(), Problem> {
    match service.schedules_elsewhere {
        Some(sentence) => Err(Problem::missing(sentence)),
        None => Ok(()),
    }
}

fn missing(name: &str) -> Problem {
    Problem::missing(format!("there is no schedule {name:?}"))
}

/// Writes a schedule, in place of one of the same name. What was due before is not made up for.
#[utoipa::path(put, path = "/v1/projects/{project}/schedules/{schedule}", operation_id = "setSchedule", tag = "schedules",
    params(("project" = String, Path), ("schedule" = String, Path)), request_body = NewSchedule,
    responses((status = 200, body = ShownSchedule), Refusals, BodyRefusals), security(("token" = ["admin"])))]
pub(crate) async fn set(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, name)): Path<(String, String)>,
    Body(new): Body<NewSchedule>,
) -> Result<Json<ShownSchedule>, Problem> {
    caller.may(Action::ChangeSchedules, &project)?;
    here(&service)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    let before = load_schedule(stores, &project, &name).await?;
    let schedule = Schedule {
        schema: Schedule::SCHEMA,
        name,
        project,
        test: new.test,
        version: new.version,
        parameters: new.parameters,
        environment: new.environment,
        generators: new.generators,
        expression: new.expression,
        timezone: new.timezone,
        overlap: new.overlap,
        blackouts: new.blackouts,
        paused: new.paused,
        by: caller.name.clone(),
        by_is: caller.is,
        created_ms: before.map_or(now_ms, |before| before.created_ms),
        changed_ms: now_ms,
    };
    save_schedule(stores, &schedule, caller.who()).await?;
    Ok(Json(ShownSchedule::of(stores, schedule, now_ms).await?))
}

/// Removes a schedule; nothing changes if there is none. A run that it has started goes on.
#[utoipa::path(delete, path = "/v1/projects/{project}/schedules/{schedule}", operation_id = "removeSchedule", tag = "schedules",
    params(("project" = String, Path), ("schedule" = String, Path)),
    responses((status = 204, description = "there is none any more"), Refusals), security(("token" = ["admin"])))]
pub(crate) async fn remove(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ChangeSchedules, &project)?;
    here(&service)?;
    let (stores, now_ms) = (&service.stores, (service.now_ms)());
    remove_schedule(stores, &project, &name, caller.who(), now_ms).await?;
    Ok(StatusCode::NO_CONTENT)
}
