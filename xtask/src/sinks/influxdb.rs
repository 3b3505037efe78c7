//! InfluxDB 1 from Debian's package, unpacked: nothing is installed into the system, and no service starts.

use super::folder;
use crate::{python, repo};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn set_up() -> Result<PathBuf, String> {
    let folder = folder("influxdb-debian")?;
    let program = folder.join("usr/bin/influxd");
    if program.is_file() {
        return Ok(program);
    }
    unpacked(&folder, "influxdb")?;
    match program.is_file() {
        true => Ok(program),
        false => Err("Debian's package influxdb has no usr/bin/influxd".to_owned()),
    }
}

/// Unpacks the newest version of a Debian package into a folder.
pub(super) fn unpacked(folder: &Path, package: &str) -> Result<(), String> {
    let apt = repo::find_program("apt-get", None).ok_or("there is no apt-get")?;
    let dpkg = repo::find_program("dpkg-deb", None).ok_or("there is no dpkg-deb")?;
    let place = folder.to_str().ok_or("the cache's path is not UTF-8")?;
    let download = || {
        let done = Command::new(&apt)
            .args(["download", "-qq", package])
            .current_dir(folder)
            .output();
        done.is_ok_and(|done| done.status.success())
    };
    if !download() {
        python::quietly(&apt, &["update", "-qq"])
            .map_err(|why| format!("apt-get update: {why}"))?;
        if !download() {
            return Err(format!("apt-get download {package} fails"));
        }
    }
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{place}: {error}"))?;
    let archive = entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .ok_or_else(|| format!("apt-get download {package} left no package"))?;
    let path = archive.to_str().ok_or("the cache's path is not UTF-8")?;
    python::quietly(&dpkg, &["-x", path, place]).map_err(|why| format!("dpkg-deb: {why}"))?;
    // Only what is in it is of use.
    let _ = std::fs::remove_file(&archive);
    Ok(())
}
