//! Services of which few calls are made: Step Functions, Secrets Manager, Service Quotas, Lambda, SNS, EventBridge, SES, and APIs of API Gateway.

use super::request::{Call, Check, Question, Unknown, text};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html>
pub(super) fn states(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let body = call.json()?;
    let operation = call.operation();
    let key = match operation {
        "StartExecution" | "ListExecutions" | "DescribeStateMachine" => "stateMachineArn",
        "DescribeExecution" | "StopExecution" | "GetExecutionHistory" | "RedriveExecution" => {
            "executionArn"
        }
        _ => return Err(call.unknown()),
    };
    Ok(vec![Check::of(
        &format!("states:{operation}"),
        text(&body, key),
    )])
}

/// A secret may be named without the six letters that are part of its ARN.
pub(super) fn question(call: &Call<'_>) -> Result<Question, Unknown> {
    Ok(Question {
        target: "secretsmanager.DescribeSecret".into(),
        body: json!({ "SecretId": call.json()?["SecretId"] }),
    })
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html>
pub(super) fn secrets(call: &Call<'_>, answer: &Value) -> Result<Vec<Check>, Unknown> {
    let (body, operation) = (call.json()?, call.operation());
    if !["GetSecretValue", "DescribeSecret"].contains(&operation) {
        return Err(call.unknown());
    }
    let arn = match text(answer, "ARN") {
        // There is none of this name. AWS judges by what the caller says.
        "" => match text(&body, "SecretId") {
            arn if arn.starts_with("arn:") => arn.to_owned(),
            name => call.arn(&format!("secret:{name}")),
        },
        arn => arn.to_owned(),
    };
    Ok(vec![Check::of(
        &format!("secretsmanager:{operation}"),
        &arn,
    )])
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_servicequotas.html>
pub(super) fn quotas(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    match call.operation() {
        "GetServiceQuota" => Ok(vec![Check::of("servicequotas:GetServiceQuota", "*")]),
        _ => Err(call.unknown()),
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html>
pub(super) fn registry(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let (body, operation) = (call.json()?, call.operation());
    let repository = call.arn(&format!("repository/{}", text(&body, "repositoryName")));
    match operation {
        "BatchGetImage" | "GetDownloadUrlForLayer" => {
            Ok(vec![Check::of(&format!("ecr:{operation}"), &repository)])
        }
        _ => Err(call.unknown()),
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>
pub(super) fn lambda(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let function = call.path.strip_prefix("/2015-03-31/functions/");
    let function = function.and_then(|rest| rest.strip_suffix("/invocations"));
    match (call.method, function) {
        (&Method::POST, Some(name)) => {
            let arn = call.arn(&format!("function:{name}"));
            Ok(vec![Check::of("lambda:InvokeFunction", &arn)])
        }
        _ => Err(call.unknown()),
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>
pub(super) fn topics(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let form: Vec<_> = url::form_urlencoded::parse(call.body).collect();
    let of = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, v)| v);
    match (of("Action").map(AsRef::as_ref), of("TopicArn")) {
        (Some("Publish"), Some(topic)) => Ok(vec![Check::of("sns:Publish", topic)]),
        _ => Err(call.unknown()),
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html>
pub(super) fn events(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let body = call.json()?;
    let ("PutEvents", Some(entries)) = (call.operation(), body["Entries"].as_array()) else {
        return Err(call.unknown());
    };
    let bus = |entry: &Value| match text(entry, "EventBusName") {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        "" => call.arn("event-bus/default"),
        name => call.arn(&format!("event-bus/{name}")),
    };
    let checks = entries.iter().map(bus);
    Ok(checks
        .map(|bus| Check::of("events:PutEvents", &bus))
        .collect())
}

/// Of the sender's identities the domain is asked for: addresses need not be verified one by one.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html>
pub(super) fn mail(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let body = call.json()?;
    let from = text(&body, "FromEmailAddress").rsplit_once('@');
    match (call.path, from) {
        ("/v2/email/outbound-emails", Some((_, domain))) => {
            let identity = call.arn(&format!("identity/{domain}"));
            Ok(vec![Check::of("ses:SendEmail", &identity)])
        }
        _ => Err(call.unknown()),
    }
}

/// A request for an API on its stage `$default`.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonexecuteapi.html>
pub(super) fn api(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let id = called_api(call.headers).ok_or_else(|| call.unknown())?;
    let arn = call.arn(&format!("{id}/$default/{}{}", call.method, call.path));
    Ok(vec![Check::of("execute-api:Invoke", &arn)])
}

/// The id of the API that a request is for, if its host is that of one.
pub fn called_api(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(http::header::HOST)?.to_str().ok()?;
    Some(host.split_once(".execute-api.")?.0)
}
