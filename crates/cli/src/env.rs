//! What `${env:NAME}` and `${secret:NAME}` stand for on one machine.
//!
//! `${env:NAME}`: the values of `--env`, then of `--env-file`, then the process's environment.
//!
//! `${secret:NAME}`: the environment variable `FLOODGATE_SECRET_NAME` (letters in upper case, everything but letters and
//! digits as `_`), then the file `secrets/NAME` in the folder of executions, without the line break at its end. `floodgate serve` has
//! its runs look in another folder, by `FLOODGATE_SECRETS`: in `secrets/PROJECT`.
//!
//! Generator processes inherit both through their environment, never through their arguments, which every user of the
//! machine can read.

use crate::args::EnvArgs;
use crate::error::{CliError, Result};
use crate::files::read_text;
use floodgate_core::definition::{ExportSpec, Reference, Resolver};
use floodgate_engines::LoadOptions;
use floodgate_export::{References, schemes};
use floodgate_records::execution::{Execution, PrincipalIs};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Resolves references of a definition.
#[derive(Clone, Debug)]
pub struct Environment {
    given: BTreeMap<String, String>,
    secrets: PathBuf,
    base_dir: Option<PathBuf>,
    /// Whether the process's own environment stays out of it.
    apart: bool,
    /// Whether a service runs this for somebody who can neither set variables here nor needs to know its folders.
    is_served: bool,
    open_secrets: bool,
    open_variables: bool,
    load_options: LoadOptions,
}

impl Environment {
    /// From the arguments; secrets lie below the folder of executions.
    ///
    /// # Errors
    /// An entry that is not `NAME=VALUE`, and a file that cannot be read.
    pub fn new(args: &EnvArgs, out: &Path) -> Result<Self> {
        let mut given = match &args.env_file {
            Some(path) => env_file(path)?,
            None => BTreeMap::new(),
        };
        for entry in &args.env {
            let (name, value) =
                assignment(entry).map_err(|problem| CliError::usage(format!("--env {problem}")))?;
            given.insert(name, value);
        }
        Ok(Self {
            given,
            secrets: std::env::var_os(SECRETS).map_or_else(|| out.join("secrets"), PathBuf::from),
            base_dir: None,
            apart: false,
            is_served: std::env::var_os(SECRETS).is_some(),
            open_secrets: false,
            open_variables: false,
            load_options: LoadOptions::default(),
        })
    }

    /// For a definition from elsewhere: the secrets of its project, and nothing of this process.
    pub(crate) fn of_project(out: &Path, project: &str) -> Self {
        Self {
            given: BTreeMap::new(),
            secrets: out.join("secrets").join(project),
            base_dir: None,
            apart: true,
            is_served: true,
            open_secrets: false,
            open_variables: false,
            load_options: LoadOptions::default(),
        }
    }

    /// For the stored definition of a run in this folder: one that came from elsewhere gets nothing of this process.
    #[must_use]
    pub(crate) fn of_run(&self, execution: &Execution, out: &Path) -> Self {
        match execution.trigger.principal_is {
            PrincipalIs::Verified => Self::of_project(out, &execution.project),
            PrincipalIs::Claimed => self.clone(),
        }
    }

    /// One more value, over those that were given.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.insert(name.into(), value.into());
        self
    }

    /// Load on the command line in place of a script's own.
    #[must_use]
    pub fn with_load_options(mut self, options: LoadOptions) -> Self {
        self.load_options = options;
        self
    }

    /// See [`Self::with_load_options`].
    pub fn load_options(&self) -> &LoadOptions {
        &self.load_options
    }

    /// Files are looked for in this folder; before it is known, every file counts as there.
    #[must_use]
    pub fn within(mut self, base_dir: &Path) -> Self {
        self.base_dir = Some(base_dir.to_owned());
        self
    }

    /// Secrets are resolved where the run is: one that is not known here is left open.
    #[must_use]
    pub fn leaving_secrets_open(mut self) -> Self {
        self.open_secrets = true;
        self
    }

    /// The same of secrets and variables: for a definition that is checked and not run.
    #[must_use]
    pub fn leaving_references_open(mut self) -> Self {
        self.open_secrets = true;
        self.open_variables = true;
        self
    }

    /// The values that the process's own environment does not have: what child processes are given.
    pub fn given(&self) -> &BTreeMap<String, String> {
        &self.given
    }

    /// The value of `${env:NAME}`.
    pub fn variable(&self, name: &str) -> Option<String> {
        let own = || std::env::var(name).ok().filter(|_| !self.apart);
        self.given.get(name).cloned().or_else(own)
    }

    /// The value of `${secret:NAME}`, or where it was looked for.
    ///
    /// # Errors
    /// A sentence for the definition's fault list.
    pub fn secret(&self, name: &str) -> std::result::Result<String, String> {
        let variable = secret_variable(name);
        if let Some(value) = self.variable(&variable) {
            return Ok(value);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let path = self.secrets.join(name);
        if name.starts_with('.') || !name.chars().all(plain) {
            return Err(match self.is_served {
                true => {
                    "its name has other characters than letters, digits, \"_\", \"-\" and \".\""
                        .into()
                }
                false => format!("set the environment variable {variable}"),
            });
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            Err(error) if self.is_served => {
                let project = self.secrets.file_name().unwrap_or_default();
                let why = match error.kind() {
                    std::io::ErrorKind::NotFound => "there is no such file",
                    _ => "it cannot be read",
                };
                Err(format!(
                    "it is the file secrets/{}/{name} of the service, and {why}: ask whoever runs the service to write it",
                    project.display()
                ))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!(
                "set the environment variable {variable} or write the file {}",
                path.display()
            )),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }
}

impl Resolver for Environment {
    fn env(&self, name: &str) -> Option<String> {
        self.variable(name)
    }

    fn secret(&self, reference: &str) -> std::result::Result<String, String> {
        Self::secret(self, reference)
    }

    fn file_exists(&self, relative: &str) -> bool {
        self.base_dir
            .as_ref()
            // A folder may be a project; where a file is needed, who reads it says so.
            .is_none_or(|folder| folder.join(relative).exists())
    }

    fn missing_file(&self) -> &'static str {
        match self.is_served {
            true => {
                "a definition that is sent has no files: run the test once on the service's machine, and start it by its name"
            }
            false => "paths start from the definition's folder",
        }
    }

    fn leaves_open(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Secret(_) => self.open_secrets,
            Reference::Env(_) => self.open_variables,
        }
    }

    fn export_fault(&self, export: &ExportSpec) -> Option<String> {
        // What was prepared earlier has been checked then.
        self.base_dir.as_ref()?;
        let (password, token) = (export.password.as_deref(), export.token.as_deref());
        let read = schemes::read(&export.to, password, token, self);
        read.err().map(|error| error.to_string())
    }
}

