//! PostgreSQL: the newest that the machine has, else that of its packages.

use crate::{python, repo};
use std::path::{Path, PathBuf};

/// The oldest that the schema takes.
const OLDEST: u32 = 15;
/// Where Debian and Ubuntu put the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The folder of `initdb`, `postgres` and `psql`.
pub(super) fn set_up() -> Result<PathBuf, String> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let apt = repo::find_program("apt-get", None)
        .ok_or("there is no PostgreSQL 15 or later, and no apt-get")?;
    let install = [
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "postgresql",
    ];
    let installed = python::quietly(&apt, &install).or_else(|_| {
        python::quietly(&apt, &["update", "-qq"]).and_then(|()| python::quietly(&apt, &install))
    });
    installed.map_err(|why| format!("apt-get install postgresql: {why}"))?;
    find().ok_or_else(|| format!("what apt-get installs is older than PostgreSQL {OLDEST}"))
}

fn find() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.flatten();
    let numbers = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let packaged = numbers
        .filter(|&version| version >= OLDEST)
        .filter(|version| {
            Path::new(VERSIONS)
                .join(format!("{version}/bin/initdb"))
                .is_file()
        })
        .max()
        .map(|version| Path::new(VERSIONS).join(format!("{version}/bin")));
    packaged.or_else(|| Some(repo::find_program("initdb", None)?.parent()?.to_owned()))
}
