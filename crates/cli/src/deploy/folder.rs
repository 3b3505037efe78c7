//! The folder of a stack on this machine: the modules, what they are told, and, unless it lies in S3, Terraform's state.

use super::settings::{Settings, State};
use crate::error::{Cause, CliError, Result};
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::{fs, io};

mod module {
    include!(concat!(env!("OUT_DIR"), "/module.rs"));
}

/// What is remembered of earlier deployments.
const SETTINGS: &str = "settings.json";
/// What the root module is told by us; variables of the user's come behind it, by name.
const VARIABLES: &str = "floodgate.auto.tfvars.json";
/// The provider and where the state lies.
const SURROUNDINGS: &str = "floodgate_deploy.tf.json";
const USERS: &str = "user-";

/// One stack's.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Where a stack's folder is, below the folder of all.
    pub(super) fn of(base: &Path, account: &str, region: &str, stack: &str) -> Self {
        Self {
            root: base.join(format!("{account}-{region}-{stack}")),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// Of the root module.
    pub(super) fn module(&self) -> PathBuf {
        self.root.join("terraform")
    }

    /// Where Terraform keeps providers.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The functions' zip, which stays here: Terraform reads it whatever it does.
    pub(super) fn functions(&self) -> PathBuf {
        self.root.join("functions.zip")
    }

    /// A plan that was made, until it is carried out.
    pub(super) fn plan(&self) -> PathBuf {
        self.root.join("plan")
    }

    /// Terraform's state, if it lies here.
    pub(super) fn state(&self) -> PathBuf {
        self.root.join("terraform.tfstate")
    }

    /// What an earlier deployment was told; `None` if there was none from here.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn settings(&self) -> Result<Option<Settings>> {
        let path = self.root.join(SETTINGS);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let settings = serde_json::from_slice(&text);
        settings.map_err(|error| unreadable(&path, error))
    }

    /// Remembers what this deployment is told.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn remember(&self, settings: &Settings) -> Result<()> {
        write_json(&self.root.join(SETTINGS), settings)
    }

    /// Writes the modules, their variables and what surrounds them, in place of what an older version wrote. `force_destroy` lets
    /// images and results be deleted.
    ///
    /// # Errors
    /// What cannot be written.
    pub(super) fn write(&self, settings: &Settings, force_destroy: bool) -> Result<()> {
        self.remove_modules()?;
        for (name, text) in module::FILES {
            let path = self.root.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| CliError::write(folder, error))?;
            }
            fs::write(&path, text).map_err(|error| CliError::write(&path, error))?;
        }
        if !self.functions().exists() {
            // Nothing is deployed of it: what there is to plan or to destroy only needs a file.
            write(&self.functions(), b"")?;
        }
        let state = match &settings.state {
            State::Folder(_) => json!({"local": {"path": self.state()}}),
            State::S3 { bucket, key } => settings.s3_backend(bucket, key),
        };
        let surroundings = json!({
            "terraform": {"backend": state},
            "provider": {"aws": settings.provider()},
        });
        write_json(&self.module().join(SURROUNDINGS), &surroundings)?;
        let variables = settings.variables(&self.functions(), force_destroy);
        write_json(&self.module().join(VARIABLES), &variables)
    }

    /// Takes over files with variables of the user's, in place of earlier ones. Without any, those stay.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of variables by its name.
    pub(super) fn take_over(&self, files: &[PathBuf]) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let mut taken = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let end = if name.ends_with(".json") {
                ".auto.tfvars.json"
            } else {
                ".auto.tfvars"
            };
            let text = fs::read(file).map_err(|error| unreadable(file, error))?;
            taken.push((self.module().join(format!("{USERS}{index:03}{end}")), text));
        }
        for entry in self.in_module(|name| name.starts_with(USERS))? {
            fs::remove_file(&entry).map_err(|error| CliError::write(&entry, error))?;
        }
        for (path, text) in taken {
            write(&path, &text)?;
        }
        Ok(())
    }

    /// Copies the functions' zip here.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub(super) fn put_functions(&self, from: &Path) -> Result<()> {
        let bytes = fs::read(from).map_err(|error| unreadable(from, error))?;
        write(&self.functions(), &bytes)
    }

    /// Removes all of it, when nothing is left of the stack.
    ///
    /// # Errors
    /// What cannot be removed.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.root).map_err(|error| CliError::write(&self.root, error))
    }

    /// A file that is gone in a newer version would still be read by Terraform.
    fn remove_modules(&self) -> Result<()> {
        let modules = self.module().join("modules");
        if modules.exists() {
            fs::remove_dir_all(&modules).map_err(|error| CliError::write(&modules, error))?;
        }
        for file in self.in_module(|name| name.ends_with(".tf"))? {
            fs::remove_file(&file).map_err(|error| CliError::write(&file, error))?;
        }
        Ok(())
    }

    /// Files of the root module with such names.
    fn in_module(&self, fits: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let folder = self.module();
        fs::create_dir_all(&folder).map_err(|error| CliError::write(&folder, error))?;
        let entries = fs::read_dir(&folder).map_err(|error| CliError::write(&folder, error))?;
        let files = entries.flatten().map(|entry| entry.path());
        let named = |file: &PathBuf| {
            file.file_name()
                .is_some_and(|name| fits(&name.to_string_lossy()))
        };
        Ok(files.filter(named).collect())
    }
}

