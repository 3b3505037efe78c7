//! How a run stands that goes on.

use crate::caller::Caller;
use crate::extract::Path;
use crate::problem::{Problem, Refusals};
use crate::service::Service;
use axum::Json;
use axum::extract::State;
use floodgate_control::load_plan;
use floodgate_control::watch::{Observer, Phase, Progress, Quantiles, TaskState};
use floodgate_policy::Action;
use floodgate_records::execution::Execution;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// Response times in ms.
#[derive(Serialize, ToSchema)]
struct Times {
    p50: f64,
    p95: f64,
    p99: f64,
}

#[derive(Default, Serialize, ToSchema)]
struct Tasks {
    starting: usize,
    ready: usize,
    running: usize,
    ended: usize,
    lost: usize,
}

/// How it stands now. "Recent" is over the last two or three live intervals.
#[derive(Serialize, ToSchema)]
struct Figures {
    phase: &'static str,
    elapsed_s: f64,
    /// Of the schedule; 0 if none says.
    total_s: f64,
    offered_per_s: Option<f64>,
    iterations_per_s: f64,
    requests_per_s: f64,
    iterations: u64,
    requests: u64,
    dropped: u64,
    response_ms: Option<Times>,
    recent_response_ms: Option<Times>,
    error_ratio: f64,
    recent_error_ratio: f64,
    checks_ratio: Option<f64>,
    vus: u64,
    max_vus: u64,
    tasks: Tasks,
    stopping: Option<String>,
    seeking: Option<String>,
}

/// How a run stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    status: &'static str,
    /// Whether there will be nothing new.
    is_final: bool,
    /// `null` before there is a plan, after the end, and where `blind` says why.
    figures: Option<Figures>,
    /// Why its progress can't be shown.
    blind: Option<String>,
}

/// Shows the progress of a run.
#[utoipa::path(get, path = "/v1/projects/{project}/executions/{id}/live", operation_id = "readProgress", tag = "runs",
    params(("project" = String, Path), ("id" = String, Path)), responses((status = 200, body = Live), Refusals),
    security(("token" = ["viewer"])))]
pub(crate) async fn live(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((project, id)): Path<(String, String)>,
) -> Result<Json<Live>, Problem> {
    let execution = service
        .find(&caller, Action::ReadRuns, (&project, &id))
        .await?;
    let is_final = execution.status.is_final();
    let (mut figures, mut blind) = (None, None);
    if is_final {
        service.observers.lock().await.remove(&execution.id);
    } else {
        match service.observer(&execution).await? {
            Observed::Yes(observer) => {
                let mut observer = observer.lock().await;
                let progress = observer.look((service.now_ms)()).await?;
                figures = Some(Figures::of(progress));
            }
            Observed::NotYet => {}
            Observed::Never(why) => blind = Some(why),
        }
    }
    Ok(Json(Live {
        status: execution.status.as_str(),
        is_final,
        figures,
        blind,
    }))
}

enum Observed {
    Yes(Arc<Mutex<Observer>>),
    NotYet,
    Never(String),
}

impl Service {
    async fn observer(&self, execution: &Execution) -> Result<Observed, Problem> {
        let mut observers = self.observers.lock().await;
        if let Some(known) = observers.get(&execution.id) {
            return Ok(Observed::Yes(Arc::clone(known)));
        }
        let plan = match load_plan(&self.stores, execution).await {
            Ok(plan) => plan,
            // The record comes before the plan.
            Err(floodgate_control::ControlError::Missing { .. }) => return Ok(Observed::NotYet),
            Err(error) => return Err(error.into()),
        };
        let definition = match self.definitions.of(&plan).await {
            Ok(definition) => definition,
            Err(error) => return Ok(Observed::Never(error.to_string())),
        };
        let observer = Observer::new(self.stores.clone(), plan, definition);
        let observer = Arc::new(Mutex::new(observer));
        observers.insert(execution.id.clone(), Arc::clone(&observer));
        Ok(Observed::Yes(observer))
    }
}

impl Figures {
    fn of(p: &Progress) -> Self {
        let times = |q: Quantiles| Times {
            p50: q.p50_ms,
            p95: q.p95_ms,
            p99: q.p99_ms,
        };
        let mut tasks = Tasks::default();
        for task in &p.tasks {
            *match task {
                TaskState::Pending => &mut tasks.starting,
                TaskState::Ready => &mut tasks.ready,
                TaskState::Running => &mut tasks.running,
                TaskState::Ended => &mut tasks.ended,
                TaskState::Lost { .. } => &mut tasks.lost,
            } += 1;
        }
        Self {
            phase: match p.phase {
                Phase::Waiting => "waiting",
                Phase::Running => "running",
                Phase::Stopping => "stopping",
                Phase::Ended => "merging",
            },
            elapsed_s: p.elapsed.as_secs_f64(),
            total_s: p.total.as_secs_f64(),
            offered_per_s: p.offered_per_s,
            iterations_per_s: p.iterations_per_s,
            requests_per_s: p.requests_per_s,
            iterations: p.iterations,
            requests: p.requests,
            dropped: p.dropped,
            response_ms: p.response.map(times),
            recent_response_ms: p.recent_response.map(times),
            error_ratio: p.error_ratio,
            recent_error_ratio: p.recent_error_ratio,
            checks_ratio: p.checks_ratio,
            vus: p.vus,
            max_vus: p.max_vus,
            tasks,
            stopping: p.stopping.clone(),
            seeking: p.seeking.clone(),
        }
    }
}
