//! Other programs' readers of the shards: DuckDB and Arrow, in a Python environment of their own.
//!
//! The tests that read shards with them look for `FLOODGATE_PYTHON`. The environment lies in the user's cache, not in
//! the repository, and is made once for each list of packages.

use crate::{python, repo};
use std::path::PathBuf;

/// What is installed, pinned.
const PACKAGES: &[&str] = &["duckdb==2.0.0", "pyarrow==26.0.1"];

/// The variable that tells tests which Python has the readers.
pub(crate) const VARIABLE: &str = "FLOODGATE_PYTHON";

/// The environment's Python, made if need be.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let base = repo::find_program("python3", None).ok_or("there is no python3")?;
    let name = format!("readers-{}", PACKAGES.join("-").replace("==", "-"));
    // Built from source, both take longer than everything else together.
    let packages: Vec<&str> = [&["--only-binary=:all:"], PACKAGES].concat();
    python::environment(&name, &base, &packages)
}
