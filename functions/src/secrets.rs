//! What references of a definition stand for where values are needed: the few functions that may read secrets.
//!
//! A function reads for all projects, so its role is no bound between them: of a project's definitions only those secrets are read that the
//! stack's configuration gives the project, as for its tasks.

use crate::account::{Account, Refused};
use crate::stack_config::StackConfig;
use floodgate_core::definition::{Reference, References, Resolver};
use serde_json::Value;
use std::collections::BTreeMap;

/// Variables, and the secrets that one part of a definition names; all else stays open.
pub(crate) struct Known {
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, Result<String, String>>,
}

impl Known {
    /// Reads the secrets that a part of a project's definition names, as it is stored.
    pub(crate) async fn of_part(
        account: &dyn Account,
        placement: &StackConfig,
        project: &str,
        env: &BTreeMap<String, String>,
        part: &Value,
    ) -> Self {
        let mut secrets = BTreeMap::new();
        for name in References::of(part).secrets {
            let value = value(account, placement, project, &name).await;
            secrets.insert(name, value);
        }
        Self {
            env: env.clone(),
            secrets,
        }
    }

    /// The secrets that could not be had, with why.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.secrets.iter();
        all.filter_map(|(name, value)| Some((name.as_str(), value.as_ref().err()?.as_str())))
    }

    /// The same with all secrets left open.
    pub(crate) fn without_secrets(&self) -> Self {
        Self {
            env: self.env.clone(),
            secrets: BTreeMap::new(),
        }
    }
}

async fn value(
    account: &dyn Account,
    placement: &StackConfig,
    project: &str,
    name: &str,
) -> Result<String, String> {
    match account.read_secret(name).await {
        Ok(secret) if placement.may_read(project, &secret.arn) => Ok(secret.text),
        Ok(_) => Err(format!(
            "it is not a secret of project {project:?}; add it to secret_arns of the project in the Terraform module"
        )),
        Err(Refused::Missing(why)) => Err(format!("{why}; create it in Secrets Manager")),
        Err(Refused::Unknown(why)) => Err(why),
    }
}

impl Resolver for Known {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        let known = self.secrets.get(reference).cloned();
        known.unwrap_or_else(|| Err("this function does not need it".to_owned()))
    }

    /// They were looked at when the definition was stored.
    fn file_exists(&self, _relative: &str) -> bool {
        true
    }

    fn leaves_open(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Secret(name) => !matches!(self.secrets.get(name), Some(Ok(_))),
            Reference::Env(name) => !self.env.contains_key(name),
        }
    }
}
