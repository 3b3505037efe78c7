//! What a definition refers to: `${env:NAME}` from the plan, `${secret:NAME}` from Secrets Manager.
//!
//! Definitions are read at once and without waiting. So the secrets that one names are fetched before.

use super::config::Config;
use crate::environment::{Level, Log};
use crate::task::TaskError;
use bytes::Bytes;
use floodgate_core::definition::{References, Resolver};
use floodgate_records::keys::{DEFINITION_FILE, ExecutionKeys, definition_file};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use floodgate_store::aws::call::Calls;
use floodgate_store::aws::secret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Between two attempts to read something from the store.
const PAUSE: Duration = Duration::from_secs(1);

/// Resolves from what was fetched.
#[derive(Debug, Default)]
pub struct TaskResolver {
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, Result<String, String>>,
}

impl TaskResolver {
    /// With these variables, and these secrets or why there are none.
    pub const fn new(
        env: BTreeMap<String, String>,
        secrets: BTreeMap<String, Result<String, String>>,
    ) -> Self {
        Self { env, secrets }
    }
}

impl Resolver for TaskResolver {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        let fetched = self.secrets.get(reference).cloned();
        fetched.unwrap_or_else(|| {
            Err("the definition did not name it when secrets were fetched".to_owned())
        })
    }

    /// The files came with the definition, and were looked at when it was stored.
    fn file_exists(&self, _relative: &str) -> bool {
        true
    }
}

/// The names of the secrets in a stored definition. Faults are not its business: reading it will tell them.
fn secrets_of(definition: &[u8]) -> BTreeSet<String> {
    serde_json::from_slice(definition)
        .map(|definition| References::of(&definition).secrets)
        .unwrap_or_default()
}

/// Reads plan and definition and fetches what they refer to.
pub(super) async fn prefetch(
    store: &dyn ObjectStore,
    config: &Config,
    secrets: &Calls,
    log: &Log,
) -> Result<TaskResolver, TaskError> {
    let keys = ExecutionKeys::new(&config.project, &config.execution);
    let text = read(store, &keys.plan(), log).await?;
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| TaskError::Malformed {
        key: keys.plan(),
        source: error.into(),
    })?;
    let key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    let definition = read(store, &key, log).await?;
    let mut fetched = BTreeMap::new();
    for name in secrets_of(&definition) {
        let secret = secret::read(secrets, &name).await;
        let secret = secret.map(|secret| secret.text).map_err(|error| {
            format!("{error}; the task's role needs secretsmanager:GetSecretValue on it")
        });
        fetched.insert(name, secret);
    }
    Ok(TaskResolver::new(plan.env, fetched))
}

/// Reads an object that must be there, again and again while the store does not answer.
async fn read(store: &dyn ObjectStore, key: &str, log: &Log) -> Result<Bytes, TaskError> {
    loop {
        match store.get(key).await {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => {
                return Err(TaskError::Missing {
                    key: key.to_owned(),
                });
            }
            Err(error) => log(Level::Warn, &format!("{error}; tried again")),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::definition::{Overrides, Source, parse};

    const DEFINITION: &str = r#"{"version":1,"project":"p","test":"t","target":"http://${env:HOST}/",
        "scenarios":{"s":{"executor":"per-vu-iterations","vus":1,"iterations":1,"flow":[
            {"get":"/","headers":{"authorization":"Bearer ${secret:api/token}",
             "x":"${secret:arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf}${secret:api/token}"}}]}}}"#;

    #[test]
    fn the_secrets_of_a_definition_are_found_once_each() {
        let found = secrets_of(DEFINITION.as_bytes());
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["api/token", arn]);
        assert_eq!(secrets_of(b"not a definition ${secret:x").len(), 0);
    }

    #[test]
    fn a_definition_is_read_with_what_was_fetched() {
        let env = BTreeMap::from([("HOST".to_owned(), "127.0.0.1:9".to_owned())]);
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";
        let mut secrets = BTreeMap::from([
            ("api/token".to_owned(), Ok("hunter2".to_owned())),
            (arn.to_owned(), Ok("two".to_owned())),
        ]);
        let source = Source {
            name: "d",
            text: DEFINITION.as_bytes(),
        };
        let read = |secrets: &BTreeMap<_, _>| {
            let resolver = TaskResolver::new(env.clone(), secrets.clone());
            parse(&source, &Overrides::default(), &resolver)
        };
        let parsed = read(&secrets).unwrap();
        assert!(format!("{:?}", parsed.definition).contains("two"));
        secrets.insert("api/token".to_owned(), Err("it is binary".to_owned()));
        let faults = read(&secrets).unwrap_err().to_string();
        assert!(
            faults.contains("api/token") && faults.contains("it is binary"),
            "{faults}"
        );
        secrets.remove("api/token");
        assert!(
            read(&secrets)
                .unwrap_err()
                .to_string()
                .contains("did not name it")
        );
    }
}
