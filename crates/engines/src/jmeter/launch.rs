//! How JMeter is started for one task.

use super::files::PROPERTIES as PROPERTIES_FILE;
use super::pace::Paces;
use super::plan::{Plan, Values, checks, resolved};
use super::read::{self, Options};
use super::split::{Folders, Share, split};
use crate::installed::Installed;
use crate::jvm;
use crate::launch::{Exit, Job, Launch, LaunchError, Output, Said, Stop};
use crate::port;
use crate::private;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::UdpSocket;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// How long running samples may take to end when a run is stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// Packages that JMeter and its plugins reach into by reflection, and that Java 9 and later have to be told to open.
/// Source: `bin/jmeter` of JMeter 5.6; `java.awt.font` and `javax.swing` for 2.13.
const OPENED: [&str; 10] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.text",
    "java.base/java.util",
    "java.desktop/java.awt.font",
    "java.desktop/javax.swing",
    "java.desktop/javax.swing.text.html",
    "java.desktop/javax.swing.tree",
    "java.desktop/sun.awt",
];

/// The share that the heap may take of the memory that the JVM itself and the supervisor leave; the rest is for threads' stacks and buffers.
const HEAP_PERCENT: u32 = 65;

/// What the reader relies on, whatever `user.properties` says.
const PROPERTIES: [&str; 39] = [
    "jmeter.save.saveservice.assertion_results=all",
    "jmeter.save.saveservice.assertion_results_failure_message=true",
    "jmeter.save.saveservice.assertions=true",
    "jmeter.save.saveservice.autoflush=true",
    "jmeter.save.saveservice.bytes=true",
    "jmeter.save.saveservice.connect_time=true",
    "jmeter.save.saveservice.data_type=true",
    "jmeter.save.saveservice.default_delimiter=,",
    "jmeter.save.saveservice.encoding=false",
    "jmeter.save.saveservice.filename=false",
    "jmeter.save.saveservice.hostname=false",
    "jmeter.save.saveservice.idle_time=true",
    "jmeter.save.saveservice.label=true",
    "jmeter.save.saveservice.latency=true",
    "jmeter.save.saveservice.print_field_names=true",
    "jmeter.save.saveservice.requestHeaders=false",
    "jmeter.save.saveservice.response_code=true",
    "jmeter.save.saveservice.response_data=false",
    "jmeter.save.saveservice.response_data.on_error=false",
    "jmeter.save.saveservice.response_message=true",
    "jmeter.save.saveservice.responseHeaders=false",
    "jmeter.save.saveservice.sample_count=false",
    "jmeter.save.saveservice.samplerData=false",
    "jmeter.save.saveservice.sent_bytes=true",
    "jmeter.save.saveservice.subresults=true",
    "jmeter.save.saveservice.successful=true",
    "jmeter.save.saveservice.thread_counts=true",
    "jmeter.save.saveservice.thread_name=true",
    "jmeter.save.saveservice.time=true",
    "jmeter.save.saveservice.timestamp_format=ms",
    "jmeter.save.saveservice.url=true",
    "jmeter.save.saveservice.xml_pi=",
    "jmeterengine.force.system.exit=false",
    "sample_variables=",
    "sampleresult.timestamp.start=true",
    "sampleresult.useNanoTime=true",
    "subresults.disable_renaming=false",
    "summariser.name=",
    "summariser.out=false",
];

/// What 5.6 writes with [`PROPERTIES`]. Into a pipe it writes no header: it takes what exists for a file to go on with.
const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,\
bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect";

/// What everyone who reads the numbers should know.
const NOTE: &str = "JMeter measures in whole milliseconds, from when a sample starts: when it should have started is known, and in \
http_req_response_time, only where a throughput timer says so";

/// What an exit code of JMeter says. It is 0 whatever the samples were: the verdict comes from them.
pub fn exit(code: i32) -> Exit {
    match code {
        0 => Exit::Completed,
        // By SIGINT and SIGTERM; its shutdown hook has closed the results.
        130 | 143 => Exit::Stopped,
        1 => Exit::Failed {
            meaning: "JMeter could not run the plan: its last lines say why",
        },
        134 | 137 => Exit::Failed {
            meaning: "the JVM was killed or gave up: does the task have enough memory?",
        },
        _ => Exit::Failed {
            meaning: "the JVM ended with a code that JMeter does not use",
        },
    }
}

