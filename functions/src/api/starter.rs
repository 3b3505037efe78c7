//! Runs are started by writing down what is wanted, and telling the state machine where that lies.

use crate::account::Account;
use crate::clock::{Clock, between};
use async_trait::async_trait;
use floodgate_api::{RunOrder, RunWhat, StartError, Starter};
use floodgate_control::Stores;
use floodgate_records::keys::ExecutionKeys;
use floodgate_store::StoreError;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a start may take to come on record: less than the 30 s after which the gateway gives up
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const PATIENCE: Duration = Duration::from_secs(24);
const POLL: Duration = Duration::from_millis(200);
/// The state machine of projects that have none of their own.
const OTHERS: &str = "*";

/// Starts runs by the state machines of a stack.
pub struct Machines {
    stores: Stores,
    account: Arc<dyn Account>,
    clock: Arc<dyn Clock>,
    arns: BTreeMap<String, String>,
}

impl Machines {
    /// With the ARN of the machine by project; `*` is that of all others.
    pub fn new(
        stores: Stores,
        account: Arc<dyn Account>,
        clock: Arc<dyn Clock>,
        arns: BTreeMap<String, String>,
    ) -> Self {
        Self {
            stores,
            account,
            clock,
            arns,
        }
    }

    /// Waits until the run is on record. A definition with faults is on record as well: as a run that ended before it began.
    async fn on_record(&self, order: &RunOrder) -> Result<(), StartError> {
        let began_ms = self.clock.now_ms();
        loop {
            let found = self.stores.records.get(Some(&order.project), &order.id);
            if matches!(found.await, Ok(Some(_))) {
                return Ok(());
            }
            if between(began_ms, self.clock.now_ms()) >= PATIENCE {
                let told = format!(
                    "run {} is started and not on record yet: ask for it in a moment",
                    order.id
                );
                return Err(StartError::Failed(told));
            }
            self.clock.sleep(POLL).await;
        }
    }
}

#[async_trait]
impl Starter for Machines {
    async fn start(&self, order: RunOrder) -> Result<(), StartError> {
        if order.generators != 1 {
            let told = "generators: how many tasks share the load is said by run.tasks of the definition; override it with parameters";
            return Err(StartError::Invalid(told.into()));
        }
        let arn = self.arns.get(&order.project);
        let arn = arn.or_else(|| self.arns.get(OTHERS)).ok_or_else(|| {
            let told = format!(
                "no state machine starts runs of project {:?}; add it to projects of the Terraform module",
                order.project
            );
            StartError::Invalid(told)
        })?;
        let failed = |error: &dyn std::error::Error| StartError::Failed(error.to_string());
        let key = ExecutionKeys::new(&order.project, &order.id).order();
        let bytes = input(&order).to_string().into_bytes();
        match self.stores.objects.put_new(&key, bytes.into()).await {
            // The same start again, with the same idempotency key.
            Ok(()) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        let told = json!({"project": order.project, "id": order.id, "order": true}).to_string();
        let started = self.account.start(arn, &order.id, &told).await;
        started.map_err(|error| failed(&error))?;
        self.on_record(&order).await
    }
}

/// What is wanted, as the state machine's input says it.
fn input(order: &RunOrder) -> Value {
    let trigger = &order.trigger;
    let mut input = json!({
        "project": order.project,
        "id": order.id,
        "parameters": order.parameters,
        "env": order.environment,
        "trigger": {
            "kind": trigger.kind,
            "principal": trigger.principal,
            "build_url": trigger.build_url,
            "commit": trigger.commit,
            "branch": trigger.branch,
        },
    });
    match &order.what {
        RunWhat::Definition(text) => input["definition"] = text.as_str().into(),
        RunWhat::Version { test, version } => {
            input["test"] = test.as_str().into();
            input["version"] = version.as_str().into();
        }
    }
    input
}
