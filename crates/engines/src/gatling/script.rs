//! The user's simulation as it lies in the test's folder: a jar, or a packed project.

use super::project;
use crate::error::LaunchError;
use crate::installed::{self, Installed};
use crate::job::Job;
use crate::jvm;
use crate::private;
use floodgate_core::schedule::Segment;
use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

/// Our helper: its sources stand beside it, and in it.
const HELPER: &[u8] = include_bytes!("helper/floodgate-gatling.jar");
/// What to do where there is no Java.
pub(super) const NO_JAVA: &str = "Gatling needs Java 11 or later: install a runtime (Debian: default-jre-headless; https://adoptium.net) or set JAVA_HOME";
/// The share that the heap may take of the memory that the JVM itself and the supervisor leave; the network's buffers lie outside of it.
const HEAP_PERCENT: u32 = 50;
/// The helper's name in the scratch folder.
const HELPER_NAME: &str = "floodgate-gatling.jar";
/// The oldest and the newest Gatling that simulations are run with: minor versions of 3. The actors of 3.11 and before are others,
/// so that the helper could not have the log written in time.
const RUNS: std::ops::RangeInclusive<u32> = 12..=15;

/// Where its classes and those that it needs are.
#[derive(Debug)]
pub(super) struct Script {
    /// Jars and folders with the user's own classes; searched for simulations.
    pub(super) own: Vec<PathBuf>,
    /// Folders with jars.
    libraries: Vec<PathBuf>,
    /// Where it runs: files that it reads are looked for on the class path and from here.
    pub(super) folder: PathBuf,
}

impl Script {
    /// Finds a job's script; unpacks it into the scratch folder if it is a project.
    ///
    /// # Errors
    /// [`LaunchError`] if it is not there, or if there is no Gatling to run it with.
    pub(super) fn find(job: &Job<'_>) -> Result<Self, LaunchError> {
        let full = |path: &Path| absolute(path).map_err(LaunchError::file(path));
        let path = full(&job.folder.join(job.script))?;
        let is = |end: &str| path.is_file() && path.extension().is_some_and(|found| found == end);
        let (own, libraries, folder) = if is("jar") {
            (vec![path], None, full(job.folder)?)
        } else if is("tar") {
            let (own, libraries) = project::unpack(&path, &full(job.scratch)?.join("project"))?;
            // In the project's folder, as it was packed from.
            let folder = path.parent().unwrap_or(&path).to_owned();
            (own, libraries, folder)
        } else {
            return Err(LaunchError::script(
                job.script,
                "is neither a jar nor the folder of a Maven or Gradle project",
            ));
        };
        let mut script = Self {
            own,
            libraries: libraries.into_iter().collect(),
            folder,
        };
        if !script.has_gatling()? {
            script.libraries.push(full(&home(job.home)?)?);
        }
        script.check_version()?;
        Ok(script)
    }

    /// Whether the script brings Gatling along.
    fn has_gatling(&self) -> Result<bool, LaunchError> {
        if self.libraries.iter().any(|place| version(place).is_some()) {
            return Ok(true);
        }
        for jar in self.own.iter().filter(|place| place.is_file()) {
            let bytes = std::fs::read(jar).map_err(LaunchError::file(jar))?;
            // The names of entries stand in a jar as they are.
            if memchr::memmem::find(&bytes, b"io/gatling/app/Gatling.class").is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_version(&self) -> Result<(), LaunchError> {
        let Some(found) = self.libraries.iter().find_map(|place| version(place)) else {
            return Ok(());
        };
        known(found).map(drop)
    }

    fn class_path(&self, scratch: &Path) -> OsString {
        let mut path = OsString::new();
        for place in &self.own {
            path.push(place);
            path.push(":");
        }
        for place in &self.libraries {
            path.push(place);
            path.push("/*:");
        }
        // Last, so that a logback.xml of the user's is found before ours.
        path.push(scratch.join(HELPER_NAME));
        path
    }
}

/// A version that simulations are run with.
fn known(found: String) -> Result<String, LaunchError> {
    let mut parts = found.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(3), Some(minor)) if RUNS.contains(&minor) => Ok(found),
        _ => Err(LaunchError::Version {
            engine: "Gatling",
            found,
            remedy: format!("use 3.{} to 3.{}", RUNS.start(), RUNS.end()),
        }),
    }
}

/// The Gatling that is here for simulations that bring none along.
pub(super) fn installed() -> Result<Installed, LaunchError> {
    let at = home(None)?;
    // It was found by its version.
    let version = known(version(&at).unwrap_or_default())?;
    Ok(Installed { version, at })
}

