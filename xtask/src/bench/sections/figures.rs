//! Figures that the core's own programs work out: storage and merging.

use crate::repo;
use anyhow::{Context, Result, ensure};

/// Runs the core's example of this name, whose output is Markdown, or else its bench, whose output is text.
pub(in crate::bench) fn run(name: &str, title: &str) -> Result<String> {
    let has = |kind: &str| {
        repo::root()
            .join(format!("crates/core/{kind}/{name}.rs"))
            .exists()
    };
    let (arguments, fence) = if has("examples") {
        (
            [
                "run",
                "--quiet",
                "--release",
                "--locked",
                "-p",
                "floodgate-core",
                "--example",
                name,
            ],
            "",
        )
    } else if has("benches") {
        (
            [
                "bench",
                "--quiet",
                "--locked",
                "--color=never",
                "-p",
                "floodgate-core",
                "--bench",
                name,
            ],
            "```\n",
        )
    } else {
        return Ok(format!(
            "\n## {title}\n\nLeft out: there is no crates/core/examples/{name}.rs or benches/{name}.rs.\n"
        ));
    };
    let output = repo::cargo(&arguments)
        .stderr(std::process::Stdio::inherit())
        .output();
    let output = output.with_context(|| format!("run cargo {}", arguments.join(" ")))?;
    ensure!(
        output.status.success(),
        "cargo {}: {}",
        arguments.join(" "),
        output.status
    );
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(format!(
        "\n## {title}\n\n`cargo {}`\n\n{fence}{}\n{fence}",
        arguments.join(" "),
        printed.trim_end()
    ))
}
