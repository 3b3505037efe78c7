//! What starts a run.

use crate::error::{FunctionError, Result};
use crate::stack_config::StackConfig;
use floodgate_control::json;
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::word::Word;
use floodgate_store::ObjectStore;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the state machine hands to Prepare.
#[derive(Debug, Deserialize)]
pub(crate) struct Prepare {
    /// The input of the state machine's execution.
    pub(super) input: Input,
    /// That execution.
    pub(super) run: MachineExecution,
    /// A constant of the state machine: whose runs it starts ([`Tenant::of`](crate::tenant::Tenant::of)).
    #[serde(default)]
    pub(super) project: String,
    /// Another one: `yes` of the machine that only schedules may start.
    #[serde(default)]
    pub(super) scheduled: String,
}

/// The state machine's execution.
#[derive(Debug, Deserialize)]
pub(super) struct MachineExecution {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) started_at: String,
}

/// The input of the state machine. A name that is not known is a mistake, and not ignored.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    pub(super) project: Option<String>,
    pub(super) test: Option<String>,
    /// SHA-256 of a stored definition; the newest if there is none.
    pub(super) version: Option<String>,
    /// A definition as an object, or as YAML or JSON text.
    pub(super) definition: Option<Value>,
    /// Overrides, as `--set`.
    pub(super) parameters: BTreeMap<String, Value>,
    /// What `${env:NAME}` stands for.
    pub(super) env: BTreeMap<String, String>,
    pub(super) trigger: TriggerInput,
    /// A ULID.
    pub(super) id: Option<String>,
    /// A schedule by its name, which says all of this instead.
    pub(super) schedule: Option<String>,
    /// Whether the version becomes the newest of its test, which schedules run.
    pub(super) register: bool,
    /// Whether the API has written down what is run, and for whom: below the execution, as an input like this one.
    pub(super) order: bool,
    /// Whether only the estimate is wanted: nothing is started, and nothing recorded but a version to register.
    pub(super) dry_run: bool,
}

/// Who starts it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TriggerInput {
    kind: Option<Word<TriggerKind>>,
    principal: Option<String>,
    build_url: Option<String>,
    commit: Option<String>,
    branch: Option<String>,
}

impl From<&TriggerInput> for Trigger {
    fn from(input: &TriggerInput) -> Self {
        Self {
            kind: input.kind.clone().unwrap_or(TriggerKind::Api.into()),
            principal: input.principal.clone(),
            build_url: input.build_url.clone(),
            commit: input.commit.clone(),
            branch: input.branch.clone(),
            ..Self::default()
        }
    }
}

impl Input {
    /// The input that a schedule stands for: it says what is run, and nothing else may.
    ///
    /// # Errors
    /// A sentence about a schedule that is not there, or one that something was said beside.
    pub(super) fn of_schedule(
        self,
        placement: &StackConfig,
        stack: &str,
    ) -> std::result::Result<Self, String> {
        let Some(name) = &self.schedule else {
            return Ok(self);
        };
        let alone = Self {
            schedule: self.schedule.clone(),
            id: self.id.clone(),
            ..Self::default()
        };
        if alone != self {
            return Err(format!(
                "input: schedule {name:?} says what is run; give nothing beside it but an id"
            ));
        }
        let run = placement.schedules.get(name).cloned().ok_or_else(|| {
            let known: Vec<_> = placement.schedules.keys().map(String::as_str).collect();
            format!(
                "input: this stack has no schedule {name:?}; it has {}",
                known.join(", ")
            )
        })?;
        Ok(Self {
            project: Some(run.project),
            test: Some(run.test),
            version: run.version,
            parameters: run.parameters.unwrap_or_default(),
            env: run.env.unwrap_or_default(),
            trigger: TriggerInput {
                kind: Some(TriggerKind::Schedule.into()),
                principal: Some(format!("schedule/{stack}/{name}")),
                ..TriggerInput::default()
            },
            ..self
        })
    }

    /// What the API was asked for, if that is what this input refers to. Its trigger is proven: nobody else may write there.
    ///
    /// # Errors
    /// An order that is not there or is for another run; something said beside it; what the store refuses.
    pub(super) async fn of_order(&self, objects: &dyn ObjectStore) -> Result<Option<Self>> {
        if !self.order {
            return Ok(None);
        }
        let alone = Self {
            project: self.project.clone(),
            id: self.id.clone(),
            order: true,
            ..Self::default()
        };
        let (Some(project), Some(id)) = (&self.project, &self.id) else {
            let problem = "input: an order is found by project and id; give both";
            return Err(FunctionError::invalid(problem));
        };
        if alone != *self {
            let problem =
                "input: the order says what is run; give nothing beside it but project and id";
            return Err(FunctionError::invalid(problem));
        }
        let key = ExecutionKeys::new(project, id).order();
        let ordered: Option<Self> = json::get(objects, &key).await?;
        let ordered = ordered.ok_or_else(|| {
            FunctionError::invalid(format!(
                "input: {key} is not there; only the API writes orders"
            ))
        })?;
        if (&ordered.project, &ordered.id) != (&self.project, &self.id) || ordered.order {
            return Err(FunctionError::invalid(format!(
                "{key}: it is for another run"
            )));
        }
        Ok(Some(ordered))
    }

    /// Who starts it, as far as is said.
    pub(super) fn principal(&self) -> Option<&str> {
        self.trigger.principal.as_deref()
    }

    /// The overrides: texts as they are, everything else as JSON.
    pub(super) fn overrides(&self) -> Vec<(String, String)> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let each = self.parameters.iter();
        each.map(|(path, value)| (path.clone(), text(value)))
            .collect()
    }
}
