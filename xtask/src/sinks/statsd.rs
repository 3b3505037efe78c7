//! The StatsD server, from npm.

use crate::{node, repo};
use std::path::PathBuf;

/// Pinned.
const PACKAGE: &str = "statsd@0.9.0";

/// Its main script, for node.
pub(super) fn set_up() -> Result<PathBuf, String> {
    repo::find_program("node", None).ok_or("there is no node (package nodejs)")?;
    let folder = node::packages(&PACKAGE.replace('@', "-"), &["--omit=optional", PACKAGE])?;
    let script = folder.join("node_modules/statsd/stats.js");
    match script.is_file() {
        true => Ok(script),
        false => Err(format!("{PACKAGE} has no stats.js")),
    }
}
