//! What becomes of a definition's `baseline` or `against` when its run has been merged.

use crate::collect::Collected;
use crate::earlier::{Earlier, earlier};
use crate::error::{ControlError, Result, Uncompiled};
use crate::in_turns::in_turns;
use crate::judged::{Judged, judged};
use crate::stores::Stores;
use floodgate_core::baseline::{Baseline, BaselineMetric};
use floodgate_core::compare::Terms;
use floodgate_core::definition::model::{BaselineMethod, Definition};
use floodgate_core::syntax::SyntaxError;
use floodgate_records::comparison::Comparison;
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;

/// What a run is compared with, and what came of it; nothing without a baseline.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// The tolerance, with the account of the earlier run if there is one.
    pub(crate) tolerance: Option<(Baseline, Option<Summary>)>,
    /// The comparison by intervals, if there is a run to compare with.
    pub(crate) comparison: Option<Comparison>,
    /// What it is about.
    pub(crate) metrics: Vec<BaselineMetric>,
    /// Why there is nothing to compare with although there should be, a sentence each.
    pub(crate) missing: Vec<String>,
    /// What a reader should know.
    pub(crate) warnings: Vec<String>,
}

impl Compared {
    /// Compares a run whose merged data is written.
    ///
    /// # Errors
    /// A definition that cannot be used, what may be asked again, and merged data of this run that cannot be read.
    pub(crate) async fn of(
        definition: &Definition,
        stores: &Stores,
        execution: &Execution,
        collected: &Collected,
    ) -> Result<Self> {
        if definition.capacity.is_some() {
            // What a search finds beyond the capacity is nothing to compare.
            return Ok(Self::default());
        }
        let of = (collected, definition.warmup.as_secs_f64());
        if definition.against.is_some() {
            let terms = Terms::in_turns();
            return Ok(Self {
                comparison: Some(in_turns(stores, &terms, execution, of).await?),
                ..Self::default()
            });
        }
        let Some(spec) = &definition.baseline else {
            return Ok(Self::default());
        };
        match &spec.method {
            BaselineMethod::Tolerance(tolerance) => {
                let baseline = Baseline::compile(&spec.metrics, *tolerance).map_err(unusable)?;
                let found = earlier(stores, &spec.compare, execution).await?;
                Ok(Self::by_tolerance(baseline, found))
            }
            BaselineMethod::Compare(by) => {
                let terms = Terms::compile(&spec.metrics, by).map_err(unusable)?;
                let Judged {
                    comparison,
                    missing,
                    warnings,
                } = judged(stores, &spec.compare, &terms, execution, of).await?;
                Ok(Self {
                    tolerance: None,
                    comparison,
                    metrics: terms.metrics,
                    missing,
                    warnings,
                })
            }
        }
    }

    fn by_tolerance(baseline: Baseline, found: Earlier) -> Self {
        // What was passed over is not missed.
        let (missing, warnings) = match found.summary {
            Some(_) => (Vec::new(), found.unreadable),
            None => (found.unreadable, Vec::new()),
        };
        Self {
            tolerance: Some((baseline, found.summary)),
            missing,
            warnings,
            ..Self::default()
        }
    }
}

/// A definition that does not compile.
fn unusable(faults: Vec<SyntaxError>) -> ControlError {
    ControlError::Definition {
        source: Uncompiled(faults).into(),
    }
}
