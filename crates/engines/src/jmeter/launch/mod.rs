//! How JMeter is started for one task.

mod command;

use super::exit;
use super::files::PROPERTIES as PROPERTIES_FILE;
use super::home::{home, major};
use super::mirror::mirror;
use super::pace::Paces;
use super::plan::{Plan, Values, checks, resolved};
use super::read::{self, Options};
use super::split::{Folders, Share, split};
use crate::error::LaunchError;
use crate::installed::java;
use crate::job::Job;
use crate::jvm;
use crate::launch::{Launch, Output, Said, Stop};
use crate::port;
use crate::private;
use command::{Command, command};
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

/// How long running samples may take to end when a run is stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to do where there is no Java.
pub(super) const NO_JAVA: &str =
    "JMeter needs Java 8 or later: install a JRE (default-jre-headless) or set JAVA_HOME";

/// The share that the heap may take of the memory that the JVM itself and the supervisor leave; the rest is for threads' stacks and buffers.
const HEAP_PERCENT: u32 = 65;

/// What 5.6 writes with [`command::PROPERTIES`]. Into a pipe it writes no header: it takes what exists for a file to go on with.
const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,\
bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect";

/// What everyone who reads the numbers should know.
const NOTE: &str = "JMeter measures in whole milliseconds, from when a sample starts: when it should have started is known, and in \
http_req_response_time, only where a throughput timer says so";

/// A UDP port on loopback that nobody has.
fn free_port(scratch: &Path) -> Result<u16, LaunchError> {
    port::free(|port| UdpSocket::bind(("127.0.0.1", port))).map_err(LaunchError::file(scratch))
}

/// Parameters of the plan, with `TARGET` if it is not given.
fn parameters(job: &Job<'_>) -> BTreeMap<String, String> {
    let mut parameters = job.parameters.clone();
    if let Some(target) = job.target {
        parameters
            .entry("TARGET".to_owned())
            .or_insert_with(|| target.to_owned());
    }
    parameters
}

/// The copy of a plan that one of several tasks would run; its files are looked for in a folder, and nothing is written.
///
/// # Errors
/// Why it is not a plan, or cannot be divided.
pub fn divided(
    bytes: &[u8],
    parameters: &BTreeMap<String, String>,
    weights: &[u32],
    place: usize,
    folder: &Path,
) -> Result<Vec<u8>, String> {
    let bytes = &resolved(bytes);
    let plan = Plan::parse(bytes)?;
    let values = Values::new(&plan, parameters);
    let folders = Folders {
        plan: folder,
        data: folder,
    };
    let share = Share { weights, place };
    split(&plan, bytes, &values, &share, &folders).map(|part| part.bytes)
}

/// Writes the task's share of the plan into its scratch folder, and says how JMeter runs it.
///
/// JMeter 5 writes CSV; older versions write XML, since their CSV leaves out the requests of redirects and of embedded resources.
///
/// # Errors
/// See [`LaunchError`].
pub fn launch(job: &Job<'_>) -> Result<Launch, LaunchError> {
    let home = home(job.home)?;
    let java = java(NO_JAVA)?;
    let major = major(&home)?;
    if major < 2 {
        return Err(LaunchError::Version {
            engine: "JMeter",
            found: major.to_string(),
            remedy: "use 5.6, or 2.13".to_owned(),
        });
    }
    let script = job.folder.join(job.script);
    let bytes = std::fs::read(&script).map_err(LaunchError::file(&script))?;
    let bytes = resolved(&bytes);
    let problem = |problem: String| LaunchError::script(job.script, problem);
    let plan = Plan::parse(&bytes).map_err(problem)?;
    let parameters = parameters(job);
    let values = Values::new(&plan, &parameters);
    let folders = Folders {
        plan: script.parent().unwrap_or(job.folder),
        data: &job.scratch.join("data"),
    };
    let share = Share {
        weights: job.weights,
        place: job.place,
    };
    let part = split(&plan, &bytes, &values, &share, &folders).map_err(problem)?;
    let copy = mirror(job)?;
    std::fs::write(&copy, &part.bytes).map_err(LaunchError::file(&copy))?;
    std::fs::create_dir_all(folders.data).map_err(LaunchError::file(folders.data))?;
    for (path, rows) in &part.files {
        std::fs::write(path, rows).map_err(LaunchError::file(path))?;
    }
    let results = job.scratch.join("results.jtl");
    let port = free_port(job.scratch)?;
    let of_plan = folders.plan.join(PROPERTIES_FILE);
    let of_test = match of_plan.is_file() {
        true => of_plan,
        false => job.folder.join(PROPERTIES_FILE),
    };
    let of_script = job.scratch.join("parameters.properties");
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    private::write(&of_script, private::properties(given).as_bytes())?;
    let command = command(&Command {
        sized: &jvm::options(job, HEAP_PERCENT),
        java: &java,
        home: &home,
        plan: &copy,
        results: &results,
        scratch: job.scratch,
        properties: of_test.is_file().then_some(of_test.as_path()),
        given: &of_script,
        parameters: &parameters,
        xml: major < 5,
        port,
    });
    let options = Options {
        checks: checks(&plan, |_| true),
        header: (major >= 5).then(|| HEADER.to_owned()),
        paces: Some(paces(&part.bytes, &parameters).map_err(problem)?),
    };
    Ok(Launch {
        command,
        env: Vec::new(),
        folder: copy.parent().unwrap_or(job.scratch).to_owned(),
        output: Output::Pipe(results),
        reader: read::reader(options),
        stop: Stop::Datagram {
            port,
            message: "Shutdown",
        },
        patience: PATIENCE,
        exit,
        hears,
        // It ends with 0 whatever happens: a part that was to send and did not has failed.
        is_believed: part.is_idle,
        control: None,
        warnings: std::iter::once(NOTE.to_owned())
            .chain(part.warnings)
            .collect(),
    })
}

