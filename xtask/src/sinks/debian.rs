//! Programs out of packages of Debian 13, unpacked into the user's cache: nothing is installed, so nothing is started and nothing needs root. Those of
//! Debian 12 are too old.

use super::folder;
use crate::{python, repo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The release that packages are taken from, whatever the machine has.
const RELEASE: &str = "trixie";

/// A program of a package, unpacked if need be.
pub(super) fn program(package: &str, program: &str) -> Result<PathBuf, String> {
    let folder = folder(&format!("{package}-{RELEASE}"))?;
    let complete = folder.join("complete");
    if !complete.exists() {
        unpack(package, &folder)?;
        fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display()))?;
    }
    let place = folder.join(program);
    match place.is_file() {
        true => Ok(place),
        false => Err(format!("Debian's package {package} has no {program}")),
    }
}

fn unpack(package: &str, folder: &Path) -> Result<(), String> {
    download(package, folder)?;
    let dpkg = repo::find_program("dpkg-deb", None).ok_or("there is no dpkg-deb")?;
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let archives = entries.flatten().map(|entry| entry.path());
    for archive in archives.filter(|path| path.extension().is_some_and(|end| end == "deb")) {
        let paths = [&archive, folder].map(|path| path.display().to_string());
        python::quietly(&dpkg, &["-x", &paths[0], &paths[1]])
            .map_err(|why| format!("dpkg-deb: {why}"))?;
        // Only what is in it is of use.
        let _ = fs::remove_file(&archive);
    }
    Ok(())
}

fn download(package: &str, to: &Path) -> Result<(), String> {
    let apt = repo::find_program("apt-get", None).ok_or("there is no apt-get")?;
    let options = options(&apt)?;
    let call = |arguments: &[&str]| {
        let output = Command::new(&apt)
            .args(&options)
            .args(arguments)
            .current_dir(to)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("apt-get: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        match output.status.success() {
            true => Ok(()),
            false => Err(last.unwrap_or("apt-get failed").to_owned()),
        }
    };
    // Without lists, or with old ones, the first try finds nothing.
    let first = call(&["download", "-qq", package]);
    first
        .or_else(|_| call(&["update", "-qq"]).and_then(|()| call(&["download", "-qq", package])))
        .map_err(|why| format!("apt-get download {package}: {why}"))
}

/// Options by which apt knows the release, with lists of its own, from the mirror that this machine uses.
fn options(apt: &Path) -> Result<Vec<String>, String> {
    let asked = Command::new(apt)
        .args(["indextargets", "--format", "$(REPO_URI)"])
        .args(["Created-By: Packages", "Origin: Debian", "Component: main"])
        .output()
        .map_err(|error| format!("apt-get: {error}"))?;
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    // Not the mirror of security updates, which has another layout.
    let mirror = said
        .lines()
        .map(str::trim)
        .find(|uri| !uri.is_empty() && !uri.contains("security"))
        .ok_or("apt knows no mirror of Debian; run apt-get update")?;
    let state = folder(&format!("apt-{RELEASE}"))?;
    let folders = ["lists/partial", "cache/archives/partial"].map(|folder| state.join(folder));
    let list = state.join("sources.list");
    let source = format!(
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {RELEASE} main\n"
    );
    folders
        .iter()
        .try_for_each(fs::create_dir_all)
        .and_then(|()| fs::write(&list, source))
        .map_err(|error| format!("{}: {error}", state.display()))?;
    let place = |part: &str| state.join(part).display().to_string();
    let set = [
        ("Dir::Etc::SourceList", place("sources.list")),
        ("Dir::Etc::SourceParts", "/dev/null".to_owned()),
        ("Dir::State::Lists", place("lists")),
        ("Dir::Cache", place("cache")),
        // As root, apt fetches as a user of its own, who cannot write into the cache of root.
        ("APT::Sandbox::User", String::new()),
    ];
    let set = set.into_iter();
    Ok(set
        .flat_map(|(key, value)| ["-o".to_owned(), format!("{key}={value}")])
        .collect())
}
