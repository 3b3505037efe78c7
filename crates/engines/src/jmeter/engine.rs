//! JMeter among the engines.

use super::home;
use super::import::import;
use super::inspect::inspect;
use super::launch::{NO_JAVA, launch};
use crate::engine::{
    Capacity, Confinement, EngineFacts, PrepareRequest, PreparedScript, ScriptEngine,
};
use crate::error::LaunchError;
use crate::installed::{Installed, installed_java};
use crate::job::Job;
use crate::launch::Launch;
use crate::links::plain_path;
use crate::read::Reader;
use floodgate_records::engine::Engine;
use std::path::Path;

/// JMeter.
#[derive(Debug)]
pub struct Jmeter;

static FACTS: EngineFacts = EngineFacts {
    engine: Engine::Jmeter,
    label: "JMeter",
    needs_java: true,
    takes_load_options: false,
    reads_variables: false,
    own_variables: &[],
    confinement: Confinement::Nothing,
    capacity: Capacity {
        requests_per_s: 500.0,
        vus: 250.0,
        vus_a_gib: 250.0,
    },
    results: "a JTL file of JMeter",
};

impl ScriptEngine for Jmeter {
    fn facts(&self) -> &'static EngineFacts {
        &FACTS
    }

    fn takes(&self, path: &Path) -> bool {
        let is_plan = |end: &std::ffi::OsStr| end.eq_ignore_ascii_case("jmx");
        path.extension().is_some_and(is_plan) && !path.is_dir()
    }

    fn prepare(&self, request: &PrepareRequest<'_>) -> Result<PreparedScript, LaunchError> {
        let job = request.job;
        let path = job.folder.join(job.script);
        let bytes = std::fs::read(&path).map_err(LaunchError::file(&path))?;
        let folder = Path::new(job.script).parent().unwrap_or(Path::new(""));
        let there = |name: &str| job.folder.join(folder).join(name).is_file();
        let mut inspection = inspect(&bytes, job.script, job.parameters, &there)?;
        // The plan names them from its own folder, the definition from its.
        for file in &mut inspection.files {
            *file = plain_path(&folder.join(&*file));
        }
        Ok(PreparedScript {
            inspection,
            packed: None,
            uncounted: Some(job.max_duration.unwrap_or(request.unknown_duration)),
        })
    }

    fn launch(&self, job: &Job<'_>) -> Result<Launch, LaunchError> {
        launch(job)
    }

    fn import(&self, head: &[u8]) -> Option<Box<dyn Reader>> {
        import(head)
    }

    fn installed(&self) -> Result<Installed, LaunchError> {
        home::installed()
    }

    fn java(&self) -> Option<Result<Installed, LaunchError>> {
        Some(installed_java(NO_JAVA))
    }
}
