//! How many vCPUs Fargate grants, and how many of them the stack takes up.

use floodgate_core::cost::Capacity;
use floodgate_report::doctor::{Area, Check, State};
use floodgate_store::aws::call::{CallError, Calls, ECS};
use floodgate_store::aws::quota;
use serde_json::{Value, json};

/// With fewer left a run of a few tasks does not fit.
const FEW: f64 = 4.0;
/// Tasks of a call at most (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>).
const AT_ONCE: u32 = 100;

/// What is known of a region.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Region {
    pub(super) name: String,
    /// ARN or name.
    pub(super) cluster: String,
    /// What the stack is told in place of the answer of Service Quotas.
    pub(super) given: Option<f64>,
    pub(super) capacity: Capacity,
}

/// Asks for quota and use.
pub(super) async fn check(calls: &Calls, region: &Region) -> Check {
    let calls = calls.in_region(&region.name);
    let code = region.capacity.quota_code();
    let quota = match region.given {
        Some(given) => Ok(given),
        None => quota::fargate(&calls, code).await,
    };
    judge(region, code, quota, used(&calls, &region.cluster).await)
}

fn judge(
    region: &Region,
    code: &str,
    quota: Result<f64, CallError>,
    used: Result<f64, CallError>,
) -> Check {
    let name = format!("quota in {}", region.name);
    let said = |text: String| Check::ok(Area::Account, &name, text);
    let quota = match quota {
        Ok(quota) => quota,
        Err(error) => {
            return said(format!("vCPUs of Fargate ({code}) could not be determined: {error}")).but(
                State::Unknown,
                format!("ask for servicequotas:GetServiceQuota, or look at {code} of AWS Fargate in the console of Service Quotas"),
            );
        }
    };
    let used = match used {
        Ok(used) => used,
        Err(error) => {
            return said(format!(
                "{quota} vCPUs of Fargate ({code}); how many are in use could not be determined: {error}"
            ))
            .but(
                State::Unknown,
                "ask for ecs:ListTasks and ecs:DescribeTasks in the stack's cluster",
            );
        }
    };
    let left = quota - used;
    let found = said(format!(
        "{quota} vCPUs of Fargate ({code}), {used} of them in use by the stack"
    ));
    let remedy = format!(
        "aws service-quotas request-service-quota-increase --service-code fargate --quota-code {code} --desired-value 256 --region {}",
        region.name
    );
    match left {
        nothing if nothing < 0.25 => found.but(State::Blocked, remedy),
        few if few < FEW => found.but(State::Warning, remedy),
        _ => found,
    }
}

async fn used(calls: &Calls, cluster: &str) -> Result<f64, CallError> {
    let mut used = 0.0;
    let mut next = Value::Null;
    loop {
        let mut input = json!({"cluster": cluster, "maxResults": AT_ONCE});
        if next.is_string() {
            input["nextToken"] = next;
        }
        let listed = calls.json(ECS, "ListTasks", &input).await?;
        let arns = &listed["taskArns"];
        if arns.as_array().is_some_and(|arns| !arns.is_empty()) {
            let input = json!({"cluster": cluster, "tasks": arns});
            used += vcpus(&calls.json(ECS, "DescribeTasks", &input).await?);
        }
        next = listed["nextToken"].clone();
        if !next.is_string() {
            return Ok(used);
        }
    }
}

/// ECS gives a task's size in CPU units, of which a vCPU has 1,024.
fn vcpus(described: &Value) -> f64 {
    let tasks = described["tasks"].as_array().into_iter().flatten();
    let units = tasks.filter_map(|task| {
        let own = task["overrides"]["cpu"].as_str().or(task["cpu"].as_str());
        own?.parse::<f64>().ok()
    });
    units.sum::<f64>() / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_decides() {
        let region = Region {
            name: "eu-west-1".into(),
            ..Region::default()
        };
        let denied = || {
            Err(CallError::Refused {
                code: "AccessDeniedException".into(),
                message: "no".into(),
            })
        };
        let state =
            |quota, used| judge(&region, Capacity::OnDemand.quota_code(), quota, used).state;
        assert_eq!(state(Ok(256.0), Ok(16.0)), State::Ok);
        assert_eq!(state(Ok(6.0), Ok(4.0)), State::Warning);
        assert_eq!(state(Ok(6.0), Ok(6.0)), State::Blocked);
        assert_eq!(state(denied(), Ok(0.0)), State::Unknown);
        assert_eq!(state(Ok(6.0), denied()), State::Unknown);
    }

    #[test]
    fn a_task_that_was_asked_for_larger_counts_as_that() {
        let described =
            json!({"tasks": [{"cpu": "256", "overrides": {"cpu": "2048"}}, {"cpu": "512"}, {}]});
        assert_eq!(vcpus(&described), 2.5);
    }
}
