//! Schemathesis, which asks an API whatever its description allows, in a Python environment of its own.
//!
//! The test that runs it looks for `FLOODGATE_SCHEMATHESIS`.

use crate::{python, repo};
use std::path::PathBuf;

/// What is installed, pinned.
const PACKAGES: &[&str] = &["schemathesis==4.32.5"];

/// The variable that tells the test which program it is.
pub(crate) const VARIABLE: &str = "FLOODGATE_SCHEMATHESIS";

/// The program, installed if need be.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let base = repo::find_program("python3", None).ok_or("there is no python3")?;
    let name = PACKAGES.join("-").replace("==", "-");
    let packages: Vec<&str> = [&["--prefer-binary"], PACKAGES].concat();
    let python = python::environment(&name, &base, &packages)?;
    Ok(python.with_file_name("schemathesis"))
}
