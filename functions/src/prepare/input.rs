//! What starts a run.

use crate::stack_config::StackConfig;
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::word::Word;
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
    pub(super) fn of_schedule(self, placement: &StackConfig, stack: &str) -> Result<Self, String> {
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
