//! The gateway as a server.
//!
//! Beside requests to AWS it answers `POST /_floodgate/authorize`, which the emulator asks before it does something by itself, in the
//! name of a role or of a service (`{"role" or "service", "action", "resource", "context"}`: `{"allowed", "message"}`), and
//! `GET /_floodgate/report`. What a service may do stands in the policy of the resource: who may take a role, who may call a function.

mod judge;

use crate::call::{self, Call, Check, Denial};
use crate::upstream::{Body, Upstream, whole};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use judge::{Judge, Verdict};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The access key of whoever deploys and looks on: it may do anything, and nothing of it is counted.
pub const ADMINISTRATOR: &str = "test";
/// Serves until the process ends.
///
/// # Errors
/// If the port cannot be had.
pub async fn serve(
    listener: std::net::TcpListener,
    upstream: SocketAddr,
    account: &str,
) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener).context("listen")?;
    let judge = Arc::new(Judge::new(Upstream(upstream), account));
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        // Answers and requests are small and wait for one another.
        stream.set_nodelay(true)?;
        let judge = judge.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, judge.clone()));
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that goes away has what it wanted.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    judge: Arc<Judge>,
) -> Result<Response<Body>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let answered = match path.as_str() {
        "/_floodgate/authorize" => authorize(request, &judge).await,
        "/_floodgate/health" => Ok(Response::new(whole(Bytes::new()))),
        "/_floodgate/report" => judge.report().await.and_then(|report| json_body(&report)),
        _ => pass(request, &judge).await,
    };
    Ok(answered.unwrap_or_else(|error| {
        let message = format!("{error:#}");
        judge.note_unknown(format!("{path}: {message}"));
        let mut response = Response::new(whole(message));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

fn json_body(value: &impl serde::Serialize) -> Result<Response<Body>> {
    let mut response = Response::new(whole(serde_json::to_vec(value)?));
    let kind = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    Ok(response)
}

async fn authorize(request: Request<Incoming>, judge: &Judge) -> Result<Response<Body>> {
    let body = request.into_body().collect().await?.to_bytes();
    let asked: Value = serde_json::from_slice(&body).context("what is to be authorised")?;
    let text = |key: &str| {
        asked[key]
            .as_str()
            .with_context(|| format!("no {key} in {asked}"))
    };
    let context = asked["context"].as_object().into_iter().flatten();
    let check = Check {
        action: text("action")?.to_owned(),
        resource: text("resource")?.to_owned(),
        context: context
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    };
    let region = "eu-west-1";
    let verdict = match asked["service"].as_str() {
        Some(service) => judge.judge_service(service, &check, region).await?,
        None => {
            let role = text("role")?;
            judge
                .judge(role, &[check], &HeaderMap::new(), region)
                .await?
        }
    };
    let message = verdict.refusal();
    json_body(&json!({ "allowed": message.is_none(), "message": message }))
}

/// The caller and the place that a signature names.
struct Signed {
    key: String,
    region: String,
    service: String,
}

fn signed(headers: &HeaderMap) -> Option<Signed> {
    let text = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = text.split_once("Credential=")?;
    let scope = scope.split([',', ' ']).next()?;
    let parts: Vec<&str> = scope.split('/').collect();
    match parts.as_slice() {
        [key, _, region, service, "aws4_request"] => {
            let [key, region, service] = [key, region, service].map(|part| (*part).to_owned());
            Some(Signed {
                key,
                region,
                service,
            })
        }
        _ => None,
    }
}

async fn pass(request: Request<Incoming>, judge: &Judge) -> Result<Response<Body>> {
    let Some(signed) = signed(request.headers()) else {
        // Health, metadata of tasks, their credentials and the registry of images, which has a login of its own, are not calls of AWS; an
        // API says itself who need not sign.
        let open = ["/_ministack/", "/v2/", "/v4/"];
        let path = request.uri().path();
        if open.iter().any(|open| path.starts_with(open))
            || call::called_api(request.headers()).is_some()
        {
            return forwarded(judge.upstream.send(request.map(BodyExt::boxed)).await?);
        }
        anyhow::bail!("{} {} is not signed", request.method(), request.uri());
    };
    if signed.key == ADMINISTRATOR {
        let response = judge.upstream.send(request.map(BodyExt::boxed)).await?;
        if signed.service == "iam" || signed.service == "s3" {
            judge.forget(&signed.service);
        }
        return forwarded(response);
    }
    let (parts, body) = request.into_parts();
    let streams = !Call::needs_body(&signed.service, &parts.method, parts.uri.query());
    let (bytes, body) = if streams {
        (Bytes::new(), body.boxed())
    } else {
        let bytes = body.collect().await?.to_bytes();
        (bytes.clone(), whole(bytes))
    };
    let (method, headers) = (parts.method.clone(), parts.headers.clone());
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let path = parts.uri.path().to_owned();
    let call = Call {
        method: &method,
        path: &path,
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: &headers,
        body: &bytes,
        service: &signed.service,
        region: &signed.region,
        account: judge.account(),
    };
    judged(&call, &signed, Request::from_parts(parts, body), judge).await
}

async fn judged(
    call: &Call<'_>,
    signed: &Signed,
    request: Request<Body>,
    judge: &Judge,
) -> Result<Response<Body>> {
    if call.asks_who_calls() {
        let holder = judge.holder(&signed.key, &signed.region).await?;
        return Ok(call::identity(&holder.caller()).map(whole));
    }
    let checks = match checks(call, judge).await? {
        Ok(checks) => checks,
        Err(unknown) => {
            let message = format!("the gateway does not know this call: {}", unknown.0);
            judge.note_unknown(format!("{} by {}", unknown.0, signed.key));
            return Ok(call::refused(call, &message).map(whole));
        }
    };
    let verdict = judge
        .judge(&signed.key, &checks, call.headers, &signed.region)
        .await?;
    if let Verdict::Refused {
        caller,
        check,
        decision,
    } = &verdict
    {
        let denial = Denial {
            caller,
            check,
            decision: *decision,
        };
        return Ok(denial.response(call).map(whole));
    }
    let response = judge.upstream.send(request).await?;
    if response.status() == StatusCode::NOT_FOUND
        && let Some(needed) = call.needed_to_see_absence()
        && !judge
            .would_allow(&signed.key, &needed, call.headers, &signed.region)
            .await?
    {
        return Ok(call::absent(call).map(whole));
    }
    forwarded(response)
}

async fn checks(call: &Call<'_>, judge: &Judge) -> Result<Result<Vec<Check>, call::Unknown>> {
    let question = match call.question() {
        Ok(question) => question,
        Err(unknown) => return Ok(Err(unknown)),
    };
    let answer = match question {
        Some(question) => {
            let (service, region) = (call.service, call.region);
            judge
                .upstream
                .json(service, region, &question.target, &question.body)
                .await?
        }
        None => Value::Null,
    };
    Ok(call.checks(&answer))
}

fn forwarded(response: Response<Incoming>) -> Result<Response<Body>> {
    let (mut parts, body) = response.into_parts();
    for name in ["connection", "keep-alive", "transfer-encoding"] {
        parts.headers.remove(name);
    }
    Ok(Response::from_parts(parts, body.boxed()))
}
