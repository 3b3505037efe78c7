//! What the tasks of these tests are to do.

use floodgate_generator::clock::unix_ms;
use floodgate_records::keys::DEFINITION_FILE;
use floodgate_records::plan::{Plan, PlannedLoad, PlannedTask};
use std::collections::BTreeMap;

pub(crate) const EXECUTION: &str = "01JD0000000000000000000000";

/// One task that has two minutes.
pub(crate) fn plan() -> Plan {
    Plan {
        schema: Plan::SCHEMA,
        execution: EXECUTION.to_owned(),
        project: "p".to_owned(),
        test: "t".to_owned(),
        version: "v".to_owned(),
        files: vec![DEFINITION_FILE.to_owned()],
        base_dir: None,
        tasks: vec![PlannedTask {
            index: 0,
            weight: 1,
            region: "eu-west-1".to_owned(),
        }],
        deadline_ms: unix_ms() + 120_000,
        start_timeout_ms: 60_000,
        flush_interval_ms: 1_000,
        live_interval_ms: 500,
        control_interval_ms: 100,
        load: PlannedLoad::default(),
        env: BTreeMap::new(),
        run_arn: None,
        allowed_targets: None,
        debug_requests: 0,
        spool: None,
    }
}

/// 100 requests a second for so long.
pub(crate) fn definition(target: &str, duration: &str) -> String {
    format!(
        r#"{{"version":1,"project":"p","test":"t","target":"{target}","scenarios":{{"s":{{
            "executor":"constant-arrival-rate","rate":100,"duration":"{duration}","preAllocatedVUs":4,"maxVUs":50,
            "flow":[{{"get":"/","name":"home"}}]}}}}}}"#
    )
}
