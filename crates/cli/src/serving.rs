//! Runs that somebody asks for over HTTP: each is a `floodgate run` of its own, with nothing of this process but what it needs.

use crate::env::SECRETS;
use crate::error::{CliError, Result};
use crate::order::Order;
use crate::targets::TargetLists;
use async_trait::async_trait;
use floodgate_api::{RunOrder, RunWhat, StartError, Starter};
use floodgate_control::Stores;
use floodgate_control::elsewhere::{INHERITED, check_variables};
use floodgate_notify::CONSOLE_URL;
use floodgate_records::keys::{DEFINITION_FILE, INSPECTION_FILE, definition_file};
use floodgate_records::status::EXIT_INVALID;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// In the folder of a run: its test, who ordered it, and its variables.
const TEST: &str = "test";
const ORDER: &str = "order.json";
const ENV: &str = "env";
/// How long a run may take until it is on record.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// Bytes of what a run that is refused says.
const SAID: u64 = 64 * 1024;

/// Starts runs on this machine.
pub(crate) struct Processes {
    stores: Stores,
    out: PathBuf,
    slots: Arc<Semaphore>,
    most: usize,
    targets: Option<TargetLists>,
}

impl Processes {
    /// At most so many at once, in this folder of executions.
    ///
    /// # Errors
    /// A folder that cannot be named.
    pub(crate) fn new(stores: Stores, out: &Path, most: usize) -> Result<Self> {
        let named = std::path::absolute(out);
        Ok(Self {
            stores,
            out: named.map_err(|error| CliError::read(out, error, None))?,
            slots: Arc::new(Semaphore::new(most)),
            most,
            targets: None,
        })
    }

    /// The same where load may only be sent to what these list.
    pub(crate) fn bound_to(self, targets: Option<TargetLists>) -> Self {
        Self { targets, ..self }
    }

    /// How many go on.
    pub(crate) fn going_on(&self) -> usize {
        self.most - self.slots.available_permits()
    }

    /// The folder of a run, with what it is told; its definition is alone in a folder below, whose files it may name.
    async fn folder(&self, order: &RunOrder) -> std::result::Result<TempDir, StartError> {
        let failed = |error: std::io::Error| StartError::Failed(format!("a folder: {error}"));
        let folder = TempDir::with_prefix("floodgate-serve-").map_err(failed)?;
        let (to, its) = (folder.path(), folder.path().join(TEST));
        match &order.what {
            RunWhat::Definition(text) => {
                write(&its.join(DEFINITION_FILE), text.as_bytes()).map_err(failed)?;
            }
            RunWhat::Version { test, version } => {
                self.copy(&its, &order.project, test, version).await?;
            }
        }
        let targets = self.targets.as_ref();
        let targets = targets.map(|lists| lists.of(&order.project)).transpose();
        let whom = Order {
            project: order.project.clone(),
            trigger: order.trigger.clone(),
            targets: targets.map_err(StartError::Invalid)?,
        };
        let whom = serde_json::to_vec(&whom).map_err(|e| StartError::Failed(e.to_string()))?;
        write(&to.join(ORDER), &whom).map_err(failed)?;
        write(&to.join(ENV), env_file(&order.environment)?.as_bytes()).map_err(failed)?;
        Ok(folder)
    }

    /// Copies the files of a version from the store.
    async fn copy(
        &self,
        to: &Path,
        project: &str,
        test: &str,
        version: &str,
    ) -> std::result::Result<(), StartError> {
        let failed = |error: String| StartError::Failed(error);
        let objects = self.stores.objects.as_ref();
        let place = definition_file(project, test, version, "");
        let none = || {
            let told = format!("version {version:?} of {test:?} is not on record here");
            StartError::Invalid(told)
        };
        let listed = objects.list(&place).await.map_err(|_| none())?;
        if version.is_empty() || listed.is_empty() {
            return Err(none());
        }
        for object in listed {
            let name = &object.key[place.len()..];
            let bytes = objects.get(&object.key).await;
            let bytes = bytes
                .map_err(|e| failed(e.to_string()))?
                .unwrap_or_default();
            if name != INSPECTION_FILE {
                write(&to.join(name), &bytes).map_err(|e| failed(format!("{name}: {e}")))?;
            }
        }
        Ok(())
    }

