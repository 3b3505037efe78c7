//! The StatsD server, from npm.

use super::{folder, from_npm};
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
    from_npm(&folder, &["--omit=optional", PACKAGE])?;
    match script.is_file() {
        true => Ok(script),
        false => Err(format!("{PACKAGE} has no stats.js")),
    }
}
