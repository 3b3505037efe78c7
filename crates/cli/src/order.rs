//! For whom a run is started: a file that `floodgate serve` writes for `floodgate run`.

use crate::error::{CliError, Result};
use crate::load::LoadedTest;
use floodgate_control::TargetRules;
use floodgate_control::elsewhere::taken_from_machine;
use floodgate_core::definition::sketch;
use floodgate_engines::facts;
use floodgate_records::execution::Trigger;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// For whom a run is started, and in which project alone.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    /// The project that whoever ordered it has a role in.
    pub(crate) project: String,
    /// Who ordered it.
    pub(crate) trigger: Trigger,
    /// What its load may be sent to; `None`: anything.
    #[serde(default)]
    pub(crate) targets: Option<TargetRules>,
}

/// A run that somebody else has ordered.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// Who, and from where.
    pub(crate) trigger: Trigger,
    /// What its load may be sent to: its tasks look at each address, too.
    pub(crate) allowed_targets: Option<Vec<String>>,
    /// What the record should say.
    pub(crate) warnings: Vec<String>,
}

impl Order {
    /// Reads one.
    ///
    /// # Errors
    /// A file that cannot be read or is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|error| CliError::read(path, error, None))?;
        serde_json::from_slice(&text).map_err(|error| CliError::read(path, error, None))
    }

    /// What is ordered, if this test may be run for it; `file` is its definition before anything was put in place of its own.
    ///
    /// # Errors
    /// A definition of another project, one that takes what is the machine's, and load for what the project may not load: all at once.
    pub(crate) fn of(self, test: &LoadedTest, file: &Path) -> Result<Ordered> {
        let definition = &test.parsed().definition;
        self.is_for(&definition.project)?;
        let rules = self.targets.unwrap_or_default();
        let warnings = match rules.allowed_targets {
            Some(_) => rules.judge(definition),
            None => Ok(Vec::new()),
        };
        let mut faults = taken_from_machine(definition);
        faults.extend(told_to_java(test, &std::fs::read(file).unwrap_or_default()));
        let warnings = match warnings {
            Ok(warnings) if faults.is_empty() => warnings,
            Ok(_) => return Err(refused(&faults)),
            Err(why) => {
                faults.push(why.to_string());
                return Err(refused(&faults));
            }
        };
        Ok(Ordered {
            warnings,
            trigger: self.trigger,
            allowed_targets: rules.allowed_targets,
        })
    }

    fn is_for(&self, project: &str) -> Result<()> {
        if self.project == project {
            return Ok(());
        }
        Err(CliError::definition(format!(
            "project: the definition is of {project}, and the run was asked for in {}: write project: {}\n",
            self.project, self.project
        )))
    }
}

fn refused(faults: &[String]) -> CliError {
    let lines = faults.iter().map(|fault| format!("error: {fault}\n"));
    CliError::definition(lines.collect::<String>())
}

/// Parameters whose names mean something to a Java machine or to the engine's own parts, such as where logs are written. They have dots in them;
/// those that the script reads, or that its definition on record has, are meant for the script.
fn told_to_java(test: &LoadedTest, on_record: &[u8]) -> Vec<String> {
    let definition = &test.parsed().definition;
    if !facts(definition.engine).needs_java {
        return Vec::new();
    }
    let on_record = sketch(on_record).unwrap_or_default();
    let has = |tree: &Value, name: &str| tree["parameters"].get(name).is_some();
    let is_known =
        |name: &str| has(&on_record, name) || test.inspection().is_some_and(|all| has(all, name));
    let names = definition.parameters.keys();
    let unknown = names.filter(|name| name.contains('.') && !is_known(name));
    let told = unknown.map(|name| {
        format!(
            "parameters.{name}: a name with dots may be one that Java or the engine obeys, and neither the script nor its definition on record has it; choose a name without dots"
        )
    });
    told.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::args::EnvArgs;
    use crate::env::Environment;
    use crate::load::load_file;
    use floodgate_engines::engine_of;

    #[test]
    fn java_is_told_nothing_by_whoever_orders_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let plan = include_str!("../../../tests/e2e/scripts/browse.jmx");
        let plan = plan.replace("__P(port)", "__P(shop.port,80)");
        std::fs::write(folder.path().join("browse.jmx"), plan).unwrap();
        let file = folder.path().join("test.yaml");
        let engine = engine_of(Path::new("browse.jmx")).unwrap().as_str();
        let text = format!(
            "version: 1\nproject: shop\ntest: t\nengine: {engine}\nscript: browse.jmx\nparameters: {{own.part: a}}\n"
        );
        std::fs::write(&file, text).unwrap();
        let args = EnvArgs {
            env: Vec::new(),
            env_file: None,
        };
        let env = Environment::new(&args, folder.path()).unwrap();
        let ordered = |name: &str, value: &str| {
            let overrides = [(name.to_owned(), value.to_owned())];
            let test = load_file(&file, &overrides, &env).unwrap();
            let order = Order {
                project: "shop".into(),
                trigger: Trigger::default(),
                targets: None,
            };
            order.of(&test, &file).map(drop).map_err(|e| e.to_string())
        };
        for name in ["users", "own.part", "shop.port", "parameters.shop.port"] {
            ordered(name, "81").unwrap();
        }
        for name in ["beanshell.init.file", "parameters.java.io.tmpdir"] {
            let why = ordered(name, "/tmp/x").unwrap_err();
            assert!(why.contains("choose a name without dots"), "{why}");
        }
        let why = ordered("parameters", "{java.io.tmpdir: /x}").unwrap_err();
        assert!(why.contains("parameters.java.io.tmpdir: "), "{why}");
    }
}
