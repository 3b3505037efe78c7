//! The k6 on this machine: where it is, which version, and short calls of it.

use crate::call::Called;
use crate::error::LaunchError;
use crate::job::Job;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A version of k6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
}

/// k6's program and what it is.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The program.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
    /// As it says it, such as `2.2.0`.
    pub text: String,
    /// Options of the command line that come before those of a script, as variables of k6: `K6_VUS`. They are packed with the script.
    pub options: Vec<(&'static str, String)>,
}

/// The variable with the program.
const VARIABLE: &str = "FLOODGATE_K6";
/// What k6 must not do in a run: fetch extensions and call home.
pub(super) const QUIET: [(&str, &str); 2] = [
    ("K6_AUTO_EXTENSION_RESOLUTION", "false"),
    ("K6_NO_USAGE_REPORT", "true"),
];
/// How long a short call may take. The script's init code runs in it.
const PATIENCE: Duration = Duration::from_secs(60);

impl Tool {
    /// Finds k6: `home` (the program, or a folder with it), else the variable `FLOODGATE_K6`, else `$PATH`.
    ///
    /// # Errors
    /// [`LaunchError::NotFound`], or [`LaunchError::Version`] before 1.0.
    pub fn find(home: Option<&Path>) -> Result<Self, LaunchError> {
        let program = program(home).ok_or_else(|| LaunchError::NotFound {
            engine: "k6",
            remedy: format!("give its program, set {VARIABLE}, or put k6 1.x or 2.x on the PATH (https://grafana.com/docs/k6/latest/set-up/install-k6/)"),
        })?;
        let called = call(&program, ["version"], &[], Path::new("."))?;
        let text = String::from_utf8_lossy(&called.stdout);
        let version = text
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .trim_start_matches('v');
        let mut numbers = version.split('.').map_while(|part| part.parse().ok());
        let unknown = |found: &str| LaunchError::Version {
            engine: "k6",
            found: found.to_owned(),
            remedy: "k6 1.x and 2.x are".to_owned(),
        };
        let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
            return Err(unknown(text.trim()));
        };
        if major < 1 {
            return Err(unknown(version));
        }
        Ok(Self {
            program,
            version: Version { major, minor },
            text: version.to_owned(),
            options: Vec::new(),
        })
    }

    /// What `k6 inspect --execution-requirements` prints of a job's script, with the job's parameters.
    ///
    /// # Errors
    /// [`LaunchError::Script`] with k6's own words if the script has a fault.
    pub fn inspect(&self, job: &Job<'_>) -> Result<Vec<u8>, LaunchError> {
        let mut arguments: Vec<OsString> = vec![
            "inspect".into(),
            REQUIREMENTS.into(),
            "--include-system-env-vars".into(),
        ];
        let given = Parameters::of(job);
        arguments.extend(given.arguments.iter().cloned());
        arguments.push(script(job).into());
        let env = self.surroundings(&given);
        let called = call(&self.program, &arguments, &env, job.folder)?;
        let lacks_vus = || said(&String::from_utf8_lossy(&called.stderr)).contains(NO_VUS);
        if called.code == Some(0) || !lacks_vus() {
            return succeeded(called, job.script);
        }
        // `k6 run` takes one VU where options have iterations alone; this command asks for a number that is written down.
        arguments.retain(|argument| argument != REQUIREMENTS);
        let plain = call(&self.program, &arguments, &env, job.folder)?;
        let options: Value =
            serde_json::from_slice(&succeeded(plain, job.script)?).unwrap_or_default();
        if !options["vus"].is_null() || !options["scenarios"].is_null() {
            return succeeded(called, job.script);
        }
        arguments.insert(1, REQUIREMENTS.into());
        let env = [env, vec![("K6_VUS".into(), "1".into())]].concat();
        let called = call(&self.program, &arguments, &env, job.folder)?;
        succeeded(called, job.script)
    }
}

impl Tool {
    /// The environment of a short call: that k6 is quiet, options of the command line, and what the script is given.
    pub(super) fn surroundings(&self, given: &Parameters) -> Vec<(OsString, OsString)> {
        let quiet = QUIET
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let options = self.options.iter();
        let options = options.map(|(name, value)| (OsString::from(name), value.into()));
        given
            .env
            .iter()
            .cloned()
            .chain(quiet)
            .chain(options)
            .collect()
    }
}

