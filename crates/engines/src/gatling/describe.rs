//! What a simulation would do: the helper makes an instance of it, which runs its constructor and `setUp` but no load and no
//! `before()`, and prints what it finds.

use super::assertion;
use super::profile;
use super::project::{Packed, Project};
use super::script::{self, Script};
use super::thresholds::thresholds;
use crate::call::call;
use crate::error::LaunchError;
use crate::inspection::{Inspection, PlannedScenario};
use crate::job::Job;
use crate::jvm;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The command whose standard output [`inspect`] reads. It takes two to three seconds and writes the helper into the job's scratch folder.
///
/// # Errors
/// As for [`launch`](super::launch()).
pub fn describe(job: &Job<'_>) -> Result<Vec<OsString>, LaunchError> {
    command(job, &Script::find(job)?)
}

fn command(job: &Job<'_>, script: &Script) -> Result<Vec<OsString>, LaunchError> {
    let mut command = script::java(job, script)?;
    command.push("describe".into());
    Ok(command)
}

/// How long the helper may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of its complaints that are shown.
const SHOWN: usize = 2_000;

/// All that can be known of a script before it runs, and the script as one file if it is a project. `files` are those that the definition
/// names.
///
/// A project is asked as a task will run it: from its packed file and the named files, in a folder with nothing else. So a file that would
/// stay behind is missed here, not in the tasks.
///
/// # Errors
/// As of [`pack`](super::pack()), [`describe`] and [`inspect`], and [`LaunchError::Script`] with the helper's last words if it fails or does not answer in
/// time.
pub fn examine(
    job: &Job<'_>,
    files: &[String],
) -> Result<(Inspection, Option<Packed>), LaunchError> {
    let Some(project) = Project::of(job)? else {
        let remedy = || "put it into the jar, with all that it needs".to_owned();
        return Ok((ask(job, remedy)?, None));
    };
    let packed = project.pack()?;
    let folder = job.scratch.join("asked");
    let put = |name: &str, done: &dyn Fn(&Path) -> io::Result<()>| {
        let path = folder.join(name);
        path.parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| done(&path))
            .map_err(LaunchError::file(&path))
    };
    put(&packed.name, &|path| std::fs::write(path, &packed.bytes))?;
    for name in files {
        put(name, &|path| {
            std::fs::copy(job.folder.join(name), path).map(|_| ())
        })?;
    }
    let asked = Job {
        folder: &folder,
        script: &packed.name,
        ..job.clone()
    };
    let named = |error| match error {
        LaunchError::Script {
            problem, source, ..
        } => LaunchError::Script {
            script: job.script.to_owned(),
            problem,
            source,
        },
        other => other,
    };
    let mut inspection = ask(&asked, || project.remedy()).map_err(named)?;
    inspection.warnings.extend(packed.warnings.iter().cloned());
    Ok((inspection, Some(packed)))
}

/// [`describe`], run, and [`inspect`]. The remedy is against a class that is missing.
fn ask(job: &Job<'_>, remedy: impl Fn() -> String) -> Result<Inspection, LaunchError> {
    let script = Script::find(job)?;
    let line = command(job, &script)?;
    let program = line.first().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command
        .args(line.iter().skip(1))
        .current_dir(&script.folder);
    let called = call(command, PATIENCE)?;
    let problem = match called.code {
        Some(0) => return inspect(job.script, &called.stdout),
        Some(_) => {
            // A JVM that cannot start says so on stdout, and on stderr which options it has picked up.
            let said = [&called.stdout[..], b"\n", &called.stderr].concat();
            format!(
                "does not take it: {}",
                complaint(&String::from_utf8_lossy(&said), &remedy())
            )
        }
        None => format!("did not answer within {} s", PATIENCE.as_secs()),
    };
    Err(LaunchError::script(
        job.script,
        format!("{} {problem}", program.to_string_lossy()),
    ))
}

/// What the helper, or the JVM in its place, complains of: in a sentence where it can be told. The remedy is against a class that is missing.
fn complaint(said: &str, remedy: &str) -> String {
    if let Some(cause) = said.lines().find_map(|line| jvm::cause(line, remedy)) {
        return cause;
    }
    // The helper's own sentence; the bare name of an exception is none.
    let own = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("floodgate: "));
    if let Some(own) = own.filter(|own| own.contains(' ') && !own.contains("Exception")) {
        let hint = match own.contains("no public class") {
            true => {
                format!("; a class is not a simulation if one that it needs is missing: {remedy}")
            }
            false => String::new(),
        };
        return format!("{own}{hint}");
    }
    if let Some(cause) = jvm::innermost(said) {
        return format!("its constructor threw {cause}");
    }
    let words = said.lines().filter(|line| !jvm::is_frame(line));
    let words = words.collect::<Vec<_>>().join("\n");
    let shown = words
        .trim()
        .char_indices()
        .rev()
        .nth(SHOWN)
        .map_or(0, |(at, _)| at);
    words.trim()[shown..].to_owned()
}

