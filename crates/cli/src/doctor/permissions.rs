//! What the caller may do, as IAM simulates it: the actions of a run that is started, followed and read from here.

use floodgate_report::doctor::{Area, Check, State};
use floodgate_store::aws::call::{CallError, Calls, element};
use std::collections::BTreeMap;

/// What a run needs of whoever starts it: an action, and the ARN that it is done on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) action: &'static str,
    pub(super) resource: String,
}

/// Where a runner's policy reaches (`terraform/modules/access`).
pub(super) struct Place<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) bucket: &'a str,
    pub(super) table: &'a str,
    pub(super) machine: &'a str,
    pub(super) project: &'a str,
}

/// What `floodgate run --cloud` does itself; all else is done by the functions.
pub(super) fn needs(place: &Place<'_>) -> Vec<Need> {
    let Place {
        partition,
        account,
        region,
        bucket,
        table,
        machine,
        project,
    } = place;
    let objects = format!("arn:{partition}:s3:::{bucket}/projects/{project}");
    let executions = machine.replacen(":stateMachine:", ":execution:", 1);
    let need = |action, resource| Need { action, resource };
    vec![
        need("states:StartExecution", (*machine).to_owned()),
        need("states:DescribeExecution", format!("{executions}:x")),
        need("s3:PutObject", format!("{objects}/definitions/x")),
        need(
            "s3:GetObject",
            format!("{objects}/executions/x/summary.json"),
        ),
        need(
            "dynamodb:GetItem",
            format!("arn:{partition}:dynamodb:{region}:{account}:table/{table}"),
        ),
    ]
}

/// Asks IAM.
pub(super) async fn check(calls: &Calls, caller: &str, needs: &[Need]) -> Check {
    let said = |text: String| Check::ok(Area::Account, "permissions", text);
    if caller.ends_with(":root") {
        return said("credentials of the account's root user, which have full access".into()).but(
            State::Warning,
            "use a role with the stack's runner policy: what root does nobody can limit",
        );
    }
    let simulated = match simulate(calls, caller, needs).await {
        Ok(simulated) => simulated,
        Err(error) => {
            return said(format!("cannot be simulated: {error}")).but(
                State::Unknown,
                "ask for iam:SimulatePrincipalPolicy on your own role, or see whether it has the stack's runner policy (runner_policy_arns)",
            );
        }
    };
    judge(needs, &simulated)
}

/// A sentence on what is denied.
fn judge(needs: &[Need], decisions: &BTreeMap<String, String>) -> Check {
    let said = |text: String| Check::ok(Area::Account, "permissions", text);
    let decision = |need: &Need| decisions.get(need.action).map(String::as_str);
    let with = |fits: &dyn Fn(Option<&str>) -> bool| {
        let found = needs.iter().filter(|need| fits(decision(need)));
        found.map(|need| need.action).collect::<Vec<_>>()
    };
    let denied = with(&|said| said.is_some_and(|said| said != "allowed"));
    let untold = with(&|said| said.is_none());
    if !denied.is_empty() {
        return said(format!("{} denied", denied.join(", "))).but(
            State::Blocked,
            "attach the stack's runner policy of the project (runner_policy_arns) to the caller; a permissions boundary or an SCP may deny it as well",
        );
    }
    if !untold.is_empty() {
        return said(format!("IAM says nothing of {}", untold.join(", "))).but(
            State::Unknown,
            "see whether who calls has the stack's runner policy (runner_policy_arns)",
        );
    }
    said("to start, follow and read runs, as IAM simulates them".into())
}

/// The decision on each action.
async fn simulate(
    calls: &Calls,
    caller: &str,
    needs: &[Need],
) -> Result<BTreeMap<String, String>, CallError> {
    let source = source(calls, caller).await?;
    let mut decisions = BTreeMap::new();
    for need in needs {
        let input = [
            ("PolicySourceArn", source.as_str()),
            ("ActionNames.member.1", need.action),
            ("ResourceArns.member.1", need.resource.as_str()),
        ];
        let input = input.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = calls.iam("SimulatePrincipalPolicy", &input).await?;
        if let Some(decision) = element(&answer, "EvalDecision") {
            decisions.insert(need.action.to_owned(), decision.to_owned());
        }
    }
    Ok(decisions)
}

/// Who is simulated: of a session its role. A session's ARN has no path, which the role's has.
async fn source(calls: &Calls, caller: &str) -> Result<String, CallError> {
    let Some(role) = role_of(caller) else {
        return Ok(caller.to_owned());
    };
    let input = [("RoleName".to_owned(), role.name.to_owned())];
    match calls.iam("GetRole", &input).await {
        Ok(answer) => Ok(element(&answer, "Arn").map_or(role.arn, str::to_owned)),
        Err(error) if error.is_denial() => Ok(role.arn),
        Err(error) => Err(error),
    }
}

struct Role<'a> {
    name: &'a str,
    /// If it has no path.
    arn: String,
}

/// `arn:aws:sts::1:assumed-role/NAME/SESSION` is of `arn:aws:iam::1:role/NAME`.
fn role_of(caller: &str) -> Option<Role<'_>> {
    let mut parts = caller.splitn(6, ':').skip(1);
    let (partition, _, _, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = parts
        .next()?
        .strip_prefix("assumed-role/")?
        .split('/')
        .next()?;
    Some(Role {
        name,
        arn: format!("arn:{partition}:iam::{account}:role/{name}"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_roles() {
        let role = role_of("arn:aws:sts::1:assumed-role/shop-ci/build-7").unwrap();
        assert_eq!(
            (role.name, role.arn.as_str()),
            ("shop-ci", "arn:aws:iam::1:role/shop-ci")
        );
        assert!(role_of("arn:aws:iam::1:user/ann").is_none());
    }

    #[test]
    fn one_denial_blocks_and_silence_is_not_fine() {
        let place = Place {
            partition: "aws",
            account: "1",
            region: "eu-west-1",
            bucket: "b",
            table: "t",
            machine: "arn:aws:states:eu-west-1:1:stateMachine:floodgate",
            project: "shop",
        };
        let needs = needs(&place);
        assert_eq!(
            needs[1].resource,
            "arn:aws:states:eu-west-1:1:execution:floodgate:x"
        );
        let all = |decision: &str| {
            needs
                .iter()
                .map(|n| (n.action.to_owned(), decision.to_owned()))
                .collect()
        };
        let mut decisions: BTreeMap<_, _> = all("allowed");
        assert_eq!(judge(&needs, &decisions).state, State::Ok);
        decisions.remove("s3:GetObject");
        assert_eq!(judge(&needs, &decisions).state, State::Unknown);
        decisions.insert("s3:PutObject".into(), "explicitDeny".into());
        let check = judge(&needs, &decisions);
        assert_eq!(
            (check.state, check.found.as_str()),
            (State::Blocked, "s3:PutObject denied")
        );
    }

    /// Its policy is what the remedy names: it has to have what is asked for here.
    #[test]
    fn the_runners_policy_has_what_is_simulated() {
        let policy = include_str!("../../../../terraform/modules/access/main.tf");
        let place = Place {
            partition: "",
            account: "",
            region: "",
            bucket: "",
            table: "",
            machine: "",
            project: "",
        };
        for need in needs(&place) {
            assert!(
                policy.contains(&format!("\"{}\"", need.action)),
                "{}",
                need.action
            );
        }
    }
}
