//! MiniStack: S3, DynamoDB, Step Functions, Lambda, ECS on Docker, EventBridge and Scheduler on one port, behind the gateway that
//! enforces policies.

use super::docker;
use super::gateway::Gateway;
use super::server::{Launch, Server, free_port};
use crate::{python, repo};
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is installed, pinned.
const PACKAGES: &[&str] = &["ministack==1.5.33", "docker==7.2.0", "boto3==1.43.106"];
/// The region of the emulated stack.
pub(super) const REGION: &str = "eu-west-1";

/// The Python that has MiniStack and boto3.
///
/// # Errors
/// Why there is none: a sentence for the account.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let base = python::find(|minor| minor >= 10).ok_or("MiniStack needs Python 3.10 or later")?;
    python::environment("ministack-1.5.33", &base, PACKAGES)
}

/// A running MiniStack. Dropping it ends it, with its functions and containers.
pub(super) struct Ministack {
    server: Option<Server>,
    /// Dropped after it: while it ends, it may still ask.
    gateway: Gateway,
    python: PathBuf,
}

impl Ministack {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) fn start(python: &Path, gateway: &Path) -> Result<Self> {
        let script = repo::root().join("infra/emulator/run_ministack.py");
        let port = free_port()?;
        let gateway = Gateway::start(gateway, port)?;
        let server = Server::start(&Launch {
            name: "MiniStack",
            program: python,
            arguments: &[script.as_os_str()],
            port,
            health: "/_ministack/health",
            environment,
            more: vec![("FLOODGATE_GATEWAY", gateway.url().into())],
        })?;
        Ok(Self {
            server: Some(server),
            gateway,
            python: python.to_owned(),
        })
    }

    fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("MiniStack has ended")
    }

    /// Where every service listens: the gateway.
    pub(super) fn url(&self) -> String {
        self.gateway.url()
    }

    pub(super) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The Python that has boto3.
    pub(super) fn python(&self) -> &Path {
        &self.python
    }

    pub(super) fn folder(&self) -> Result<&Path> {
        Ok(self.server()?.folder())
    }

    /// Runs `infra/emulator/deploy.py` and gives back what it prints.
    ///
    /// # Errors
    /// If it fails, with what it complained of.
    pub(super) fn deploy(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.python)
            .arg(repo::root().join("infra/emulator/deploy.py"))
            .args(arguments)
            .args(["--endpoint", &self.url(), "--region", REGION])
            .stdin(Stdio::null())
            .output()
            .context("run infra/emulator/deploy.py")?;
        ensure!(
            output.status.success(),
            "infra/emulator/deploy.py {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        String::from_utf8(output.stdout).context("what infra/emulator/deploy.py prints")
    }

    /// Ends it; containers that it leaves are removed and make this fail.
    ///
    /// # Errors
    /// If a container was left.
    pub(super) fn stop(mut self) -> Result<()> {
        let left = self.end();
        ensure!(
            left.is_empty(),
            "MiniStack left containers, now removed: {}",
            left.join(" ")
        );
        Ok(())
    }

    fn end(&mut self) -> Vec<String> {
        let Some(server) = self.server.take() else {
            return Vec::new();
        };
        let label = format!("ministack.instance=floodgate:{}", server.port());
        drop(server);
        let left = docker::containers(&label);
        docker::remove(&left);
        left
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        self.end();
    }
}

fn environment(port: u16) -> Vec<(&'static str, String)> {
    let of = |name, value: &str| (name, value.to_owned());
    vec![
        ("GATEWAY_PORT", port.to_string()),
        of("BIND_HOST", "127.0.0.1"),
        // The first half of the label of its containers; the port is the other.
        of("MINISTACK_HOSTNAME", "floodgate"),
        of("MINISTACK_REGION", REGION),
        of("AWS_DEFAULT_REGION", REGION),
        of("AWS_ACCESS_KEY_ID", "test"),
        of("AWS_SECRET_ACCESS_KEY", "test"),
        of("LAMBDA_EXECUTOR", "local"),
        // Servers for services that are not used.
        of("SFTP_ENABLED", "0"),
        of("IOT_MTLS_ENABLED", "0"),
    ]
}
