//! What every store must do, as tests that run on any of them: call the functions from a test with an empty store. They panic where
//! it falls short.

mod objects;
mod records;

pub use objects::objects;
pub use records::records;

use floodgate_records::engine::Engine;
use floodgate_records::execution::{Execution, Infrastructure, Trigger};
use floodgate_records::plan::PlannedLoad;
use floodgate_records::status::Status;
use std::collections::BTreeMap;

/// A record to test with.
pub fn execution(project: &str, test: &str, id: &str) -> Execution {
    Execution {
        schema: Execution::SCHEMA,
        id: id.to_owned(),
        project: project.to_owned(),
        test: test.to_owned(),
        version: "0".repeat(64),
        engine: Engine::Http.into(),
        target: None,
        trigger: Trigger::default(),
        created_ms: 1_700_000_000_000,
        started_ms: None,
        ended_ms: None,
        status: Status::Preparing,
        reasons: vec!["because of \"quotes\" and\nlines".to_owned()],
        infrastructure: Infrastructure::default(),
        planned: PlannedLoad::default(),
        applied: None,
        completeness: None,
        start_skew_us: None,
        thresholds: Vec::new(),
        comparison: None,
        stopped_by: None,
        warnings: Vec::new(),
        cost: None,
        parameters: BTreeMap::new(),
        run_arn: None,
        error: None,
        orphaned: false,
        failures: None,
        unwritten: Vec::new(),
        unmerged: false,
        capacity: None,
    }
}
