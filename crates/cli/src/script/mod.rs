//! Scripts of k6, JMeter and Gatling: which engine a file is for, what it says of itself, and the definition that runs it.

pub(crate) mod above;
pub(crate) mod results;
pub(crate) mod source;

use crate::env::Environment;
use crate::error::{CliError, Result};
use above::Above;
use bytes::Bytes;
use floodgate_control::UNKNOWN_DURATION;
use floodgate_core::definition::model::{Definition, Executor};
use floodgate_engines::{Inspection, Job, LaunchError, gatling, jmeter, k6};
use floodgate_records::engine::Engine;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Which engine runs a file, by its name, or a project's folder; `None` for a definition.
pub(crate) fn engine_of(path: &Path) -> Option<Engine> {
    if path.is_dir() {
        return gatling::is_project(path).then_some(Engine::Gatling);
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension.to_ascii_lowercase().as_str() {
        "js" | "mjs" | "ts" | "tar" => Some(Engine::K6),
        "jmx" => Some(Engine::Jmeter),
        "jar" => Some(Engine::Gatling),
        _ => None,
    }
}

/// The definition that runs a script and says nothing more.
pub(crate) fn definition_of(script: &Path, engine: Engine) -> Vec<u8> {
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let stem = match script.is_dir() {
        true => script.file_name(),
        false => script.file_stem(),
    };
    let stem = stem.unwrap_or_default().to_string_lossy();
    let definition = json!({
        "version": 1,
        "test": test_name(&stem),
        "engine": engine.as_str(),
        "script": name,
    });
    definition.to_string().into_bytes()
}

/// A file's name in the alphabet of tests: lower-case letters, digits, dashes.
pub(crate) fn test_name(stem: &str) -> String {
    let letters = stem.chars().map(|c| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '-',
    });
    let name: String = letters.take(63).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "script".to_owned()
    } else {
        name.to_owned()
    }
}

/// What a script says of itself, and what stands in its place.
#[derive(Debug)]
pub(crate) struct Inspected {
    /// What it says.
    pub(crate) inspection: Inspection,
    /// The script with all that it needs, as one file of this name.
    pub(crate) packed: Option<(String, Bytes)>,
    /// How long a load may take that ends by a number of iterations, where the engine's results do not tell how many there were.
    pub(crate) uncounted: Option<Duration>,
}

impl Inspected {
    /// Names the script's files from the folder of the test. Those above the root of the disk are none that could be there.
    pub(crate) fn name_files(&mut self, above: Option<&Above>) {
        let files = std::mem::take(&mut self.inspection.files);
        let from_above = files.iter().filter(|file| file.starts_with(".."));
        let from_above = from_above.cloned().collect::<Vec<_>>().join(", ");
        let (within, outside): (Vec<_>, Vec<_>) = files
            .into_iter()
            .map(|file| above.map_or(file.clone(), |above| above.moved(&file)))
            .partition(|file| !file.starts_with(".."));
        self.inspection.files = within;
        for file in outside {
            self.inspection
                .warnings
                .push(format!("{file} lies above the root: it is left out"));
        }
        if above.is_some() {
            self.inspection.warnings.push(format!(
                "the script reads files outside of its folder, which travel with it: {from_above}"
            ));
        }
    }
}

/// Asks the engine, or reads the script, without sending anything.
///
/// # Errors
/// An engine that is not installed, and a script that it does not take.
pub(crate) fn inspect(
    definition: &Definition,
    base_dir: &Path,
    env: &Environment,
) -> Result<Inspected> {
    // What an engine writes while it is asked.
    let scratch =
        tempfile::tempdir().map_err(|error| CliError::write(std::env::temp_dir(), error))?;
    let folder = std::path::absolute(base_dir).unwrap_or_else(|_| base_dir.to_owned());
    let script = definition.script.as_deref().unwrap_or_default();
    let job = Job {
        folder: &folder,
        script,
        scratch: scratch.path(),
        weights: &[1],
        place: 0,
        target: definition.target.as_deref(),
        parameters: &definition.parameters,
        max_duration: definition.run.max_duration,
        home: None,
        refused: &[],
        cpus: None,
        memory: None,
    };
    let inspected = match definition.engine {
        Engine::Http => Ok(Inspected {
            inspection: Inspection::default(),
            packed: None,
            uncounted: None,
        }),
        Engine::K6 => inspect_k6(&job, env.options_of_k6()),
        Engine::Jmeter => inspect_jmeter(&job),
        Engine::Gatling => inspect_gatling(&job, &definition.script_files),
    };
    inspected.map_err(|error| CliError::Definition(format!("error: {error}")))
}

type Asked = std::result::Result<Inspected, LaunchError>;

fn inspect_k6(job: &Job<'_>, options: &[(&'static str, String)]) -> Asked {
    let mut tool = k6::Tool::find(job.home)?;
    tool.options = options.to_vec();
    let (mut inspection, packed) = k6::examine(&tool, job)?;
    // They are in the archive.
    inspection.files.clear();
    let name = Path::new(job.script).with_extension("tar");
    Ok(Inspected {
        inspection,
        packed: Some((name.to_string_lossy().into_owned(), packed.bytes.into())),
        uncounted: None,
    })
}

fn inspect_jmeter(job: &Job<'_>) -> Asked {
    let path = job.folder.join(job.script);
    let bytes = std::fs::read(&path).map_err(LaunchError::file(&path))?;
    let folder = Path::new(job.script).parent().unwrap_or(Path::new(""));
    let there = |name: &str| job.folder.join(folder).join(name).is_file();
    let mut inspection = jmeter::inspect(&bytes, job.script, job.parameters, &there)?;
    // The plan names them from its own folder, the definition from its.
    for file in &mut inspection.files {
        *file = above::plain(&folder.join(&*file));
    }
    Ok(Inspected {
        inspection,
        packed: None,
        uncounted: Some(job.max_duration.unwrap_or(UNKNOWN_DURATION)),
    })
}

fn inspect_gatling(job: &Job<'_>, files: &[String]) -> Asked {
    let (mut inspection, packed) = gatling::examine(job, files)?;
    // Users run to their end, which no profile tells.
    let longest = inspection.max_duration.unwrap_or(UNKNOWN_DURATION);
    for planned in &mut inspection.scenarios {
        planned.graceful_stop = longest;
        if let Some(Executor::PerVuIterations { max_duration, .. }) = &mut planned.executor {
            *max_duration = longest;
        }
    }
    Ok(Inspected {
        inspection,
        packed: packed.map(|packed| (packed.name, packed.bytes.into())),
        uncounted: None,
    })
}
