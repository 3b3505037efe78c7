//! Plans that read files of folders above their own: `../data/users.csv`. A test's files lie in its folder or below it, so the test's folder
//! becomes one that all of them lie below.

use floodgate_engines::plain_path;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A folder that all of a script's files lie below, and the way from there to the folder that they were named from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Above {
    /// The folder.
    pub(crate) folder: PathBuf,
    way: String,
}

impl Above {
    /// `None` if the files lie below the folder already, or above the root.
    pub(crate) fn of(folder: &Path, files: &[String]) -> Option<Self> {
        let ups = |file: &String| file.split('/').take_while(|part| *part == "..").count();
        let most = files.iter().map(ups).max().filter(|most| *most > 0)?;
        let full = std::path::absolute(folder).ok()?;
        let full = PathBuf::from(format!("/{}", plain_path(full.strip_prefix("/").ok()?)));
        let above = full.ancestors().nth(most)?;
        let way = full.strip_prefix(above).ok()?;
        Some(Self {
            folder: above.to_owned(),
            way: way.to_str()?.to_owned(),
        })
    }

    /// A path that was named from the old folder, from the new one.
    pub(crate) fn moved(&self, file: &str) -> String {
        plain_path(&Path::new(&self.way).join(file))
    }

    /// Names the script and the files of a definition from the new folder.
    pub(crate) fn rebase(&self, definition: &mut Map<String, Value>) {
        let moved = |value: &mut Value| {
            if let Value::String(file) = value {
                *file = self.moved(file);
            }
        };
        definition.get_mut("script").into_iter().for_each(moved);
        let files = definition.get_mut("files").and_then(Value::as_array_mut);
        files.into_iter().flatten().for_each(moved);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_folder_above_is_found_and_everything_named_from_it() {
        let files = ["near.csv", "../data/users.csv"].map(str::to_owned);
        let above = Above::of(Path::new("/work/tests/plans"), &files).unwrap();
        assert_eq!(above.folder, Path::new("/work/tests"));
        let mut definition = json!({"script": "plan.jmx", "files": ["near.csv"], "test": "t"});
        let keys = definition.as_object_mut().unwrap();
        above.rebase(keys);
        assert_eq!(
            definition,
            json!({"script": "plans/plan.jmx", "files": ["plans/near.csv"], "test": "t"})
        );
        assert_eq!(above.moved(&files[1]), "data/users.csv");
        assert_eq!(Above::of(Path::new("/work"), &files[..1]), None);
        let far = ["../../../../x".to_owned()];
        assert_eq!(Above::of(Path::new("/work"), &far), None);
    }
}
