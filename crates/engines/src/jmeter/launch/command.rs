//! JMeter's command line, and the properties that its results are read by.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

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

/// What a command line is made of.
pub(super) struct Command<'a> {
    /// The program.
    pub(super) java: &'a Path,
    /// Options of the JVM for its heap and processors.
    pub(super) sized: &'a [OsString],
    /// JMeter's home folder.
    pub(super) home: &'a Path,
    /// The plan.
    pub(super) plan: &'a Path,
    /// Where samples go.
    pub(super) results: &'a Path,
    /// Where the log goes.
    pub(super) scratch: &'a Path,
    /// The test's own `user.properties`.
    pub(super) properties: Option<&'a Path>,
    /// The file with the plan's parameters.
    pub(super) given: &'a Path,
    /// The same; of those without a value JMeter has to be told on its command line.
    pub(super) parameters: &'a BTreeMap<String, String>,
    /// XML in place of CSV.
    pub(super) xml: bool,
    /// Of the shutdown listener.
    pub(super) port: u16,
}

/// The command line. What is given later wins: our properties stand after the test's own, and parameters last.
pub(super) fn command(of: &Command<'_>) -> Vec<OsString> {
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
    }
}
