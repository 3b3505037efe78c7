//! `cargo xtask emulate`: the whole stack on this machine, and the demo through it.

use crate::demo::{demo, environment};
use crate::emulator::{Cloud, Deployed, Programs};
use anyhow::{Context as _, Result};
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
        cloud.keep_logs();
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
