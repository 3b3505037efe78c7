//! All routes, and their description.

use crate::access::{Access, admit};
use crate::extract::LONGEST_BODY;
use crate::problem::{Problem, ProblemBody};
use crate::service::Service;
use crate::{
    audit, baselines, budgets, catalogue, console, etag, executions, history, live, members,
    outcomes, schedules, start, verdict,
};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Floodgate",
        description = "Load tests: definitions, runs and their verdicts. The roles that an operation takes stand in its security requirement, and are held in the project of its path."
    ),
    components(schemas(ProblemBody))
)]
struct Described;

/// All routes, below `/v1`, and the console's pages. Whoever is not let in by `access` gets a 401 or 403 and
/// nothing else.
pub fn router(service: Service, access: Access) -> Router {
    let (routes, description) = described().split_for_parts();
    // What cannot be written as JSON would be a fault of a derived type, which a test would find.
    let described = serde_json::to_value(described_as(description)).unwrap_or_default();
    let description = move || async move { Json(described.clone()) };
    routes
        .with_state(Arc::new(service))
        .route("/openapi.json", get(description))
        .merge(console::pages())
        .fallback(|| async { Problem::missing("there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            let told = "this method has no meaning here";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, told)
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn(etag::tag))
        .layer(from_fn_with_state(Arc::new(access), admit))
}

/// The description of all routes: OpenAPI 3.1.
pub fn description() -> OpenApi {
    described_as(described().split_for_parts().1)
}

fn described() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(members::projects))
        .routes(routes!(members::members))
        .routes(routes!(members::give, members::take))
        .routes(routes!(executions::list_all))
        .routes(routes!(executions::list, start::start))
        .routes(routes!(executions::show))
        .routes(routes!(executions::report))
        .routes(routes!(executions::abort))
        .routes(routes!(live::live))
        .routes(routes!(verdict::verdict))
        .routes(routes!(history::compare))
        .routes(routes!(catalogue::list_all))
        .routes(routes!(catalogue::list))
        .routes(routes!(catalogue::versions))
        .routes(routes!(catalogue::definition))
        .routes(routes!(history::trend))
        .routes(routes!(outcomes::thresholds))
        .routes(routes!(baselines::show, baselines::set, baselines::clear))
        .routes(routes!(budgets::show, budgets::set))
        .routes(routes!(budgets::halt))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::show, schedules::set, schedules::remove))
        .routes(routes!(audit::trail))
}

/// The same with how tokens are sent.
fn described_as(mut description: OpenApi) -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "a token of the list, or a JWT of a provider that is known here",
        ))
        .build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    description.info.version = env!("CARGO_PKG_VERSION").to_owned();
    description
}
