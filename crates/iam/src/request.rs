//! One call as IAM sees it.

use std::collections::BTreeMap;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Of the session for a role, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`; the service's name for a service.
    pub arn: String,
    /// ARN of the role, if it is one.
    pub role: Option<String>,
    /// Its account, 12 digits; empty for a service.
    pub account: String,
}

impl Caller {
    /// A session of a role, given the role's ARN.
    pub fn role(role_arn: &str, session: &str) -> Self {
        let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        // AWS tells no path in the ARN of a session.
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        let (partition, account) = (part(1), part(4));
        Self {
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"),
            role: Some(role_arn.to_owned()),
            account: account.to_owned(),
        }
    }

    /// A service of AWS, such as `events.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self {
            arn: name.to_owned(),
            role: None,
            account: String::new(),
        }
    }
}

/// A call: who does what with which resource, and what else is known of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who.
    pub caller: Caller,
    /// Such as `s3:GetObject`.
    pub action: String,
    /// ARN of what it is done with; `*` where the action has no resource.
    pub resource: String,
    /// By the key in small letters: keys of conditions know no case.
    context: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A call with the context keys that any call has: `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`.
    pub fn new(caller: Caller, action: &str, resource: &str) -> Self {
        let arn = caller.role.clone().unwrap_or_else(|| caller.arn.clone());
        let (account, role) = (caller.account.clone(), caller.role.is_some());
        let mut request = Self {
            caller,
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: BTreeMap::new(),
        };
        if role {
            request = request
                .with("aws:PrincipalArn", &arn)
                .with("aws:PrincipalAccount", &account)
                .with("aws:PrincipalType", "AssumedRole");
        }
        request
    }

    /// The same with one more value of a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        let values = self.context.entry(key.to_lowercase()).or_default();
        values.push(value.to_owned());
        self
    }

    /// The values of a condition key; none if the call does not have it.
    pub fn values(&self, key: &str) -> &[String] {
        self.context
            .get(&key.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// The condition keys that it has, in small letters, with their values.
    pub fn context(&self) -> impl Iterator<Item = (&str, &[String])> {
        let keys = self.context.iter();
        keys.map(|(key, values)| (key.as_str(), values.as_slice()))
    }
}
