//! Roles and policies, as the emulator's IAM has them.

use crate::xml::{self, Element};
use anyhow::{Context as _, Result, anyhow};
use floodgate_iam::{Caller, Policy};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    holders: BTreeMap<String, Holder>,
}

/// A role with all of its policies, or a managed policy by itself.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Of the role; of a policy, that of a role of its name.
    pub role_arn: String,
    /// By their names.
    pub policies: Vec<(String, Policy)>,
    /// Who may take the role; `None` for a managed policy.
    pub trust: Option<Policy>,
}

impl Holder {
    /// A session of it.
    pub fn caller(&self) -> Caller {
        Caller::role(&self.role_arn, "floodgate")
    }
}

impl Snapshot {
    /// Reads the answer to `GetAccountAuthorizationDetails`.
    ///
    /// # Errors
    /// If it is not one, or has a policy that IAM would refuse.
    pub fn read(answer: &[u8]) -> Result<Self> {
        let document = xml::parse(answer).map_err(|error| anyhow!(error))?;
        let result = "GetAccountAuthorizationDetailsResult";
        let result = document
            .all(result)
            .next()
            .context("no details of the account")?;
        let managed: BTreeMap<&str, (&str, Policy)> = result
            .members("Policies")
            .map(|policy| {
                let name = policy.text("PolicyName");
                let current = policy.text("DefaultVersionId");
                let mut versions = policy.members("PolicyVersionList");
                let version = versions.find(|version| version.text("VersionId") == current);
                let version =
                    version.with_context(|| format!("{name} has no version {current}"))?;
                Ok((
                    policy.text("Arn"),
                    (name, document_of(name, version.text("Document"))?),
                ))
            })
            .collect::<Result<_>>()?;
        let mut holders: BTreeMap<String, Holder> = managed
            .iter()
            .map(|(arn, (name, policy))| {
                let role_arn = arn.replace(":policy/", ":role/");
                let policies = vec![((*name).to_owned(), policy.clone())];
                let holder = Holder {
                    role_arn,
                    policies,
                    trust: None,
                };
                ((*name).to_owned(), holder)
            })
            .collect();
        for role in result.members("RoleDetailList") {
            let holder = holder(role, &managed)?;
            holders.insert(role.text("RoleName").to_owned(), holder);
        }
        Ok(Self { holders })
    }

    /// A role, or a managed policy, by its name.
    pub fn holder(&self, name: &str) -> Option<&Holder> {
        self.holders.get(name)
    }

    /// All of them.
    pub fn holders(&self) -> impl Iterator<Item = (&str, &Holder)> {
        self.holders
            .iter()
            .map(|(name, holder)| (name.as_str(), holder))
    }
}

fn holder(role: &Element, managed: &BTreeMap<&str, (&str, Policy)>) -> Result<Holder> {
    let mut policies = Vec::new();
    for inline in role.members("RolePolicyList") {
        let name = inline.text("PolicyName");
        policies.push((
            name.to_owned(),
            document_of(name, inline.text("PolicyDocument"))?,
        ));
    }
    for attached in role.members("AttachedManagedPolicies") {
        let arn = attached.text("PolicyArn");
        let (name, policy) = managed
            .get(arn)
            .with_context(|| format!("there is no policy {arn}"))?;
        policies.push(((*name).to_owned(), policy.clone()));
    }
    let name = role.text("RoleName");
    let trust = document(role.text("AssumeRolePolicyDocument"))
        .and_then(|trust| Ok(Policy::of_trust(&trust)?))
        .with_context(|| format!("who may take {name}"))?;
    Ok(Holder {
        role_arn: role.text("Arn").to_owned(),
        policies,
        trust: Some(trust),
    })
}

fn document_of(name: &str, encoded: &str) -> Result<Policy> {
    document(encoded)
        .and_then(|document| Ok(Policy::of_identity(&document)?))
        .with_context(|| format!("the policy {name}"))
}

/// A document, which IAM gives out encoded for URLs.
fn document(encoded: &str) -> Result<Value> {
    let text = percent_decode_str(encoded)
        .decode_utf8()
        .context("a policy that is not UTF-8")?;
    serde_json::from_str(&text).with_context(|| text.into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ANSWER: &str = "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><RoleDetailList><member>\
        <RoleName>watch</RoleName><Arn>arn:aws:iam::000000000000:role/watch</Arn><AssumeRolePolicyDocument>TRUST</AssumeRolePolicyDocument><RolePolicyList><member><PolicyName>function</PolicyName>\
        <PolicyDocument>INLINE</PolicyDocument></member></RolePolicyList><AttachedManagedPolicies><member><PolicyName>run</PolicyName>\
        <PolicyArn>arn:aws:iam::000000000000:policy/run</PolicyArn></member></AttachedManagedPolicies></member></RoleDetailList><Policies><member>\
        <PolicyName>run</PolicyName><Arn>arn:aws:iam::000000000000:policy/run</Arn><DefaultVersionId>v2</DefaultVersionId><PolicyVersionList>\
        <member><VersionId>v1</VersionId><Document>%7B%7D</Document></member><member><VersionId>v2</VersionId><Document>MANAGED</Document>\
        </member></PolicyVersionList></member></Policies></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>";

    fn encoded(action: &str) -> String {
        let document = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}]}}"#
        );
        percent_encoding::utf8_percent_encode(&document, percent_encoding::NON_ALPHANUMERIC)
            .to_string()
    }

    #[test]
    fn roles_have_inline_and_attached_policies_and_a_policy_is_a_caller_too() {
        let answer = ANSWER.replace("INLINE", &encoded("s3:GetObject"));
        let answer = answer.replace("MANAGED", &encoded("s3:PutObject"));
        let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}}"#;
        let answer = answer.replace("TRUST", trust);
        let snapshot = Snapshot::read(answer.as_bytes()).unwrap();
        let watch = snapshot.holder("watch").unwrap();
        let names: Vec<_> = watch
            .policies
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["function", "run"]);
        assert_eq!(watch.policies[1].1.permissions()[0].1, "s3:PutObject");
        let run = snapshot.holder("run").unwrap();
        assert_eq!(
            run.caller().arn,
            "arn:aws:sts::000000000000:assumed-role/run/floodgate"
        );
        assert!(snapshot.holder("other").is_none());
    }

    #[test]
    fn a_policy_that_iam_would_refuse_is_an_error() {
        let answer = ANSWER.replace("INLINE", "%7B%22Statement%22%3A%5B%5D%7D");
        let error = Snapshot::read(answer.replace("MANAGED", &encoded("s3:Get*")).as_bytes());
        let error = format!("{:#}", error.unwrap_err());
        assert!(
            error.contains("the policy function: Version is null"),
            "{error}"
        );
    }
}
