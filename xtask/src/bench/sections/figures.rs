//! Figures that the core's own programs work out: storage and merging.

use crate::repo;
use anyhow::{Context, Result, ensure};
use std::process::Stdio;

/// Bytes a request: an example of the core prints Markdown.
pub(in crate::bench) fn storage(title: &str) -> Result<String> {
    let arguments = [
        "run",
        "--quiet",
        "--profile=dist",
        "--locked",
        "-p",
        "floodgate-core",
        "--example",
        "storage",
    ];
    let printed = output(&arguments)?;
    Ok(format!(
        "\n## {title}\n\n`cargo {}`\n\n{printed}\n",
        arguments.join(" ")
    ))
}

/// Time to merge a histogram of 300 samples, beside the crate that the tests take for their oracle: a bench prints text.
pub(in crate::bench) fn merge(title: &str) -> Result<String> {
    let bench = [
        "bench",
        "--quiet",
        "--locked",
        "--color=never",
        "-p",
        "floodgate-core",
        "--bench",
        "histogram",
    ];
    let arguments: Vec<_> = bench.into_iter().chain(["--", "merge_300"]).collect();
    let printed = output(&arguments)?;
    Ok(format!(
        "\n## {title}\n\n`cargo {}`\n\n```text\n{printed}\n```\n",
        arguments.join(" ")
    ))
}

fn output(arguments: &[&str]) -> Result<String> {
    let output = repo::cargo(arguments).stderr(Stdio::inherit()).output();
    let command = format!("cargo {}", arguments.join(" "));
    let output = output.with_context(|| format!("run {command}"))?;
    ensure!(output.status.success(), "{command}: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}
