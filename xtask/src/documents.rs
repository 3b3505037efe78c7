//! OpenAPI documents of others, which the tests of `crates/contract` read: examples that ReadMe tests its own tools with (MIT; several are
//! documents of real services).

use crate::node;
use std::path::PathBuf;

/// What is installed, pinned.
const PACKAGES: [&str; 1] = ["@readme/oas-examples@8.2.2"];
/// Changes with the list.
const FOLDER: &str = "documents-1";

/// The variable that tells tests where the documents lie.
pub(crate) const VARIABLE: &str = "FLOODGATE_OPENAPI_DOCUMENTS";

/// The folder with the documents, fetched if need be.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let folder = node::packages(FOLDER, &PACKAGES)?;
    Ok(folder.join("node_modules/@readme/oas-examples"))
}
