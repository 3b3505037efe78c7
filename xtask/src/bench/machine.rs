//! The report's first lines: on what, with what, how.

use super::context::Context;
use super::tools::first_line;
use crate::repo;
use std::fmt::Write as _;
use std::process::Command;

/// Machine, versions and command.
pub(super) fn describe(context: &Context) -> String {
    let mut text = String::from("# Benchmarks\n\n");
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let lines = [
        ("Command", format!("`cargo xtask {}`", arguments.join(" "))),
        (
            "Commit",
            first_line(
                Command::new("git")
                    .args(["describe", "--always", "--dirty"])
                    .current_dir(repo::root()),
            ),
        ),
        ("CPU", cpu()),
        ("Kernel", read("/proc/sys/kernel/osrelease")),
        (
            "Compiler",
            first_line(
                Command::new("rustc")
                    .arg("--version")
                    .current_dir(repo::root()),
            ),
        ),
        (
            "Pinning",
            format!(
                "server on core {}, the tool on core {}",
                context.cores.server, context.cores.client
            ),
        ),
        (
            "Rounds",
            format!(
                "{} of {} s each, interleaved; medians",
                context.rounds, context.seconds
            ),
        ),
        (
            "Tools",
            context
                .tools
                .iter()
                .map(|tool| tool.version.as_str())
                .collect::<Vec<_>>()
                .join("; "),
        ),
        (
            "Not installed",
            if context.absent.is_empty() {
                "none".into()
            } else {
                context.absent.join(", ")
            },
        ),
    ];
    // What has no peers says itself how it was measured.
    let of_all = if context.tools.is_empty() {
        5
    } else {
        lines.len()
    };
    for (name, value) in &lines[..of_all] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "* {name}: {value}");
    }
    text
}

/// The model and how many of it this process may use.
fn cpu() -> String {
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{} × {}", count, model.map_or("unknown", str::trim))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
}
