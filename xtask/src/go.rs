//! Programs built from Go modules, in the user's cache.

use crate::repo;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, and the module that it is built in: one of this repository, with the sums of all that is compiled in.
pub(crate) struct Module<'a> {
    /// What is built, for messages.
    pub(crate) name: &'a str,
    /// The module's files in the repository.
    pub(crate) from: &'a str,
    pub(crate) files: &'a [&'a str],
    /// What go builds: a package, or `.`.
    pub(crate) package: &'a str,
    /// The program's file.
    pub(crate) program: &'a str,
}

impl Module<'_> {
    /// The program, built in `folder` if need be; linked statically.
    ///
    /// # Errors
    /// Why there is none: a sentence for the account.
    pub(crate) fn build(&self, folder: &Path) -> Result<PathBuf, String> {
        let program = folder.join(self.program);
        if program.exists() {
            return Ok(program);
        }
        let name = self.name;
        let go = repo::find_program("go", None)
            .ok_or_else(|| format!("there is no go to build {name} with"))?;
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        for file in self.files {
            let from = repo::root().join(self.from).join(file);
            std::fs::copy(&from, folder.join(file))
                .map_err(|error| format!("{}: {error}", from.display()))?;
        }
        let unfinished = folder.join(format!("{}.part", self.program));
        let output = Command::new(go)
            .args(["build", "-trimpath", "-o"])
            .arg(&unfinished)
            .arg(self.package)
            .env("GOFLAGS", "-mod=readonly")
            .env("CGO_ENABLED", "0")
            .current_dir(folder)
            .output()
            .map_err(|error| format!("go: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty());
            return Err(format!("go build {name}: {}", last.unwrap_or("failed")));
        }
        std::fs::rename(&unfinished, &program)
            .map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(program)
    }
}
