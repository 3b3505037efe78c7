//! From a definition's text to a test that can be prepared: what the command line and the cloud do alike.
//!
//! Reading the text and reading the files that it names are two steps, since only the first says which files there are.

use crate::error::{ControlError, Result};
use crate::prepare::TestPackage;
use bytes::Bytes;
use floodgate_core::baseline::BaselineMetric;
use floodgate_core::capacity;
use floodgate_core::compare::{MIN_WINDOWS, WINDOW_S};
use floodgate_core::definition::model::BaselineMethod;
use floodgate_core::definition::{
    Definition, Faults, Overrides, Parsed, Resolver, Severity, Source, parse, version,
};
use floodgate_core::planned::planned_load;
use floodgate_core::syntax::SyntaxError;
use floodgate_core::threshold::Thresholds;
use floodgate_records::keys::{DEFINITION_FILE, definition_file};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use std::time::Duration;

/// A definition with faults: all of them, rendered as a compiler would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct LoadError {
    /// The faults with their places, and how many there are.
    pub text: String,
    /// How many.
    pub errors: usize,
}

impl From<Faults> for LoadError {
    fn from(faults: Faults) -> Self {
        let errors = faults
            .0
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count();
        let count = if errors == 1 {
            "1 error".into()
        } else {
            format!("{errors} errors")
        };
        Self {
            text: format!("{faults:#}\n\n{count}"),
            errors,
        }
    }
}

impl From<Vec<SyntaxError>> for LoadError {
    fn from(faults: Vec<SyntaxError>) -> Self {
        Self {
            text: faults.iter().map(|f| format!("{f}\n")).collect(),
            errors: faults.len(),
        }
    }
}

/// A definition that is sound; its files have not been read.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The definition.
    pub parsed: Parsed,
    /// What is allowed and probably not meant.
    pub doubts: Vec<String>,
    overrides: Vec<(String, String)>,
}

/// A test with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The definition.
    pub parsed: Parsed,
    /// What is allowed and probably not meant.
    pub doubts: Vec<String>,
    /// SHA-256 over the normalised definition and its files.
    pub version: String,
    files: Vec<(String, Bytes)>,
    inspection: Option<Bytes>,
    overrides: Vec<(String, String)>,
}

/// Reads a definition and checks all that can be checked without its files' contents.
///
/// # Errors
/// All faults at once.
pub fn check(
    source: &Source<'_>,
    overrides: &[(String, String)],
    resolver: &dyn Resolver,
) -> std::result::Result<Checked, LoadError> {
    let parsed = parse(source, &Overrides(overrides.to_vec()), resolver)?;
    let mut doubts: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
    doubts.extend(compile(&parsed.definition)?);
    Ok(Checked {
        parsed,
        doubts,
        overrides: overrides.to_vec(),
    })
}

impl Checked {
    /// Adds the contents of the files that [`Parsed::files`] names.
    pub fn with_files(self, files: Vec<(String, Bytes)>) -> Loaded {
        let contents = files
            .iter()
            .map(|(name, content)| (name.as_str(), &content[..]));
        Loaded {
            version: version(&self.parsed.normalised, contents),
            parsed: self.parsed,
            doubts: self.doubts,
            files,
            inspection: None,
            overrides: self.overrides,
        }
    }
}

impl Loaded {
    /// The same with what its script says of itself, as JSON.
    #[must_use]
    pub fn inspected(mut self, inspection: Option<Bytes>) -> Self {
        self.inspection = inspection;
        self
    }

    /// What the preparation needs.
    pub fn package(&self, warnings: Vec<String>) -> TestPackage<'_> {
        TestPackage {
            definition: &self.parsed.definition,
            target: self.parsed.shown_target.clone(),
            normalised: self.parsed.normalised.to_string().into(),
            version: self.version.clone(),
            files: self.files.clone(),
            inspection: self.inspection.clone(),
            parameters: self.overrides.iter().cloned().collect(),
            warnings,
        }
    }
}

/// The definition of a run that was prepared earlier.
///
/// # Errors
/// [`ControlError::Missing`] if it is gone, [`ControlError::Definition`] if its references stand for nothing here, and
/// what the store refuses.
pub async fn load_stored(
    objects: &dyn ObjectStore,
    plan: &Plan,
    resolver: &(dyn Resolver + Sync),
) -> Result<Definition> {
    let (key, text) = stored(objects, plan).await?;
    definition(&key, &text, resolver).map_err(unusable)
}

async fn stored(objects: &dyn ObjectStore, plan: &Plan) -> Result<(String, Bytes)> {
    let key = definition_file(&plan.project, &plan.test, &plan.version, DEFINITION_FILE);
    match objects.get(&key).await? {
        Some(text) => Ok((key, text)),
        None => Err(ControlError::Missing {
            key,
            consequence: "the run cannot be judged without it",
        }),
    }
}

fn definition(
    name: &str,
    text: &[u8],
    resolver: &dyn Resolver,
) -> std::result::Result<Definition, LoadError> {
    let parsed = parse(&Source { name, text }, &Overrides::default(), resolver)?;
    Ok(parsed.definition)
}

fn unusable(error: LoadError) -> ControlError {
    ControlError::Definition {
        source: error.into(),
    }
}

/// What the definition's own grammar does not know: thresholds and baseline must compile. Returns doubts.
fn compile(definition: &Definition) -> std::result::Result<Vec<String>, LoadError> {
    let mut doubts = Vec::new();
    doubts.extend(
        definition
            .against
            .as_ref()
            .and_then(|_| too_short(definition, "comparison in turns")),
    );
    if let Some(spec) = &definition.baseline {
        BaselineMetric::all(&spec.metrics)?;
        if matches!(spec.method, BaselineMethod::Compare(_)) {
            doubts.extend(too_short(definition, "baseline"));
        }
    }
    let recorded = definition.recorded_metrics();
    doubts.extend(Thresholds::compile(&definition.thresholds)?.warnings(&recorded));
    if definition.capacity.is_some() && !capacity::bounds_a_time(definition) {
        doubts.push(
            "no threshold bounds a time: the capacity is then where requests fail or iterations are dropped"
                .to_owned(),
        );
    }
    Ok(doubts)
}

/// A run that is too short for what it is to be compared by. How long a script runs is not known.
fn too_short(definition: &Definition, what: &str) -> Option<String> {
    let least = Duration::from_secs(MIN_WINDOWS as u64 * u64::from(WINDOW_S));
    let planned = Duration::from_millis(planned_load(definition).duration_ms);
    (planned < least && !definition.engine.runs_scripts()).then(|| {
        format!(
            "the {what} will be undecided: the run is planned for {} s, and intervals take {} s after the warm-up, better 300 s; \
             plan a longer run",
            planned.as_secs_f64(),
            least.as_secs()
        )
    })
}
