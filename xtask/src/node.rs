//! Packages of node in the user's cache, one folder for each list of packages.

use crate::{python, repo};
use std::path::PathBuf;

/// The folder that has them in `node_modules`, installed if need be; its name changes with the list, in which options of npm may stand, too.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn packages(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let cache =
        repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep packages in")?;
    let folder = cache.join(name);
    let complete = folder.join("complete");
    let list = packages.join("\n");
    if std::fs::read_to_string(&complete).is_ok_and(|made| made == list) {
        return Ok(folder);
    }
    let npm = repo::find_program("npm", None).ok_or("there is no npm")?;
    let place = folder.to_str().ok_or("the cache's path is not UTF-8")?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("{place}: {error}"))?;
    let install = [
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        place,
    ];
    let arguments: Vec<&str> = install.iter().chain(packages).copied().collect();
    python::quietly(&npm, &arguments).map_err(|why| format!("npm install: {why}"))?;
    std::fs::write(&complete, list).map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(folder)
}
