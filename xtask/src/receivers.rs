//! What receives notifications in the tests and is not ours: the reference library of the Standard Webhooks specification, and a mail
//! server, both in one Python environment.
//!
//! The tests that use them look for `FLOODGATE_RECEIVERS_PYTHON`.

use crate::{python, repo};
use std::path::PathBuf;

/// What is installed, pinned.
const PACKAGES: &[&str] = &["standardwebhooks==1.1.0", "aiosmtpd==1.4.6"];

/// The variable that tells the tests which Python has them.
pub(crate) const VARIABLE: &str = "FLOODGATE_RECEIVERS_PYTHON";

/// The Python, with the packages installed if need be.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let base = repo::find_program("python3", None).ok_or("there is no python3")?;
    let name = PACKAGES.join("-").replace("==", "-");
    python::environment(&name, &base, PACKAGES)
}
