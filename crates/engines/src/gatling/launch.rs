//! How a task's share of a simulation is started.
//!
//! The simulation is not changed. What Gatling is told to run is a simulation of ours, `floodgate.gatling.Shared`, which makes an
//! instance of the user's, takes over all that its `setUp` said, and replaces
//!
//! * each open injection profile by those of its starts that are this task's, at the times at which one process would make them:
//!   start *n* of a scenario belongs to exactly one task, whatever mix of steps makes it. Random arrivals (`randomized`) come from a
//!   seed that all tasks share;
//! * each closed profile by this task's share of its users at each moment;
//! * each throttle by this task's share of its requests a second;
//! * its assertions by none: [`inspect`](super::inspect()) lifts them, and they are evaluated on the data of all tasks.
//!
//! A population with `noShard()` is left as it is: each task runs all of it.

use super::exit::exit;
use super::read::reader;
use super::script::{self, Script};
use crate::error::LaunchError;
use crate::job::Job;
use crate::jvm;
use crate::launch::{Launch, Output, Said, Stop};
use std::time::Duration;

/// The name of the log in the folder that Gatling names itself.
pub const LOG: &str = "simulation.log";
/// How long a JVM may take to write the last of the log when it is asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// What everyone who reads the numbers should know.
const NOTES: [&str; 2] = [
    "Gatling measures in whole milliseconds, from when a request is sent: http_req_duration and http_req_response_time are the same, with \
     that resolution, and do not have in them by how much Gatling itself was late",
    "Gatling's log has neither methods nor phases of a request, and a status only where a check of it failed",
];

/// Writes the helper into the job's scratch folder, and says how to start the task.
///
/// # Errors
/// [`LaunchError`] if the script is not there or not compiled, if there is no Gatling, or one that is not known here.
pub fn launch(job: &Job<'_>) -> Result<Launch, LaunchError> {
    let script = Script::find(job)?;
    let mut command = script::java(job, &script)?;
    let below = job.scratch.join("results");
    std::fs::create_dir_all(&below).map_err(LaunchError::file(&below))?;
    let below = std::path::absolute(&below).map_err(LaunchError::file(&below))?;
    command.extend(["-s", "floodgate.gatling.Shared", "-nr", "-rf"].map(Into::into));
    command.push(below.clone().into());
    Ok(Launch {
        command,
        env: Vec::new(),
        folder: script.folder,
        output: Output::Found { below, name: LOG },
        reader: reader(),
        stop: Stop::Terminate,
        patience: PATIENCE,
        exit,
        hears,
        is_believed: true,
        control: None,
        warnings: NOTES.map(str::to_owned).to_vec(),
    })
}

/// The message of a line of Gatling's log at the level of errors, as our `logback.xml` has it written: a function of the simulation that
/// throws, and whatever else made a user go on without.
fn hears(line: &str) -> Option<Said> {
    let remedy = "put it into the jar, or beside the project's classes";
    if let Some(cause) = jvm::cause(line, remedy) {
        return Some(Said::Cause(cause));
    }
    let (_, rest) = line.split_once(' ')?;
    let (_, message) = rest.strip_prefix("ERROR")?.split_once(" - ")?;
    Some(Said::Error(message.trim().to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_are_heard() {
        let line = "11:22:33.444 ERROR i.g.c.a.SessionHook - 'hook-1' crashed with 'j.l.RuntimeException: x'";
        assert_eq!(
            hears(line).unwrap(),
            Said::Error("'hook-1' crashed with 'j.l.RuntimeException: x'".to_owned())
        );
        assert_eq!(hears("11:22:33.444 WARN  i.g.c.x - slow"), None);
        assert_eq!(hears("ERROR"), None);
        assert_eq!(hears(""), None);
    }
}
