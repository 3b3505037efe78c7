//! `config/api.json`: who is let in, and which state machine starts whose runs. Terraform writes it.

use crate::principal::is_named;
use floodgate_api::Caller;
use floodgate_policy::{Grants, Role};
use floodgate_records::execution::PrincipalIs;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Its key in the bucket.
pub(super) const KEY: &str = "config/api.json";

/// What the API is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of this layout: 1.
    pub schema: u32,
    /// Providers of identities, as the file of `floodgate serve --oidc` lists them.
    #[serde(default)]
    pub issuers: Vec<Value>,
    /// Roles of callers who sign their requests (SigV4).
    #[serde(default)]
    pub iam: Vec<IamRule>,
    /// ARN of the state machine by project; `*` is that of all others.
    pub state_machines: BTreeMap<String, String>,
    /// Requests per second of each principal, on each instance of the function.
    pub requests_per_second: u32,
}

/// A role in a project for callers of AWS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IamRule {
    /// An ARN, in which `*` stands for any characters and `?` for one; a role stands for its sessions.
    pub principal: String,
    /// The project.
    pub project: String,
    /// What they are in it.
    pub role: Role,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// They are not JSON of the right shape.
    #[error("{KEY}: {0}; apply the Terraform module of this version")]
    Json(#[from] serde_json::Error),
    /// They are of another version.
    #[error("{KEY}: schema {0} is not known; apply the Terraform module of this version")]
    Schema(u32),
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn parse(text: &[u8]) -> Result<Self, SettingsError> {
        let read: Self = serde_json::from_slice(text)?;
        match read.schema {
            1 => Ok(read),
            other => Err(SettingsError::Schema(other)),
        }
    }

    /// The providers, as a file of them.
    pub(super) fn issuers(&self) -> Vec<u8> {
        serde_json::json!({"issuers": self.issuers})
            .to_string()
            .into_bytes()
    }

    /// Who a caller is whose signature the gateway has checked. Without a rule they have no role.
    pub(super) fn caller(&self, arn: &str) -> Caller {
        let mut grants = Grants::of([]);
        for rule in self
            .iam
            .iter()
            .filter(|rule| is_named(&rule.principal, arn))
        {
            grants.add(rule.project.clone(), rule.role);
        }
        Caller {
            name: arn.to_owned(),
            is: PrincipalIs::Verified,
            grants,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_policy::{Action, Decision, decide};

    const TEXT: &str = r#"{"schema": 1, "state_machines": {"*": "arn:machine"}, "requests_per_second": 20, "iam": [
        {"principal": "arn:aws:iam::1:role/ci", "project": "shop", "role": "tester"},
        {"principal": "arn:aws:iam::1:role/*", "project": "shop", "role": "viewer"}]}"#;

    #[test]
    fn a_role_stands_for_its_sessions_and_nobody_else_has_one() {
        let settings = Settings::parse(TEXT.as_bytes()).unwrap();
        let may = |arn: &str, action, project: &str| {
            decide(&settings.caller(arn).grants, action, project) == Decision::Allowed
        };
        let ci = "arn:aws:sts::1:assumed-role/ci/build-7";
        assert!(may(ci, Action::StartRuns, "shop") && !may(ci, Action::ReadRuns, "bank"));
        let other = "arn:aws:sts::1:assumed-role/ops/ann";
        assert!(may(other, Action::ReadRuns, "shop") && !may(other, Action::StartRuns, "shop"));
        let stranger = settings.caller("arn:aws:iam::2:user/eve");
        assert!(stranger.grants.is_empty());
        assert_eq!(stranger.is, PrincipalIs::Verified);
    }

    #[test]
    fn settings_of_another_version_are_refused() {
        let newer = TEXT.replace("\"schema\": 1", "\"schema\": 2");
        let problem = Settings::parse(newer.as_bytes()).unwrap_err().to_string();
        assert!(
            problem.contains("schema 2") && problem.contains("apply"),
            "{problem}"
        );
        let problem = Settings::parse(b"{\"schema\": 1}").unwrap_err().to_string();
        assert!(problem.contains("config/api.json"), "{problem}");
        let unknown = TEXT.replace("tester", "owner");
        assert!(Settings::parse(unknown.as_bytes()).is_err());
    }
}
