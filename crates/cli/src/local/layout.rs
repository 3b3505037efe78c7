//! Whether the folder of an execution is still laid out as it was made: where somebody has put a folder in the place of a file, or a
//! file in that of a folder, what should lie there may have been lost without a trace.

use floodgate_records::keys::ExecutionKeys;
use std::path::{Path, PathBuf};

/// What is not of the kind that it should be, a sentence each. What is not there at all is not a fault of this kind.
pub(super) fn faults(root: &Path, keys: &ExecutionKeys) -> Vec<String> {
    let fixed_files = [
        keys.plan(),
        keys.start(),
        keys.stop(),
        keys.setup(),
        keys.merged(),
        keys.summary(),
        keys.failures(),
    ];
    let mut files: Vec<PathBuf> = fixed_files.into_iter().map(PathBuf::from).collect();
    let mut folders: Vec<PathBuf> = [keys.control_prefix(), keys.artifacts_prefix()]
        .map(PathBuf::from)
        .to_vec();
    let of_files = [
        keys.ready_prefix(),
        keys.live_prefix(),
        keys.task_failures_prefix(),
        keys.manifests_prefix(),
    ];
    for prefix in of_files {
        files.extend(inside(root, Path::new(&prefix)));
        folders.push(prefix.into());
    }
    let shards = PathBuf::from(keys.shards_prefix());
    for of_a_task in inside(root, &shards) {
        files.extend(inside(root, &of_a_task));
        folders.push(of_a_task);
    }
    // The folder of shards itself is not looked at: a shard that cannot be written there is left elsewhere, and named.

    // By its components: a path that ends in a slash is not found where a file is in the folder's place.
    let at = |path: &PathBuf| -> PathBuf { root.join(path).components().collect() };
    let is_dir = |path: &PathBuf| std::fs::metadata(at(path)).ok().map(|m| m.is_dir());
    let wrong_files = files.iter().filter(|path| is_dir(path) == Some(true));
    let wrong_folders = folders.iter().filter(|path| is_dir(path) == Some(false));
    let said = |path: &PathBuf, is: &str, should: &str| {
        let path = at(path);
        let path = path.display();
        format!(
            "{path} is {is}, where {should} should be: the execution's folder was changed while it ran"
        )
    };
    let mut faults: Vec<String> = wrong_files.map(|p| said(p, "a folder", "a file")).collect();
    faults.extend(wrong_folders.map(|p| said(p, "a file", "a folder")));
    faults.sort();
    faults.dedup();
    faults
}

/// What lies in a folder, hidden names left out; nothing if there is no such folder.
fn inside(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten();
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
        .map(|name| folder.join(name))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_for_a_file_and_a_file_for_a_folder_are_faults() {
        let keys = ExecutionKeys::new("p", "01JD7Q3W5Z8X9Y0A1B2C3D4E5F");
        let sound = [
            keys.plan(),
            keys.start(),
            keys.ready(0),
            keys.live(0),
            keys.shard(0, 0),
            keys.manifest(0),
            keys.task_failures(0),
            keys.failures(),
        ];
        let made = || {
            let dir = tempfile::tempdir().unwrap();
            for key in &sound {
                let path = dir.path().join(key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
            dir
        };
        assert_eq!(faults(made().path(), &keys), [""; 0]);
        assert_eq!(faults(Path::new("/no/such/folder"), &keys), [""; 0]);
        let more = [keys.stop(), keys.summary(), keys.merged(), keys.shard(0, 1)];
        for key in sound.iter().chain(&more) {
            let dir = made();
            let path = dir.path().join(key);
            let _ = std::fs::remove_file(&path);
            std::fs::create_dir(&path).unwrap();
            let said = faults(dir.path(), &keys);
            assert_eq!(said.len(), 1, "{key}: {said:?}");
            assert!(said[0].contains(key) && said[0].contains("is a folder"));
        }
        let folders = ["control", "control/ready", "live", "shards/0000", "tasks"];
        for folder in folders {
            let dir = made();
            let path = dir.path().join(keys.root()).join(folder);
            std::fs::remove_dir_all(&path).unwrap();
            std::fs::write(&path, "").unwrap();
            let said = faults(dir.path(), &keys);
            assert_eq!(said.len(), 1, "{folder}: {said:?}");
            assert!(said[0].contains(folder) && said[0].contains("is a file"));
        }
    }
}
