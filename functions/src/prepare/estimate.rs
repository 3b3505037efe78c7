//! The answer to a dry run.

use super::{Answer, RefusalDraft};
use crate::error::FunctionError;
use floodgate_control::PlanOptions;
use floodgate_core::cost::{Bill, longest};
use floodgate_core::definition::model::Definition;
use floodgate_records::cost::Cost;
use floodgate_records::estimate::{Estimate, Refused};
use floodgate_records::plan::Plan;

/// Of a run that could be started.
pub(super) fn of(
    plan: &Plan,
    definition: &Definition,
    options: &PlanOptions,
    bill: &Bill,
    warnings: Vec<String>,
    registered: bool,
) -> Answer {
    let layout = &options.infrastructure;
    Answer::Estimate(Box::new(Estimate {
        project: plan.project.clone(),
        test: plan.test.clone(),
        version: plan.version.clone(),
        tasks: layout.tasks,
        regions: layout.regions.clone(),
        architecture: layout.architecture.clone(),
        cpu: layout.cpu,
        memory: layout.memory,
        longest_s: longest(plan, &definition.run).as_secs(),
        cost: Cost {
            items: bill.items.clone(),
            ..bill.as_estimate()
        },
        warnings,
        registered,
        refused: None,
    }))
}

/// Of one that would be refused.
pub(super) fn refused(known: &RefusalDraft, error: &FunctionError) -> Answer {
    Answer::Estimate(Box::new(Estimate {
        project: known.project().to_owned(),
        test: known.test().to_owned(),
        refused: Some(Refused {
            error: error.name().to_owned(),
            reason: error.to_string(),
        }),
        ..Estimate::default()
    }))
}
