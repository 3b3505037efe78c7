//! Runs over HTTP: what is on record, what goes on, and the pages that show both.
//!
//! One [`router`] over the stores of a machine or of a stack. It decides nothing: who may ask is settled by [`Access`] before a handler
//! is called, and everything else by the crates below.

mod access;
mod audit;
mod catalogue;
mod console;
mod executions;
mod history;
mod listing;
mod live;
mod observers;
mod problem;
mod service;

pub use access::Access;
pub use service::{Definitions, Service};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;

/// All routes, below `/v1`, and the console's pages. Whoever is not let in by `access` gets a 401 or 403 and nothing else.
pub fn router(service: Service, access: Access) -> Router {
    let project = Router::new()
        .route("/executions/{id}", get(executions::show))
        .route("/executions/{id}/report", get(executions::report))
        .route("/executions/{id}/live", get(live::live))
        .route("/executions/{id}/abort", post(executions::abort))
        .route("/tests/{test}/trend", get(history::trend))
        .route("/tests/{test}/versions", get(catalogue::versions))
        .route(
            "/tests/{test}/versions/{version}",
            get(catalogue::definition),
        )
        .route("/comparisons", get(history::compare))
        .route("/audit", get(audit::trail));
    let routes = Router::new()
        .route("/v1/executions", get(executions::list))
        .route("/v1/tests", get(catalogue::list))
        .nest("/v1/projects/{project}", project)
        .with_state(Arc::new(service));
    console::pages()
        .merge(routes)
        .layer(from_fn_with_state(Arc::new(access), access::admit))
}