/// The option of `k6 inspect` that resolves shortcuts.
const REQUIREMENTS: &str = "--execution-requirements";
/// What it says of a scenario that is given no number of VUs.
const NO_VUS: &str = "the number of VUs must be more than 0";

/// What k6 printed, if it says that all is well.
pub(super) fn succeeded(called: Called, script: &str) -> Result<Vec<u8>, LaunchError> {
    if called.code == Some(0) {
        return Ok(called.stdout);
    }
    let problem = match called.code {
        Some(_) => {
            let said = said(&String::from_utf8_lossy(&called.stderr));
            remedy(&said).unwrap_or(said)
        }
        None => format!(
            "k6 was not done with it within {} s: does its init code end?",
            PATIENCE.as_secs()
        ),
    };
    Err(LaunchError::script(script, problem))
}

/// What to do about a module that k6 does not get, in a sentence; `None` of any other complaint.
fn remedy(said: &str) -> Option<String> {
    let between = |from: &str, to: &[char]| {
        let (_, rest) = said.split_once(from)?;
        rest.split(to).next().filter(|found| !found.is_empty())
    };
    if let Some(module) = between("unknown module: ", &['\n', '"', ' ']) {
        return Some(format!(
            "imports {module}, which this k6 does not have: put a newer one, or one with that extension, on the PATH, or name it in {VARIABLE} (https://grafana.com/docs/k6/latest/extensions/)"
        ));
    }
    let module = between("The moduleSpecifier \"", &['"'])?;
    let is_remote = module.contains("://") || !module.starts_with(['.', '/']);
    let fetched = said.contains("couldn't be retrieved from the resolved url");
    let why = said.rsplit(": ").next().unwrap_or_default();
    let why = why.trim_matches(|c: char| matches!(c, '"' | '\\' | '\n' | ' '));
    (is_remote && fetched).then(|| {
        format!(
            "imports {module}, which cannot be fetched from here ({why}): keep a copy of it beside the script and import that"
        )
    })
}

/// Runs k6 for a moment.
pub(super) fn call<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    env: &[(OsString, OsString)],
    folder: &Path,
) -> Result<Called, LaunchError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .current_dir(folder);
    crate::call::call(command, PATIENCE)
}

/// The message of k6's last line of complaint: `time="…" level=error msg="…"`.
fn said(stderr: &str) -> String {
    let line = stderr
        .lines()
        .rfind(|line| line.contains("level=error"))
        .or_else(|| stderr.lines().last());
    let line = line.unwrap_or("k6 refuses it without a word").trim();
    let message = line.split_once("msg=\"").and_then(|(_, rest)| {
        // As JSON: Go quotes alike, but for rare escapes.
        let quoted = format!("\"{rest}");
        serde_json::Deserializer::from_str(&quoted)
            .into_iter::<String>()
            .next()?
            .ok()
    });
    message.map_or_else(|| line.to_owned(), |message| message.trim().to_owned())
}

/// How a script is given its parameters. A process's arguments can be read by every user of a machine, its environment by its own only: so
/// they go into the environment, which k6 gives to scripts as `__ENV`, and as `-e` only where a variable would mean something to k6 itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) arguments: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    /// Names of those that go as arguments.
    pub(super) seen: Vec<String>,
}

impl Parameters {
    /// Those of a job; its target is `TARGET` unless a parameter is.
    pub(super) fn of(job: &Job<'_>) -> Self {
        let mut all = Self::default();
        let target = job
            .target
            .filter(|_| !job.parameters.contains_key("TARGET"));
        if let Some(target) = target {
            all.env.push(("TARGET".into(), target.into()));
        }
        for (name, value) in job.parameters {
            if is_of_k6(name) {
                let pair = format!("{name}={value}");
                all.arguments.extend(["-e".into(), pair.into()]);
                all.seen.push(name.clone());
            } else {
                all.env.push((name.into(), value.into()));
            }
        }
        all
    }

    /// A word on those that others may read.
    pub(super) fn warning(&self) -> Option<String> {
        (!self.seen.is_empty()).then(|| {
            format!(
                "k6 itself obeys a variable of the name of these parameters, so that they are given as arguments, which every user of the \
                 machine can read while it runs: {}; give a secret another name",
                self.seen.join(", ")
            )
        })
    }
}

