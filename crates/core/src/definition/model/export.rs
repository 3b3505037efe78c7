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

/// Why a run in the cloud cannot have exports, a sentence each: what exports there has neither a disk nor a port of its own.
pub fn exports_in_the_cloud(exports: &[ExportSpec]) -> Vec<String> {
    let faults = exports.iter().enumerate().filter_map(|(n, export)| {
        let why = only_on_one_machine(&export.to)?;
        Some(format!("export[{n}]: {}: {why}", export.to))
    });
    faults.collect()
}

/// Why a function cannot export to a URL, with the remedy; `None` if it can.
pub fn only_on_one_machine(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once(':')?;
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    match scheme.to_ascii_lowercase().as_str() {
        "file" => Some(
            "a run in the cloud has no disk to write to; take it out, and write the file afterwards with floodgate export ID --cloud --to file:PATH",
        ),
        "metrics" => Some(
            "a run in the cloud has no port to be asked at; export to prometheus+http://HOST:PORT instead",
        ),
        _ if query
            .split('&')
            .any(|pair| pair.starts_with("sslrootcert=")) =>
        {
            Some(
                "sslrootcert names a file, and a run in the cloud has none; take a certificate of a public authority, or sslmode=disable in a private network",
            )
        }
        _ => None,
    }
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
    }
}