/// The folder with Gatling's jars.
fn home(given: Option<&Path>) -> Result<PathBuf, LaunchError> {
    let named = ["FLOODGATE_GATLING", "GATLING_HOME"]
        .into_iter()
        .filter_map(|name| std::env::var_os(name).map(PathBuf::from));
    let places = match given {
        Some(home) => vec![home.to_owned()],
        None => named.chain(["/opt/gatling".into()]).collect(),
    };
    places
        .iter()
        .flat_map(|place| [place.join("lib"), place.clone()])
        .find(|place| version(place).is_some())
        .ok_or_else(|| LaunchError::NotFound {
            engine: "Gatling",
            remedy: format!(
                "no gatling-core-*.jar is in {}, or in its folder lib; copy Gatling's jars there, for example with Maven's \
                 dependency:copy-dependencies, or beside the project's classes, and say where with GATLING_HOME",
                places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
            ),
        })
}

/// The version of the Gatling whose jars are in a folder.
fn version(folder: &Path) -> Option<String> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name();
        let version = name
            .to_str()?
            .strip_prefix("gatling-core-")?
            .strip_suffix(".jar")?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| version.to_owned())
    })
}

/// The command up to and with the helper's class; writes the helper into the scratch folder.
///
/// # Errors
/// [`LaunchError`] if that cannot be written, or the weights are none.
pub(super) fn java(job: &Job<'_>, script: &Script) -> Result<Vec<OsString>, LaunchError> {
    let weights = weights(job)?;
    let scratch = absolute(job.scratch).map_err(LaunchError::file(job.scratch))?;
    let write = |path: PathBuf, done: fn(&Path) -> std::io::Result<()>| {
        done(&path).map_err(LaunchError::file(&path))
    };
    // Preferences are made in there; the JVM says so on stderr if it has to make the folder.
    write(scratch.join("prefs/.java/.userPrefs"), |path| {
        std::fs::create_dir_all(path)
    })?;
    write(scratch.join(HELPER_NAME), |path| {
        std::fs::write(path, HELPER)
    })?;

    let mut command: Vec<OsString> = vec![installed::java(NO_JAVA)?.into()];
    command.extend(
        [
            // Gatling needs it to write strings into its log (`StringInternals`).
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-XX:+ExitOnOutOfMemoryError",
        ]
        .map(OsString::from),
    );
    command.extend(jvm::options(job, HEAP_PERCENT));
    let given = scratch.join("parameters");
    private::write(&given, &parameters(job))?;
    let mut file = OsString::from("@");
    file.push(&given);
    command.push(file);
    let mut define = |name: &str, value: &std::ffi::OsStr| {
        let mut option = OsString::from(format!("-D{name}="));
        option.push(value);
        command.push(option);
    };
    define("java.util.prefs.userRoot", scratch.join("prefs").as_ref());
    define("gatling.data.enableAnalytics", "false".as_ref());
    define("gatling.data.writers.0", "file".as_ref());
    let own = std::env::join_paths(&script.own)
        .map_err(|error| LaunchError::script_for(job.script, "", error))?;
    define("floodgate.script", &own);
    let simulation = job.parameters.get("simulation").map_or("", String::as_str);
    define("floodgate.simulation", simulation.as_ref());
    define("floodgate.weights", weights.as_ref());
    define("floodgate.task", job.place.to_string().as_ref());
    command.extend([
        "-cp".into(),
        script.class_path(&scratch),
        "floodgate.gatling.Main".into(),
    ]);
    Ok(command)
}

/// The job's parameters as system properties, for a file of arguments that nobody else may read: a command line can be read by every user.
fn parameters(job: &Job<'_>) -> Vec<u8> {
    let target = job
        .target
        .filter(|_| !job.parameters.contains_key("TARGET"));
    let target = target.map(|url| ("TARGET", url));
    let given = job.parameters.iter();
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    let mut lines = Vec::new();
    for (name, value) in target.into_iter().chain(given) {
        private::java_argument(format!("-D{name}={value}").as_bytes(), &mut lines);
    }
    lines
}

/// The weights, divided by their greatest common divisor.
fn weights(job: &Job<'_>) -> Result<String, LaunchError> {
    Segment::of_weights(job.weights, job.place)
        .map_err(|error| LaunchError::script_for(job.script, "", error))?;
    let gcd = job.weights.iter().fold(0, |a, &b| gcd(a, b)).max(1);
    let parts: Vec<String> = job.weights.iter().map(|w| (w / gcd).to_string()).collect();
    Ok(parts.join(","))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
