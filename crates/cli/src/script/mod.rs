//! Scripts of engines: what one says of itself, and the definition that runs it.

pub(crate) mod above;
pub(crate) mod results;
pub(crate) mod source;

use crate::env::Environment;
use crate::error::{CliError, Result};
use above::Above;
use floodgate_core::definition::model::Definition;
use floodgate_core::planned::UNKNOWN_DURATION;
use floodgate_engines::{Inspection, Job, LaunchError, PrepareRequest, PreparedScript};
use floodgate_records::engine::Engine;
use serde_json::json;
use std::path::Path;

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

/// Names the script's files from the folder of the test. Those above the root of the disk are none that could be there.
pub(crate) fn name_files(inspection: &mut Inspection, above: Option<&Above>) {
    let files = std::mem::take(&mut inspection.files);
    let from_above = files.iter().filter(|file| file.starts_with(".."));
    let from_above = from_above.cloned().collect::<Vec<_>>().join(", ");
    let (within, outside): (Vec<_>, Vec<_>) = files
        .into_iter()
        .map(|file| above.map_or(file.clone(), |above| above.moved(&file)))
        .partition(|file| !file.starts_with(".."));
    inspection.files = within;
    for file in outside {
        inspection
            .warnings
            .push(format!("{file} lies above the root: it is left out"));
    }
    if above.is_some() {
        inspection.warnings.push(format!(
            "the script reads files outside of its folder, which travel with it: {from_above}"
        ));
    }
}

/// Asks the engine, or reads the script, without sending anything.
///
/// # Errors
/// An engine that is not installed, and a script that it does not take.
pub(crate) fn prepare(
    definition: &Definition,
    base_dir: &Path,
    env: &Environment,
) -> Result<PreparedScript> {
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
    let request = PrepareRequest {
        job: &job,
        files: &definition.script_files,
        load: env.load_options(),
        unknown_duration: UNKNOWN_DURATION,
    };
    floodgate_engines::prepare(definition.engine, &request)
        .map_err(|error| CliError::definition(ScriptFault(error)))
}

/// A script that cannot be run as the definition says, laid out as the faults of a definition are.
#[derive(Debug, thiserror::Error)]
#[error("error: {0}")]
struct ScriptFault(#[source] LaunchError);
