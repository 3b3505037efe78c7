//! Where a plan's copy stands, so that it finds the test's files.

use crate::error::LaunchError;
use crate::job::Job;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Folders of links in which the plan's copy stands as the plan does in its own, so that `../data/users.csv` leads where it did.
pub(super) fn mirror(job: &Job<'_>) -> Result<PathBuf, LaunchError> {
    let script = Path::new(job.script);
    let plain = script
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let (Some(name), true) = (script.file_name(), plain) else {
        return Err(LaunchError::script(
            job.script,
            "the path leads out of the test's folder: name the plan relative to it",
        ));
    };
    let mut from = job
        .folder
        .canonicalize()
        .map_err(LaunchError::file(job.folder))?;
    let mut to = job.scratch.join("plan");
    let parts: Vec<&OsStr> = script
        .iter()
        .filter(|part| *part != OsStr::new("."))
        .collect();
    for part in parts {
        link_all(&from, &to, part)?;
        from.push(part);
        if part != name {
            to.push(part);
        }
    }
    Ok(to.join(name))
}

/// Links to everything in a folder but one.
fn link_all(from: &Path, to: &Path, but: &OsStr) -> Result<(), LaunchError> {
    std::fs::create_dir_all(to).map_err(LaunchError::file(to))?;
    for entry in std::fs::read_dir(from).map_err(LaunchError::file(from))? {
        let name = entry.map_err(LaunchError::file(from))?.file_name();
        if name == but {
            continue;
        }
        let link = to.join(&name);
        match std::os::unix::fs::symlink(from.join(&name), &link) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(LaunchError::file(&link)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_copy_stands_among_links_to_the_files_of_the_test() {
        let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, text) in [
            ("a/b/plan.jmx", "plan"),
            ("a/b/near.csv", "near"),
            ("data/far.csv", "far"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let parameters = BTreeMap::new();
        let mut job = Job {
            folder: folder.path(),
            script: "./a/b/plan.jmx",
            scratch: scratch.path(),
            weights: &[1],
            place: 0,
            target: Some("http://x"),
            parameters: &parameters,
            max_duration: None,
            home: None,
            refused: &[],
            cpus: None,
            memory: None,
        };
        let copy = mirror(&job).unwrap();
        assert!(!copy.exists(), "the plan itself is written, not linked");
        let near = |name: &str| std::fs::read_to_string(copy.parent().unwrap().join(name)).unwrap();
        assert_eq!(
            (
                near("near.csv").as_str(),
                near("../../data/far.csv").as_str()
            ),
            ("near", "far")
        );
        job.script = "../plan.jmx";
        assert!(
            mirror(&job)
                .unwrap_err()
                .to_string()
                .contains("leads out of the test's folder")
        );
    }
}
