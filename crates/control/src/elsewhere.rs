//! Runs that are ordered from elsewhere, over HTTP or by a schedule: what they may not take of the machine that they run on.

use floodgate_core::definition::Definition;
use floodgate_core::definition::model::exports_from_elsewhere;
use floodgate_records::printable::quoted;
use std::collections::BTreeMap;

/// What such a run is given of the service's environment: where programs, the user's folders and certificates are. Everything else could hold
/// secrets, which a definition from elsewhere may not refer to.
pub const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "TZ",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CACHE_HOME",
];
/// What variables must not begin with that are given from elsewhere: a process would obey them.
const OBEYED: [&str; 27] = [
    "LD_",
    "DYLD_",
    "FLOODGATE_",
    "RUST_",
    "PATH",
    "HOME",
    "TMPDIR",
    "MALLOC_",
    "GLIBC_",
    "GCONV_",
    "LOCPATH",
    "IFS",
    "ENV",
    "BASH_",
    "SHELL",
    "JAVA_",
    "JDK_",
    "_JAVA",
    "MAVEN_",
    "GRADLE_",
    "NODE_",
    "PYTHON",
    "PERL",
    "CLASSPATH",
    "XDG_",
    "AWS_",
    "SSL_",
];

/// Whether variables may be given from elsewhere.
///
/// # Errors
/// A sentence about the first that may not.
pub fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in variables {
        let wrong = |why: &str| Err(format!("environment: {name:?} {why}"));
        let mut letters = name.bytes();
        let begins = letters
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !begins || !letters.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return wrong("is not a valid name; use letters, digits and \"_\"");
        }
        let upper = name.to_ascii_uppercase();
        if OBEYED.iter().any(|start| upper.starts_with(start)) {
            return wrong("is a name that processes obey; choose another one");
        }
        if value.contains(['\n', '\r', '\0']) {
            return wrong("has a value of several lines; give one line");
        }
    }
    Ok(())
}

/// What a definition takes that is the machine's, and not of whoever orders a run, a sentence each. The files that it names are not among that:
/// they lie in its own folder.
pub fn taken_from_machine(definition: &Definition) -> Vec<String> {
    let mut faults = exports_from_elsewhere(&definition.export);
    let scenarios = definition.scenarios.iter();
    let own = scenarios.filter(|scenario| scenario.http != definition.http);
    let own = own.map(|scenario| (format!("scenarios.{}.http", scenario.name), &scenario.http));
    for (place, http) in std::iter::once(("http".to_owned(), &definition.http)).chain(own) {
        faults.extend(http.unix_socket.as_ref().map(|path| {
            format!(
                "{place}.unixSocket: {} is a socket of the service's machine, to which a run that is ordered over HTTP or by a schedule does not connect; take it out, and load a target on the network",
                quoted(path)
            )
        }));
    }
    faults
}
