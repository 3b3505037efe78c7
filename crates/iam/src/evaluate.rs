//! The decision.

use crate::error::Error;
use crate::pattern;
use crate::policy::{Effect, Policy, Statement, Which};
use crate::request::{Caller, Request};

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement permits it, and none forbids it.
    Allowed,
    /// A statement forbids it.
    DeniedExplicitly,
    /// No statement speaks of it.
    DeniedImplicitly,
}

/// A statement that fits the request, with the action and the resource in it that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// What it does.
    pub effect: Effect,
    /// Its name, if it has one.
    pub sid: String,
    /// As the policy has it.
    pub action: String,
    /// As the policy has it.
    pub resource: String,
}

/// The decision, and what it comes from.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// It.
    pub decision: Decision,
    /// Every statement that fits.
    pub fits: Vec<Fit>,
}

/// Whether the policies of the caller and of the resource together allow a request.
///
/// # Errors
/// If the request has several values of a key that a policy compares with one.
pub fn decide(
    identity: &[Policy],
    resource: &[Policy],
    request: &Request,
) -> Result<Outcome, Error> {
    let statements = identity
        .iter()
        .chain(resource)
        .flat_map(|policy| &policy.statements);
    let mut fits = Vec::new();
    for statement in statements {
        fits.extend(fit(statement, request)?);
    }
    let has = |effect| fits.iter().any(|fit: &Fit| fit.effect == effect);
    let decision = match (has(Effect::Deny), has(Effect::Allow)) {
        (true, _) => Decision::DeniedExplicitly,
        (false, true) => Decision::Allowed,
        (false, false) => Decision::DeniedImplicitly,
    };
    Ok(Outcome { decision, fits })
}

fn fit(statement: &Statement, request: &Request) -> Result<Option<Fit>, Error> {
    let action = request.action.to_lowercase();
    let of_action = |pattern: &str| Some(pattern::like(&pattern.to_lowercase(), &action));
    let of_resource = |pattern: &str| {
        pattern::resolved(pattern, request)
            .map(|pattern| pattern::fits(&pattern, &request.resource))
    };
    let of_caller = |principal: &str| Some(is_caller(principal, &request.caller));
    let principals = statement.principals.as_ref();
    if principals.is_some_and(|which| which.fitting(of_caller).is_none()) {
        return Ok(None);
    }
    let found = statement.actions.fitting(of_action);
    let Some((action, resource)) = found.zip(statement.resources.fitting(of_resource)) else {
        return Ok(None);
    };
    for condition in &statement.conditions {
        if condition.holds(request)? != Some(true) {
            return Ok(None);
        }
    }
    Ok(Some(Fit {
        effect: statement.effect,
        sid: statement.sid.clone(),
        action: action.to_owned(),
        resource: resource.to_owned(),
    }))
}

impl Which {
    /// The first that fits; of those that are left out, any if none does. `None` also if one of them cannot be told.
    fn fitting(&self, fits: impl Fn(&str) -> Option<bool>) -> Option<&str> {
        match self {
            Self::These(values) => values
                .iter()
                .map(String::as_str)
                .find(|v| fits(v) == Some(true)),
            Self::AllBut(values) => {
                let none = values.iter().all(|value| fits(value) == Some(false));
                none.then(|| values.first().map_or("", String::as_str))
            }
        }
    }
}

/// Whether a principal of a resource's policy stands for the caller: everybody, its account, its role, or the very session
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>).
fn is_caller(principal: &str, caller: &Caller) -> bool {
    let account = &caller.account;
    let is_account = || {
        let root = principal.ends_with(":root") && principal.split(':').nth(4) == Some(account);
        !account.is_empty() && (principal == account || root)
    };
    principal == "*"
        || principal == caller.arn
        || caller.role.as_deref() == Some(principal)
        || is_account()
}
