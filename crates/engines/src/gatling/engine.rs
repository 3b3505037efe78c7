//! Gatling among the engines.

use super::describe::examine;
use super::import::import;
use super::launch::launch;
use super::project::is_project;
use super::script::{self, NO_JAVA};
use crate::engine::{
    Capacity, Confinement, EngineFacts, PrepareRequest, PreparedScript, ScriptEngine,
};
use crate::error::LaunchError;
use crate::installed::{Installed, installed_java};
use crate::job::Job;
use crate::launch::Launch;
use crate::read::Reader;
use floodgate_core::definition::model::Executor;
use floodgate_records::engine::Engine;
use std::path::Path;

/// Gatling.
#[derive(Debug)]
pub struct Gatling;

static FACTS: EngineFacts = EngineFacts {
    engine: Engine::Gatling,
    label: "Gatling",
    needs_java: true,
    takes_load_options: false,
    reads_variables: false,
    own_variables: &[],
    confinement: Confinement::Nothing,
    capacity: Capacity {
        requests_per_s: 2_000.0,
        vus: 2_000.0,
        vus_a_gib: 2_000.0,
    },
    results: "a simulation.log of Gatling",
};

impl ScriptEngine for Gatling {
    fn facts(&self) -> &'static EngineFacts {
        &FACTS
    }

    fn takes(&self, path: &Path) -> bool {
        if path.is_dir() {
            return is_project(path);
        }
        let is_jar = |end: &std::ffi::OsStr| end.eq_ignore_ascii_case("jar");
        path.extension().is_some_and(is_jar)
    }

    fn prepare(&self, request: &PrepareRequest<'_>) -> Result<PreparedScript, LaunchError> {
        let (mut inspection, packed) = examine(request.job, request.files)?;
        // Users run to their end, which no profile tells.
        let longest = inspection.max_duration.unwrap_or(request.unknown_duration);
        for planned in &mut inspection.scenarios {
            planned.graceful_stop = longest;
            if let Some(Executor::PerVuIterations { max_duration, .. }) = &mut planned.executor {
                *max_duration = longest;
            }
        }
        Ok(PreparedScript {
            inspection,
            packed: packed.map(|packed| (packed.name, packed.bytes)),
            uncounted: None,
        })
    }

    fn launch(&self, job: &Job<'_>) -> Result<Launch, LaunchError> {
        launch(job)
    }

    fn import(&self, head: &[u8]) -> Option<Box<dyn Reader>> {
        import(head)
    }

    fn installed(&self) -> Result<Installed, LaunchError> {
        script::installed()
    }

    fn java(&self) -> Option<Result<Installed, LaunchError>> {
        Some(installed_java(NO_JAVA))
    }

    fn not_a_project(&self) -> Option<&'static str> {
        Some("no project of Gatling's: there is no pom.xml, build.gradle or build.gradle.kts")
    }
}
