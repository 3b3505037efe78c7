//! The StatsD server, from npm.

use super::folder;
use crate::{python, repo};
use std::path::PathBuf;

/// Pinned.
const PACKAGE: &str = "statsd@0.9.0";

/// Its main script, for node.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let folder = folder(&PACKAGE.replace('@', "-"))?;
    let script = folder.join("node_modules/statsd/stats.js");
    if script.is_file() {
        return Ok(script);
    }
    repo::find_program("node", None).ok_or("there is no node (package nodejs)")?;
    let npm = repo::find_program("npm", None).ok_or("there is no npm")?;
    let place = folder.to_str().ok_or("the cache's path is not UTF-8")?;
    let install = [
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--omit=optional",
        "--prefix",
        place,
        PACKAGE,
    ];
    python::quietly(&npm, &install).map_err(|why| format!("npm install: {why}"))?;
    match script.is_file() {
        true => Ok(script),
        false => Err(format!("{PACKAGE} has no stats.js")),
    }
}