/// The home folder: as given, or of `FLOODGATE_JMETER`, `JMETER_HOME`, or the `jmeter` of the path.
fn home(given: Option<&Path>) -> Result<PathBuf, LaunchError> {
    let launcher = |home: &Path| home.join("bin/ApacheJMeter.jar").is_file();
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let of_path = || {
        let program = find("jmeter", &[])?.canonicalize().ok()?;
        Some(program.parent()?.parent()?.to_owned())
    };
    let places = match given {
        Some(given) => vec![Some(given.to_owned())],
        None => vec![
            variable("FLOODGATE_JMETER"),
            variable("JMETER_HOME"),
            of_path(),
        ],
    };
    let found = places.into_iter().flatten().find(|home| launcher(home));
    found.ok_or_else(|| LaunchError::NotFound {
        engine: "JMeter",
        remedy: match given {
            Some(given) => format!("{} has no bin/ApacheJMeter.jar", given.display()),
            None => "unpack JMeter 5.6 (https://jmeter.apache.org/download_jmeter.cgi) and set JMETER_HOME to its folder, or use the image floodgate-jmeter".to_owned(),
        },
    })
}

fn find(program: &str, first: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = first.iter().cloned().chain(std::env::split_paths(&path));
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

pub(crate) fn java() -> Result<PathBuf, LaunchError> {
    let first: Vec<PathBuf> = std::env::var_os("JAVA_HOME")
        .map(|home| Path::new(&home).join("bin"))
        .into_iter()
        .collect();
    find("java", &first).ok_or_else(|| LaunchError::NotFound {
        engine: "Java",
        remedy:
            "JMeter needs Java 8 or later: install a JRE (default-jre-headless) or set JAVA_HOME"
                .to_owned(),
    })
}

/// The JMeter that is here. A distribution names its version in few places: where its core's name has none, the major one is known alone.
pub(crate) fn installed() -> Result<Installed, LaunchError> {
    let home = home(None)?;
    let version = match core_version(&home)? {
        Some(version) => version,
        None => format!("{}.x", major(&home)?),
    };
    Ok(Installed { version, at: home })
}

/// The version in the name of the core's jar, which Maven Central gives it.
fn core_version(home: &Path) -> Result<Option<String>, LaunchError> {
    let ext = home.join("lib/ext");
    let names = std::fs::read_dir(&ext).map_err(LaunchError::file(&ext))?;
    let mut names = names
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.find_map(|name| {
        let version = name.strip_prefix("ApacheJMeter_core-")?;
        Some(version.strip_suffix(".jar")?.to_owned())
    }))
}

/// The first number of the version that an installation says it is: of its core's name (Maven Central), or of the version of its
/// saved formats, which is 5.0 since JMeter 5 (`bin/saveservice.properties`).
fn major(home: &Path) -> Result<u32, LaunchError> {
    let first = |text: &str| {
        text.split('.')
            .next()
            .and_then(|number| number.trim().parse::<u32>().ok())
    };
    if let Some(major) = core_version(home)?.as_deref().and_then(first) {
        return Ok(major);
    }
    let file = home.join("bin/saveservice.properties");
    let text = std::fs::read_to_string(&file).map_err(LaunchError::file(&file))?;
    let saved = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("_version="));
    saved.and_then(first).ok_or_else(|| LaunchError::Version {
        engine: "JMeter",
        found: "of unknown version".to_owned(),
        remedy: format!("{} has no _version: unpack JMeter 5.6 anew", file.display()),
    })
}

