//! What is known of a run that is refused, and its record.

use super::input::Input;
use crate::app::App;
use crate::error::{FunctionError, Result};
use crate::notify;
use crate::stack_config::StackConfig;
use crate::tenant::Tenant;
use floodgate_control::load::Loaded;
use floodgate_control::{PlanOptions, Refusal, refuse};
use floodgate_core::definition::sketch;
use floodgate_core::planned::planned_load;
use floodgate_notify::Moment;
use floodgate_records::control::Stop;
use floodgate_records::execution::{Execution, PrincipalIs, Trigger, TriggerKind};
use floodgate_records::word::Word;
use serde_json::Value;

/// What is known of a run before it has a plan: little at first, then more.
pub(crate) struct RefusalDraft(Refusal);

impl RefusalDraft {
    /// From the input, as far as that says.
    pub(super) fn of_input(id: &str, input: &Input, run_arn: &str, now_ms: i64) -> Self {
        let mut known = Self(Refusal {
            id: id.to_owned(),
            project: input.project.clone().unwrap_or_default(),
            test: input.test.clone().unwrap_or_default(),
            version: input.version.clone().unwrap_or_default(),
            trigger: Trigger::from(&input.trigger),
            created_ms: now_ms,
            parameters: input.overrides().into_iter().collect(),
            run_arn: Some(run_arn.to_owned()),
            ..Refusal::default()
        });
        if let Some(definition) = &input.definition {
            known.of_definition(definition);
        }
        known
    }

    /// From an input that may not be one: of a run that ended before anybody had read it.
    pub(crate) fn of_any_input(id: &str, input: &Value, run_arn: &str, now_ms: i64) -> Self {
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        let trigger = &input["trigger"];
        let mut known = Self(Refusal {
            id: id.to_owned(),
            project: text(input, "project").unwrap_or_default(),
            test: text(input, "test").unwrap_or_default(),
            version: text(input, "version").unwrap_or_default(),
            trigger: Trigger {
                kind: text(trigger, "kind").map_or(TriggerKind::Api.into(), Word::of),
                principal: text(trigger, "principal"),
                build_url: text(trigger, "build_url"),
                commit: text(trigger, "commit"),
                branch: text(trigger, "branch"),
                ..Trigger::default()
            },
            created_ms: now_ms,
            run_arn: Some(run_arn.to_owned()),
            ..Refusal::default()
        });
        known.of_definition(&input["definition"]);
        known
    }

    /// From a definition that may have faults.
    fn of_definition(&mut self, definition: &Value) {
        match definition {
            Value::String(text) => self.of_text(text.as_bytes()),
            tree => self.of_tree(tree),
        }
    }

    /// From the text of a definition that may have faults. What the input says comes before it.
    pub(super) fn of_text(&mut self, text: &[u8]) {
        if let Some(tree) = sketch(text) {
            self.of_tree(&tree);
        }
    }

    fn of_tree(&mut self, tree: &Value) {
        let own = [(&mut self.0.project, "project"), (&mut self.0.test, "test")];
        for (field, key) in own {
            if let (true, Some(text)) = (field.is_empty(), tree[key].as_str()) {
                field.push_str(text);
            }
        }
        if let (true, Some(text)) = (self.0.engine.is_empty(), tree["engine"].as_str()) {
            self.0.engine = Word::of(text);
        }
    }

    /// From a definition without faults.
    pub(super) fn of_test(&mut self, test: &Loaded) {
        let definition = &test.parsed.definition;
        self.0.project.clone_from(&definition.project);
        self.0.test.clone_from(&definition.test);
        self.0.version.clone_from(&test.version);
        self.0.engine = definition.engine.into();
        self.0.target.clone_from(&test.parsed.shown_target);
        self.0.planned = planned_load(definition);
    }

    /// From how it would be laid out.
    pub(super) fn of_layout(&mut self, options: &PlanOptions) {
        self.0.infrastructure = options.infrastructure.clone();
        self.0.cost.clone_from(&options.cost);
    }

    /// How much the principal's name is worth.
    pub(crate) fn vouch(&mut self, vouched: PrincipalIs) {
        self.0.trigger.principal_is = vouched;
    }

    /// The project that is meant; empty if that is not known.
    pub(super) fn project(&self) -> &str {
        &self.0.project
    }

    /// Its test, as far as that is known.
    pub(super) fn test(&self) -> &str {
        &self.0.test
    }

    /// Whatever was said: a refusal lies with the project that the state machine is of. What was meant for somebody else's machine lies
    /// nowhere.
    pub(crate) fn bind(&mut self, tenant: &Tenant, placement: &StackConfig) {
        match tenant.project() {
            Some(own) => own.clone_into(&mut self.0.project),
            None if placement.is_named(&self.0.project) => self.0.project.clear(),
            None => {}
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    /// The order that ended it, if it was not refused but stopped.
    pub(crate) fn stopped_by(mut self, stop: Option<Stop>) -> Self {
        self.0.stopped_by = stop;
        self
    }

    /// Whether a record has a place: it lies with its project.
    pub(crate) fn has_project(&self) -> bool {
        !self.0.project.is_empty()
    }
}

/// Writes a refusal down: its record, its entry in the audit trail, its metrics. Nothing is written of a run whose project is
/// not known; `None` also where the id is another run's.
pub(crate) async fn write_down(
    app: &App,
    known: RefusalDraft,
    error: &FunctionError,
) -> Result<Option<Execution>> {
    if !known.has_project() {
        return Ok(None);
    }
    let aborted = known.0.stopped_by.is_some();
    let refusal = Refusal {
        error: if aborted {
            "Floodgate.Aborted".to_owned()
        } else {
            error.name().to_owned()
        },
        reason: error.to_string(),
        ..known.0
    };
    let now_ms = app.clock.now_ms();
    let recorded = refuse(&app.stores, refusal, now_ms).await?;
    if let Some(execution) = &recorded {
        let status = execution.status.as_str();
        tracing::info!(
            project = execution.project,
            status,
            error = execution.error,
            "refused"
        );
        // A definition that cannot be run is not a failure of the stack's: the alarm on errored runs stays quiet.
        let status = match error {
            FunctionError::InvalidDefinition(_) if !aborted => "invalid",
            _ => status,
        };
        app.metrics(&execution.project)
            .status(status)
            .count("Executions", 1)
            .count("ExecutionsNotPassed", 1)
            .emit();
        // Nobody knows whom a definition with faults wants told.
        if aborted || matches!(error, FunctionError::Errored(_)) {
            notify::later(app, &execution.project, &execution.id, Moment::Ended).await;
        }
    }
    Ok(recorded)
}
