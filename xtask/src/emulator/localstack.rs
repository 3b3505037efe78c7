//! LocalStack's Step Functions, with the answers of functions mocked.

use super::server::{Launch, Server, free_port};
use crate::{python, repo};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What is installed: the last free edition, the versions of its dependencies that it still works with, and JSONata.
const PACKAGES: &[&str] = &[
    "localstack-core[runtime]==4.14.0",
    "cbor2<5.8",
    "cryptography<45",
    "pyopenssl<25",
    "service_identity<25",
    "joserfc<1.1",
    "jsonata-python==0.7.1",
];

/// The Python that has LocalStack.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(crate) fn set_up() -> Result<PathBuf, String> {
    let base = python::find(|minor| minor == 13).ok_or("LocalStack 4.14 needs Python 3.13")?;
    python::environment("localstack-4.14.0", &base, PACKAGES)
}

/// A running LocalStack. Dropping it ends it.
pub(crate) struct Localstack(Server);

impl Localstack {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn start(python: &Path) -> Result<Self> {
        let folder = repo::root().join("infra/emulator");
        let server = Server::start(&Launch {
            name: "LocalStack",
            program: python,
            arguments: &[folder.join("run_localstack.py").as_os_str()],
            port: free_port()?,
            health: "/_localstack/health",
            environment,
            more: vec![("SFN_MOCK_CONFIG", folder.join("sfn-mock.json").into())],
        })?;
        Ok(Self(server))
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }
}

fn environment(port: u16) -> Vec<(&'static str, String)> {
    let here = format!("127.0.0.1:{port}");
    let of = |name, value: &str| (name, value.to_owned());
    vec![
        ("GATEWAY_LISTEN", here.clone()),
        ("LOCALSTACK_HOST", here),
        of("SERVICES", "s3,stepfunctions,sts,events"),
        of("AWS_ACCESS_KEY_ID", "test"),
        of("AWS_SECRET_ACCESS_KEY", "test"),
        // It would ask its makers for a certificate, tell them about this run, and serve DNS.
        of("SKIP_SSL_CERT_DOWNLOAD", "1"),
        of("DISABLE_EVENTS", "1"),
        of("DNS_ADDRESS", "0"),
        of("OVERRIDE_IN_DOCKER", "0"),
    ]
}
