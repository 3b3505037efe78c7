//! ECS (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>).

use super::request::{Call, Check, Question, Unknown, text};
use serde_json::{Value, json};

/// The roles of a task are named by its definition, unless the call names others.
pub(super) fn question(call: &Call<'_>) -> Result<Option<Question>, Unknown> {
    if call.operation() != "RunTask" {
        return Ok(None);
    }
    let body = call.json()?;
    Ok(Some(Question {
        target: "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition".into(),
        body: json!({ "taskDefinition": body["taskDefinition"] }),
    }))
}

pub(super) fn checks(call: &Call<'_>, answer: &Value) -> Result<Vec<Check>, Unknown> {
    let body = call.json()?;
    let cluster = match text(&body, "cluster") {
        "" => call.arn("cluster/default"),
        arn if arn.starts_with("arn:") => arn.to_owned(),
        name => call.arn(&format!("cluster/{name}")),
    };
    let name = cluster.rsplit('/').next().unwrap_or_default();
    let inside = |action: &str, resource: &str| {
        Check::of(&format!("ecs:{action}"), resource).with("ecs:cluster", &cluster)
    };
    let task = |id: &str| match id {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        id => call.arn(&format!("task/{name}/{id}")),
    };
    match call.operation() {
        "RunTask" => run(call, &body, answer, &inside("RunTask", "*"), name),
        "ListTasks" => {
            let instances = call.arn(&format!("container-instance/{name}/*"));
            Ok(vec![inside("ListTasks", &instances)])
        }
        "DescribeTasks" => {
            let tasks = body["tasks"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            Ok(tasks.map(|id| inside("DescribeTasks", &task(id))).collect())
        }
        "StopTask" => Ok(vec![inside("StopTask", &task(text(&body, "task")))]),
        _ => Err(call.unknown()),
    }
}

fn run(
    call: &Call<'_>,
    body: &Value,
    answer: &Value,
    running: &Check,
    cluster: &str,
) -> Result<Vec<Check>, Unknown> {
    let definition = &answer["taskDefinition"];
    let arn = definition["taskDefinitionArn"]
        .as_str()
        .ok_or_else(|| call.unknown())?;
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    let tagged = |mut check: Check| {
        for tag in &tags {
            let (key, value) = (text(tag, "key"), text(tag, "value"));
            check = check
                .with(&format!("aws:RequestTag/{key}"), value)
                .with("aws:TagKeys", key);
        }
        check
    };
    let mut all = vec![tagged(Check {
        resource: arn.to_owned(),
        ..running.clone()
    })];
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    if !tags.is_empty() {
        let task = call.arn(&format!("task/{cluster}/00000000000000000000000000000000"));
        all.push(tagged(
            Check::of("ecs:TagResource", &task).with("ecs:CreateAction", "RunTask"),
        ));
    }
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    for kind in ["taskRoleArn", "executionRoleArn"] {
        let role = match text(&body["overrides"], kind) {
            "" => text(definition, kind),
            role => role,
        };
        if !role.is_empty() {
            let passing = Check::of("iam:PassRole", role);
            all.push(passing.with("iam:PassedToService", "ecs-tasks.amazonaws.com"));
        }
    }
    Ok(all)
}