    fn spawn(&self, order: &RunOrder, folder: &Path) -> std::io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env_clear();
        for name in INHERITED.into_iter().chain([CONSOLE_URL]) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env(SECRETS, self.out.join("secrets").join(&order.project))
            .current_dir(folder.join(TEST))
            .args(["run", DEFINITION_FILE, "--quiet", "--id", &order.id])
            .args(["--generators", &order.generators.to_string(), "--order"])
            .arg(folder.join(ORDER))
            .arg("--env-file")
            .arg(folder.join(ENV))
            .arg("--out")
            .arg(&self.out);
        for (path, value) in &order.parameters {
            command.arg(format!("--set={path}={value}"));
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C ends the service; the run goes on to its verdict.
            .process_group(0)
            .spawn()
    }

    /// Waits until the run is on record; else why it never will be.
    async fn on_record(
        &self,
        order: &RunOrder,
        child: &mut Child,
    ) -> std::result::Result<(), StartError> {
        let mut said = Vec::new();
        let stderr = child.stderr.as_mut();
        let records = &self.stores.records;
        let looking = async {
            loop {
                let found = records.get(Some(&order.project), &order.id).await;
                if matches!(found, Ok(Some(_))) {
                    return;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let ending = async {
            if let Some(stderr) = stderr {
                let mut first = stderr.take(SAID);
                let _ = first.read_to_end(&mut said).await;
            }
        };
        tokio::select! {
            () = looking => return Ok(()),
            () = ending => {}
            () = tokio::time::sleep(PATIENCE) => {
                let _ = child.start_kill();
                return Err(StartError::Failed("the run did not come on record".into()));
            }
        }
        let status = child.wait().await;
        if let Ok(Some(_)) = records.get(Some(&order.project), &order.id).await {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        match status.ok().and_then(|status| status.code()) {
            Some(code) if code == i32::from(EXIT_INVALID) => Err(StartError::Invalid(said)),
            // What it says then is how to raise or resume it.
            _ if said.contains("floodgate budget ") => Err(StartError::Refused(said)),
            _ => Err(StartError::Failed(format!("the run did not start: {said}"))),
        }
    }
}

#[async_trait]
impl Starter for Processes {
    async fn start(&self, order: RunOrder) -> std::result::Result<(), StartError> {
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| {
            let (most, runs) = (self.most, if self.most == 1 { "run goes" } else { "runs go" });
            StartError::Busy(format!(
                "{most} {runs} on here, and no more at once: ask again when one has ended (--max-runs)"
            ))
        })?;
        let folder = self.folder(&order).await?;
        let child = self.spawn(&order, folder.path());
        let mut child = child.map_err(|error| StartError::Failed(format!("a process: {error}")))?;
        self.on_record(&order, &mut child).await?;
        tokio::spawn(stay_with(child, folder, slot));
        Ok(())
    }
}

/// Holds the folder and the slot of a run until it ends. All that it says is read, so that it never waits.
async fn stay_with(mut child: Child, folder: TempDir, slot: OwnedSemaphorePermit) {
    if let Some(stderr) = &mut child.stderr {
        let _ = tokio::io::copy(stderr, &mut tokio::io::sink()).await;
    }
    let _ = child.wait().await;
    drop((folder, slot));
}

/// Writes a file that nobody else on this machine can read.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// Variables as a file has them.
fn env_file(variables: &BTreeMap<String, String>) -> std::result::Result<String, StartError> {
    check_variables(variables).map_err(StartError::Invalid)?;
    let lines = variables.iter();
    let lines = lines.map(|(name, value)| format!("{name}=\"{value}\"\n"));
    Ok(lines.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> std::result::Result<String, StartError> {
        env_file(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn variables_from_elsewhere_are_plain_values() {
        assert_eq!(of("RATE", "5 \"x\" ").unwrap(), "RATE=\"5 \"x\" \"\n");
        assert_eq!(env_file(&BTreeMap::new()).unwrap(), "");
        for name in [
            "",
            "1A",
            "A B",
            "A=B",
            "LD_PRELOAD",
            "ld_preload",
            "PATH",
            "FLOODGATE_OUT",
            "AWS_PROFILE",
            "BASH_ENV",
            "export A",
        ] {
            assert!(
                matches!(of(name, "x"), Err(StartError::Invalid(_))),
                "{name}"
            );
        }
        for value in ["a\nLD_PRELOAD=x", "a\r", "\0"] {
            assert!(of("A", value).is_err(), "{value:?}");
        }
    }
}
