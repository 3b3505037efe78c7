//! The demo through an emulated stack.

use crate::emulator::Cloud;
use crate::repo;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// The demo's project.
const DEMO: &str = "demo";

/// Runs the demo through a stack.
///
/// # Errors
/// If it does not pass.
pub(crate) fn demo(cloud: &Cloud) -> Result<()> {
    let programs = repo::target_dir()?.join("debug");
    let mut shop = Shop::start(Command::new(programs.join("floodgate-testserver")))?;
    eprintln!("── the demo's shop: {}", shop.url);
    let status = Command::new(programs.join("floodgate"))
        .arg("run")
        .arg(repo::root().join("crates/cli/demo/shop.yaml"))
        .arg("--cloud")
        .envs(environment(cloud))
        .env("FLOODGATE_DEMO_TARGET", &shop.url)
        .status()
        .context("run floodgate")?;
    let seen = shop.stop()?;
    measure(cloud, &seen)?;
    verdict(status)
}

fn verdict(status: ExitStatus) -> Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => bail!("the demo ended with {code}, and should have passed"),
        None => bail!("the demo was ended: {status}"),
    }
}

/// What `floodgate --cloud` and other clients need to find the stack.
pub(crate) fn environment(cloud: &Cloud) -> Vec<(&'static str, String)> {
    let of = |name: &str| cloud.stack[name].as_str().unwrap_or_default().to_owned();
    let mut variables = vec![
        ("AWS_ENDPOINT_URL", cloud.url()),
        ("AWS_ACCESS_KEY_ID", cloud.runner(DEMO)),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
    ];
    match of("out") {
        // The names of its parts are told by convention.
        none if none.is_empty() => variables.extend([
            ("AWS_REGION", of("region")),
            ("FLOODGATE_STACK", of("name")),
        ]),
        // All else is told by the file that `floodgate deploy` has written.
        out => variables.push(("FLOODGATE_OUT", out)),
    }
    variables
}

/// Prints how long the stack took around the load itself.
fn measure(cloud: &Cloud, seen: &Value) -> Result<()> {
    let executions: Value = serde_json::from_str(&cloud.deploy(&["executions"])?)?;
    let Some(execution) = executions.as_array().and_then(|all| all.last()) else {
        return Ok(());
    };
    let seconds = |from: &Value, to: &Value| Some((to.as_i64()? - from.as_i64()?) as f64 / 1e3);
    for (what, took, limit) in [
        (
            "StartExecution to the first request",
            seconds(&execution["start_ms"], &seen["first_ms"]),
            10.0,
        ),
        (
            "the last request to the verdict",
            seconds(&seen["last_ms"], &execution["stop_ms"]),
            5.0,
        ),
    ] {
        match took {
            Some(took) => eprintln!("── {what}: {took:.1} s (wanted: under {limit} s)"),
            None => eprintln!("── {what}: not known"),
        }
    }
    Ok(())
}

/// The demo's shop as a process that counts.
struct Shop {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
}

impl Shop {
    fn start(mut program: Command) -> Result<Self> {
        let mut child = program
            .args(["service", "--report"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start floodgate-testserver")?;
        let out = child
            .stdout
            .take()
            .context("floodgate-testserver's output")?;
        let mut out = BufReader::new(out);
        let mut url = String::new();
        out.read_line(&mut url)?;
        Ok(Self {
            child,
            out,
            url: url.trim().to_owned(),
        })
    }

    /// Ends it; what it has seen.
    fn stop(&mut self) -> Result<Value> {
        drop(self.child.stdin.take());
        let mut report = String::new();
        self.out.read_to_string(&mut report)?;
        self.child.wait()?;
        serde_json::from_str(&report).context("floodgate-testserver's report")
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Errors mean that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
