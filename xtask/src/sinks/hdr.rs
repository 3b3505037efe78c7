//! HdrHistogram's reader of logs, in a Python environment of its own.

use crate::{python, repo};
use std::path::PathBuf;

/// Pinned.
const PACKAGES: &[&str] = &["hdrhistogram==0.10.8"];

/// The environment's Python.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let base = repo::find_program("python3", None).ok_or("there is no python3")?;
    let name = PACKAGES.join("-").replace("==", "-");
    python::environment(&name, &base, PACKAGES)
}
