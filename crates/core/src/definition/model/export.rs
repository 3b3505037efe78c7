//! Where results go.

use std::fmt;

/// A sink.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportSpec {
    /// Its URL, without secrets.
    pub to: String,
    /// The password of the URL's user.
    pub password: Option<String>,
    /// A token.
    pub token: Option<String>,
    /// Whether a run in the cloud is exported while it goes on.
    pub live: bool,
}

/// Without what proves who writes.
impl fmt::Debug for ExportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExportSpec({})", self.to)
    }
}

/// What a sink takes of the machine that it is opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfMachine {
    /// It writes a file.
    File,
    /// It listens on a port.
    Port,
    /// It reads the file of a certificate.
    Certificate,
}

impl OfMachine {
    /// What the sink of a URL takes; `None`: nothing but the network.
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let certificate = |pair: &str| pair.starts_with("sslrootcert=");
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Some(Self::File),
            "metrics" => Some(Self::Port),
            _ => (query.split('&').any(certificate)).then_some(Self::Certificate),
        }
    }
}

/// Why a run in the cloud cannot have exports, a sentence each: what exports there has neither a disk nor a port of its own.
pub fn exports_in_the_cloud(exports: &[ExportSpec]) -> Vec<String> {
    of_machine(exports, |taken| match taken {
        OfMachine::File => {
            "a run in the cloud has no disk to write to; take it out, and write the file afterwards with floodgate export ID --cloud --to file:PATH"
        }
        OfMachine::Port => {
            "a run in the cloud has no port to be asked at; export to prometheus+http://HOST:PORT instead"
        }
        OfMachine::Certificate => {
            "sslrootcert names a file, and a run in the cloud has none; take a certificate of a public authority, or sslmode=disable in a private network"
        }
    })
}

/// Why a run that is ordered from elsewhere cannot have exports, a sentence each: the machine's files and ports are not those of whoever orders
/// it.
pub fn exports_from_elsewhere(exports: &[ExportSpec]) -> Vec<String> {
    of_machine(exports, |taken| match taken {
        OfMachine::File => {
            "a run that is ordered over HTTP or by a schedule writes no file of the service's machine; take it out, and write the file there with floodgate export ID --to file:PATH"
        }
        OfMachine::Port => {
            "a run that is ordered over HTTP or by a schedule opens no port of the service's machine; export to prometheus+http://HOST:PORT instead"
        }
        OfMachine::Certificate => {
            "a run that is ordered over HTTP or by a schedule reads no file of the service's machine; take sslrootcert out, and a certificate of a public authority"
        }
    })
}

fn of_machine(exports: &[ExportSpec], why: impl Fn(OfMachine) -> &'static str) -> Vec<String> {
    let faults = exports.iter().enumerate().filter_map(|(n, export)| {
        let why = why(OfMachine::of(&export.to)?);
        Some(format!("export[{n}]: {}: {why}", export.to))
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_one_machine_can_do_is_named_with_its_place() {
        let exports = [
            "influxdb://h/db?org=file:",
            "file:run.csv",
            "METRICS://0.0.0.0:9464",
            "postgres://h/db?sslmode=require&sslrootcert=/proc/self/environ",
        ];
        let exports = exports.map(|to| ExportSpec {
            to: to.to_owned(),
            password: None,
            token: None,
            live: false,
        });
        let faults = exports_in_the_cloud(&exports);
        for (fault, part) in faults.iter().zip([
            "export[1]: file:run.csv: a run in the cloud has no disk",
            "export[2]: METRICS://0.0.0.0:9464: a run in the cloud has no port",
            "export[3]: postgres://",
        ]) {
            assert!(fault.starts_with(part), "{fault}");
        }
        assert_eq!(faults.len(), 3);
        let faults = exports_from_elsewhere(&exports);
        for (fault, part) in faults
            .iter()
            .zip(["no file", "opens no port", "reads no file"])
        {
            assert!(fault.contains(part), "{fault}");
        }
        assert_eq!(faults.len(), 3);
    }
}