/// Whether k6, Go's runtime or the loader of programs obeys a variable of this name.
fn is_of_k6(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "GODEBUG",
        "GOGC",
        "GOMAXPROCS",
        "GOMEMLIMIT",
        "GOTRACEBACK",
        "HOME",
        "NO_COLOR",
        "PATH",
        "TMPDIR",
        "TZ",
        "ZONEINFO",
        "RES_OPTIONS",
    ];
    let upper = name.to_ascii_uppercase();
    NAMES.contains(&name)
        || upper.ends_with("_PROXY")
        || ["K6_", "SSL_CERT_", "LD_", "XDG_"]
            .iter()
            .any(|of| name.starts_with(of))
}

/// The script as k6 takes it: not a module's name, nor `-`.
pub(super) fn script(job: &Job<'_>) -> String {
    let is_plain = !job.script.starts_with('/')
        && !job.script.starts_with("./")
        && !job.script.starts_with("../");
    if is_plain {
        format!("./{}", job.script)
    } else {
        job.script.to_owned()
    }
}

fn program(home: Option<&Path>) -> Option<PathBuf> {
    if let Some(home) = home {
        return [home.to_owned(), home.join("k6"), home.join("bin/k6")]
            .into_iter()
            .find(|path| path.is_file());
    }
    if let Some(given) = std::env::var_os(VARIABLE).filter(|given| !given.is_empty()) {
        return Some(given.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("k6"))
        .find(|path| path.is_file())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_in_the_environment_unless_k6_would_obey_them() {
        let parameters = ["K6_VUS", "https_proxy", "TOKEN", "users", "GOGC"];
        let parameters = parameters
            .map(|name| (name.to_owned(), "x".to_owned()))
            .into();
        let job = Job {
            folder: Path::new("/"),
            script: "a.js",
            scratch: Path::new("/"),
            weights: &[1],
            place: 0,
            target: Some("http://x"),
            parameters: &parameters,
            max_duration: None,
            refused: &[],
            home: None,
            cpus: None,
            memory: None,
        };
        let given = Parameters::of(&job);
        let names: Vec<_> = given
            .env
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        assert_eq!(names, ["TARGET", "TOKEN", "users"]);
        assert_eq!(given.seen, ["GOGC", "K6_VUS", "https_proxy"]);
        assert_eq!(given.arguments.len(), 6);
        assert!(
            given
                .warning()
                .unwrap()
                .contains("GOGC, K6_VUS, https_proxy")
        );
        assert_eq!(Parameters::default().warning(), None);
    }

    #[test]
    fn the_message_is_taken_out_of_k6s_line() {
        let stderr = "time=\"2026\" level=warning msg=\"hm\"\ntime=\"2026\" level=error msg=\"Error: init\\n\\tat file:///x.js:1:7(12)\\n\" hint=\"script exception\"\n";
        assert_eq!(said(stderr), "Error: init\n\tat file:///x.js:1:7(12)");
        assert_eq!(said("plain words\n"), "plain words");
        assert_eq!(said(""), "k6 refuses it without a word");
    }

    /// As 1.1 and 2.2 say it.
    #[test]
    fn a_module_that_cannot_be_had_is_told_in_a_sentence() {
        let remote = "GoError: The moduleSpecifier \"https://jslib.k6.io/k6-utils/1.4.0/index.js\" couldn't be retrieved from the resolved url \"https://jslib.k6.io/k6-utils/1.4.0/index.js\". Error : \"Get \"https://jslib.k6.io/k6-utils/1.4.0/index.js\": dial tcp: lookup jslib.k6.io on 10.0.0.1:53: no such host\"\n";
        let sentence = "imports https://jslib.k6.io/k6-utils/1.4.0/index.js, which cannot be fetched from here (no such host): keep a copy of it beside the script and import that";
        assert_eq!(remedy(remote).as_deref(), Some(sentence));
        let extension = remedy("GoError: unknown module: k6/x/kafka\n").unwrap();
        assert!(
            extension.starts_with("imports k6/x/kafka, which this k6 does not have: ")
                && extension.contains("FLOODGATE_K6"),
            "{extension}"
        );
        assert_eq!(remedy("ReferenceError: x is not defined"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_told_with_the_remedy() {
        let error = Tool::find(Some(Path::new("/nonexistent")))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("k6 is not installed: ") && error.contains("PATH"),
            "{error}"
        );
        let error = Tool::find(Some(Path::new("/bin/echo")))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("not supported: k6 1.x and 2.x are"),
            "{error}"
        );
    }
}
