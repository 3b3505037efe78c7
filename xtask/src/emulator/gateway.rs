//! The gateway before MiniStack, `crates/gateway`.

use super::server::{self, Launch, Server, free_port};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// Longer than IAM's answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway. Dropping it ends it.
pub(crate) struct Gateway(Server);

impl Gateway {
    /// Starts it before an emulator on this port, which need not be there yet.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) fn start(program: &Path, emulator: u16) -> Result<Self> {
        let server = Server::start(&Launch {
            name: "the gateway",
            program,
            arguments: &[OsStr::new("serve")],
            port: free_port()?,
            health: "/_floodgate/health",
            environment: |port| vec![("GATEWAY_PORT", port.to_string())],
            more: vec![("FLOODGATE_UPSTREAM", format!("127.0.0.1:{emulator}").into())],
        })?;
        Ok(Self(server))
    }

    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    /// What it has allowed and refused, as `floodgate_gateway::ledger::Report` has it.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn report(&self) -> Result<Value> {
        let said = server::get(self.0.port(), "/_floodgate/report", PATIENCE);
        serde_json::from_slice(&said.context("ask the gateway")?).context("the gateway's report")
    }
}
