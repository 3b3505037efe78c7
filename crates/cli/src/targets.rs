//! `floodgate serve --targets`: what the load of each project may be sent to, judged as in AWS.

use crate::error::{CliError, Result};
use floodgate_control::TargetRules;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    projects: BTreeMap<String, TargetRules>,
}

/// The file. It is read again for each run, so that what is taken out is taken out.
#[derive(Debug)]
pub(crate) struct TargetLists(PathBuf);

impl TargetLists {
    /// The lists in a file, which is checked.
    ///
    /// # Errors
    /// A file that cannot be read, and an entry that is no target.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let lists = Self(path.to_owned());
        let read = lists.read();
        read.map_err(CliError::usage)?;
        Ok(lists)
    }

    /// What a project may load.
    ///
    /// # Errors
    /// A project that is not listed, and a file that cannot be read any more: a sentence.
    pub(crate) fn of(&self, project: &str) -> std::result::Result<TargetRules, String> {
        let mut projects = self.read()?;
        projects.remove(project).ok_or_else(|| {
            format!(
                "{}: projects: {project:?} is not listed, so its load may go nowhere; add what it may load: {{\"{project}\": {{\"allowed_targets\": [\"shop.example.com\"]}}}}",
                self.0.display()
            )
        })
    }

    fn read(&self) -> std::result::Result<BTreeMap<String, TargetRules>, String> {
        let path = self.0.display();
        let text = std::fs::read(&self.0).map_err(|error| format!("read {path}: {error}"))?;
        let written: Written =
            serde_json::from_slice(&text).map_err(|error| format!("{path}: {error}"))?;
        for (project, rules) in &written.projects {
            let read = rules.read(project);
            read.map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(written.projects)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(
        text: &str,
    ) -> (
        tempfile::NamedTempFile,
        std::result::Result<TargetLists, String>,
    ) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let lists = TargetLists::open(file.path()).map_err(|error| error.to_string());
        (file, lists)
    }

    #[test]
    fn a_project_has_its_own_list_and_one_that_has_none_may_load_nothing() {
        let (file, lists) = written(
            r#"{"projects": {"shop": {"allowed_targets": ["*.shop.example", "10.0.0.0/8"], "unconfined_engines": ["any"]}, "lab": {}}}"#,
        );
        let lists = lists.unwrap();
        let shop = lists.of("shop").unwrap();
        assert_eq!(shop.allowed_targets.unwrap().len(), 2);
        assert_eq!(shop.unconfined_engines, ["any"]);
        assert_eq!(lists.of("lab").unwrap(), TargetRules::default());
        let why = lists.of("bank").unwrap_err();
        assert!(
            why.contains("\"bank\" is not listed") && why.contains("add what"),
            "{why}"
        );
        // What is taken out counts at once, and a damaged file lets nothing start.
        std::fs::write(file.path(), r#"{"projects": {}}"#).unwrap();
        assert!(lists.of("shop").is_err());
        std::fs::write(file.path(), "{").unwrap();
        assert!(lists.of("shop").unwrap_err().contains("EOF"));
    }

    #[test]
    fn a_file_with_a_fault_is_refused_with_its_place() {
        for (text, told) in [
            (
                r#"{"projects": {"shop": {"allowed_targets": ["http://shop.example"]}}}"#,
                "project \"shop\": \"http://shop.example\" is not a target: give a host",
            ),
            (
                r#"{"projects": {"shop": {"targets": []}}}"#,
                "unknown field `targets`",
            ),
            ("{}", "missing field `projects`"),
        ] {
            let why = written(text).1.unwrap_err();
            assert!(why.contains(told), "{why}");
        }
    }
}
