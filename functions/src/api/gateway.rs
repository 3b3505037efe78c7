//! What API Gateway tells of a caller.

use super::settings::Settings;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use floodgate_api::ClientAddress;
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use std::net::IpAddr;
use std::sync::Arc;
use tower::ServiceBuilder;

/// Below this path the gateway checks signatures; the routes are the same.
const SIGNED: &str = "/iam";

/// The router behind the gateway: the caller whom it has proven comes with the request, and the path begins with `/v1`.
pub fn behind_gateway(router: Router, settings: Arc<Settings>) -> Router {
    // A layer of a router runs after it has chosen a route, by the path as it came.
    let proving = ServiceBuilder::new()
        .map_request(unprefixed)
        .layer(from_fn_with_state(settings, prove));
    Router::new().fallback_service(proving.service(router))
}

async fn prove(
    State(settings): State<Arc<Settings>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(address) = source(&request) {
        request.extensions_mut().insert(ClientAddress(address));
    }
    if let Some(arn) = signer(&request) {
        let caller = settings.caller(&arn);
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// The ARN of whoever signed a request, if the gateway checked that.
fn signer(request: &Request) -> Option<String> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return None;
    };
    context.authorizer.as_ref()?.iam.as_ref()?.user_arn.clone()
}

/// Whom the gateway has answered.
fn source(request: &Request) -> Option<IpAddr> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return None;
    };
    context.http.source_ip.as_ref()?.parse().ok()
}

fn unprefixed(mut request: Request) -> Request {
    let path_and_query = request.uri().path_and_query();
    let below = path_and_query.and_then(|all| all.as_str().strip_prefix(SIGNED));
    let path = below.filter(|rest| rest.starts_with('/'));
    if let Some(uri) = path.and_then(|path| path.parse::<Uri>().ok()) {
        *request.uri_mut() = uri;
    }
    request
}