/// Folders of links in which the plan's copy stands as the plan does in its own, so that `../data/users.csv` leads where it did.
fn mirror(job: &Job<'_>) -> Result<PathBuf, LaunchError> {
    let script = Path::new(job.script);
    let plain = script
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let (Some(name), true) = (script.file_name(), plain) else {
        return Err(LaunchError::Script {
            script: job.script.to_owned(),
            problem: "the path leads out of the test's folder: name the plan relative to it"
                .to_owned(),
        });
    };
    let mut from = job
        .folder
        .canonicalize()
        .map_err(LaunchError::file(job.folder))?;
    let mut to = job.scratch.join("plan");
    let parts: Vec<&OsStr> = script
        .iter()
        .filter(|part| *part != OsStr::new("."))
        .collect();
    for part in parts {
        link_all(&from, &to, part)?;
        from.push(part);
        if part != name {
            to.push(part);
        }
    }
    Ok(to.join(name))
}

/// Links to everything in a folder but one.
fn link_all(from: &Path, to: &Path, but: &OsStr) -> Result<(), LaunchError> {
    std::fs::create_dir_all(to).map_err(LaunchError::file(to))?;
    for entry in std::fs::read_dir(from).map_err(LaunchError::file(from))? {
        let name = entry.map_err(LaunchError::file(from))?.file_name();
        if name == but {
            continue;
        }
        let link = to.join(&name);
        match std::os::unix::fs::symlink(from.join(&name), &link) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(LaunchError::file(&link)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

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
    let java = java()?;
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
    let problem = |problem: String| LaunchError::Script {
        script: job.script.to_owned(),
        problem,
    };
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

/// What a command line is made of.
struct Command<'a> {
    /// The program.
    java: &'a Path,
    /// Options of the JVM for its heap and processors.
    sized: &'a [OsString],
    /// JMeter's home folder.
    home: &'a Path,
    /// The plan.
    plan: &'a Path,
    /// Where samples go.
    results: &'a Path,
    /// Where the log goes.
    scratch: &'a Path,
    /// The test's own `user.properties`.
    properties: Option<&'a Path>,
    /// The file with the plan's parameters.
    given: &'a Path,
    /// The same; of those without a value JMeter has to be told on its command line.
    parameters: &'a BTreeMap<String, String>,
    /// XML in place of CSV.
    xml: bool,
    /// Of the shutdown listener.
    port: u16,
}

/// The command line. What is given later wins: our properties stand after the test's own, and parameters last.
fn command(of: &Command<'_>) -> Vec<OsString> {
    let joined = |name: &str, path: &Path| {
        let mut text = OsString::from(name);
        text.push(path);
        text
    };
    let mut all: Vec<OsString> = vec![of.java.into()];
    all.extend(of.sized.iter().cloned());
    // Java 8 knows no modules, and before its update 191 none of the options above.
    all.push("-XX:+IgnoreUnrecognizedVMOptions".into());
    all.extend(
        OPENED
            .iter()
            .map(|package| format!("--add-opens={package}=ALL-UNNAMED").into()),
    );
    all.push("-XX:+ExitOnOutOfMemoryError".into());
    all.push("-Djava.awt.headless=true".into());
    all.push(joined("-Djava.util.prefs.userRoot=", of.scratch));
    all.push(joined("-Djmeter.home=", of.home));
    all.extend(["-jar".into(), of.home.join("bin/ApacheJMeter.jar").into()]);
    all.extend(["-n".into(), "-t".into(), of.plan.into()]);
    all.extend(["-l".into(), of.results.into()]);
    // Its log comes out where its other words do: there it says that a sampler or a script ends the test.
    all.extend(["-j".into(), "/dev/stdout".into()]);
    if let Some(properties) = of.properties {
        all.extend(["-q".into(), properties.into()]);
    }
    let format = if of.xml { "xml" } else { "csv" };
    all.extend(
        PROPERTIES
            .iter()
            .map(|property| format!("-J{property}").into()),
    );
    all.push(format!("-Jjmeter.save.saveservice.output_format={format}").into());
    all.push(format!("-Jjmeterengine.nongui.port={}", of.port).into());
    all.push(format!("-Jjmeterengine.nongui.maxport={}", of.port).into());
    // A file that nobody else may read, where every user can read a command line. They are properties of JMeter (-J) and of the system (-D).
    all.extend(["-q".into(), of.given.into(), "-S".into(), of.given.into()]);
    let empty = of.parameters.iter().filter(|(_, value)| value.is_empty());
    // JMeter takes an option without a value for the order to have no such property.
    all.extend(empty.map(|(name, _)| format!("-J{name}=").into()));
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A home folder with what is looked at.
    fn installed(core: &str, saved: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for folder in ["bin", "lib/ext"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        for (file, text) in [
            ("bin/ApacheJMeter.jar", ""),
            ("bin/saveservice.properties", saved),
            (&format!("lib/ext/{core}"), ""),
        ] {
            std::fs::write(home.path().join(file), text).unwrap();
        }
        home
    }

    #[test]
    fn the_version_is_that_of_the_core_or_of_the_saved_formats() {
        let major_of = |core: &str, saved: &str| major(installed(core, saved).path());
        assert_eq!(major_of("ApacheJMeter_core-2.13.jar", "").unwrap(), 2);
        assert_eq!(
            major_of("ApacheJMeter_core.jar", "#\n_version=5.0\n").unwrap(),
            5
        );
        let error = major_of("ApacheJMeter_core.jar", "").unwrap_err();
        assert!(error.to_string().contains("has no _version"), "{error}");
    }

    #[test]
    fn an_absent_home_is_told_with_its_place() {
        let error = home(Some(Path::new("/no/such"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "JMeter is not installed: /no/such has no bin/ApacheJMeter.jar"
        );
    }

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
    fn exit_codes_have_meanings() {
        assert_eq!(exit(0), Exit::Completed);
        assert_eq!(exit(143), Exit::Stopped);
        assert!(matches!(exit(1), Exit::Failed { meaning } if meaning.contains("could not run")));
        assert!(matches!(exit(137), Exit::Failed { meaning } if meaning.contains("memory")));
    }

    #[test]
    fn the_copy_stands_among_links_to_the_files_of_the_test() {
        let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, text) in [
            ("a/b/plan.jmx", "plan"),
            ("a/b/near.csv", "near"),
            ("data/far.csv", "far"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let parameters = BTreeMap::new();
        let mut job = Job {
            folder: folder.path(),
            script: "./a/b/plan.jmx",
            scratch: scratch.path(),
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
        let copy = mirror(&job).unwrap();
        assert!(!copy.exists(), "the plan itself is written, not linked");
        let near = |name: &str| std::fs::read_to_string(copy.parent().unwrap().join(name)).unwrap();
        assert_eq!(
            (
                near("near.csv").as_str(),
                near("../../data/far.csv").as_str()
            ),
            ("near", "far")
        );
        assert_eq!(super::parameters(&job)["TARGET"], "http://x");
        job.script = "../plan.jmx";
        assert!(
            mirror(&job)
                .unwrap_err()
                .to_string()
                .contains("leads out of the test's folder")
        );
    }

    #[test]
    fn parameters_come_last_and_nothing_is_left_to_user_properties() {
        let (home, scratch) = (Path::new("/jmeter"), Path::new("/scratch"));
        let parameters = [("users", "5"), ("none", "")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = BTreeMap::from(parameters);
        let line = command(&Command {
            sized: &["-Xmx333m".into()],
            java: Path::new("/java"),
            home,
            plan: Path::new("/scratch/plan.jmx"),
            results: Path::new("/scratch/results.jtl"),
            scratch,
            properties: Some(Path::new("/test/user.properties")),
            given: Path::new("/scratch/given"),
            parameters: &parameters,
            xml: false,
            port: 4_445,
        });
        let line: Vec<String> = line.into_iter().map(|a| a.into_string().unwrap()).collect();
        let end = ["-q", "/scratch/given", "-S", "/scratch/given", "-Jnone="];
        assert_eq!(line[line.len() - 5..], end);
        let place = |wanted: &str| line.iter().position(|a| a == wanted).unwrap();
        assert!(place("-q") < place("-Jjmeter.save.saveservice.url=true"));
        assert!(
            place("-jar") < place("-n"),
            "the JVM's options before, JMeter's after"
        );
        assert!(place("-Xmx333m") < place("-jar"));
        assert!(line.contains(&"-Jjmeterengine.nongui.port=4445".to_owned()));
        assert_eq!(HEADER.split(',').count(), 17);
    }
}