/// Reads what the command of [`describe`] printed.
///
/// # Errors
/// [`LaunchError::Script`] if it is not that.
pub fn inspect(script: &str, printed: &[u8]) -> Result<Inspection, LaunchError> {
    let found: Value = serde_json::from_slice(printed).map_err(|error| {
        LaunchError::script_for(script, "what the helper says of it cannot be read: ", error)
    })?;
    let populations = found["populations"].as_array().ok_or_else(|| {
        LaunchError::script(script, "what the helper says of it has no populations")
    })?;
    let mut inspection = Inspection::default();
    let mut users = Some(0);
    for population in populations {
        let own = plan(population, Duration::ZERO, true, &mut inspection);
        users = users.zip(own).map(|(all, own)| all + own);
    }
    assertions(&found["assertions"], &mut inspection);
    inspection.max_duration = found["maxDuration"].as_u64().map(Duration::from_millis);
    inspection.parameters = [("simulation".to_owned(), text(&found["simulation"]))].into();
    inspection.details = json!({
        "gatling": found["version"],
        "simulation": found["simulation"],
        "populations": found["populations"],
        "assertions": found["assertions"],
        "users": users,
    });
    inspection.warnings.push(
        "what a feeder reads is not split: each task begins at its first row; before() and after() run in each task"
            .to_owned(),
    );
    Ok(inspection)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Adds a population and those that come after it; gives back how many users they start, if that is known.
fn plan(population: &Value, start: Duration, first: bool, into: &mut Inspection) -> Option<u64> {
    let name = text(&population["scenario"]).unwrap_or_default();
    let profile = population["profile"].as_str().unwrap_or_default();
    let found = profile::executor(profile, &population["steps"]);
    if found.is_none() {
        into.warnings.push(format!(
            "the load of scenario {name} is not known before the run: {profile} has a step that is not known here"
        ));
    }
    if population["shard"] == json!(false) {
        into.warnings.push(format!(
            "scenario {name} says noShard(): each task runs all of it"
        ));
    }
    if population["throttle"]
        .as_array()
        .is_some_and(|steps| !steps.is_empty())
    {
        into.warnings.push(format!(
            "scenario {name} is throttled: its pauses are off, and its load may be less than planned"
        ));
    }
    let (executor, mut users) =
        found.map_or((None, None), |(executor, users)| (Some(executor), users));
    into.scenarios.push(PlannedScenario {
        name,
        start,
        // Children start when their parent's last user has ended, which only the run can tell.
        executor: executor.filter(|_| first),
        graceful_stop: Duration::ZERO,
    });
    for sequence in population["children"].as_array().into_iter().flatten() {
        for child in sequence.as_array().into_iter().flatten() {
            let own = plan(child, start, false, into);
            users = users.zip(own).map(|(all, own)| all + own);
        }
    }
    users
}

fn assertions(found: &Value, into: &mut Inspection) {
    let mut known = Vec::new();
    for value in found.as_array().into_iter().flatten() {
        match assertion::parse(value) {
            Some(assertion) => known.push(assertion),
            None => into.warnings.push(format!(
                "an assertion is not evaluated: it is of a kind that is not known here: {value}"
            )),
        }
    }
    let (lifted, warnings) = thresholds(&known, &[]);
    into.thresholds = lifted;
    into.warnings.extend(warnings);
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn a_complaint_is_a_sentence() {
        let of = |said: &str| complaint(said, "run mvn");
        let missing = "java.lang.NoClassDefFoundError: shop/Util\n\tat shop.Buy.<init>(Buy.java:9)\nfloodgate: shop/Util";
        let told = "the class shop.Util is not on the class path: run mvn";
        assert_eq!(of(missing), told);
        assert_eq!(
            of("Exception: x\nCaused by: java.lang.ClassNotFoundException: shop.Util\n"),
            told
        );
        let none = "java.lang.IllegalArgumentException: the script holds no simulation: no public class extends Gatling's Simulation\n\tat \
                    a.B.c(B.java:1)\nfloodgate: the script holds no simulation: no public class extends Gatling's Simulation";
        assert_eq!(
            of(none),
            "the script holds no simulation: no public class extends Gatling's Simulation; a class is not a simulation if one that it needs \
             is missing: run mvn"
        );
        assert_eq!(
            of("x\nfloodgate: several simulations, name one"),
            "several simulations, name one"
        );
        let boom = "java.lang.reflect.InvocationTargetException\n\tat a.B.c(B.java:1)\nCaused by: java.lang.IllegalStateException: no row\n\t\
                    at Boom.<init>(Boom.java:2)\n\t... 13 more\nfloodgate: java.lang.reflect.InvocationTargetException";
        assert_eq!(
            of(boom),
            "its constructor threw IllegalStateException: no row (at Boom.<init>(Boom.java:2))"
        );
        assert_eq!(of("odd\n\tat a.B.c(B.java:1)\n"), "odd");
    }
}
