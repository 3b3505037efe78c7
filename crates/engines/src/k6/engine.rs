//! k6 among the engines.

use super::launch::launch;
use super::options::{instead_of, variables};
use super::pack::examine;
use super::read::import;
use super::tool::Tool;
use crate::engine::{
    Capacity, Confinement, EngineFacts, PrepareRequest, PreparedScript, ScriptEngine,
};
use crate::error::LaunchError;
use crate::installed::Installed;
use crate::job::Job;
use crate::launch::Launch;
use crate::read::Reader;
use floodgate_records::engine::Engine;
use std::path::Path;

/// k6.
#[derive(Debug)]
pub struct K6;

static FACTS: EngineFacts = EngineFacts {
    engine: Engine::K6,
    label: "k6",
    needs_java: false,
    takes_load_options: true,
    reads_variables: true,
    own_variables: &["K6_"],
    confinement: Confinement::Addresses,
    capacity: Capacity {
        requests_per_s: 2_000.0,
        vus: 1_000.0,
        vus_a_gib: 250.0,
    },
    results: "what k6 wrote with --out json=FILE or --out csv=FILE",
};

impl ScriptEngine for K6 {
    fn facts(&self) -> &'static EngineFacts {
        &FACTS
    }

    fn takes(&self, path: &Path) -> bool {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let is_known = ["js", "mjs", "ts", "tar"].contains(&&*extension.to_ascii_lowercase());
        is_known && !path.is_dir()
    }

    fn prepare(&self, request: &PrepareRequest<'_>) -> Result<PreparedScript, LaunchError> {
        let job = request.job;
        let mut tool = Tool::find(job.home)?;
        tool.options = variables(request.load);
        let (mut inspection, packed) = examine(&tool, job)?;
        // They are in the archive.
        inspection.files.clear();
        let name = Path::new(job.script).with_extension("tar");
        Ok(PreparedScript {
            inspection,
            packed: Some((name.to_string_lossy().into_owned(), packed.bytes)),
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
        let tool = Tool::find(None)?;
        Ok(Installed {
            version: tool.text,
            at: tool.program,
        })
    }

    fn without_samples(&self, head: &[u8]) -> Option<&'static str> {
        let is_summary = head.trim_ascii_start().starts_with(b"{")
            && memchr::memmem::find(head, b"\"metrics\"").is_some();
        is_summary.then_some("is k6's summary of a run, which holds its figures and no samples")
    }

    fn instead_of(&self, option: &str) -> Option<&'static str> {
        instead_of(option)
    }
}
