//! `cargo xtask emulate`: the whole stack on this machine, and the demo through it.

use crate::emulator::{self, Cloud, Deployed, Programs};
use crate::repo;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Arguments of `cargo xtask emulate`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave the stack up after the demo, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Bring the stack up with `floodgate deploy`, which takes Terraform; it is destroyed after the demo
    #[arg(long)]
    terraform: bool,
}

/// Brings it up, runs the demo, and takes it down: also on Ctrl-C, and when something fails.
///
/// # Errors
/// If a part cannot be had, the demo does not pass, or something is left behind.
pub(crate) fn run(options: &Options) -> Result<()> {
    let interrupted = on_signals()?;
    eprintln!("── bringing the stack up");
    let start = Instant::now();
    let by = match options.terraform {
        true => Deployed::ByCommand,
        false => Deployed::ByScript,
    };
    let mut cloud = Cloud::start(Programs::Built, by)?;
    eprintln!(
        "── up after {:.1} s: {}",
        start.elapsed().as_secs_f64(),
        cloud.url()
    );
    let mut outcome = demo(&cloud);
    if outcome.is_err() && !interrupted.load(Ordering::Relaxed) {
        emulator::keep_logs(&cloud);
    }
    if options.keep && !interrupted.load(Ordering::Relaxed) {
        outcome = outcome.and_then(|()| explain(&cloud));
        while !interrupted.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    eprintln!("── taking the stack down");
    let start = Instant::now();
    let settled = cloud.is_settled();
    let destroyed = cloud.destroy();
    cloud.stop()?;
    settled.and(destroyed)?;
    eprintln!(
        "── down after {:.1} s, nothing left",
        start.elapsed().as_secs_f64()
    );
    outcome
}

/// Set by the first SIGINT or SIGTERM. The second ends this program at once; the emulators then end by themselves.
fn on_signals() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, interrupted.clone())
            .and_then(|_| signal_hook::flag::register(signal, interrupted.clone()))
            .context("watch for Ctrl-C")?;
    }
    Ok(interrupted)
}

/// The demo's project.
const DEMO: &str = "demo";

/// Runs the demo through a stack.
///
/// # Errors
/// If it does not pass.
pub(crate) fn demo(cloud: &Cloud) -> Result<()> {
    let programs = repo::target_dir()?.join("debug");
    let mut shop = Shop::start(Command::new(programs.join("floodgate-target")))?;
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
fn environment(cloud: &Cloud) -> Vec<(&'static str, String)> {
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

fn explain(cloud: &Cloud) -> Result<()> {
    eprintln!("\nThe stack stays until Ctrl-C. To use it:\n");
    for (name, value) in environment(cloud) {
        eprintln!("  export {name}={value}");
    }
    eprintln!(
        "\n  AWS_ACCESS_KEY_ID is the name of the policy that a caller has; `test` may do anything.\n  state machines: {}\n  all names: {}",
        cloud.stack["state_machines"],
        cloud.description().display()
    );
    Ok(())
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
            .context("start floodgate-target")?;
        let out = child.stdout.take().context("floodgate-target's output")?;
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
        serde_json::from_str(&report).context("floodgate-target's report")
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Errors mean that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