/// How JMeter names a class of the plan that it does not have, or XStream in its place.
const NO_CLASS: &str = "CannotResolveClassException: ";

/// What JMeter's log says of the test itself; errors are samples. Source: `JMeterThread` of 2.13 and 5.6.
fn hears(line: &str) -> Option<Said> {
    if let Some((_, class)) = line.split_once(NO_CLASS) {
        let class = class.split_whitespace().next().unwrap_or_default();
        return Some(Said::Cause(format!(
            "the plan needs {class}, of a plugin that this JMeter does not have: put the plugin's jar into the folder lib/ext of JMETER_HOME \
             (https://jmeter-plugins.org)"
        )));
    }
    let remedy =
        "put the jar that has it into the folder lib/ext of JMETER_HOME, or unpack JMeter anew";
    if let Some(cause) = jvm::cause(line, remedy) {
        return Some(Said::Cause(cause));
    }
    let ends = [
        "Stop Test detected by thread: ",
        "Stop Test Now detected by thread: ",
        "Shutdown Test detected by thread: ",
    ];
    ends.iter().any(|words| line.contains(words)).then(|| {
        let thread = line.rsplit(": ").next().unwrap_or_default().trim();
        Said::Aborted(format!("the thread {thread} ended the test"))
    })
}

/// The paces of the plan that the task runs.
fn paces(plan: &[u8], parameters: &BTreeMap<String, String>) -> Result<Paces, String> {
    let plan = Plan::parse(plan)?;
    Ok(Paces::of(&plan, &Values::new(&plan, parameters)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_the_test_is_heard() {
        let of_5 = "2026-11-29 04:00:00,123 INFO o.a.j.t.JMeterThread: Stop Test detected by thread: Users 1-2";
        let of_2 = "2026/11/29 04:00:00 INFO  - jmeter.threads.JMeterThread: Stop Test Now detected by thread: Users 1-2 ";
        let ended = Said::Aborted("the thread Users 1-2 ended the test".to_owned());
        assert_eq!(hears(of_5), Some(ended.clone()));
        assert_eq!(hears(of_2), Some(ended));
        for line in [
            "CannotResolveClassException: kg.apc.jmeter.timers.NoSuchTimer",
            "missing class com.thoughtworks.xstream.mapper.CannotResolveClassException: kg.apc.jmeter.timers.NoSuchTimer : kg.apc",
        ] {
            let Some(Said::Cause(cause)) = hears(line) else {
                panic!("{line}");
            };
            assert!(
                cause.starts_with("the plan needs kg.apc.jmeter.timers.NoSuchTimer, of a plugin"),
                "{cause}"
            );
        }
        assert_eq!(
            hears("INFO o.a.j.t.JMeterThread: Thread finished: Users 1-2"),
            None
        );
    }

    #[test]
    fn the_target_is_a_parameter_unless_one_is_given() {
        let parameters = BTreeMap::new();
        let job = Job {
            folder: Path::new("/"),
            script: "plan.jmx",
            scratch: Path::new("/"),
            weights: &[1],
            place: 0,
            target: Some("http://x"),
            parameters: &parameters,
            max_duration: None,
            home: None,
            refused: &[],
            cpus: None,
            memory: None,
        };
        assert_eq!(super::parameters(&job)["TARGET"], "http://x");
        assert_eq!(HEADER.split(',').count(), 17);
    }
}
