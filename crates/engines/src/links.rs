//! Paths of a script's files, and links that lead elsewhere. What travels with a script is stored, and goes to all machines that run it: behind a link could be any
//! file of this one.

use std::path::{Component, Path, PathBuf};

/// A relative path without `.`, and with `..` at its beginning only. What is a link is not followed: a plan's copy stands among links that
/// lead where the originals did.
pub fn plain_path(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

/// Where a file of a folder really lies, if it is a link, or lies behind one, that leads out of the folder.
pub fn link_out(folder: &Path, name: &Path) -> Option<PathBuf> {
    let real = folder.join(name).canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    (!real.starts_with(folder)).then_some(real)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn paths_are_made_plain() {
        for (path, expected) in [
            ("plans/../data/users.csv", "data/users.csv"),
            ("./a/./b", "a/b"),
            ("a/../../b", "../b"),
            ("../../x", "../../x"),
            ("x", "x"),
        ] {
            assert_eq!(plain_path(Path::new(path)), expected);
        }
    }

    #[test]
    fn only_what_leads_out_is_found() {
        let all = tempfile::tempdir().unwrap();
        let (own, other) = (all.path().join("own"), all.path().join("other"));
        std::fs::create_dir_all(own.join("deep")).unwrap();
        std::fs::create_dir(&other).unwrap();
        std::fs::write(own.join("a"), "").unwrap();
        std::fs::write(other.join("b"), "").unwrap();
        symlink("../a", own.join("deep/in")).unwrap();
        symlink("../../other/b", own.join("deep/out")).unwrap();
        symlink("../other", own.join("up")).unwrap();
        symlink("nothing", own.join("dangling")).unwrap();
        let found = |name: &str| link_out(&own, Path::new(name));
        for name in ["a", "deep/in", "dangling", "missing"] {
            assert_eq!(found(name), None, "{name}");
        }
        let real = other.canonicalize().unwrap().join("b");
        for name in ["deep/out", "up/b"] {
            assert_eq!(found(name).as_ref(), Some(&real), "{name}");
        }
        // The folder itself may be called by a link.
        symlink("own", all.path().join("called")).unwrap();
        assert_eq!(link_out(&all.path().join("called"), Path::new("a")), None);
    }
}
