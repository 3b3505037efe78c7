//! What an engine's installation has to consist of, file by file: what goes into an image is what was tested.
//!
//! The lists are in `infra/images/engines`, in the format of `sha256sum`, so that an image can be checked with nothing else:
//! `cd /opt/jmeter && sha256sum -c`. k6 has none: the sums of its modules are those of a `go.sum`.

use crate::repo;
use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What our own set-up and Maven leave beside the engine.
const NOT_THE_ENGINE: [&str; 3] = ["complete", "pom.xml", "target"];

/// The list of an engine's version, such as `jmeter-5.6.3`.
fn list(name: &str) -> PathBuf {
    repo::root().join(format!("infra/images/engines/{name}.sha256"))
}

/// Checks an installation against its list.
///
/// # Errors
/// The files that are missing, that are not on the list, or that are other files.
pub(crate) fn check(name: &str, place: &Path) -> Result<()> {
    let list = list(name);
    let text = fs::read_to_string(&list)
        .with_context(|| format!("{}: `cargo xtask engines --pin` writes it", list.display()))?;
    let wanted: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, path)| (path.to_owned(), digest.to_owned()))
        .collect();
    let found = digests(place)?;
    let differs = |path: &&String| wanted.get(*path) != found.get(*path);
    let all: BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    let wrong: Vec<_> = all
        .into_iter()
        .filter(differs)
        .map(String::as_str)
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} is not what {} lists: {}; remove it, and `cargo xtask engines` installs it anew",
        place.display(),
        list.display(),
        wrong.join(", ")
    );
    Ok(())
}

/// Writes the list of an installation.
///
/// # Errors
/// If it cannot be read, or the list not be written.
pub(super) fn pin(name: &str, place: &Path) -> Result<()> {
    let mut text = String::new();
    for (path, digest) in digests(place)? {
        writeln!(text, "{digest}  {path}")?;
    }
    let list = list(name);
    fs::write(&list, text).with_context(|| format!("write {}", list.display()))
}

/// A digest in lower-case hex.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests of all files, by their paths.
fn digests(place: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut open = vec![place.to_owned()];
    while let Some(folder) = open.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.strip_prefix(place)?;
            if NOT_THE_ENGINE.iter().any(|other| name == Path::new(other)) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let contents = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            let digest = Sha256::digest(&contents);
            found.insert(name.to_string_lossy().into_owned(), hex(&digest));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_digests_and_our_own_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("lib/ext")).unwrap();
        fs::write(folder.path().join("lib/ext/a.jar"), "abc").unwrap();
        fs::write(folder.path().join("complete"), "").unwrap();
        let found = digests(folder.path()).unwrap();
        // The first example of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            found,
            BTreeMap::from([("lib/ext/a.jar".into(), abc.into())])
        );
    }

    #[test]
    fn every_engine_of_an_image_is_pinned() {
        for name in ["jmeter-5.6.3", "gatling-3.15.1"] {
            let text = fs::read_to_string(list(name)).unwrap();
            let is_sum = |line: &str| {
                line.split_once("  ").is_some_and(|(digest, path)| {
                    digest.len() == 64 && !path.is_empty() && !path.starts_with('/')
                })
            };
            assert!(
                text.lines().count() > 50 && text.lines().all(is_sum),
                "{name}"
            );
        }
    }

    #[test]
    fn another_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("new.jar"), "abc").unwrap();
        let error = check("gatling-3.15.1", folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("new.jar") && error.contains("gatling-core-3.15.1.jar"),
            "{error}"
        );
    }
}
