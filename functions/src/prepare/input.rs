//! What starts a run.

use floodgate_core::execution::record::Trigger;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the state machine hands to Prepare.
#[derive(Debug, Deserialize)]
pub(crate) struct Prepare {
    /// The input of the state machine's execution.
    pub(super) input: Input,
    /// That execution.
    pub(super) run: Started,
}

/// The state machine's execution.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) started_at: String,
}

/// The input of the state machine. A name that is not known is a mistake, and not ignored.
#[derive(Debug, Default, Deserialize)]
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
}

/// Who starts it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TriggerInput {
    kind: Option<String>,
    principal: Option<String>,
    build_url: Option<String>,
    commit: Option<String>,
}

impl From<&TriggerInput> for Trigger {
    fn from(input: &TriggerInput) -> Self {
        Self {
            kind: input.kind.clone().unwrap_or_else(|| "api".into()),
            principal: input.principal.clone(),
            build_url: input.build_url.clone(),
            commit: input.commit.clone(),
        }
    }
}

impl Input {
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