impl References for Environment {
    fn env(&self, name: &str) -> Option<String> {
        self.variable(name)
    }

    fn secret(&self, name: &str) -> std::result::Result<String, String> {
        Self::secret(self, name)
    }
}

/// The variable that names another folder of secrets.
pub(crate) const SECRETS: &str = "FLOODGATE_SECRETS";

/// What the names of the variables that hold secrets begin with.
pub const SECRET_VARIABLES: &str = "FLOODGATE_SECRET_";

/// The environment variable of a secret.
pub fn secret_variable(name: &str) -> String {
    let upper = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!(
        "{SECRET_VARIABLES}{}",
        name.chars().map(upper).collect::<String>()
    )
}

/// `NAME=VALUE`; the message never holds the value, which may be a secret.
pub(crate) fn assignment(entry: &str) -> std::result::Result<(String, String), String> {
    let Some((name, value)) = entry.split_once('=') else {
        return Err(format!("{entry:?} has no \"=\"; write NAME=VALUE"));
    };
    let name = name.trim();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(word) {
        return Err(format!(
            "{name:?} is not a valid name; use letters, digits and \"_\", as in NAME=VALUE"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Lines of `NAME=VALUE`; blank lines and those that start with `#` are skipped, a leading `export` and a pair of
/// quotes around the value are dropped. Nothing is expanded.
fn env_file(path: &Path) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let text = read_text(path)?;
    // An editor's byte order mark is no part of the first name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = assignment(line)
            .map_err(|problem| CliError::read(path, format!("line {number}: {problem}"), None))?;
        values.insert(name, unquoted(value.trim()).to_owned());
    }
    Ok(values)
}

fn unquoted(value: &str) -> &str {
    let within = |quote| {
        value
            .strip_prefix(quote)
            .and_then(|v: &str| v.strip_suffix(quote))
    };
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn environment(env: &[&str], file: Option<&str>) -> (tempfile::TempDir, Result<Environment>) {
        let folder = tempfile::tempdir().unwrap();
        let env_file = file.map(|text| {
            let path = folder.path().join("env");
            std::fs::write(&path, text).unwrap();
            path
        });
        let args = EnvArgs {
            env: env.iter().map(|&e| e.to_owned()).collect(),
            env_file,
        };
        let environment = Environment::new(&args, folder.path());
        (folder, environment)
    }

    #[test]
    fn arguments_come_before_the_file_and_the_file_before_the_process() {
        let file =
            "\u{feff}FIRST=1.10\n# comment\n\nexport HOST=\"file\"\nPATH='from file'\nEMPTY=\n";
        let (_folder, environment) = environment(&["HOST=argument"], Some(file));
        let environment = environment.unwrap();
        assert_eq!(environment.variable("HOST").as_deref(), Some("argument"));
        assert_eq!(environment.variable("PATH").as_deref(), Some("from file"));
        assert_eq!(environment.variable("EMPTY").as_deref(), Some(""));
        assert_eq!(environment.variable("FIRST").as_deref(), Some("1.10"));
        assert_eq!(
            environment.variable("CARGO_MANIFEST_DIR").as_deref(),
            Some(env!("CARGO_MANIFEST_DIR"))
        );
        assert_eq!(environment.variable("FLOODGATE_SURELY_UNSET"), None);
    }

    #[test]
    fn a_bad_line_is_named_without_its_value() {
        let (_folder, bad) = environment(&[], Some("A=1\nto ken=hunter2\n"));
        let message = bad.unwrap_err().to_string();
        assert!(
            message.contains("line 2") && message.contains("\"to ken\""),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
        let (_folder, bad) = environment(&["LONELY"], None);
        assert_eq!(
            bad.unwrap_err().to_string(),
            "--env \"LONELY\" has no \"=\"; write NAME=VALUE"
        );
    }

    #[test]
    fn secrets_come_from_the_environment_or_a_file() {
        let (folder, environment) = environment(&["FLOODGATE_SECRET_API_KEY=one"], None);
        let environment = environment.unwrap();
        assert_eq!(environment.secret("api-key").unwrap(), "one");
        std::fs::create_dir(folder.path().join("secrets")).unwrap();
        std::fs::write(folder.path().join("secrets/db"), "\u{feff}two\r\n").unwrap();
        assert_eq!(environment.secret("db").unwrap(), "two");
        assert!(
            environment
                .secret("none")
                .unwrap_err()
                .contains("FLOODGATE_SECRET_NONE")
        );
        for escape in ["../secrets/db", "..", "a/b", "/etc/passwd"] {
            assert!(environment.secret(escape).is_err(), "{escape}");
        }
    }
}