/// Writes a file as a whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, bytes)?;
        file.persist(path).map_err(|error| error.error)
    });
    written
        .map(drop)
        .map_err(|error| CliError::write(path, error))
}

/// The same of a value as JSON.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| CliError::write(path, error))?;
    write(path, &text)
}

fn unreadable(path: &Path, cause: impl Into<Cause>) -> CliError {
    CliError::read(path, cause, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("floodgate", "eu-west-1")
    }

    #[test]
    fn the_modules_are_all_there() {
        let names: Vec<_> = module::FILES.iter().map(|(name, _)| *name).collect();
        for name in [
            "terraform/main.tf",
            "terraform/modules/storage/main.tf",
            "infra/state-machine.asl.json",
            "infra/sql/athena/percentile.sql",
            "terraform/modules/queries/main.tf",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(
            names
                .iter()
                .all(|name| !name.contains("examples") && !name.contains("tests"))
        );
        // Every module that is called is brought along.
        for (name, text) in module::FILES {
            for source in text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("source = \"./"))
            {
                let folder = Path::new(name).parent().unwrap();
                let called = folder.join(source.trim_end_matches('"'));
                assert!(
                    names
                        .iter()
                        .any(|name| Path::new(name).parent() == Some(called.as_path())),
                    "{called:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_written_again_has_nothing_old_in_it() {
        let base = tempfile::tempdir().unwrap();
        let folder = Folder::of(base.path(), "1", "eu-west-1", "floodgate");
        assert_eq!(folder.settings().unwrap(), None);
        folder.write(&settings(), false).unwrap();
        folder.remember(&settings()).unwrap();
        assert_eq!(folder.settings().unwrap(), Some(settings()));
        let old = folder.module().join("old.tf");
        fs::write(&old, "").unwrap();
        fs::write(folder.module().join(".terraform.lock.hcl"), "").unwrap();
        let given = base.path().join("mine.tfvars");
        fs::write(&given, "versioning = true").unwrap();
        folder.take_over(&[given]).unwrap();
        folder.write(&settings(), false).unwrap();
        assert!(!old.exists());
        assert!(folder.module().join(".terraform.lock.hcl").exists());
        // They stay until there are others.
        folder.take_over(&[]).unwrap();
        assert!(folder.module().join("user-000.auto.tfvars").exists());
        assert!(folder.take_over(&[base.path().join("nothing")]).is_err());
        assert!(folder.module().join("user-000.auto.tfvars").exists());
    }
}
