//! All engines, in one place: whoever has a definition's engine asks here and names none.

use crate::engine::{EngineFacts, PrepareRequest, PreparedScript, ScriptEngine};
use crate::error::LaunchError;
use crate::gatling::Gatling;
use crate::installed::Installed;
use crate::jmeter::Jmeter;
use crate::job::Job;
use crate::k6::K6;
use crate::launch::Launch;
use crate::native;
use crate::read::Reader;
use floodgate_records::engine::Engine;
use std::path::Path;

/// The engines that run scripts.
static SCRIPT_ENGINES: [&dyn ScriptEngine; 3] = [&K6, &Jmeter, &Gatling];

/// The engines that run scripts.
pub fn script_engines() -> impl Iterator<Item = &'static dyn ScriptEngine> {
    SCRIPT_ENGINES.into_iter()
}

/// The engine of this name, if it runs scripts.
fn script_engine(engine: Engine) -> Option<&'static dyn ScriptEngine> {
    script_engines().find(|known| known.facts().engine == engine)
}

/// What is always true of an engine.
pub fn facts(engine: Engine) -> &'static EngineFacts {
    script_engine(engine).map_or(&native::FACTS, ScriptEngine::facts)
}

/// Which engine runs a file, by its name, or a project's folder; `None` of what is no script.
pub fn engine_of(path: &Path) -> Option<Engine> {
    let known = script_engines().find(|known| known.takes(path))?;
    Some(known.facts().engine)
}

/// What a script says of itself, and the script as it travels; nothing of an engine that runs none. See [`ScriptEngine::prepare`].
///
/// # Errors
/// An engine that is not here, and a script that it does not take.
pub fn prepare(
    engine: Engine,
    request: &PrepareRequest<'_>,
) -> Result<PreparedScript, LaunchError> {
    match script_engine(engine) {
        Some(known) => known.prepare(request),
        None => Ok(PreparedScript::default()),
    }
}

/// How one task's part is started, read and stopped. See [`ScriptEngine::launch`].
///
/// # Errors
/// [`LaunchError::NoScript`] of an engine that runs none; an engine that is not here, and a script that it does not take.
pub fn launch(engine: Engine, job: &Job<'_>) -> Result<Launch, LaunchError> {
    match script_engine(engine) {
        Some(known) => known.launch(job),
        None => Err(LaunchError::NoScript {
            engine: engine.as_str(),
        }),
    }
}

/// Whose results these are, recognised by their beginning, and what reads them.
pub fn import(head: &[u8]) -> Option<(&'static EngineFacts, Box<dyn Reader>)> {
    script_engines().find_map(|known| Some((known.facts(), known.import(head)?)))
}

/// What a file of an engine's is that holds no samples, recognised by its beginning.
pub fn without_samples(head: &[u8]) -> Option<&'static str> {
    script_engines().find_map(|known| known.without_samples(head))
}

/// What becomes here of an option of an engine's own command line, and whose it is.
pub fn instead_of(option: &str) -> Option<(&'static str, &'static str)> {
    script_engines().find_map(|known| Some((known.facts().label, known.instead_of(option)?)))
}

/// Why a folder is no engine's project.
pub fn not_a_project() -> String {
    let why: Vec<_> = script_engines()
        .filter_map(ScriptEngine::not_a_project)
        .collect();
    why.join(", and ")
}

/// The Java that engines are run with here, as the first one finds it that needs one.
pub fn java() -> Option<Result<Installed, LaunchError>> {
    script_engines().find_map(ScriptEngine::java)
}

/// The labels of the script engines of which something is true, as a sentence lists them: `A, B or C`.
pub fn labels(conjunction: &str, is_wanted: impl Fn(&EngineFacts) -> bool) -> String {
    let wanted = script_engines().map(ScriptEngine::facts);
    let wanted = wanted.filter(|facts| is_wanted(facts));
    listed(conjunction, wanted.map(|facts| facts.label).collect())
}

/// What can be read as results, in words.
pub fn results() -> String {
    let all = script_engines().map(|known| known.facts().results);
    listed("or", all.collect())
}

fn listed(conjunction: &str, mut items: Vec<&str>) -> String {
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last.to_owned(),
        Some(last) => {
            let separator = if items.len() > 1 { "," } else { "" };
            format!("{}{separator} {conjunction} {last}", items.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_facts_of_its_own() {
        for name in Engine::WORDS {
            let known = script_engines().find(|known| known.facts().engine.as_str() == *name);
            let runs_scripts = *name != native::FACTS.engine.as_str();
            assert_eq!(known.is_some(), runs_scripts, "{name}");
        }
        for known in script_engines() {
            assert!(!known.facts().results.is_empty());
            assert_eq!(known.java().is_some(), known.facts().needs_java);
        }
    }

    #[test]
    fn files_are_told_apart_by_their_names() {
        let of = |name: &str| engine_of(Path::new(name)).map(Engine::as_str);
        for (name, engine) in [
            ("a/load.js", Some("k6")),
            ("load.TS", Some("k6")),
            ("load.tar", Some("k6")),
            ("plan.jmx", Some("jmeter")),
            ("simulation.jar", Some("gatling")),
            ("load.yaml", None),
            ("-", None),
        ] {
            assert_eq!(of(name), engine, "{name}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(labels("or", |facts| facts.needs_java), "JMeter or Gatling");
        assert_eq!(labels("and", |_| true), "k6, JMeter, and Gatling");
        assert_eq!(labels("or", |_| false), "");
    }
}
